"""Every exercise: its right function passes, and each of its mistakes is called by its name."""

from __future__ import annotations

import copy
import importlib
import pkgutil

import pytest
import torch

from camcourse.checks import Exercise, all_exercises, exercises, judge
from camcourse.checks.compare import difference

EXERCISES = all_exercises()
every = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


@every
def test_the_right_function_passes(exercise: Exercise) -> None:
    verdict = judge(exercise, exercise.right)
    assert verdict.passed, verdict


@every
def test_each_mistake_is_recognised(exercise: Exercise) -> None:
    for mistake in exercise.mistakes:
        verdict = judge(exercise, mistake.wrong)
        assert not verdict.passed, mistake.words
        assert verdict.mistake == mistake.words
        assert verdict.sure, mistake.words
        slips = (NameError, AttributeError, TypeError)  # of the exercise's author
        assert not isinstance(verdict.came, slips), (mistake.words, verdict.came)


@every
def test_at_least_three_mistakes(exercise: Exercise) -> None:
    assert len({mistake.words for mistake in exercise.mistakes}) >= 3


@every
def test_at_least_three_cases(exercise: Exercise) -> None:
    words = [case.words for case in exercise.cases()]
    assert len(set(words)) == len(words) >= 3


@every
def test_words_read_on_from_likely(exercise: Exercise) -> None:
    for mistake in exercise.mistakes:
        assert mistake.words[0].islower()
        assert mistake.words.endswith(".")


@every
def test_cases_are_the_same_each_time_and_left_alone(exercise: Exercise) -> None:
    first, second = exercise.cases(), exercise.cases()
    for one, other in zip(first, second, strict=True):
        given = copy.deepcopy(one.arguments)
        exercise.right(*given)
        for before, after, again in zip(one.arguments, given, other.arguments, strict=True):
            if isinstance(before, torch.Tensor):
                assert difference(after, before, 0.0) is None
                assert difference(again, before, 0.0) is None


def test_no_name_twice() -> None:
    modules = [module.name for module in pkgutil.iter_modules(exercises.__path__)]
    loaded = [importlib.import_module(f"{exercises.__name__}.{module}") for module in modules]
    assert sum(len(module.EXERCISES) for module in loaded) == len(EXERCISES)
