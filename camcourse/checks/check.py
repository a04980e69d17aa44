"""The door: ``camcourse.check("weighted_sum", my_function)``."""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from camcourse.checks import exercises
from camcourse.checks.exercise import Exercise, Function
from camcourse.checks.judge import Verdict, judge
from camcourse.checks.shown import shown


def check(name: str, function: Function, strict: bool = False) -> None:
    """Try a function on small cases, and print whether it passes or what went wrong.

    A wrong answer is shown beside the expected one, with the likely mistake in words. Nothing leaves
    the machine, and a check may be repeated as often as one likes.

    Parameters
    ----------
    name
        The exercise, as its text in the book gives it.
    function
        The reader's own; it gets copies of the arguments.
    strict
        Raise what is otherwise printed.

    Raises
    ------
    AssertionError
        If ``strict`` is set, and the function does not pass.

    Examples
    --------
    >>> import torch
    >>> check("global_average_pool", lambda maps: maps.mean((-2, -1)))
    ✓ global_average_pool: all 4 cases are right.
    """
    words, passed = _tried(name, function)
    if strict and not passed:
        raise AssertionError(words)
    print(words)


def all_exercises() -> dict[str, Exercise]:
    """Every exercise of the book that can be checked, by its name, in the chapters' order."""
    modules = sorted(module.name for module in pkgutil.iter_modules(exercises.__path__))
    loaded = [importlib.import_module(f"{exercises.__name__}.{module}") for module in modules]
    return {exercise.name: exercise for module in loaded for exercise in module.EXERCISES}


def _tried(name: str, function: Function) -> tuple[str, bool]:
    known = all_exercises()
    if not isinstance(name, str):
        return "✗ First the exercise's name in quotation marks, then the function.", False
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        cure = f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(known)}."
        return f"✗ There is no exercise {name!r}.{cure}", False
    if not callable(function):
        return f"✗ {name}: give the function itself, without brackets behind its name.", False
    verdict = judge(known[name], function)
    return told(verdict), verdict.passed


def told(verdict: Verdict) -> str:
    """What a reader gets to see of a verdict."""
    name = verdict.exercise.name
    if verdict.case is None:
        count = "the case is" if verdict.cases == 1 else f"all {verdict.cases} cases are"
        return f"✓ {name}: {count} right."
    lines = [f"✗ {name}, case {verdict.cases + 1}: {verdict.case.words}"]
    named = zip(verdict.exercise.parameters, verdict.case.arguments, strict=False)
    given = [_hung(f"{parameter} = ", shown(value)) for parameter, value in named]
    lines += [_hung("  given:    ", "\n".join(given))]
    lines += [_hung("  expected: ", shown(verdict.expected))]
    if verdict.came is not None and not isinstance(verdict.came, BaseException):
        lines += [_hung("  came:     ", shown(verdict.came))]
    lines += [f"  {verdict.reason}"]
    if verdict.mistake:
        lines += [f"  {'Likely' if verdict.sure else 'Perhaps'}: {verdict.mistake}"]
    return "\n".join(lines)


def _hung(head: str, text: str) -> str:
    return head + text.replace("\n", "\n" + " " * len(head))
