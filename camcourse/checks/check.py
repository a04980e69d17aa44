"""``camcourse.check``: try a reader's function and print the result."""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from camcourse.checks import exercises
from camcourse.checks.compare import NOTHING
from camcourse.checks.exercise import Exercise, Function
from camcourse.checks.formatting import format_value
from camcourse.checks.judge import Verdict, judge


def check(name: str, function: Function, strict: bool = False) -> None:
    """Try a function on small cases and print whether it passes or what is wrong.

    A wrong answer is printed next to the expected one, with the likely mistake. Nothing leaves the
    machine, and a check may be repeated as often as needed.

    Parameters
    ----------
    name
        The name of the exercise, as given in its text in the book.
    function
        The function to check. It gets copies of the arguments.
    strict
        If True, raise an error instead of printing that the function does not pass.

    Raises
    ------
    AssertionError
        If ``strict`` is True and the function does not pass.

    Examples
    --------
    >>> import torch
    >>> check("global_average_pool", lambda maps: maps.mean((-2, -1)))
    ✓ global_average_pool: all 4 cases are right.
    """
    message, passed = _checked(name, function)
    if strict and not passed:
        raise AssertionError(message)
    print(message)


def all_exercises() -> dict[str, Exercise]:
    """Return all exercises of the book that can be checked, by name, in the order of the chapters."""
    modules = sorted(module.name for module in pkgutil.iter_modules(exercises.__path__))
    loaded = [importlib.import_module(f"{exercises.__name__}.{module}") for module in modules]
    return {exercise.name: exercise for module in loaded for exercise in module.EXERCISES}


def _checked(name: str, function: Function) -> tuple[str, bool]:
    known = all_exercises()
    if not isinstance(name, str):
        return "✗ Give the name of the exercise in quotation marks, then the function.", False
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"Did you mean {close[0]!r}?" if close else f"Choose from: {', '.join(known)}."
        return f"✗ There is no exercise {name!r}. {hint}", False
    if not callable(function):
        return f"✗ {name}: give the function itself, without brackets after its name.", False
    verdict = judge(known[name], function)
    return report(verdict), verdict.passed


def report(verdict: Verdict) -> str:
    """Return what a reader is told about a verdict."""
    name = verdict.exercise.name
    if verdict.passed:
        count = "the case is" if verdict.right == 1 else f"all {verdict.right} cases are"
        return f"✓ {name}: {count} right."
    named = zip(verdict.exercise.parameters, verdict.arguments, strict=False)
    given = [_indented(f"{parameter} = ", format_value(value)) for parameter, value in named]
    # A function that nobody has written yet is not wrong.
    mark = "○" if verdict.reason == NOTHING else "✗"
    lines = [
        f"{mark} {name}, case {verdict.right + 1}: {verdict.case}",
        _indented("  given:    ", "\n".join(given)),
        _indented("  expected: ", format_value(verdict.expected)),
    ]
    if verdict.answer is not None and not isinstance(verdict.answer, BaseException):
        lines += [_indented("  got:      ", format_value(verdict.answer))]
    lines += [f"  {verdict.reason}"]
    if verdict.mistake:
        lines += [f"  {'Likely' if verdict.sure else 'Perhaps'}: {verdict.mistake}"]
    return "\n".join(lines)


def _indented(head: str, text: str) -> str:
    return head + text.replace("\n", "\n" + " " * len(head))
