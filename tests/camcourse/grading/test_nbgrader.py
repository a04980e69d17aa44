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


def test_validate_accepts_the_masters_and_refuses_a_blank_copy(folder: Path) -> None:
    """Every cell runs with the solutions, also those that only show something; one trains briefly."""
    shorten(folder / "source/make-it-cam-ready/make-it-cam-ready.ipynb")
    blank = students_copy(masters.read(masters.names()[0]))
    nbformat.write(blank, folder / "blank.ipynb")
    notebooks = [f"source/{name}/{name}.ipynb" for name in masters.names()]
    said = nbgrader(folder, "validate", *notebooks, "blank.ipynb")
    passed = "Success! Your notebook passes all the tests."
    accepted, refused, rest = said.partition("VALIDATION FAILED ON")
    assert refused, said
    assert (accepted.count(passed), rest.count(passed)) == (len(notebooks), 0), said


def shorten(path: Path) -> None:
    """Let its report make and train on fewer scenes: what the table then says is not looked at."""
    source = path.read_text(encoding="utf-8")
    for before, after in (
        ('\\"train\\"), 1500', '\\"train\\"), 200'),
        ("scenes=1024", "scenes=64"),
    ):
        assert before in source
        source = source.replace(before, after)
    path.write_text(source, encoding="utf-8")
