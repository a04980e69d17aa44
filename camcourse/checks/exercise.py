"""What an exercise is: a right function, small cases, and the mistakes that are often made."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """Arguments to try, and what is particular about them: "a map with negative values"."""

    words: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Mistake:
    """A wrong function, and what to tell whoever wrote one that answers as it does."""

    words: str
    wrong: Function


@dataclass(frozen=True)
class Exercise:
    """One coding exercise of the book.

    ``cases`` makes its arguments anew for every check, the simplest first. A value counts as right
    within ``tolerance`` of the largest expected value; whole numbers must be exact.
    """

    name: str
    right: Function
    cases: Callable[[], tuple[Case, ...]]
    mistakes: tuple[Mistake, ...]
    tolerance: float = 1e-5

    @property
    def parameters(self) -> tuple[str, ...]:
        """What the right function calls its arguments; a case gives none by keyword alone."""
        parameters = inspect.signature(self.right).parameters.values()
        return tuple(each.name for each in parameters if each.kind is not each.KEYWORD_ONLY)
