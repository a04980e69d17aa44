"""`make` explains itself, and says what is wrong before anything else goes wrong."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tooling.repository import ROOT

TARGETS = (
    "help",
    "book",
    "serve",
    "lab",
    "test",
    "lint",
    "course",
    "faults",
    "class",
    "bench",
    "zoo",
    "format",
    "clean",
)


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run make."""
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [(), ("help",)])
def test_help_lists_every_target(arguments: tuple[str, ...]) -> None:
    """Each with a line on what it does."""
    result = make(*arguments)
    assert result.returncode == 0
    listed = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert set(TARGETS) <= listed.keys()
    assert all(listed.values())


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    """Before anything is installed, with the way out."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    old = tmp_path / "python-of-old"
    # The real interpreter, told that it is 3.10.
    old.write_text(
        f'#!/bin/sh\n[ "$1" = -V ] && echo Python 3.10.13 && exit\n'
        f'exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 13); $2"\n'
    )
    old.chmod(0o755)
    result = make(f"PYTHON={old}", "lint", folder=tmp_path)
    assert result.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13" in result.stderr
    assert "is Python 3.10.13" in result.stderr
    assert "make PYTHON=python3.12" in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_skipped_test_fails(tmp_path: Path) -> None:
    """Each way to skip is turned into a failure by tests/conftest.py."""
    shutil.copyfile(ROOT / "tests" / "conftest.py", tmp_path / "conftest.py")
    (tmp_path / "test_one.py").write_text(
        "import pytest\n"
        "@pytest.mark.skip(reason='by mark')\n"
        "def test_mark(): ...\n"
        "@pytest.mark.skipif(True, reason='by condition')\n"
        "def test_condition(): ...\n"
        "def test_call(): pytest.skip('by call')\n"
        "@pytest.fixture\n"
        "def absent(): pytest.skip('by fixture')\n"
        "def test_fixture(absent): ...\n"
        "def test_good(): ...\n"
    )
    (tmp_path / "test_two.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."]
    command += ["-c", "/dev/null", "--continue-on-collection-errors"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "would be skipped" in result.stdout
    # By call: the test fails. By mark, condition, fixture: its set-up. The module: its collection.
    assert result.stdout.splitlines()[-1].startswith("1 failed, 1 passed, 4 errors")
