"""Chapters are executed once, two at a time, and the site takes what was compared."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_cache import get_cache

from tooling import execution
from tooling.repository import ROOT


def chapter(path: Path, source: str, printed: str = "") -> Path:
    """Write a notebook of one cell, executed: it printed ``printed``."""
    output = nbformat.v4.new_output("stream", text=printed)
    cell = nbformat.v4.new_code_cell(source, execution_count=1, outputs=[output])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


def kept(path: Path) -> str:
    """Return what the cell of a kept notebook has printed."""
    notebook = nbformat.read(path, as_version=4)
    cache = get_cache(str(execution.cache_of(execution.BUILD, ROOT)))
    _, merged = cache.merge_match_into_notebook(notebook)
    return str(merged.cells[0].outputs[0].text)


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "BUILD", tmp_path / "_build")


def test_each_is_executed_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In its own folder; one that fails is named and not kept, the others are."""
    names = ("one", "two", "three")
    good = [
        chapter(tmp_path / f"{name}.ipynb", f"open('{name}', 'w'); print('{name}!')")
        for name in names
    ]
    bad = chapter(tmp_path / "bad.ipynb", "print(1)\n1 / 0")
    assert not any(map(execution.is_kept, [*good, bad]))
    assert execution.execute_all([good[0], bad, *good[1:]]) == 1
    assert [path.name for path in tmp_path.iterdir() if path.name in names]
    assert [kept(path) for path in good] == ["one!\n", "two!\n", "three!\n"]
    assert not execution.is_kept(bad)
    said = capsys.readouterr()
    assert len(re.findall(r"^ \d of 4  \w+ +executed in \d+ s$", said.out, re.MULTILINE)) == 3
    assert re.search(r"^ \d of 4  bad +FAILED in \d+ s$", said.out, re.MULTILINE)
    assert "ZeroDivisionError" in said.err


def test_a_long_silence_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a line that says which chapters run, and how far they are."""
    monkeypatch.setattr(execution, "SILENCE", 0.05)
    assert (
        execution.execute_all([chapter(tmp_path / "slow.ipynb", "import time; time.sleep(1)")]) == 0
    )
    assert "  at slow (0 of 1 cells)\n" in capsys.readouterr().out


def test_what_nbval_has_run_is_kept_and_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pictures are not compared, so it is seen whose outputs they are; a wrong chapter is not kept."""
    drawn = "from IPython.display import Image, display; display(Image(bytes(8), format='png'))"
    right = chapter(tmp_path / "right.ipynb", f"{drawn}\nprint('same')", "same\n")
    wrong = chapter(tmp_path / "wrong.ipynb", "print('new')", "old\n")
    plugin = (
        "from pathlib import Path\nfrom tooling import execution\n"
        f"execution.BUILD = Path({str(execution.BUILD)!r})\n"
        "from tests.book.keep_outputs import pytest_runtest_call\n"
    )
    (tmp_path / "elsewhere.py").write_text(plugin)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "elsewhere", "-p", "no:cacheprovider"]
    command += ["--nbval", "--nbval-current-env", f"--rootdir={tmp_path}", str(tmp_path)]
    notebook = nbformat.read(right, as_version=4)
    picture = nbformat.v4.new_output(
        "display_data", {"image/png": "b2xk", "text/plain": "<IPython.core.display.Image object>"}
    )
    notebook.cells[0].outputs.insert(0, picture)
    nbformat.write(notebook, right)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert "1 failed, 1 passed" in done.stdout
    assert execution.is_kept(right)
    assert not execution.is_kept(wrong)
    cache = get_cache(str(execution.cache_of(execution.BUILD, ROOT)))
    outputs = cache.merge_match_into_notebook(notebook)[1].cells[0].outputs
    assert outputs[0].data["image/png"].strip() == "AAAAAAAAAAA="
    monkeypatch.setattr(execution, "listed", lambda: [right])
    assert execution.main() == 0
    assert capsys.readouterr().out == ""
