"""Mark one submission: what students are told, and what no submission can do to others."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import v4

import camcourse
from camcourse import masters
from camcourse.grading import grade as grading
from camcourse.grading.grade import Job
from camcourse.grading.library import copy_library
from camcourse.grading.marking import MarkingContext, mark, run_provided
from camcourse.grading.process import ProcessEnded
from camcourse.grading.results import STATUSES, Result
from camcourse.grading.runner import MAX_STARTS, CallFailed, SubmissionRunner
from camcourse.grading.sandbox import Sandbox
from camcourse.grading.submissions import Submission
from tests.camcourse.grading import small

Marked = Callable[..., Result]

DOUBLE = "def double(x):\n    return x + x"
TESTS = """assert double(2) - 4 == 0, "twice two is four"
### BEGIN HIDDEN TESTS
assert double(1234567) - 2469134 == 0, "large numbers, too"
### END HIDDEN TESTS"""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> MarkingContext:
    folder = tmp_path_factory.mktemp("context")
    cells = [small.text("# Doubling"), small.solution(), small.checks(TESTS), small.answer()]
    master = masters.read_file(small.write(folder, cells))
    library = copy_library(tmp_path_factory.mktemp("library"))
    return MarkingContext(master, run_provided(master), Sandbox(library), seed=1, seconds=3.0)


@pytest.fixture
def marked(context: MarkingContext, tmp_path: Path) -> Marked:
    """Return a function that marks a notebook of code cells, given by their sources, and other cells."""

    def marked(*cells: Any) -> Result:
        path, result = tmp_path / "one.ipynb", Result("one.ipynb", "one")
        notebook = v4.new_notebook(
            cells=[v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        )
        path.write_text(nbformat.writes(notebook), encoding="utf-8")
        mark(context, path, result)
        return result

    return marked


TOLD = [
    ("return x + x", "passed", ""),
    ("raise NotImplementedError", "blank", "{name} is not written yet"),
    ("return min(2 * x, 99)", "failed", "large numbers, too"),
    ("return object()", "failed", "{name} returned a value that is not data: MessageError: an object of type object"),
    ("return []", "failed", "the answer has another type or shape than asked for (TypeError: unsupported operand type(s) for -: 'list' and 'int')"),
    ("return [] if x > 9 else 4", "failed", "the answer has another type or shape than asked for"),
    ("raise ValueError(f'for {x}')", "error", "{name} raised ValueError: for 2"),
    # A hidden test does not tell its numbers.
    ("assert x < 9, f'for {x}'\n    return 2 * x", "error", "{name} raised AssertionError"),
]  # fmt: skip


def test_what_students_are_told(context: MarkingContext, tmp_path: Path) -> None:
    """One submission with a function for each way to answer."""
    names = [f"double{number}" for number in range(len(TOLD))]
    asked = [
        cell
        for name in names
        for cell in (
            small.solution(DOUBLE.replace("double", name), f"{name}-code"),
            small.checks(TESTS.replace("double", name), f"{name}-test"),
        )
    ]
    master = masters.read_file(small.write(tmp_path, [small.text("# Doubling"), *asked]))
    given = [f"def {name}(x):\n    {body}" for name, (body, *_) in zip(names, TOLD, strict=True)]
    path, result = tmp_path / "one.ipynb", Result("one.ipynb", "one")
    cells = [v4.new_code_cell(source) for source in given]
    path.write_text(nbformat.writes(v4.new_notebook(cells=cells)), encoding="utf-8")
    mark(replace(context, master=master), path, result)
    assert result.status == "graded"
    for name, (_, status, reason), mark_ in zip(names, TOLD, result.marks, strict=True):
        expected = (status, reason.format(name=name), 2 * (status == "passed"))
        assert (mark_.status, mark_.reason, mark_.points) == expected


def test_answers(marked: Marked) -> None:
    """All copies of an answer are shown; an untouched one is nobody's work to mark."""
    answers = [small.answer(words) for words in ("My reason.", "YOUR ANSWER HERE", "My reason.")]
    result = marked("x = 1", *answers)
    test, by_hand = result.marks
    assert (test.status, test.points, by_hand.points) == ("missing", 0, 0)
    assert (by_hand.status, by_hand.answer) == ("by hand", "My reason.\n\nYOUR ANSWER HERE")
    assert result.status == "blank"
    assert marked("x = 1", answers[1]).marks[1].status == "blank"


def test_only_errors_of_a_students_own_cells_are_reported(marked: Marked) -> None:
    """A changed test cell runs, because a student may have written into it."""
    test = small.checks("factor = 2\nassert old(1) == 3")
    figure = "from camlib import plotting\npale = 0.4 + 0.5 * plotting.greyscale(1)[0]\nplotting.panels([pale])"
    result = marked("def double(x):\n    return factor * x", "1 / 0", test, figure)
    assert result.points == 2
    assert result.notes == ["cell 2: ZeroDivisionError: division by zero"]


def test_a_file_without_read_permission(
    context: MarkingContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small.write(tmp_path, [])
    monkeypatch.setattr("os.access", lambda *given: False)  # root may open all files
    result = Result("one.ipynb", "one")
    mark(context, path, result)
    assert (result.status, result.reason) == ("unreadable", "no permission to open the file")


class FakeProcess:
    """Cells are seconds that they take, or the status with which they end the process; so are calls."""

    def __init__(self, *cells: str, start: float = 0.0) -> None:
        self.cells, self.start, self.now, self.log = cells, start, 0.0, list[str]()
        self.process: object = None

    def request(self, do: str, within: float, **details: Any) -> dict[str, Any]:
        if do == "read":
            return {"cells": [{"kind": "code", "source": s, "grade_id": ""} for s in self.cells]}
        what = str(self.start) if do == "ready" else details.get("source") or details["name"]
        self.process = self
        self.log.append("start" if do == "ready" else what)
        status = "late" if what.isdecimal() and float(what) > within else what
        self.now += min(float(what), within) if what.replace(".", "").isdecimal() else 0
        if status in STATUSES:
            self.process = None
            raise ProcessEnded(status, "because")
        return {"value": 1}

    def end(self) -> None:
        self.process = None


@pytest.mark.parametrize(
    ("cells", "start", "log", "status"),
    [
        (["1", "2"], 0.0, "start 1 2", "graded"),
        (["1", "died", "2"], 0.0, "start 1 died start 1 2", "stopped: ended itself"),
        (["1", "memory", "died"], 0.0, "start 1 memory start 1 died start 1", "stopped: too much memory"),
        (["36"], 0.0, "start 36", "stopped: too slow"),  # the limit of a cell is 3 * 10 + 5
        (["35"] * 12, 0.0, "start" + " 35" * 12, "graded"),  # the limit of all is 120 + 30 * 10 = 420
        (["35"] * 12 + ["1"], 0.0, "start" + " 35" * 12 + " 1", "stopped: too slow"),
        (["35"] * 12, 100.0, "start" + " 35" * 12, "graded"),  # without the starts
        (["died"] * 12, 0.0, "start died " * 11 + "start died", "stopped: ended itself"),
        (["died"] * 11, 100.0, "start died " * 10 + "start died", "stopped: ended itself"),
    ],
)  # fmt: skip
def test_restarts_and_limits(
    monkeypatch: pytest.MonkeyPatch, cells: list[str], start: float, log: str, status: str
) -> None:
    process = FakeProcess(*cells, start=start)
    monkeypatch.setattr("camcourse.grading.runner.time.monotonic", lambda: process.now)
    result = Result("one.ipynb", "one")
    runner = SubmissionRunner(masters.Master("x", Path(), ()), process, result, 10.0)
    try:
        runner.read()
    except ProcessEnded:
        assert process.log.count("start") == MAX_STARTS
    assert " ".join(process.log).startswith(log)
    assert result.status == status


def test_memory_is_checked_also_while_replies_are_quick(
    marked: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camcourse.grading.process.DATA", 600 * 2**20)
    monkeypatch.setattr("camcourse.grading.runner.MAX_STARTS", 1)
    words = "x = b'x' * 2**29; import time; time.sleep(60)"
    grow = f'import subprocess, sys\nsubprocess.Popen([sys.executable, "-c", {words!r}])'
    result = marked(grow, *["import time\ntime.sleep(0.15)"] * 60)
    assert result.status == "stopped: too much memory", result.notes


def test_a_failed_call_is_no_ordinary_exception() -> None:
    """A test or a check that catches exceptions does not take it for a wrong answer."""

    def blank(features: Any) -> Any:
        raise CallFailed("blank", "it is not written yet")

    with pytest.raises(CallFailed):
        camcourse.check("global_average_pool", blank, strict=True)


# the grader's own process


def test_a_submission_that_breaks_the_grader_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others lose nothing."""

    def in_pool(workers: int, context: Any, missing: list[Submission]) -> Any:
        for one in missing[:1] if workers == 1 else missing:
            if one.name == "evil" or (workers > 1 and any(m.name == "evil" for m in missing)):
                raise BrokenProcessPool
            yield one, Result(one.name, one.student)

    monkeypatch.setattr(grading, "_graded_in_pool", in_pool)
    monkeypatch.setattr(grading, "_source", lambda *given: "content")
    missing = [Submission(tmp_path / name, name, name) for name in ("ada", "evil", "karen")]
    job = Job("x", tmp_path, tmp_path / "grades")
    master = masters.Master("x", tmp_path, ())
    results = list(grading._graded(job, (master, tmp_path, True, 1, 1.0), missing))
    assert {one.file: one.status for one in results} == {
        "ada": "graded", "evil": "not graded", "karen": "graded",
    }  # fmt: skip


def test_a_grader_that_breaks_at_the_model_solution_blames_nobody() -> None:
    class Broken:
        def submit(self, *work: Any) -> Any:
            raise BrokenProcessPool

    with pytest.raises(grading.NotWorkingError, match="ended while it marked the model solution"):
        grading._wait_for_proof(Broken())
