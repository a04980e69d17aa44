"""Run a reader's function on the cases of an exercise and find the likely mistake."""

from __future__ import annotations

import contextlib
import inspect
import io
import random
import traceback
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from camcourse.checks.compare import difference
from camcourse.checks.exercise import Cases, Exercise, Function
from camcourse.checks.formatting import shorten


@dataclass(frozen=True)
class Verdict:
    """The result of a check.

    ``right`` counts the right cases before the first wrong one; the other fields describe that one.
    ``answer`` is what the function returned, or the exception that it raised. ``sure`` says that the
    mistake gives the reader's answer in every case, not in this one alone.
    """

    exercise: Exercise
    right: int
    case: str = ""
    arguments: tuple[Any, ...] = ()
    expected: Any = None
    answer: Any = None
    reason: str = ""
    mistake: str = ""
    sure: bool = False

    @property
    def passed(self) -> bool:
        """Whether every case was right."""
        return not self.reason


@dataclass(frozen=True)
class Outcome:
    """One call of a function: its answer or its exception, and the arguments afterwards."""

    answer: Any
    error: BaseException | None
    printed: str
    arguments: tuple[Any, ...]


def judge(exercise: Exercise, function: Function) -> Verdict:
    """Call ``function`` on every case and report the first that is wrong.

    The function gets copies of the arguments, and an exception that it raises is a wrong answer. What
    it prints is printed, up to the first wrong case.
    """
    with _global_state_restored():
        cases = exercise.cases()
        outcomes = [_call(function, arguments) for arguments in cases.values()]
        for right, ((case, arguments), outcome) in enumerate(
            zip(cases.items(), outcomes, strict=True)
        ):
            print(outcome.printed, end="")
            model = _call(exercise.solution, arguments)
            if model.error is not None:
                raise model.error
            reason = _wrong_signature(function, exercise, arguments) or _wrong_answer(
                outcome, model.answer, exercise.tolerance
            )
            likely = _likely_mistake(exercise, cases, outcomes, right) if reason else ("", False)
            if reason := reason or _changed_argument(exercise, arguments, outcome):
                answer = outcome.answer if outcome.error is None else outcome.error
                return Verdict(
                    exercise, right, case, arguments, model.answer, answer, reason, *likely
                )
    return Verdict(exercise, len(cases))


@contextlib.contextmanager
def _global_state_restored() -> Iterator[None]:
    """Restore random states, grad mode and default dtype afterwards."""
    # The legacy generator of numpy is the one that np.random.rand and the like draw from.
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002
            torch.set_grad_enabled(grad)
            torch.set_default_dtype(dtype)


def _call(function: Function, arguments: tuple[Any, ...]) -> Outcome:
    """Call a function with copies of the arguments and the same seed of torch each time.

    KeyboardInterrupt, and the grader's exceptions that are no ``Exception``, are not caught.
    """
    copies, printed = deepcopy(arguments), io.StringIO()
    torch.default_generator.manual_seed(0)
    answer, error = None, None
    try:
        with contextlib.redirect_stdout(printed):
            answer = function(*copies)
    except (Exception, SystemExit) as raised:
        error = raised
    return Outcome(answer, error, printed.getvalue(), copies)


def _wrong_signature(
    function: Function, exercise: Exercise, arguments: tuple[Any, ...]
) -> str | None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C have none
        return None
    try:
        signature.bind(*arguments)
    except TypeError:
        names = exercise.parameters[: len(arguments)]  # the others have defaults
        count = f"{len(names)} argument{'s' * (len(names) > 1)}"
        return (
            f"The function should take {count}, ({', '.join(names)}); "
            f"it takes ({', '.join(signature.parameters)})."
        )
    return None


def _wrong_answer(outcome: Outcome, expected: Any, tolerance: float) -> str | None:
    if outcome.error is not None:
        return _describe_error(outcome.error)
    if outcome.answer is None and expected is not None and outcome.printed:
        return "Something was printed, but nothing came back: print shows, return gives."
    return _difference(outcome.answer, expected, tolerance)


def _describe_error(error: BaseException) -> str:
    try:
        words = shorten(f"{type(error).__name__}: {error}".strip().rstrip(":"))
    except Exception:
        words = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is _call's
    line = frames[0].line if frames else ""
    return f"It raised {words}" + (f"\n  in the line: {line}" if line else "")


def _difference(answer: Any, expected: Any, tolerance: float) -> str | None:
    try:
        return difference(answer, expected, tolerance)
    except Exception as error:  # an answer may be any object
        return f"The answer cannot be compared: {type(error).__name__}."


def _changed_argument(
    exercise: Exercise, arguments: tuple[Any, ...], outcome: Outcome
) -> str | None:
    for name, before, after in zip(exercise.parameters, arguments, outcome.arguments, strict=False):
        if _difference(_content(after), _content(before), 0.0):
            return f"The answer is right, but the function changes {name}: work on a copy."
    return None


def _content(value: Any) -> Any:
    """The parts of an argument that a function can change in place."""
    if isinstance(value, nn.Module):
        modes = {name: part.training for name, part in value.named_modules()}
        return {**value.state_dict(), "training": modes}
    return value if isinstance(value, (Tensor, np.ndarray, list, dict)) else None


def _likely_mistake(
    exercise: Exercise, cases: Cases, outcomes: list[Outcome], place: int
) -> tuple[str, bool]:
    """Find the mistake that gives the same answers in all cases, or else at ``place``."""
    perhaps = ""
    for words, wrong in exercise.wrong_functions():
        theirs = [_call(wrong, arguments) for arguments in cases.values()]
        equal = [_equal(*pair, exercise.tolerance) for pair in zip(outcomes, theirs, strict=True)]
        if all(equal):
            return words, True
        if equal[place] and outcomes[place].error is None:
            perhaps = perhaps or words
    return perhaps, False


def _equal(one: Outcome, other: Outcome, tolerance: float) -> bool:
    if one.error is not None or other.error is not None:
        return type(one.error) is type(other.error)
    return _difference(one.answer, other.answer, tolerance) is None
