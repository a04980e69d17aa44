"""Every exercise that can be checked stands in its chapter: a cell to begin in, and a solution that passes."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from camcourse.checks import Exercise, all_exercises, exercises, judge
from camcourse.checks.check import told
from tooling import notebooks

MODULES = sorted(module.name for module in pkgutil.iter_modules(exercises.__path__))
CALL = re.compile(r'^check\(\s*"(\w+)",\s*(\w+)(, strict=True)?\s*\)', re.MULTILINE)


def chapter(number: str) -> Path:
    """Return the notebook of a chapter, "02"."""
    (path,) = (path for path in notebooks.listed() if path.stem.startswith(number))
    return path


def calls(path: Path) -> list[tuple[str, str, bool, Any]]:
    """Return every check in a notebook: the name, the function, whether strict, the cell."""
    cells = nbformat.read(path, as_version=4).cells
    return [
        (name, function, bool(strict), cell)
        for cell in cells
        if cell.cell_type == "code"
        for name, function, strict in CALL.findall(cell.source)
    ]


def printed(cell: Any) -> str:
    """Return what a cell wrote."""
    return "".join(output.get("text", "") for output in cell.outputs)


def said(exercise: Exercise) -> str:
    """Return what a check says to a function that returns nothing."""
    return told(judge(exercise, lambda *arguments: None)) + "\n"


def parameters(cell: Any, name: str) -> list[str]:
    """Return what the function of this name in a cell calls its arguments."""
    found = [node for node in ast.walk(ast.parse(cell.source)) if getattr(node, "name", "") == name]
    assert len(found) == 1
    return [argument.arg for argument in found[0].args.args]


@pytest.mark.parametrize("module", MODULES)
def test_starter_and_solution(module: str) -> None:
    found = calls(chapter(module[len("chapter") :][:2]))
    loaded = importlib.import_module(f"{exercises.__name__}.{module}")
    for exercise in loaded.EXERCISES:
        mine = [call for call in found if call[0] == exercise.name]
        assert [call[1] for call in mine] == [exercise.name] * 2, exercise.name
        (_, _, first, starter), (_, _, second, solution) = mine
        assert (first, second) == (False, True), exercise.name
        assert parameters(starter, exercise.name) == list(exercise.parameters)
        assert printed(starter) == said(exercise), "run the starter again"
        assert f"✓ {exercise.name}: all " in printed(solution)
        assert len(parameters(solution, exercise.name)) >= len(exercise.parameters)


@pytest.mark.parametrize("path", notebooks.listed(), ids=lambda path: path.stem)
def test_no_chapter_checks_what_is_not_there(path: Path) -> None:
    assert {call[0] for call in calls(path)} <= set(all_exercises())
    code = [
        one.source for one in nbformat.read(path, as_version=4).cells if one.cell_type == "code"
    ]
    assert len(re.findall(r"\bcheck\(", "\n".join(code))) == len(calls(path))
