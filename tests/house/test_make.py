"""`make` says what is wrong before anything else goes wrong, and a skipped test fails."""

import shutil
import subprocess
import sys
from pathlib import Path

from tooling.repository import ROOT


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    """Before anything is installed: the real interpreter, told that it is 3.10."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    old = tmp_path / "python-of-old"
    old.write_text(
        f'#!/bin/sh\n[ "$1" = -V ] && echo Python 3.10.13 && exit\n'
        f'exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 13); $2"\n'
    )
    old.chmod(0o755)
    command = ["make", f"PYTHON={old}", "lint"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "is Python 3.10.13" in result.stderr
    assert "make PYTHON=" in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_skipped_test_fails(tmp_path: Path) -> None:
    """Each way to skip is turned into a failure by tests/conftest.py."""
    shutil.copyfile(ROOT / "tests" / "conftest.py", tmp_path / "conftest.py")
    (tmp_path / "test_one.py").write_text(
        "import pytest\n"
        "@pytest.mark.skip(reason='by mark')\n"
        "def test_mark(): ...\n"
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
    # By call: the test fails. By mark and fixture: its set-up. The module: its collection.
    assert result.stdout.splitlines()[-1].startswith("1 failed, 1 passed, 3 errors")
