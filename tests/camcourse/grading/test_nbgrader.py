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
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",  # as in the sandbox; other tests run beside this one
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_generate_assignment_makes_our_copies(folder: Path) -> None:
    """Cell by cell the same as `python -m camcourse release`; the star stands for all assignments."""
    nbgrader(folder, "generate_assignment", "*")
    for name in masters.names():
        theirs = nbformat.read(folder / "release" / name / f"{name}.ipynb", as_version=4)
        ours = students_copy(masters.read(name))
        assert [cell.source for cell in theirs.cells] == [cell.source for cell in ours.cells]


def test_validate_accepts_a_master_and_refuses_its_blank_copy(folder: Path) -> None:
    """That every master's cells run with its solutions is a subject of ``test_masters.py``."""
    name = masters.names()[0]
    nbformat.write(students_copy(masters.read(name)), folder / "blank.ipynb")
    said = nbgrader(folder, "validate", f"source/{name}/{name}.ipynb", "blank.ipynb")
    accepted, refused, rest = said.partition("VALIDATION FAILED ON")
    passed = "Success! Your notebook passes all the tests."
    assert refused, said
    assert (accepted.count(passed), rest.count(passed)) == (1, 0), said
