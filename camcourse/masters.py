"""The masters in ``assignments/``: what a student gets, what is tested, and what nobody may see."""

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
_REGIONS = {
    "tests": (regions.HIDDEN,),
    "solution": (regions.SOLUTION,),
    "answer": (regions.SOLUTION,),
}


@dataclass(frozen=True)
class Cell:
    """A cell of a master; ``kind`` is text, provided, look, solution, tests or answer."""

    kind: str
    source: str
    grade_id: str
    points: float


@dataclass(frozen=True)
class Master:
    """One assignment."""

    name: str
    path: Path
    cells: tuple[Cell, ...]

    @cached_property
    def functions(self) -> tuple[str, ...]:
        """The functions that students write."""
        solutions = [ast.parse(cell.source) for cell in self.cells if cell.kind == "solution"]
        return tuple(
            node.name
            for tree in solutions
            for node in tree.body
            if isinstance(node, ast.FunctionDef)
        )

    @property
    def title(self) -> str:
        """The heading of the whole."""
        texts = [cell.source for cell in self.cells if cell.kind == "text"]
        return next((heading for text in texts for heading in _headings(text)), self.name)

    @cached_property
    def titles(self) -> dict[str, str]:
        """For each question the heading above it."""
        title, found = self.title, {}
        for cell in self.cells:
            if cell.kind == "text":
                title = [title, *_headings(cell.source)][-1]
            elif cell.kind in ("tests", "answer"):
                found[cell.grade_id] = title
        return found

    @property
    def provided(self) -> list[Cell]:
        """Imports, data and helpers, which both sides run."""
        return [cell for cell in self.cells if cell.kind == "provided"]

    @property
    def tests(self) -> list[Cell]:
        """The cells with tests, a machine's to mark."""
        return [cell for cell in self.cells if cell.kind == "tests"]

    @property
    def answers(self) -> list[Cell]:
        """The cells that a person marks."""
        return [cell for cell in self.cells if cell.kind == "answer"]

    @cached_property
    def given_names(self) -> frozenset[str]:
        """The grade_ids of cells whose errors tell a student nothing: they test, show, or wait for a person.

        They run where their source is not the master's, for a student may have added to them.
        """
        kinds = ("look", "tests", "answer")
        return frozenset(cell.grade_id for cell in self.cells if cell.kind in kinds)

    @cached_property
    def idle(self) -> frozenset[str]:
        """Sources, as students have them, that need not run to grade: tests and things to look at."""
        cells = [cell.source for cell in self.cells if cell.kind == "look"]
        return frozenset(one.strip() for one in [*cells, *(visible(c.source) for c in self.tests)])


def names() -> list[str]:
    """Return the assignments' names, in the order of the course."""
    order = ["cam-from-scratch", "make-it-cam-ready", "from-map-to-box", "grad-cam-and-doubt"]
    paths = sorted(SOURCES.glob("*/*.ipynb"))
    found = [path.stem for path in paths if path.stem == path.parent.name]
    return [one for one in order if one in found] + [one for one in found if one not in order]


def read(name: str) -> Master:
    """Return a master; ``ValueError`` with the names that there are if it is none of them."""
    if name not in names():
        there = ", ".join(names()) or "none is there"
        raise ValueError(f"assignment: expected one of those in {SOURCES} ({there}), got {name!r}.")
    return read_file(SOURCES / name / f"{name}.ipynb")


def read_file(path: Path) -> Master:
    """Return the master in a notebook; ``ValueError`` that names the cell if one is not as it must be."""
    notebook = nbformat.read(path, as_version=4)
    cells: list[Cell] = []
    for number, cell in enumerate(notebook.cells, 1):
        try:
            cells.append(_checked(_cell(cell), cell.cell_type, cells))
        except (ValueError, TypeError, SyntaxError) as error:
            about = cell.metadata.get("nbgrader", {}).get("grade_id", "without grade_id")
            raise ValueError(f"{path.name}, cell {number} ({about}): {error}") from error
    return Master(path.stem, path, tuple(cells))


def _checked(cell: Cell, cell_type: str, before: list[Cell]) -> Cell:
    """Return a cell; ``ValueError`` or ``SyntaxError`` if something is wrong with it."""
    if problem := regions.problem(cell.source, _REGIONS.get(cell.kind, ())):
        raise ValueError(problem)
    if cell.kind in ("tests", "answer"):
        if not cell.grade_id or cell.grade_id in [one.grade_id for one in before]:
            raise ValueError("expected a grade_id of its own")
        if not 0 <= cell.points < math.inf:
            raise ValueError(f"expected points from 0 up, got {cell.points:g}")
    if cell.kind == "tests" and cell_type != "code":
        raise ValueError("expected tests in a cell with code")
    if cell.kind in ("tests", "solution"):
        ast.parse(cell.source)
    return cell


def _headings(source: str) -> Iterator[str]:
    fenced = False
    for line in source.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        if not fenced and (heading := re.match(r"#{1,6}\s+(.*?)\s*#*\s*$", line)):
            yield heading[1]


def _cell(cell: Any) -> Cell:
    marks = cell.metadata.get("nbgrader", {})
    graded, solution = marks.get("grade", False), marks.get("solution", False)
    if marks.get("task"):
        raise ValueError("nbgrader's tasks are not known here; make it an answer")
    if graded and solution:
        kind = "answer"
    elif graded:
        kind = "tests"
    elif cell.cell_type != "code":
        kind = "text"
    elif solution:
        kind = "solution"
    else:
        kind = "look" if "look" in cell.metadata.get("tags", []) else "provided"
    return Cell(kind, cell.source, marks.get("grade_id", ""), float(marks.get("points", 0)))


def visible(source: str) -> str:
    """Return a test cell as students see it, without its hidden tests."""
    return regions.without(source, regions.HIDDEN)


def hidden_lines(source: str) -> set[int]:
    """Return the numbers (from 1) of the lines between the marks of hidden tests."""
    return regions.inside(source, regions.HIDDEN)
