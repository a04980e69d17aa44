"""The masters in ``assignments/``: what a student gets, what is tested, and what nobody may see."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat

SOURCES = Path(__file__).resolve().parents[1] / "assignments" / "source"
BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


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
        return next(_headings(self.cells[0].source), self.name)

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
    def idle(self) -> frozenset[str]:
        """Sources, as students have them, that need not run to grade: tests and things to look at."""
        cells = [cell.source for cell in self.cells if cell.kind == "look"]
        return frozenset(one.strip() for one in [*cells, *(visible(c.source) for c in self.tests)])


def names() -> list[str]:
    """Return the assignments' names, in the order of the course."""
    order = ["cam-from-scratch", "make-it-cam-ready", "from-map-to-box", "grad-cam-and-doubt"]
    found = sorted(path.stem for path in SOURCES.glob("*/*.ipynb"))
    return [one for one in order if one in found] + [one for one in found if one not in order]


def read(name: str) -> Master:
    """Return a master; ``ValueError`` with the names that there are if it is none of them."""
    if name not in names():
        raise ValueError(f"assignment: expected one of {', '.join(names())}, got {name!r}.")
    return read_file(SOURCES / name / f"{name}.ipynb")


def read_file(path: Path) -> Master:
    """Return the master in a notebook."""
    notebook = nbformat.read(path, as_version=4)
    return Master(path.stem, path, tuple(_cell(cell) for cell in notebook.cells))


def _headings(source: str) -> Iterator[str]:
    for line in source.split("\n"):
        if line.startswith("#"):
            yield line.lstrip("#").strip()


def _cell(cell: Any) -> Cell:
    marks = cell.metadata.get("nbgrader", {})
    graded, solution = marks.get("grade", False), marks.get("solution", False)
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
    lines, hidden = [], False
    for line in source.split("\n"):
        hidden = hidden or line.strip() == BEGIN_HIDDEN
        if not hidden:
            lines.append(line)
        hidden = hidden and line.strip() != END_HIDDEN
    return "\n".join(lines)


def hidden_lines(source: str) -> set[int]:
    """Return the numbers (from 1) of the lines between the marks of hidden tests."""
    numbers, hidden = set(), False
    for number, line in enumerate(source.split("\n"), 1):
        hidden = hidden or line.strip() == BEGIN_HIDDEN
        if hidden:
            numbers.add(number)
        hidden = hidden and line.strip() != END_HIDDEN
    return numbers


def secret_lines(cell: Cell) -> list[str]:
    """Return the lines of a cell that no student may see, but for those too short to tell anything."""
    lines = cell.source.split("\n")
    if cell.kind == "answer":
        secret = lines
    elif cell.kind == "tests":
        secret = [lines[number - 1] for number in hidden_lines(cell.source)]
    elif cell.kind == "solution":
        secret = [line for line in lines if line not in _outside(lines)]
    else:
        secret = []
    return [line.strip() for line in secret if len(line.strip()) >= 12]


def open_lines(master: Master) -> list[str]:
    """Return the lines that students are meant to see."""
    found: list[str] = []
    for cell in master.cells:
        lines = cell.source.split("\n")
        if cell.kind == "solution":
            found += _outside(lines)
        elif cell.kind == "tests":
            found += visible(cell.source).split("\n")
        elif cell.kind != "answer":
            found += lines
    return found


def _outside(lines: list[str]) -> list[str]:
    """The lines of a solution cell that are not between its marks."""
    found, inside = [], False
    for line in lines:
        inside = inside or line.strip() == BEGIN_SOLUTION
        if not inside:
            found.append(line)
        inside = inside and line.strip() != END_SOLUTION
    return found
