"""What a quiz is made of: questions, and answers that say why they are right or not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """An answer to choose, and what a reader learns by choosing it."""

    text: str
    feedback: str
    right: bool


@dataclass(frozen=True)
class Question:
    """A question with three or four answers, one of them right."""

    ask: str
    answers: tuple[Answer, ...]
