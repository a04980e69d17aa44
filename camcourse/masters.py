"""The masters in ``assignments/``: notebooks with provided code, solutions, tests and model answers."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat

from camcourse import regions

SOURCES = Path(__file__).resolve().parents[1] / "assignments" / "source"
ORDER = ("cam-from-scratch", "make-it-cam-ready", "from-map-to-box", "grad-cam-and-doubt")
_REGIONS = {
    "tests": (regions.HIDDEN,),
    "solution": (regions.SOLUTION,),
    "answer": (regions.SOLUTION,),
}


@dataclass(frozen=True)
class Cell:
    """A cell of a master.

    ``kind`` is "text", "provided" (code that students get), "look" (code with this tag, which only
    shows something), "solution" (code that students write), "tests" or "answer" (marked by a person).
    """

    kind: str
    source: str
    grade_id: str
    points: float


@dataclass(frozen=True)
class Master:
    """The master of one assignment."""

    name: str
    path: Path
    cells: tuple[Cell, ...]

    def of_kind(self, *kinds: str) -> list[Cell]:
        """Return the cells of these kinds."""
        return [cell for cell in self.cells if cell.kind in kinds]

    @property
    def provided(self) -> list[Cell]:
        """The cells with imports, data and helpers, which grader and submissions run."""
        return self.of_kind("provided")

    @property
    def questions(self) -> list[Cell]:
        """The cells that have points: tests, and answers that a person marks."""
        return self.of_kind("tests", "answer")

    @cached_property
    def functions(self) -> tuple[str, ...]:
        """The names of the functions that students write."""
        trees = [ast.parse(cell.source) for cell in self.of_kind("solution")]
        nodes = [node for tree in trees for node in tree.body]
        return tuple(node.name for node in nodes if isinstance(node, ast.FunctionDef))

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """The modules that the provided cells import, and what those import when they are used."""
        found: dict[str, None] = {}
        for node in (n for cell in self.provided for n in ast.walk(ast.parse(cell.source))):
            if isinstance(node, ast.Import):
                found |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                found[str(node.module)] = None
                found |= dict.fromkeys(f"{node.module}.{alias.name}" for alias in node.names)
        if "camlib.networks" in found:
            found |= dict.fromkeys(("torchvision.models", "torchvision.transforms.v2"))
        return tuple(found)

    @property
    def title(self) -> str:
        """The first heading, or the name if there is none."""
        texts = [cell.source for cell in self.of_kind("text")]
        return next((heading for text in texts for heading in _headings(text)), self.name)

    @cached_property
    def titles(self) -> dict[str, str]:
        """The last heading above each question, by grade_id."""
        title, found = self.title, {}
        for cell in self.cells:
            if cell.kind == "text":
                title = [title, *_headings(cell.source)][-1]
            elif cell.kind in ("tests", "answer"):
                found[cell.grade_id] = title
        return found

    @cached_property
    def quiet_ids(self) -> frozenset[str]:
        """The grade_ids of the cells whose errors are not reported to students.

        They test, show something, or are marked by a person. If a student has changed one, it is run.
        """
        return frozenset(cell.grade_id for cell in self.of_kind("look", "tests", "answer"))

    @cached_property
    def not_executed(self) -> frozenset[str]:
        """The sources, as in the students' copies, of cells that grading need not run."""
        looks = [cell.source for cell in self.of_kind("look")]
        tests = [regions.without(cell.source, regions.HIDDEN) for cell in self.of_kind("tests")]
        return frozenset(source.strip() for source in [*looks, *tests])


def names() -> list[str]:
    """Return the names of the assignments, in the order of the course."""
    paths = sorted(SOURCES.glob("*/*.ipynb"))
    found = [path.stem for path in paths if path.stem == path.parent.name]
    return [one for one in ORDER if one in found] + [one for one in found if one not in ORDER]


def read(name: str) -> Master:
    """Return the master of an assignment.

    Raises
    ------
    ValueError
        If there is no assignment of that name, or a cell of its master is wrong.
    """
    if name not in names():
        known = ", ".join(names()) or "none is there"
        raise ValueError(f"assignment: expected one of those in {SOURCES} ({known}), got {name!r}.")
    return read_file(SOURCES / name / f"{name}.ipynb")


def read_file(path: Path) -> Master:
    """Return the master in a notebook; ``ValueError`` that names the cell if one is wrong."""
    notebook = nbformat.read(path, as_version=4)
    cells: list[Cell] = []
    for number, cell in enumerate(notebook.cells, 1):
        try:
            cells.append(_read_cell(cell, {one.grade_id for one in cells}))
        except (ValueError, TypeError, SyntaxError) as error:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "without grade_id")
            raise ValueError(f"{path.name}, cell {number} ({name}): {error}") from error
    return Master(path.stem, path, tuple(cells))


def _read_cell(notebook_cell: Any, grade_ids: set[str]) -> Cell:
    """Return a cell; ``ValueError`` or ``SyntaxError`` if it is wrong."""
    marks = notebook_cell.metadata.get("nbgrader", {})
    kind, source = _kind(notebook_cell, marks), notebook_cell.source
    grade_id, points = marks.get("grade_id", ""), float(marks.get("points", 0))
    if problem := regions.problem(source, _REGIONS.get(kind, ())):
        raise ValueError(problem)
    if kind in ("tests", "answer"):
        if not grade_id or grade_id in grade_ids:
            raise ValueError("expected a grade_id of its own")
        if not 0 <= points < math.inf:
            raise ValueError(f"expected points from 0 up, got {points:g}")
    if kind == "tests" and notebook_cell.cell_type != "code":
        raise ValueError("expected tests in a cell with code")
    if kind in ("tests", "solution"):
        ast.parse(source)
    return Cell(kind, source, grade_id, points)


def _kind(notebook_cell: Any, marks: Any) -> str:
    if marks.get("task"):
        raise ValueError("nbgrader's tasks are not supported; make it an answer")
    if marks.get("grade"):
        return "answer" if marks.get("solution") else "tests"
    if notebook_cell.cell_type != "code":
        return "text"
    if marks.get("solution"):
        return "solution"
    return "look" if "look" in notebook_cell.metadata.get("tags", []) else "provided"


def _headings(source: str) -> Iterator[str]:
    fenced = False
    for line in source.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        if not fenced and (heading := re.match(r"#{1,6}\s+(.*?)\s*#*\s*$", line)):
            yield heading[1]
