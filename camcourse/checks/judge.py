"""Run a reader's function on an exercise's cases, and find the likely mistake."""

from __future__ import annotations

import inspect
import traceback
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from camcourse.checks.attempt import Attempt, attempt, undisturbed
from camcourse.checks.compare import difference
from camcourse.checks.exercise import Case, Exercise, Function
from camcourse.checks.shown import cut


@dataclass(frozen=True)
class Verdict:
    """How a function did: ``cases`` right ones, and if one was wrong, which and why.

    ``came`` is the answer, or the exception that came instead of one. If ``sure``, the mistake
    answers as the function does in every case, else in this one at least.
    """

    exercise: Exercise
    cases: int
    case: Case | None = None
    expected: Any = None
    came: Any = None
    reason: str = ""
    mistake: str = ""
    sure: bool = False

    @property
    def passed(self) -> bool:
        """Whether every case was right."""
        return self.case is None


def judge(exercise: Exercise, function: Function) -> Verdict:
    """Try ``function`` on every case, and tell of the first that goes wrong.

    It gets copies, and an exception of its own is a wrong answer. What it prints is printed, up to
    that case.
    """
    with undisturbed():
        cases = exercise.cases()
        tried = [attempt(function, case.arguments) for case in cases]
        for done, (case, one) in enumerate(zip(cases, tried, strict=True)):
            print(one.printed, end="")
            expected = _right(exercise, case)
            came = one.came if one.error is None else one.error
            reason = _uncallable(function, exercise, case) or _wrong(
                one, expected, exercise.tolerance
            )
            if reason:
                mistake, sure = _likely(exercise, cases, tried, done)
                return Verdict(exercise, done, case, expected, came, reason, mistake, sure)
            if reason := _changed(exercise, case, one):
                return Verdict(exercise, done, case, expected, came, reason)
    return Verdict(exercise, len(cases))


def _right(exercise: Exercise, case: Case) -> Any:
    one = attempt(exercise.right, case.arguments)
    if one.error is not None:
        raise one.error
    return one.came


def _uncallable(function: Function, exercise: Exercise, case: Case) -> str | None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some of those written in C have none
        return None
    try:
        signature.bind(*case.arguments)
    except TypeError:
        names = exercise.parameters[: len(case.arguments)]  # there may be more, with defaults
        count = f"{len(names)} argument{'s' * (len(names) > 1)}"
        return (
            f"The function should take {count}, ({', '.join(names)}); "
            f"it takes ({', '.join(signature.parameters)})."
        )
    return None


def _wrong(one: Attempt, expected: Any, tolerance: float) -> str | None:
    if one.error is not None:
        return _raised(one.error)
    if one.came is None and expected is not None and one.printed:
        return "Something was printed, but nothing came back: print shows, return gives."
    return _difference(one.came, expected, tolerance)


def _raised(error: BaseException) -> str:
    try:
        words = cut(f"{type(error).__name__}: {error}".strip().rstrip(":"))
    except Exception:
        words = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is the call itself
    line = frames[0].line if frames else ""
    return f"It raised {words}" + (f"\n  in the line: {line}" if line else "")


def _difference(came: Any, expected: Any, tolerance: float) -> str | None:
    try:
        return difference(came, expected, tolerance)
    except Exception as error:  # an answer may be any object
        return f"The answer cannot be compared: {type(error).__name__}."


def _changed(exercise: Exercise, case: Case, one: Attempt) -> str | None:
    before = case.arguments
    for name, was, now in zip(exercise.parameters, before, one.given, strict=False):
        if _difference(_content(now), _content(was), 0.0):
            return f"The answer is right, but {name} was changed on the way: work on a copy."
    return None


def _content(value: Any) -> Any:
    """What a function could change of its argument."""
    if isinstance(value, nn.Module):
        modes = {name: part.training for name, part in value.named_modules()}
        return {**value.state_dict(), "training": modes}
    return value if isinstance(value, (Tensor, np.ndarray, list, dict)) else None


def _likely(
    exercise: Exercise, cases: tuple[Case, ...], tried: list[Attempt], place: int
) -> tuple[str, bool]:
    """Whose answers are these? Best all of them, else the one at the place that went wrong."""
    perhaps = ""
    for mistake in exercise.mistakes:
        theirs = [attempt(mistake.wrong, case.arguments) for case in cases]
        alike = [_alike(*pair, exercise.tolerance) for pair in zip(tried, theirs, strict=True)]
        if all(alike):
            return mistake.words, True
        if alike[place] and tried[place].error is None:
            perhaps = perhaps or mistake.words
    return perhaps, False


def _alike(one: Attempt, other: Attempt, tolerance: float) -> bool:
    if one.error is not None or other.error is not None:
        return type(one.error) is type(other.error)
    return _difference(one.came, other.came, tolerance) is None
