"""The command: its help, its exit status, and one line for each error."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from camcourse import __main__ as command
from camcourse import masters
from camcourse.grading import grade as grading
from camcourse.grading import records
from camcourse.grading.grade import Job
from camcourse.grading.results import Result
from tests.camcourse.grading import small
from tests.camcourse.grading.conftest import Install
from tooling.repository import ROOT

Capture = pytest.CaptureFixture[str]
COMMANDS = ("release", "grade", "merge", "feedback")


@pytest.fixture(autouse=True)
def course(master: masters.Master, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def help_of(capsys: Capture, *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        command.main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def refused(capsys: Capture, *words: str) -> str:
    """Run a command that cannot work; return its one line of output."""
    assert command.main(list(words)) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("course: ")
    return err.removeprefix("course: ").removesuffix("\n")


def test_help(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = help_of(capsys)
    places = [text.index(f"    {name} ") for name in COMMANDS]
    assert places == sorted(places), "in the order in which they are needed"
    for name in COMMANDS:
        text = help_of(capsys, name)
        arguments = text.partition("positional arguments:")[2].replace("options:", "").split("\n")
        lines = [line for line in arguments if line.strip()]
        assert len(lines) >= 3
        assert all(len(line.split("  ")) >= 3 for line in lines), "every argument is explained"
        assert ("small" in text) is (name in ("release", "grade"))
        if name != "merge":
            assert re.search(rf"default:\s+(assignments/)?{name}", text)
    monkeypatch.setattr(masters, "SOURCES", tmp_path / "100%")  # as in a student's repository
    assert "none is in" in help_of(capsys, "release")
    assert "there is no assignment in" in refused(capsys, "release")


@pytest.mark.parametrize(
    "words", [[], ["grades"], ["merge", "x"], ["grade", "small", "x", "--jobs", "two"]]
)
def test_a_wrong_call_shows_the_usage(capsys: Capture, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(words)
    assert ended.value.code == 2
    assert "usage: python -m camcourse" in capsys.readouterr().err


def test_release(capsys: Capture) -> None:
    assert command.main(["release"]) == 0
    path = Path("assignments/release/small/small.ipynb")
    assert capsys.readouterr().out == f"Released: {path}\n"
    assert command.main(["release", "small", "--to", "elsewhere"]) == 0
    assert Path("elsewhere/small/small.ipynb").read_bytes() == path.read_bytes()


def test_release_refuses(capsys: Capture, install: Install) -> None:
    assert refused(capsys, "release", "small", "large").endswith("(small), got 'large'.")
    assert "the folder of the masters" in refused(capsys, "release", "--to", str(masters.SOURCES))
    Path("file").touch()
    assert "file" in refused(capsys, "release", "--to", "file")
    cells = small.whole()
    cells[2].source += "\nwith_itself = x + x"
    install(cells)
    leak = "small was not released: cell 3 shows 'with_itself = x + x'"
    assert refused(capsys, "release", "small") == leak
    (masters.SOURCES / "small" / "small.ipynb").write_text("{", encoding="utf-8")
    assert "JSON" in refused(capsys, "release")
    assert not Path("assignments").exists()


def grade_with(monkeypatch: pytest.MonkeyPatch, *outcome: Result | BaseException) -> list[Job]:
    """Replace grading by a function that collects its arguments and returns or raises the outcome."""
    jobs: list[Job] = []

    def grade(job: Job) -> list[Result]:
        jobs.append(job)
        for one in outcome:
            if isinstance(one, BaseException):
                raise one
        return [one for one in outcome if isinstance(one, Result)]

    monkeypatch.setattr(grading, "grade", grade)
    return jobs


def test_grade(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    late = small.result("bob.ipynb")
    late.status = "stopped: too slow"
    jobs = grade_with(monkeypatch, small.result(), late, small.result("eve.ipynb"))
    assert command.main(["grade", "small", "in"]) == 0
    assert capsys.readouterr().out == (
        "3 submissions: 2 graded, 1 stopped: too slow\n"
        "Points: grades/grades.csv; to mark by hand: grades/by-hand.csv\n"
    )
    words = "--to out --jobs 3 --seed 7 --unsafe --seconds 0.5 --quiet"
    assert command.main(["grade", "small", "in", *words.split()]) == 0
    assert jobs == [
        Job("small", Path("in"), Path("grades"), 2, True, None, 10.0, False),
        Job("small", Path("in"), Path("out"), 3, False, 7, 0.5, True),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("large in", "got 'large'."),
        ("small nowhere", "submissions: expected a folder"),
        ("small empty", "submissions: expected notebooks"),
        ("small empty --to empty/grades", "--to: empty/grades is inside the submissions"),
        ("small in --jobs 0", "--jobs: expected at least 1, got 0."),
        ("small in --seconds 0", "--seconds: expected more than 0 and at most 3600, got 0."),
        ("small in --seconds 3601", "--seconds: expected more than 0"),
        ("small in --seed -1", "--seed: expected 0 to 2147483647, got -1."),
        ("small in --seed 2147483648", "--seed: expected 0 to 2147483647"),
    ],
)
def test_grade_refuses(capsys: Capture, words: str, message: str) -> None:
    Path("empty").mkdir()
    assert message in refused(capsys, "grade", *words.split())
    assert not Path("grades").exists()


def test_an_interruption(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    grade_with(monkeypatch, KeyboardInterrupt())
    assert command.main(["grade", "small", "in"]) == 130
    assert "interrupted; the same command continues" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("two\n  lines\r\n"), "two lines"),
        (OSError(), "OSError"),
        (FileNotFoundError(2, "No such file", "a\nb"), "[Errno 2] No such file: 'a\\nb'"),
        (RuntimeError("x"), "x"),
    ],
)
def test_an_error_is_one_line(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    grade_with(monkeypatch, error)
    assert refused(capsys, "grade", "small", "in") == line


def test_merge_and_feedback(capsys: Capture) -> None:
    folder = small.graded(Path("grades"), small.result(), small.result("bob.ipynb"))
    table = folder / records.BY_HAND
    text = table.read_text(encoding="utf-8")
    text = text.replace("q2-answer,ada.ipynb,3,,", "q2-answer,ada.ipynb,3,2,")
    table.write_text(text, encoding="utf-8")
    assert command.main(["merge", "grades", str(table)]) == 0
    assert capsys.readouterr().out == "1 answers have points given by hand now.\n"
    assert command.main(["feedback", "grades", "--to", "pages"]) == 0
    assert capsys.readouterr().out == "2 pages in pages\n"
    assert len(list(Path("pages").iterdir())) == 2


def test_merge_and_feedback_refuse(capsys: Capture) -> None:
    assert "expected the folder that `grade` wrote" in refused(capsys, "feedback", "nowhere")
    assert "expected the folder that `grade` wrote" in refused(capsys, "merge", "nowhere", "x.csv")
    folder = small.graded(Path("grades"), small.result())
    assert "x.csv" in refused(capsys, "merge", "grades", "x.csv")
    assert "grades" in refused(capsys, "merge", "grades", "grades")
    (folder / records.GRADES).write_text(json.dumps({"submissions": []}), encoding="utf-8")
    assert "grades.json is damaged" in refused(capsys, "feedback", "grades")


def test_as_a_program() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for words, code, lines in (("release nothing", 2, 1), ("--help", 0, 0)):
        ended = subprocess.run(
            [sys.executable, "-m", "camcourse", *words.split()],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stderr.count("\n")) == (code, lines)
