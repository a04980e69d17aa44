"""A small master, its cells one by one, and results of grading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

from camcourse import masters
from camcourse.grading import records
from camcourse.grading.results import Mark, Result

NAME = "small"
Cell = Any

SOLUTION = """def double(x):
    \"\"\"Return twice a number.\"\"\"
    ### BEGIN SOLUTION
    with_itself = x + x
    return with_itself
    ### END SOLUTION"""
TESTS = """assert double(2) == 4, "twice two is four"
### BEGIN HIDDEN TESTS
hidden_number = 21
assert double(hidden_number) == 42, "any number can be doubled"
### END HIDDEN TESTS"""
ANSWER = "### BEGIN SOLUTION\nBecause addition is commutative.\n### END SOLUTION"


def text(source: str, grade_id: str = "text") -> Cell:
    """A cell of text that belongs to the assignment."""
    return marked(v4.new_markdown_cell(source), grade_id, locked=True)


def provided(source: str, grade_id: str = "provided") -> Cell:
    """Code that students get."""
    return marked(v4.new_code_cell(source), grade_id, locked=True)


def look(source: str, grade_id: str = "look") -> Cell:
    """Code that only shows something."""
    cell = provided(source, grade_id)
    cell.metadata["tags"] = ["look"]
    return cell


def solution(source: str = SOLUTION, grade_id: str = "q1-code") -> Cell:
    """Code that students write."""
    return marked(v4.new_code_cell(source), grade_id, solution=True)


def checks(source: str = TESTS, grade_id: str = "q1-test", points: Any = 2) -> Cell:
    """Tests, with points."""
    cell = marked(v4.new_code_cell(source), grade_id, grade=True, locked=True)
    cell.metadata["nbgrader"]["points"] = points
    return cell


def answer(source: str = ANSWER, grade_id: str = "q2-answer", points: Any = 3) -> Cell:
    """A text that a person marks."""
    cell = marked(v4.new_markdown_cell(source), grade_id, grade=True, solution=True)
    cell.metadata["nbgrader"]["points"] = points
    return cell


def marked(cell: Cell, grade_id: str, **marks: bool) -> Cell:
    """Write nbgrader's marks into a cell."""
    flags = dict.fromkeys(("grade", "locked", "solution", "task"), False)
    cell.metadata["nbgrader"] = {**flags, **marks, "grade_id": grade_id, "schema_version": 3}
    return cell


def whole() -> list[Cell]:
    """An assignment with a question of each kind."""
    return [
        text("# Twice\n\nAn assignment.", "top"),
        provided("import math"),
        text("## Question 1: twice", "q1-text"),
        solution(),
        checks(),
        look("double(3)"),
        text("## Question 2: why?", "q2-text"),
        answer(),
    ]


def write(folder: Path, cells: list[Cell], name: str = NAME) -> Path:
    """Write a master where a course keeps it, and return its path."""
    notebook = v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    path = folder / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


def result(file: str = "ada.ipynb", points: float = 2, reply: str = "I think so.") -> Result:
    """A submission as graded: the tests have given points, the answer waits for a person."""
    status = "passed" if points else "failed"
    marks = [
        Mark("q1-test", points, 2, status, "" if points else "twice two is four"),
        Mark("q2-answer", 0, 3, "by hand", "", reply),
    ]
    return Result(file, file.partition("/")[0].removesuffix(".ipynb"), marks=marks)


def graded(folder: Path, *results: Result) -> Path:
    """Write the tables of a grading, and return their folder."""
    records.write_tables(folder, masters.read(NAME), list(results), {})
    return folder
