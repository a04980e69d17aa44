"""Make the students' copies of an assignment; refuse a copy that leaks a line of a solution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import ClearHiddenTests, ClearOutput, ClearSolutions, LockCells
from traitlets.config import Config

from camcourse import masters
from camcourse.grading import records
from camcourse.leaks import find_leaks


class LeakError(RuntimeError):
    """A student's copy would show a part of a solution or of a hidden test."""


def release(assignment: str, folder: Path) -> Path:
    """Write the students' copy of an assignment into a folder and return its path."""
    master = masters.read(assignment)
    path = folder / assignment / f"{assignment}.ipynb"
    if path.resolve().is_relative_to(masters.SOURCES.resolve()):
        raise ValueError(f"--to: {folder} is the folder of the masters; choose another folder.")
    copy = students_copy(master)
    if leaks := find_leaks(master, copy):
        raise LeakError(f"{assignment} was not released: " + "; ".join(leaks))
    records.write(path, nbformat.writes(copy) + "\n")
    return path


def students_copy(master: masters.Master) -> Any:
    """Return the notebook without solutions, hidden tests and outputs, as nbgrader makes it."""
    notebook = nbformat.read(master.path, as_version=4)
    try:
        MetadataValidator().validate_nb(notebook)
    except nbformat.ValidationError as error:
        raise ValueError(f"{master.path.name}: nbgrader rejects it. {error.message}") from error
    config = Config()
    for step in (LockCells, ClearSolutions, ClearHiddenTests, ClearOutput):
        notebook, _ = step(config=config).preprocess(notebook, {})
    return notebook
