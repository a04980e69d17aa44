"""Make the students' copies, and refuse to while a line of a solution survives in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    LockCells,
)
from traitlets.config import Config

from course import masters, records


class LeakError(RuntimeError):
    """A student's copy would show a part of a solution or of a hidden test."""


def release(assignment: str, folder: Path) -> Path:
    """Write the students' copy of an assignment into a folder and return its path."""
    master = masters.read(assignment)
    copy = students_copy(master)
    if leaks := leaking(master, copy):
        raise LeakError(f"{assignment} was not released: " + "; ".join(leaks))
    path = folder / assignment / f"{assignment}.ipynb"
    records.write(path, nbformat.writes(copy) + "\n")
    return path


def students_copy(master: masters.Master) -> Any:
    """Return the notebook without solutions, hidden tests and outputs, as nbgrader would make it."""
    notebook = nbformat.read(master.path, as_version=4)
    config = Config()
    for step in (LockCells, ClearSolutions, ClearHiddenTests, ClearOutput, CheckCellMetadata):
        notebook, _ = step(config=config).preprocess(notebook, {})
    return notebook


def leaking(master: masters.Master, copy: Any) -> list[str]:
    """Name every place of a copy where a line of a solution, a hidden test or a mark stands."""
    secret = {line for cell in master.cells for line in masters.secret_lines(cell)}
    shown = {line.strip() for line in masters.open_lines(master)}
    found = []
    for number, cell in enumerate(copy.cells, 1):
        for line in cell.source.split("\n"):
            if line.strip() in secret - shown:
                found.append(f"cell {number} shows {line.strip()[:60]!r}")
            elif "### BEGIN" in line or "### END" in line:
                found.append(f"cell {number} shows the mark {line.strip()[:60]!r}")
        if cell.get("outputs"):
            found.append(f"cell {number} has outputs")
    return found
