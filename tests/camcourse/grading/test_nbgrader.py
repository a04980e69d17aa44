"""Schools with nbgrader can use the masters as they are."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from camcourse import masters
from camcourse.release import students_copy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course directory, copied: nbgrader writes a database and its copies into it."""
    copy = tmp_path_factory.mktemp("school") / "assignments"
    shutil.copytree(masters.SOURCES.parent, copy)
    return copy


def nbgrader(folder: Path, *words: str) -> str:
    """Run nbgrader as if the virtual environment were activated; it looks for kernels there."""
    programs = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


@pytest.mark.parametrize("name", masters.names())
def test_generate_assignment_makes_our_copy(folder: Path, name: str) -> None:
    """Cell by cell the same as `python -m camcourse release`."""
    nbgrader(folder, "generate_assignment", name)
    theirs = nbformat.read(folder / "release" / name / f"{name}.ipynb", as_version=4)
    ours = students_copy(masters.read(name))
    assert [cell.source for cell in theirs.cells] == [cell.source for cell in ours.cells]


@pytest.mark.parametrize("name", masters.names())
def test_validate_accepts_the_master(folder: Path, name: str) -> None:
    said = nbgrader(folder, "validate", f"source/{name}/{name}.ipynb")
    assert "Success! Your notebook passes all the tests." in said


def test_validate_refuses_a_blank_copy(folder: Path) -> None:
    """So that the success above means something."""
    name = masters.names()[0]
    blank = folder / "blank.ipynb"
    nbformat.write(students_copy(masters.read(name)), blank)
    with pytest.raises(AssertionError, match="failed"):
        assert "Success" in nbgrader(folder, "validate", "blank.ipynb"), "validation failed"
