"""How masters are read, and what is refused in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from camcourse import leaks, masters, regions
from camcourse.masters import Cell, Master
from tests.camcourse.grading import small

BEGIN, END = regions.SOLUTION
HIDE, SHOW = regions.HIDDEN


def read(folder: Path, *cells: Any) -> Master:
    return masters.read_file(small.write(folder, list(cells)))


def test_kinds_of_cells(tmp_path: Path, master: Master) -> None:
    assert [cell.kind for cell in master.cells] == [
        "text", "provided", "text", "solution", "tests", "look", "text", "answer",
    ]  # fmt: skip
    assert [cell.source for cell in master.provided] == ["import math"]
    questions = [(cell.grade_id, cell.points) for cell in master.questions]
    assert questions == [("q1-test", 2.0), ("q2-answer", 3.0)]
    assert master.not_executed == {"double(3)", 'assert double(2) == 4, "twice two is four"'}
    assert master.quiet_ids == {"q1-test", "look", "q2-answer"}
    figure = small.checks(f"{BEGIN}\nplot()\n{END}", "q3")
    figure.metadata["nbgrader"]["solution"] = True
    assert [cell.kind for cell in read(tmp_path, figure).cells] == ["answer"], "also in code"


@pytest.mark.parametrize(
    ("cells", "title", "titles"),
    [
        (small.whole(), "Twice", {"q1-test": "Question 1: twice", "q2-answer": "Question 2: why?"}),
        ([small.checks()], "small", {"q1-test": "small"}),
        (
            [  # comments, hashtags and fenced code are not headings
                small.provided("# the imports\nimport math"),
                small.text("#hashtag\n```python\n# a comment\n```\n\n### The *title* ###\n\ntext"),
                small.checks(),
            ],
            "The *title*",
            {"q1-test": "The *title*"},
        ),
    ],
)
def test_titles_are_the_headings_above(
    tmp_path: Path, cells: list[Any], title: str, titles: dict[str, str]
) -> None:
    master = read(tmp_path, *cells)
    assert (master.title, master.titles) == (title, titles)


def test_functions_are_those_at_the_top_level_of_solutions(tmp_path: Path) -> None:
    source = (
        "def one():\n    def inner():\n        pass\n\n\nclass C:\n    def two(self):\n        pass"
    )
    master = read(tmp_path, small.provided("def given(): pass"), small.solution(source))
    assert master.functions == ("one",)


@pytest.mark.parametrize(
    ("source", "hidden", "shown"),
    [
        (
            f"shown = 1\n    {HIDE}\nhidden = 2\n\t{SHOW}  \nshown = 5\n{HIDE}\r\n{SHOW}\n",
            {2, 3, 4, 6, 7},
            "shown = 1\nshown = 5\n",
        ),
        ("plain\n\n", set(), "plain\n\n"),
        (f"a\n{HIDE}\nb\nc", {2, 3, 4}, "a"),  # not closed
    ],
)
def test_regions(source: str, hidden: set[int], shown: str) -> None:
    assert regions.inside(source, regions.HIDDEN) == hidden
    assert regions.without(source, regions.HIDDEN) == shown


@pytest.mark.parametrize(
    ("kind", "source", "lines"),
    [
        ("solution", small.SOLUTION, ["with_itself = x + x", "return with_itself"]),
        (
            "tests",
            small.TESTS,
            [
                "hidden_number = 21",
                'assert double(hidden_number) == 42, "any number can be doubled"',
            ],
        ),
        ("answer", f"Write a sentence:\n{small.ANSWER}", ["Because addition is commutative."]),
        *((kind, "a line that is long enough", []) for kind in ("text", "look", "provided")),
        # Without marks nbgrader removes all of a cell.
        ("solution", "def f():\n    return 12345", ["return 12345"]),
        ("answer", "All of this sentence.", ["All of this sentence."]),
        # A short line tells nothing; others are secret although they also are outside.
        (
            "solution",
            f"def f(x):\n    {BEGIN}\n    y = x * 2000\n    return xy\n    return abcde\n    {END}\n    return abcde",
            ["y = x * 2000", "return abcde"],
        ),
    ],
)
def test_secret_lines(kind: str, source: str, lines: list[str]) -> None:
    assert leaks.secret_lines(Cell(kind, source, "", 0.0)) == lines


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (small.solution(f"{BEGIN}\nx = 1"), "'### BEGIN SOLUTION' has no '### END SOLUTION'"),
        (small.solution(f"x = 1\n{END}"), "line 2: .* where no region is open"),
        (small.solution(f"{BEGIN}\n{BEGIN}\n{END}"), "line 2: .* where a region is open"),
        (small.checks(f"x = 1\n{HIDE}\nx = 2", "id"), "'### BEGIN HIDDEN TESTS' has no"),
        (small.checks(f"{BEGIN}\n{END}", "id"), "is not allowed in a cell of this kind"),
        (small.solution(f"{HIDE}\n{SHOW}"), "is not allowed in a cell of this kind"),
        (small.text(f"{BEGIN}\nx\n{END}"), "is not allowed in a cell of this kind"),
        (small.provided(f"{BEGIN}\nx\n{END}"), "is not allowed in a cell of this kind"),
        (small.look(f"{HIDE}\nx\n{SHOW}"), "is not allowed in a cell of this kind"),
        (small.checks("# BEGIN HIDDEN TESTS\n# END HIDDEN TESTS", "id"), "line 1 is not a mark"),
        (small.checks("###BEGIN HIDDEN TESTS\n", "id"), "line 1 is not a mark"),
        (small.checks(f"{HIDE} of mine\n{SHOW}", "id"), "line 1 is not a mark"),
        (small.checks("### begin hidden test\n", "id"), "line 1 is not a mark"),
        (small.solution("x = 1\n# begin_solution"), "line 2 is not a mark"),
        (small.solution("def f(:"), "invalid syntax"),
        (small.checks("assert", "id"), "invalid syntax"),
        (small.checks("x = 1", ""), "expected a grade_id of its own"),
        (small.answer(grade_id="q1-test"), "expected a grade_id of its own"),
        (small.checks("x = 1", "id", -1), "expected points from 0 up, got -1"),
        (small.checks("x = 1", "id", float("nan")), "expected points from 0 up, got nan"),
        (small.checks("x = 1", "id", float("inf")), "expected points from 0 up, got inf"),
        (small.checks("x = 1", "id", None), "float"),
        (small.checks("x = 1", "id", "two"), "two"),
        (
            small.marked(small.text("assert"), "id", grade=True),
            "expected tests in a cell with code",
        ),
        (small.marked(small.text("Do it."), "id", task=True), "nbgrader's tasks are not supported"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, cell: Any, words: str) -> None:
    with pytest.raises(ValueError, match=rf"small.ipynb, cell 3 \(.*\): .*{words}"):
        read(tmp_path, small.text("# A"), small.checks(), cell)


def test_names_are_in_the_order_of_the_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("zeta", "from-map-to-box", "alpha", "cam-from-scratch"):
        small.write(tmp_path, [], name)
    (tmp_path / "alpha" / "alpha-old.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "notes").mkdir()
    monkeypatch.setattr(masters, "SOURCES", tmp_path)
    assert masters.names() == ["cam-from-scratch", "from-map-to-box", "alpha", "zeta"]
    with pytest.raises(ValueError, match=r", alpha, zeta\), got '../alpha'"):
        masters.read("../alpha")
    monkeypatch.setattr(masters, "SOURCES", tmp_path / "notes")
    with pytest.raises(ValueError, match="none is there"):
        masters.read("alpha")
