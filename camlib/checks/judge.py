"""Run a reader's function on an exercise's cases, and find the likely mistake."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch

from camlib.checks.compare import difference
from camlib.checks.exercise import Case, Exercise, Function


@dataclass(frozen=True)
class Verdict:
    """How a function did: ``cases`` right ones, and if one was wrong, which and why."""

    exercise: str
    cases: int
    case: Case | None = None
    expected: Any = None
    came: Any = None
    reason: str = ""
    mistake: str = ""

    @property
    def passed(self) -> bool:
        """Whether every case was right."""
        return self.case is None


def judge(exercise: Exercise, function: Function) -> Verdict:
    """Try ``function`` on every case up to the first that goes wrong.

    It gets copies, with gradients as the caller has them. An exception of its own is a wrong answer.
    """
    cases = exercise.cases()
    for done, case in enumerate(cases):
        expected = exercise.right(*copy.deepcopy(case.arguments))
        given = copy.deepcopy(case.arguments)
        try:
            came = function(*given)
        except (Exception, SystemExit) as error:
            words = f"{type(error).__name__}: {error}"
            return Verdict(exercise.name, done, case, expected, error, words)
        reason = difference(came, expected, exercise.tolerance) or _changed(given, case.arguments)
        if reason:
            mistake = _likely(exercise, case, came)
            return Verdict(exercise.name, done, case, expected, came, reason, mistake)
    return Verdict(exercise.name, len(cases))


def _changed(given: tuple[Any, ...], before: tuple[Any, ...]) -> str | None:
    for place, (one, other) in enumerate(zip(given, before, strict=True), 1):
        if isinstance(other, torch.Tensor) and difference(one, other, 0.0):
            return (
                f"The answer is right, but argument {place} was changed on the way: work on a copy."
            )
    return None


def _likely(exercise: Exercise, case: Case, came: Any) -> str:
    """Whose answer is this? The first wrong function that gives the same one has made the mistake."""
    for mistake in exercise.mistakes:
        try:
            wrong = mistake.wrong(*copy.deepcopy(case.arguments))
        except Exception:
            continue  # this mistake cannot be made here
        if difference(came, wrong, exercise.tolerance) is None:
            return mistake.words
    return ""
