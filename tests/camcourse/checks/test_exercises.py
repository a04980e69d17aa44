"""Every exercise: its solution passes, each of its mistakes is recognised, and its chapter has it."""

from __future__ import annotations

import ast
import copy
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch

from camcourse.checks import Exercise, all_exercises, exercises, judge
from camcourse.checks.check import report
from camcourse.checks.compare import difference
from tooling import notebooks

EXERCISES = all_exercises()
every = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
CALL = re.compile(r'^check\(\s*"(\w+)",\s*(\w+)(, strict=True)?\s*\)', re.MULTILINE)


@every
def test_the_solution_passes(exercise: Exercise) -> None:
    verdict = judge(exercise, exercise.solution)
    assert verdict.passed, verdict
    assert verdict.right == len(exercise.cases()) >= 3


@every
def test_each_mistake_is_recognised(exercise: Exercise) -> None:
    assert len(exercise.mistakes) >= 3
    for words, wrong in exercise.wrong_functions():
        verdict = judge(exercise, wrong)
        assert not verdict.passed, words
        assert (verdict.mistake, verdict.sure) == (words, True), (
            "an earlier mistake gives the same answers: add a case that tells them apart"
        )
        assert words[0].islower(), "it continues the sentence that begins with 'Likely:'"
        assert words.endswith(".")
        slips = (NameError, AttributeError, TypeError)  # mistakes of the exercise's author
        assert not isinstance(verdict.answer, slips), (words, verdict.answer)


@every
def test_cases_are_the_same_each_time_and_left_alone(exercise: Exercise) -> None:
    for one, other in zip(exercise.cases().items(), exercise.cases().items(), strict=True):
        given = copy.deepcopy(one[1])
        exercise.solution(*given)
        assert one[0] == other[0]
        for before, after, again in zip(one[1], given, other[1], strict=True):
            if isinstance(before, torch.Tensor):
                assert difference(after, before, 0.0) is None
                assert difference(again, before, 0.0) is None


def test_names_and_mistakes_are_not_lost_to_a_repeated_key() -> None:
    """A dictionary keeps one value of a key that is written twice."""
    texts = [path.read_text("utf-8") for path in Path(exercises.__path__[0]).glob("chapter*.py")]
    assert sum(text.count("Exercise(\n") for text in texts) == len(EXERCISES)
    for node in (node for text in texts for node in ast.walk(ast.parse(text))):
        if isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            assert len(set(keys)) == len(keys)


# in the chapters


def calls(path: Path) -> list[tuple[str, str, bool, Any]]:
    """Return every check in a notebook: the name, the function, whether strict, the cell."""
    return [
        (name, function, bool(strict), cell)
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
        for name, function, strict in CALL.findall(cell.source)
    ]


CALLS = {path.stem: calls(path) for path in notebooks.listed()}


def printed(cell: Any) -> str:
    """Return what a cell wrote."""
    return "".join(output.get("text", "") for output in cell.outputs)


def parameters(cell: Any, name: str) -> list[str]:
    """Return the parameters of the function of this name in a cell."""
    found = [node for node in ast.walk(ast.parse(cell.source)) if getattr(node, "name", "") == name]
    assert len(found) == 1
    return [argument.arg for argument in found[0].args.args]


@every
def test_the_chapter_has_a_starter_and_a_solution(exercise: Exercise) -> None:
    calls = [(stem, *call) for stem, found in CALLS.items() for call in found]
    mine = [call for call in calls if call[1] == exercise.name]
    (stem, _, one, first, starter), (second_stem, _, other, second, solution) = mine
    assert (one, other, first, second) == (exercise.name, exercise.name, False, True)
    assert stem == second_stem
    assert exercise.cases.__module__.partition("exercises.chapter")[2][:2] == stem[:2]
    assert parameters(starter, exercise.name) == list(exercise.parameters)
    nothing = judge(exercise, lambda *arguments: None)
    assert printed(starter) == report(nothing) + "\n", "run the starter again"
    assert f"✓ {exercise.name}: all " in printed(solution)
    assert len(parameters(solution, exercise.name)) >= len(exercise.parameters)


@pytest.mark.parametrize("path", notebooks.listed(), ids=lambda path: path.stem)
def test_no_chapter_checks_an_unknown_exercise(path: Path) -> None:
    assert {call[0] for call in CALLS[path.stem]} <= set(EXERCISES)
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert len(re.findall(r"\bcheck\(", code)) == len(CALLS[path.stem])
