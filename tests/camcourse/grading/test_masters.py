"""What a master is taken for: kinds of cells, what students see of them, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from camcourse import leaks, masters, regions
from tests.camcourse.grading import small


@pytest.fixture
def master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> masters.Master:
    return small.install(monkeypatch, tmp_path)


def read(folder: Path, *cells: Any) -> masters.Master:
    return masters.read_file(small.write(folder, list(cells)))


def test_kinds_of_cells(master: masters.Master) -> None:
    assert [cell.kind for cell in master.cells] == [
        "text", "provided", "text", "solution", "tests", "look", "text", "answer",
    ]  # fmt: skip
    assert [cell.source for cell in master.provided] == ["import math"]
    assert [(cell.grade_id, cell.points) for cell in master.tests] == [("q1-test", 2.0)]
    assert [(cell.grade_id, cell.points) for cell in master.answers] == [("q2-answer", 3.0)]


def test_an_answer_may_be_code(tmp_path: Path) -> None:
    figure = small.checks("### BEGIN SOLUTION\nplot()\n### END SOLUTION", "q3")
    figure.metadata["nbgrader"]["solution"] = True
    assert [cell.kind for cell in read(tmp_path, figure).cells] == ["answer"]


def test_titles_are_the_headings_above(master: masters.Master) -> None:
    assert master.title == "Twice"
    assert master.titles == {"q1-test": "Question 1: twice", "q2-answer": "Question 2: why?"}


def test_what_is_no_heading(tmp_path: Path) -> None:
    """A comment in code, a number sign before a word, and lines between fences."""
    master = read(
        tmp_path,
        small.provided("# the imports\nimport math"),
        small.text("#hashtag\n```python\n# a comment\n```\n\n### The *title* ###\n\ntext", "t"),
        small.checks(),
    )
    assert master.title == "The *title*"
    assert master.titles == {"q1-test": "The *title*"}


def test_without_any_heading_the_name_is_the_title(tmp_path: Path) -> None:
    assert read(tmp_path / "a", small.checks()).titles == {"q1-test": "small"}
    assert read(tmp_path / "b").title == "small"


def test_functions_are_those_at_the_top_of_solutions(tmp_path: Path) -> None:
    source = (
        "def one():\n    def inner():\n        pass\n\n\nclass C:\n    def two(self):\n        pass"
    )
    master = read(tmp_path, small.provided("def given(): pass"), small.solution(source))
    assert master.functions == ("one",)


def test_only_what_students_see_of_tests_is_idle(master: masters.Master) -> None:
    assert master.idle == {"double(3)", 'assert double(2) == 4, "twice two is four"'}


def test_visible_and_hidden_lines() -> None:
    """Marks may be indented in any way; there may be several regions, and none."""
    source = "\n".join(
        [
            "shown = 1",  # 1
            "    ### BEGIN HIDDEN TESTS",
            "hidden = 2",  # 3
            "\t### END HIDDEN TESTS  ",
            "shown = 5",  # 5
            "### BEGIN HIDDEN TESTS\r",
            "### END HIDDEN TESTS",
            "",  # 8
        ]
    )
    assert masters.visible(source) == "shown = 1\nshown = 5\n"
    assert masters.hidden_lines(source) == {2, 3, 4, 6, 7}
    assert masters.visible("plain\n\n") == "plain\n\n"
    assert masters.hidden_lines("plain") == set()


def test_an_unclosed_region_hides_all_the_rest() -> None:
    """It is refused elsewhere; nothing is shown meanwhile."""
    assert masters.visible("a\n### BEGIN HIDDEN TESTS\nb\nc") == "a"
    assert masters.hidden_lines("a\n### BEGIN HIDDEN TESTS\nb\nc") == {2, 3, 4}


def secret(kind: str, source: str) -> list[str]:
    return leaks.secret_lines(masters.Cell(kind, source, "", 0.0))


def test_secret_lines() -> None:
    assert secret("solution", small.SOLUTION) == ["with_itself = x + x", "return with_itself"]
    assert secret("tests", small.TESTS) == [
        "hidden_number = 21",
        'assert double(hidden_number) == 42, "any number can be doubled"',
    ]
    assert secret("answer", small.ANSWER) == ["Because addition is commutative."]
    for kind in ("text", "look", "provided"):
        assert secret(kind, "a line that is long enough") == []


def test_a_solution_without_marks_is_secret_as_a_whole() -> None:
    """For nbgrader takes it away as a whole."""
    assert secret("solution", "def f():\n    return 12345") == ["return 12345"]
    assert secret("answer", "All of this sentence.") == ["All of this sentence."]


def test_text_around_an_answer_is_not_secret() -> None:
    assert secret("answer", f"Write three sentences:\n{small.ANSWER}") == [
        "Because addition is commutative."
    ]


def test_short_lines_tell_nothing_and_others_are_secret_though_they_stand_elsewhere_too() -> None:
    inside = "    y = x * 2\n    return a_name\n    return b_name"
    source = f"def f(x):\n    ### BEGIN SOLUTION\n{inside}\n    ### END SOLUTION\n    return b_name"
    assert secret("solution", source) == ["return a_name", "return b_name"]


BEGIN, END = regions.SOLUTION
HIDE, SHOW = regions.HIDDEN


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (small.solution(f"{BEGIN}\nx = 1"), "'### BEGIN SOLUTION' has no '### END SOLUTION'"),
        (small.solution(f"x = 1\n{END}"), "line 2: .* where no region is open"),
        (small.solution(f"{BEGIN}\n{BEGIN}\n{END}"), "line 2: .* where a region is open"),
        (small.checks(f"x = 1\n{HIDE}\nx = 2", "id"), "'### BEGIN HIDDEN TESTS' has no"),
        (small.checks(f"{BEGIN}\n{END}", "id"), "does not belong into a cell of this kind"),
        (small.solution(f"{HIDE}\n{SHOW}"), "does not belong into a cell of this kind"),
        (small.text(f"{BEGIN}\nx\n{END}"), "does not belong into a cell of this kind"),
        (small.provided(f"{BEGIN}\nx\n{END}"), "does not belong into a cell of this kind"),
        (small.look(f"{HIDE}\nx\n{SHOW}"), "does not belong into a cell of this kind"),
        (small.checks("# BEGIN HIDDEN TESTS\n# END HIDDEN TESTS", "id"), "line 1 is no mark"),
        (small.checks("###BEGIN HIDDEN TESTS\n", "id"), "line 1 is no mark"),
        (small.checks(f"{HIDE} of mine\n{SHOW}", "id"), "line 1 is no mark"),
        (small.checks("### begin hidden test\n", "id"), "line 1 is no mark"),
        (small.solution("x = 1\n# begin_solution"), "line 2 is no mark"),
        (small.solution("def f(:"), "invalid syntax"),
        (small.checks("assert", "id"), "invalid syntax"),
        (small.checks("x = 1", ""), "expected a grade_id of its own"),
        (small.answer(grade_id="q1-test"), "expected a grade_id of its own"),
        (small.checks("x = 1", "id", -1), "expected points from 0 up, got -1"),
        (small.checks("x = 1", "id", float("nan")), "expected points from 0 up, got nan"),
        (small.checks("x = 1", "id", None), "float"),
        (small.checks("x = 1", "id", "two"), "two"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, cell: Any, words: str) -> None:
    with pytest.raises(ValueError, match=rf"small.ipynb, cell 3 \(.*\): .*{words}"):
        read(tmp_path, small.text("# A"), small.checks(), cell)


def test_tests_are_code_and_tasks_are_not_known(tmp_path: Path) -> None:
    words = small.text("assert", "id")
    words.metadata["nbgrader"] |= {"grade": True, "points": 1}
    with pytest.raises(ValueError, match=r"cell 1 \(id\): expected tests in a cell with code"):
        read(tmp_path / "a", words)
    task = small.text("Do it.", "id")
    task.metadata["nbgrader"] |= {"task": True, "points": 1}
    with pytest.raises(ValueError, match=r"cell 1 \(id\): nbgrader's tasks are not known"):
        read(tmp_path / "b", task)


def test_names_come_in_the_order_of_the_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("zeta", "from-map-to-box", "alpha", "cam-from-scratch"):
        small.write(tmp_path, [], name)
    (tmp_path / "alpha" / "alpha-old.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "notes").mkdir()
    monkeypatch.setattr(masters, "SOURCES", tmp_path)
    assert masters.names() == ["cam-from-scratch", "from-map-to-box", "alpha", "zeta"]


def test_an_unknown_name(master: masters.Master, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"\(small\), got '../small'"):
        masters.read("../small")
    monkeypatch.setattr(masters, "SOURCES", master.path)
    with pytest.raises(ValueError, match="none is there"):
        masters.read("small")
