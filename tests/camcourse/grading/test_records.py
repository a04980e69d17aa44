"""The files of a grading: written completely, and harmless in spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from camcourse.grading import records, tables
from camcourse.grading.results import Mark, Result
from camcourse.masters import Master
from tests.camcourse.grading import small
from tests.camcourse.grading.conftest import Install

texts = st.text(st.characters(codec=None, categories=None), max_size=12)
risky = st.lists(st.sampled_from([*"=+-@\t\r\n;,'\"\0 x＝", "\r\n"]), max_size=8).map("".join)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# files


def test_a_file_is_written_completely_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "new" / ("x" * 255)
    records.write(path, "one\r\n")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        records.write(path, "another")
    assert path.read_bytes() == b"one\r\n"
    assert list(path.parent.iterdir()) == [path]


@given(texts)
def test_a_result_with_any_text_is_saved_and_loaded(tmp_path_factory: Any, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "result.json"
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    result, expected = (
        Result("карл/=x.ipynb", "a", "graded", t, [Mark("q", 0.5, 2, "failed", t, t)], [t])
        for t in (text, joined)
    )
    records.save(path, "digest", result)
    assert records.load(path) == ("digest", expected)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"of": 1}', '{"of": 1, "result": "x"}', '{"of": 1, "result": {}}',
     '{"of": 1, "result": {"marks": [{"more": 1}]}}', '{"of": 1, "result": {"marks": 3}}', "\x00\xff"],
)  # fmt: skip
def test_a_damaged_result_is_none(tmp_path: Path, content: str) -> None:
    """The submission is graded again."""
    (tmp_path / "r.json").write_bytes(content.encode("latin-1"))
    assert records.load(tmp_path / "r.json") is None
    assert records.load(tmp_path / "nowhere.json") is None


def test_a_folder_keeps_its_seed_and_assignment(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    seed = records.run_seed(one, None, "first")
    assert 0 <= seed < 2**31
    assert records.run_seed(one, None, "first") == records.run_seed(one, seed, "first") == seed
    with pytest.raises(ValueError, match=rf"--seed: .*{seed}, got {seed + 1}"):
        records.run_seed(one, seed + 1, "first")
    with pytest.raises(ValueError, match="the grades of first, got second"):
        records.run_seed(one, None, "second")
    assert records.run_seed(two, 0) == records.run_seed(two, None) == 0
    assert len({records.run_seed(tmp_path / f"new {n}", None) for n in range(5)}) > 1
    (two / records.RUN).write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"run\.json is damaged"):
        records.run_seed(two, None)


def test_read_grades_refuses_other_folders(
    tmp_path: Path, master: Master, install: Install
) -> None:
    with pytest.raises(ValueError, match="expected the folder that `grade` wrote"):
        records.read_grades(tmp_path)
    for content in ("{", "[]", '{"assignment": "small"}', '{"assignment": 1, "submissions": [{}]}'):
        (tmp_path / records.GRADES).write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match=r"grades\.json is damaged"):
            records.read_grades(tmp_path)
    small.graded(tmp_path, small.result())
    assert records.read_grades(tmp_path)[0].name == "small"
    install([*small.whole(), small.answer("x", "q3")])
    with pytest.raises(ValueError, match="small has other questions now"):
        records.read_grades(tmp_path)


# tables


def test_the_tables_by_hand(tmp_path: Path, master: Master) -> None:
    """Ada has 2 points of the tests and 1.5 by hand, Bob none; of Karl's two the better one counts."""
    files = ("ada.ipynb", "bob.ipynb", "karl/1.ipynb", "karl/2.ipynb")
    results = [small.result(file, n) for file, n in zip(files, (2, 0, 0, 2), strict=True)]
    by_hand = {records.answer_key(results[0], results[0].marks[1]): 1.5}
    records.write_tables(tmp_path, master, results, by_hand)
    columns = ("student", "file", "counts", "points", "possible", "open", "q1-test", "q2-answer")
    assert [tuple(row[c] for c in columns) for row in read(tmp_path / records.TABLE)] == [
        ("ada", "ada.ipynb", "yes", "3.5", "5", "0", "2", "1.5"),
        ("bob", "bob.ipynb", "yes", "0", "5", "1", "0", ""),
        ("karl", "karl/1.ipynb", "no", "0", "5", "1", "0", ""),
        ("karl", "karl/2.ipynb", "yes", "2", "5", "1", "2", ""),
    ]
    grades = json.loads((tmp_path / records.GRADES).read_text(encoding="utf-8"))
    assert grades["assignment"] == "small"
    assert [(one["points"], one["counts"]) for one in grades["submissions"]] == [
        (3.5, True), (0, True), (0, False), (2, True),
    ]  # fmt: skip
    rows = [(row["file"], row["points"]) for row in read(tmp_path / records.BY_HAND)]
    assert rows == list(zip(files, ("1.5", "", "", ""), strict=True))
    start = (tmp_path / records.BY_HAND).read_bytes()
    assert start.startswith(b"\xef\xbb\xbfquestion,file,"), "Excel needs the mark to read UTF-8"


def test_of_equal_notebooks_the_first_counts() -> None:
    results = [small.result(f"ada/{n}.ipynb", points) for n, points in enumerate((0, 2, 2, 1))]
    assert records.counting_files(results) == {"ada/1.ipynb"}


def test_the_same_results_give_the_same_bytes(tmp_path: Path, master: Master) -> None:
    for folder in ("one", "two"):
        results = [small.result("b.ipynb", 0), small.result("ä\n=1.ipynb", 2, "x\ry\x00")]
        small.graded(tmp_path / folder, *results)
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {records.TABLE, records.GRADES, records.BY_HAND}
    for name in names:
        content = (tmp_path / "one" / name).read_bytes()
        assert content == (tmp_path / "two" / name).read_bytes()
        assert b"\r" not in content
        assert b"\0" not in content


def test_answers_are_sorted_by_question_as_in_the_master() -> None:
    """Question 10 comes after question 9."""
    marks = [Mark(question, 0, 1, "by hand") for question in ("q9", "q10")]
    text = tables.hand_table([Result(file, file, marks=marks) for file in "ba"])
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[:2] for row in rows[1:]] == [["q9", "a"], ["q9", "b"], ["q10", "a"], ["q10", "b"]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain - text", "plain - text"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "\n'=1"),
        ("＝1", "'＝1"),
        ("a\r\n=1\r+1\n- b", "a\n'=1\n'+1\n'- b"),
        ("a;=1;b", "a;'=1;b"),
        ('a;"=1";b', 'a;\'"=1";b'),
        ("a=1, b=-1", "a=1, b=-1"),
        ("a\0b\x1b[1m\x7f", r"a\x00b\x1b[1m\x7f"),
        (0, "0"),
    ],
)
def test_harmless(text: Any, shown: str) -> None:
    assert tables.harmless(text) == shown


@settings(max_examples=500)
@given(risky | texts)
@example(';"=1"')
def test_no_cell_begins_a_formula(text: str) -> None:
    """Whether the table is split at commas, or at semicolons or tabs, as spreadsheets may do."""
    assert tables.harmless(tables.harmless(text)) == tables.harmless(text)
    table = tables._csv([["name", text, "end"]])
    assert next(csv.reader(io.StringIO(table, newline="")))[1] == tables.harmless(text)
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(table, newline=""), delimiter=separator):
            for cell in row:
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")), (separator, row)


def test_a_long_answer_is_cut_for_spreadsheets_alone(tmp_path: Path, master: Master) -> None:
    answer = "word " * 20_000
    small.graded(tmp_path, small.result(reply=answer))
    (row,) = read(tmp_path / records.BY_HAND)
    assert 30_000 < len(row["answer"]) < 32_768
    assert row["answer"].endswith("… (the whole text is in grades.json)")
    assert answer in (tmp_path / records.GRADES).read_text(encoding="utf-8")


def test_points_by_hand_belong_to_an_answer(tmp_path: Path, master: Master) -> None:
    """Not to another answer, and not to a question with tests."""
    old = small.result(points=0, reply="First thought.")
    by_hand = {records.answer_key(old, mark): 2.0 for mark in old.marks}
    for reply, points, status in (("First thought.", 2, "marked"), ("Second.", 0, "by hand")):
        new = small.result(points=0, reply=reply)
        records.write_tables(tmp_path, master, [new], by_hand)
        assert (new.points, [mark.status for mark in new.marks]) == (points, ["failed", status])
