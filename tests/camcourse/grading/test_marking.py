"""Marking one submission: what students are told, and what no submission can do to the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

import camcourse
from camcourse import masters
from camcourse.grading import grade as grading
from camcourse.grading.execution import Unanswered
from camcourse.grading.grade import Job
from camcourse.grading.kit import make_kit
from camcourse.grading.marking import Setup, mark, setting_of
from camcourse.grading.results import Result
from camcourse.grading.sandbox import Sandbox
from camcourse.grading.submissions import Submission

Mark = Callable[[list[str]], Result]

TESTS = """assert double(2) == 4, "twice two is four"
### BEGIN HIDDEN TESTS
assert double(1234567) == 2469134, "large numbers, too"
### END HIDDEN TESTS"""


def about(grade_id: str, **more: Any) -> dict[str, Any]:
    usual = {"grade": False, "solution": False, "locked": True, "schema_version": 3, "task": False}
    return {"nbgrader": {**usual, "grade_id": grade_id, **more}}


def written(path: Path, cells: list[dict[str, Any]]) -> Path:
    whole = [
        {"id": f"c{n}", "metadata": {}, **one}
        | ({"outputs": [], "execution_count": None} if one["cell_type"] == "code" else {})
        for n, one in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": whole, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    folder = tmp_path_factory.mktemp("setup")
    solution = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    cells = [
        {"cell_type": "markdown", "metadata": about("top"), "source": "# Doubling"},
        {"cell_type": "code", "metadata": about("code", solution=True, locked=False), "source": solution},
        {"cell_type": "code", "metadata": about("test", grade=True, points=2), "source": TESTS},
        {"cell_type": "markdown", "metadata": about("why", grade=True, solution=True, points=1), "source": "Because."},
    ]  # fmt: skip
    master = masters.read_file(written(folder / "doubling.ipynb", cells))
    kit = folder / "kit"
    kit.mkdir()
    return Setup(master, setting_of(master), Sandbox(make_kit(kit)), seed=1, seconds=3.0)


@pytest.fixture
def marked(setup: Setup, tmp_path: Path) -> Mark:
    """Mark a notebook of these code cells."""

    def marking(sources: list[str], *more: dict[str, Any]) -> Result:
        cells = [{"cell_type": "code", "source": source} for source in sources]
        path = written(tmp_path / "one.ipynb", [*cells, *more])
        result = Result("one.ipynb", "one")
        mark(setup, path, result)
        return result

    return marking


def test_what_is_right_gets_its_points(marked: Mark) -> None:
    result = marked(["def double(x):\n    return x + x"])
    assert (result.status, result.points) == ("graded", 2)
    assert [one.status for one in result.marks] == ["passed", "by hand"]


def test_an_error_in_a_test_that_students_see_is_told_whole(marked: Mark) -> None:
    (first, _) = marked(["def double(x):\n    raise ValueError(f'asked for {x}')"]).marks
    assert (first.status, first.reason) == ("error", "double raised ValueError: asked for 2")


def test_an_error_in_a_hidden_test_does_not_tell_its_numbers(marked: Mark) -> None:
    source = "def double(x):\n    if x > 9:\n        raise ValueError(f'asked for {x}')\n    return 2 * x"
    (first, _) = marked([source]).marks
    assert (first.status, first.reason) == ("error", "double raised ValueError")


def test_a_wrong_answer_is_told_in_the_words_of_the_test(marked: Mark) -> None:
    (first, _) = marked(["def double(x):\n    return min(2 * x, 99)"]).marks
    assert (first.status, first.reason) == ("failed", "large numbers, too")


def test_every_copy_of_an_answer_is_shown(marked: Mark) -> None:
    answers = [
        {"cell_type": "markdown", "metadata": about("why"), "source": words}
        for words in ("My reason.", "YOUR ANSWER HERE", "My reason.")
    ]
    (_, by_hand) = marked(["x = 1"], *answers).marks
    assert by_hand.answer == "My reason.\n\nYOUR ANSWER HERE"


def test_a_file_that_may_not_be_opened_is_one_students_affair(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "one.ipynb", [])
    monkeypatch.setattr(
        "camcourse.grading.marking.os.access", lambda *given: False
    )  # root may open all
    result = Result("one.ipynb", "one")
    mark(setup, path, result)
    assert (result.status, result.reason) == ("unreadable", "the file may not be opened")


def test_all_cells_together_have_an_end(marked: Mark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camcourse.grading.execution.WHOLE", 1)
    monkeypatch.setattr("camcourse.grading.execution.START_SECONDS", 20.0)
    result = marked(["import time\ntime.sleep(4)"] * 12)
    assert result.status == "stopped: too slow"


def test_memory_is_watched_while_answers_come_quickly(
    marked: Mark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camcourse.grading.process.DATA", 600 * 2**20)
    words = "x = b'x' * 2**29; import time; time.sleep(60)"
    grow = f'import subprocess, sys\nsubprocess.Popen([sys.executable, "-c", {words!r}])'
    quick = ["import time\ntime.sleep(0.15)"] * 6
    result = marked([grow, *quick])
    assert result.status == "stopped: too much memory", result.notes


def test_the_grader_breaks_over_one_and_finds_out_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was marked beside it loses nothing."""

    def pooled(workers: int, setup: Any, missing: list[Submission]) -> Any:
        for one in missing[:1] if workers == 1 else missing:
            if one.name == "evil" or (workers > 1 and any(m.name == "evil" for m in missing)):
                raise BrokenProcessPool
            yield one, Result(one.name, one.student)

    monkeypatch.setattr(grading, "_pooled", pooled)
    monkeypatch.setattr(grading, "_of", lambda *given: "content")
    missing = [Submission(tmp_path / name, name, name) for name in ("ada", "evil", "karen")]
    job = Job("x", tmp_path, tmp_path / "grades")
    master = masters.Master("x", tmp_path, ())
    results = list(grading._graded(job, ("x", tmp_path, True, 1, 1.0), master, missing))
    assert {one.file: one.status for one in results} == {
        "ada": "graded", "evil": "not graded", "karen": "graded",
    }  # fmt: skip


def test_unanswered_is_no_ordinary_exception() -> None:
    """A test cell or a check that catches exceptions must not take it for the student's."""
    assert not issubclass(Unanswered, Exception)


def test_a_check_within_a_test_leaves_it_alone() -> None:
    """So that what is not written yet is told as that, and not as a wrong answer."""

    def blank(features: Any) -> Any:
        raise Unanswered("blank", "it is not written yet")

    with pytest.raises(Unanswered):
        camcourse.check("global_average_pool", blank, strict=True)


def test_an_untouched_answer_is_nobodys_work_to_mark(marked: Mark) -> None:
    untouched = {"cell_type": "markdown", "metadata": about("why"), "source": "YOUR ANSWER HERE"}
    assert marked(["x = 1"], untouched).marks[1].status == "blank"


def test_a_figure_of_the_students_is_no_error(marked: Mark) -> None:
    """plotting does nothing here, whatever is done with what it returns."""
    figure = "from camlib import plotting\npale = 0.4 + 0.5 * plotting.greyscale(1)[0]\nplotting.panels([pale])"
    assert marked([figure]).notes == []


def test_only_errors_of_the_students_own_cells_are_told(marked: Mark, setup: Setup) -> None:
    """A given cell that was changed since runs, for a student may have written into it."""
    old = {
        "cell_type": "code",
        "metadata": about("test"),
        "source": "factor = 2\nassert old(1) == 3",
    }
    result = marked(["def double(x):\n    return factor * x", "1 / 0"], old)
    assert result.points == 2
    assert result.notes == ["cell 2: ZeroDivisionError: division by zero"]


def test_a_grader_that_breaks_over_the_model_blames_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def submit(self, *work: Any) -> Any:
            raise BrokenProcessPool

    with pytest.raises(grading.NotWorkingError, match="ended while it marked the model solution"):
        grading._proven(Broken())
