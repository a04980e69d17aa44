"""The command: its help, its exit status, and one line for each thing that is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from camcourse import __main__ as command
from camcourse.grading import grade as grading
from camcourse.grading import records
from camcourse.grading.grade import Job
from camcourse.grading.results import Result
from tests.camcourse.grading import small
from tooling.repository import ROOT

Capture = pytest.CaptureFixture[str]
COMMANDS = ("release", "grade", "merge", "feedback")


@pytest.fixture(autouse=True)
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small.install(monkeypatch, tmp_path / "source")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def help_of(capsys: Capture, *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        command.main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def refused(capsys: Capture, *words: str) -> str:
    """Run a command that cannot work; return the one line that it says."""
    assert command.main(list(words)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("course: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err.strip().removeprefix("course: ")


def test_help_names_every_command(capsys: Capture) -> None:
    text = help_of(capsys)
    places = [text.index(f"    {name} ") for name in COMMANDS]
    assert places == sorted(places), "in the order in which they are needed"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_every_argument(capsys: Capture, name: str) -> None:
    text = help_of(capsys, name)
    arguments = text.partition("positional arguments:")[2].replace("options:", "").split("\n")
    lines = [line for line in arguments if line.strip()]
    assert len(lines) >= 3
    for line in lines:
        assert len(line.split("  ")) >= 3, f"{line!r} explains nothing"
    if name in ("release", "grade"):
        assert "small" in text
    if name != "merge":
        assert re.search(rf"default:\s+(assignments/)?{name}", text)


def test_help_without_masters(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a student's copy of the repository; a per cent sign in the path is no trap."""
    monkeypatch.setattr("camcourse.masters.SOURCES", tmp_path / "100%")
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


def test_release(tmp_path: Path, capsys: Capture) -> None:
    assert command.main(["release"]) == 0
    path = Path("assignments/release/small/small.ipynb")
    assert capsys.readouterr().out == f"Released: {path}\n"
    assert path.is_file()
    assert command.main(["release", "small", "--to", "elsewhere"]) == 0
    assert Path("elsewhere/small/small.ipynb").read_bytes() == path.read_bytes()


def test_release_refuses(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(capsys, "release", "large").endswith("(small), got 'large'.")
    assert "holds the masters" in refused(capsys, "release", "--to", str(tmp_path / "source"))
    cells = small.whole()
    cells[2].source += "\nwith_itself = x + x"
    small.install(monkeypatch, tmp_path / "leaking", cells)
    small.write(tmp_path / "leaking", cells, "another")
    assert "got 'large'" in refused(capsys, "release", "another", "large")
    assert not Path("assignments").exists()
    words = refused(capsys, "release", "small")
    assert words == "small was not released: cell 3 shows 'with_itself = x + x'"
    cells[4].source = "### BEGIN HIDDEN TESTS"
    small.write(tmp_path / "unclosed", cells)
    monkeypatch.setattr("camcourse.masters.SOURCES", tmp_path / "unclosed")
    assert "small.ipynb, cell 5 (q1-test): '### BEGIN HIDDEN TESTS' has no" in refused(
        capsys, "release"
    )
    (tmp_path / "leaking" / "small" / "small.ipynb").write_text("{", encoding="utf-8")
    monkeypatch.setattr("camcourse.masters.SOURCES", tmp_path / "leaking")
    assert "JSON" in refused(capsys, "release")
    Path("file").touch()
    monkeypatch.setattr("camcourse.masters.SOURCES", tmp_path / "source")
    assert "file" in refused(capsys, "release", "--to", "file")


def jobs(monkeypatch: pytest.MonkeyPatch, *results: Result) -> list[Job]:
    """Have grading take notes of what it is asked, and return results."""
    asked: list[Job] = []

    def noting(job: Job) -> list[Result]:
        asked.append(job)
        return list(results)

    monkeypatch.setattr(grading, "grade", noting)
    return asked


def test_grade_hands_on_what_is_given(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    late = small.result("bob.ipynb")
    late.status = "stopped: too slow"
    asked = jobs(monkeypatch, small.result(), late, small.result("eve.ipynb"))
    assert command.main(["grade", "small", "in"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("3 submissions: 2 graded, 1 stopped: too slow\n")
    assert f"{Path('grades') / records.TABLE}" in out
    assert f"{Path('grades') / records.BY_HAND}" in out
    words = ["--to", "out", "--jobs", "3", "--seed", "7", "--unsafe", "--quiet"]
    assert command.main(["grade", "small", "in", *words]) == 0
    plain, full = asked
    for job, expected in (
        (plain, ("grades", 2, True, None, False)),
        (full, ("out", 3, False, 7, True)),
    ):
        assert (job.assignment, str(job.submissions)) == ("small", "in")
        assert (str(job.grades), job.jobs, job.safe, job.seed, job.quiet) == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["large", "in"], "got 'large'."),
        (["small", "nowhere"], "submissions: expected a folder"),
        (["small", "empty"], "submissions: expected notebooks"),
        (["small", "empty", "--to", "empty/grades"], "--to: empty/grades is among the submissions"),
        (["small", "in", "--jobs", "0"], "--jobs: expected at least 1, got 0."),
        (["small", "in", "--seed", "-1"], "--seed: expected 0 to 2147483647, got -1."),
        (["small", "in", "--seed", str(2**31)], "--seed: expected 0 to 2147483647"),
    ],
)
def test_grade_refuses(capsys: Capture, words: list[str], said: str) -> None:
    Path("empty").mkdir()
    assert said in refused(capsys, "grade", *words)
    assert not Path("grades").exists()


def test_interrupted(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(job: Job) -> list[Result]:
        raise KeyboardInterrupt

    monkeypatch.setattr(grading, "grade", interrupt)
    assert command.main(["grade", "small", "in"]) == 130
    assert capsys.readouterr().err == "course: interrupted; the same command goes on from here.\n"


def test_an_error_is_one_line(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever names and messages hold."""
    for error, line in (
        (ValueError("two\n  lines\r\n"), "two lines"),
        (OSError(), "OSError"),
        (FileNotFoundError(2, "No such file", "a\nb"), "[Errno 2] No such file: 'a\\nb'"),
        (RuntimeError("x"), "x"),
    ):

        def fail(job: Job, error: Exception = error) -> list[Result]:
            raise error

        monkeypatch.setattr(grading, "grade", fail)
        assert refused(capsys, "grade", "small", "in") == line


def test_merge_and_feedback(tmp_path: Path, capsys: Capture) -> None:
    folder = small.graded(tmp_path / "grades", small.result(), small.result("bob.ipynb"))
    table = folder / records.BY_HAND
    text = table.read_text(encoding="utf-8")
    table.write_text(
        text.replace("q2-answer,ada.ipynb,3,,", "q2-answer,ada.ipynb,3,2,"), encoding="utf-8"
    )
    assert command.main(["merge", "grades", str(table)]) == 0
    assert capsys.readouterr().out == "1 answers have points by a person now.\n"
    assert command.main(["feedback", "grades", "--to", "pages"]) == 0
    assert capsys.readouterr().out == "2 pages in pages\n"
    assert len(list(Path("pages").iterdir())) == 2


def test_merge_and_feedback_refuse(tmp_path: Path, capsys: Capture) -> None:
    assert "expected the folder that `grade` wrote" in refused(capsys, "feedback", "nowhere")
    assert "expected the folder that `grade` wrote" in refused(capsys, "merge", "nowhere", "x.csv")
    folder = small.graded(tmp_path / "grades", small.result())
    assert "x.csv" in refused(capsys, "merge", "grades", "x.csv")
    assert "grades" in refused(capsys, "merge", "grades", "grades")
    (folder / records.WHOLE).write_text(json.dumps({"submissions": []}), encoding="utf-8")
    assert "grades.json is broken" in refused(capsys, "feedback", "grades")


def test_as_a_program() -> None:
    """Started as the book says, from anywhere in the repository's folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for words, code, lines in (("release nothing", 2, 1), ("--help", 0, 0)):
        ended = subprocess.run(
            [sys.executable, "-m", "camcourse", *words.split()],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stderr.count("\n")) == (code, lines)
