"""An exercise: a correct function, small cases, and common mistakes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]
Cases = dict[str, tuple[Any, ...]]  # what is special about a case -> its arguments
Mistakes = dict[str, Function | tuple[Function, ...]]  # explanation -> functions that make it


@dataclass(frozen=True)
class Exercise:
    """One coding exercise of the book.

    Parameters
    ----------
    name
        The name of the function to write.
    solution
        A correct function.
    cases
        Makes new arguments for each check, by a description of the case; the simplest comes first.
    mistakes
        Wrong functions, by the explanation for a reader whose function answers as they do; the first that fits is named.
    tolerance
        Largest allowed error, relative to the largest expected value; integers must be exact.
    """

    name: str
    solution: Function
    cases: Callable[[], Cases]
    mistakes: Mistakes
    tolerance: float = 1e-5

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the solution's parameters that cases give by position."""
        parameters = inspect.signature(self.solution).parameters.values()
        return tuple(each.name for each in parameters if each.kind is not each.KEYWORD_ONLY)

    def wrong_functions(self) -> Iterator[tuple[str, Function]]:
        """Yield each wrong function with the explanation of its mistake."""
        for words, functions in self.mistakes.items():
            for function in functions if isinstance(functions, tuple) else (functions,):
                yield words, function
