"""``camcourse.quiz``: the questions of a chapter."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import resources

from camcourse.quizzes.questions import Question, page
from camcourse.quizzes.reading import parse
from camlib.errors import describe

SUFFIX = ".toml"


@dataclass(frozen=True, repr=False)
class Quiz:
    """The questions of a chapter, which a notebook or a page of the book displays as HTML."""

    name: str
    questions: tuple[Question, ...]

    def __repr__(self) -> str:
        return f"Quiz of {len(self.questions)} questions, {self.name}"

    def _repr_html_(self) -> str:
        return page(self.name, self.questions)


def quiz(name: str) -> Quiz:
    """Return a chapter's questions for self-checking.

    Each answer explains why it is right or wrong. Nothing is recorded, and answering needs no Python.

    Parameters
    ----------
    name
        The name of the chapter's file, without its extension.

    Raises
    ------
    TypeError
        If the name is not a string.
    ValueError
        If no chapter of that name has a quiz.

    Examples
    --------
    >>> quiz("02-global-average-pooling")
    Quiz of 4 questions, 02-global-average-pooling
    """
    if not isinstance(name, str):
        raise TypeError(
            f"name: expected a chapter's name, got {describe(name)}. Give it as a string, such as "
            f"{names()[0]!r}."
        )
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1, cutoff=0.4)
        hint = f"Did you mean {close[0]!r}?" if close else f"Choose from: {', '.join(names())}."
        raise ValueError(f"name: expected a chapter that has a quiz, got {name!r}. {hint}")
    file = resources.files(__package__) / f"{name}{SUFFIX}"
    return Quiz(name, parse(file.read_text(encoding="utf-8"), file.name))


def names() -> tuple[str, ...]:
    """Return the names of all chapters that have a quiz, in order."""
    files = sorted(file.name for file in resources.files(__package__).iterdir())
    return tuple(name.removesuffix(SUFFIX) for name in files if name.endswith(SUFFIX))
