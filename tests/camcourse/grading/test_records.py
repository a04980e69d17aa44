"""What grading leaves behind: whole files, tables that spreadsheets show and never run."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from camcourse import masters
from camcourse.grading import records, tables
from camcourse.grading.results import Mark, Result
from tests.camcourse.grading import small

texts = st.text(st.characters(codec=None, categories=None), max_size=12)
risky = st.lists(st.sampled_from([*"=+-@\t\r\n;,'\"\0 x＝", "\r\n"]), max_size=8).map("".join)


@pytest.fixture
def master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> masters.Master:
    return small.install(monkeypatch, tmp_path / "source")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# files


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "folder" / "file.txt"
    records.write(path, "one\r\n")
    assert path.read_bytes() == b"one\r\n"

    def broken(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="No space left"):
        records.write(path, "another")
    assert path.read_bytes() == b"one\r\n"
    assert list(path.parent.iterdir()) == [path], "what was half written is gone"


def test_the_longest_name(tmp_path: Path) -> None:
    records.write(tmp_path / ("x" * 255), "text")
    assert (tmp_path / ("x" * 255)).read_text() == "text"


@given(texts)
def test_half_a_surrogate_pair_ends_nothing(tmp_path_factory: Any, text: str) -> None:
    """A submission may say anything; its result is kept and comes back as it was."""
    path = tmp_path_factory.mktemp("any") / "result.json"
    result = Result("a", "a", "graded", text, [Mark("q", 1, 2, "failed", text, text)], [text])
    records.save(path, "of", result)
    kept = records.load(path)
    assert kept is not None
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert kept[0] == "of"
    assert [kept[1].reason, kept[1].marks[0].answer, kept[1].notes[0]] == [joined] * 3


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    result = small.result("карл/=x.ipynb", 0.5)
    records.save(tmp_path / "r.json", "digest", result)
    assert records.load(tmp_path / "r.json") == ("digest", result)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"of": 1}', '{"of": 1, "result": "x"}', '{"of": 1, "result": {}}',
     '{"of": 1, "result": {"marks": [{"more": 1}]}}', '{"of": 1, "result": {"marks": 3}}', "\x00\xff"],
)  # fmt: skip
def test_a_broken_result_is_none(tmp_path: Path, content: str) -> None:
    """Then the submission is graded again."""
    (tmp_path / "r.json").write_bytes(content.encode("latin-1"))
    assert records.load(tmp_path / "r.json") is None
    assert records.load(tmp_path / "nowhere.json") is None


# the seed


def test_a_folder_keeps_its_seed(tmp_path: Path) -> None:
    first = records.run_seed(tmp_path, None)
    assert 0 <= first < 2**31
    assert records.run_seed(tmp_path, None) == records.run_seed(tmp_path, first) == first
    with pytest.raises(ValueError, match=f"begun with {first}, got {first + 1}"):
        records.run_seed(tmp_path, first + 1)
    assert records.run_seed(tmp_path / "other", 0) == 0
    assert records.run_seed(tmp_path / "other", None) == 0


def test_seeds_are_drawn(tmp_path: Path) -> None:
    assert len({records.run_seed(tmp_path / str(n), None) for n in range(5)}) > 1


def test_a_broken_seed_is_told(tmp_path: Path) -> None:
    (tmp_path / records.RUN).write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"run\.json is broken"):
        records.run_seed(tmp_path, None)


# tables


def test_the_tables_by_hand(tmp_path: Path, master: masters.Master) -> None:
    """Ada has both points of the tests and 1.5 by hand, Bob neither; of Karl's two the better counts."""
    results = [
        small.result("ada.ipynb"),
        small.result("bob.ipynb", 0),
        small.result("karl/1.ipynb", 0),
        small.result("karl/2.ipynb"),
    ]
    by_hand = {records.hand_key(results[0], results[0].marks[1]): 1.5}
    records.finish(tmp_path, master, results, by_hand)
    columns = ("student", "file", "counts", "points", "possible", "open", "q1-test", "q2-answer")
    assert [tuple(row[c] for c in columns) for row in read(tmp_path / records.TABLE)] == [
        ("ada", "ada.ipynb", "yes", "3.5", "5", "0", "2", "1.5"),
        ("bob", "bob.ipynb", "yes", "0", "5", "1", "0", ""),
        ("karl", "karl/1.ipynb", "no", "0", "5", "1", "0", ""),
        ("karl", "karl/2.ipynb", "yes", "2", "5", "1", "2", ""),
    ]
    whole = json.loads((tmp_path / records.WHOLE).read_text(encoding="utf-8"))
    assert whole["assignment"] == "small"
    assert [(one["points"], one["counts"]) for one in whole["submissions"]] == [
        (3.5, True), (0, True), (0, False), (2, True),
    ]  # fmt: skip
    assert [(row["file"], row["points"]) for row in read(tmp_path / records.BY_HAND)] == [
        ("ada.ipynb", "1.5"), ("bob.ipynb", ""), ("karl/1.ipynb", ""), ("karl/2.ipynb", ""),
    ]  # fmt: skip


def test_of_equals_the_first_counts() -> None:
    results = [small.result(f"ada/{n}.ipynb", points) for n, points in enumerate((0, 2, 2, 1))]
    assert records.counted(results) == {"ada/1.ipynb"}


def test_twice_the_same_bytes(tmp_path: Path, master: masters.Master) -> None:
    def results() -> list[Result]:
        return [small.result("b.ipynb", 0), small.result("ä\n=1.ipynb", 2, "x\ry\x00")]

    for folder in ("one", "two"):
        small.graded(tmp_path / folder, *results())
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted([records.TABLE, records.WHOLE, records.BY_HAND])
    for name in names:
        content = (tmp_path / "one" / name).read_bytes()
        assert content == (tmp_path / "two" / name).read_bytes()
        assert b"\r" not in content
        assert b"\0" not in content


def test_answers_come_question_by_question_in_the_master_s_order() -> None:
    """Question 10 behind question 9, as students have answered them."""
    results = [
        Result(file, file, marks=[Mark(q, 0, 1, "by hand") for q in ("q9", "q10")]) for file in "ba"
    ]
    rows = list(csv.reader(io.StringIO(tables.hand_table(results))))
    assert [row[:2] for row in rows[1:]] == [["q9", "a"], ["q9", "b"], ["q10", "a"], ["q10", "b"]]


def test_excel_is_told_the_encoding(tmp_path: Path, master: masters.Master) -> None:
    small.graded(tmp_path, small.result("мария.ipynb"))
    assert (tmp_path / records.BY_HAND).read_bytes().startswith(b"\xef\xbb\xbfquestion,file,")


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
@given(risky)
@example(';"=1"')
def test_no_cell_begins_a_formula_however_the_table_is_cut(text: str) -> None:
    """By commas as it is meant, or by semicolons or tabs as a European spreadsheet may take it."""
    table = tables._csv([["name", text, "end"]])
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(table, newline=""), delimiter=separator):
            for cell in row:
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")), (separator, row)


@given(st.lists(st.lists(risky | texts, min_size=1, max_size=3), max_size=3))
def test_a_table_keeps_its_cells(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(tables._csv(rows), newline="")))
    assert read == [[tables.harmless(cell) for cell in row] for row in rows]


@given(risky | texts)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert tables.harmless(tables.harmless(text)) == tables.harmless(text)


def test_a_long_answer_is_cut_for_spreadsheets_and_kept_whole_elsewhere(
    tmp_path: Path, master: masters.Master
) -> None:
    answer = "word " * 20_000
    small.graded(tmp_path, small.result(reply=answer))
    (row,) = read(tmp_path / records.BY_HAND)
    assert len(row["answer"]) < 32_768
    assert row["answer"].endswith("… (the whole is in grades.json)")
    assert answer in (tmp_path / records.WHOLE).read_text(encoding="utf-8")


# points by hand


def test_points_belong_to_an_answer(tmp_path: Path, master: masters.Master) -> None:
    """The same answer in a notebook that has changed keeps them, another answer waits again."""
    old = small.result(reply="First thought.")
    by_hand = {records.hand_key(old, old.marks[1]): 3.0}
    for reply, points, status in (("First thought.", 5, "marked"), ("Second.", 2, "by hand")):
        new = small.result(reply=reply)
        records.finish(tmp_path, master, [new], by_hand)
        assert (new.points, new.marks[1].status) == (points, status)


def test_a_machine_s_points_are_not_for_a_person(tmp_path: Path, master: masters.Master) -> None:
    one = small.result(points=0)
    records.finish(tmp_path, master, [one], {records.hand_key(one, one.marks[0]): 2.0})
    assert (one.points, one.marks[0].status) == (0, "failed")


def test_graded_refuses_what_grade_did_not_write(
    tmp_path: Path, master: masters.Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="expected the folder that `grade` wrote"):
        records.graded(tmp_path)
    for content in ("{", "[]", '{"assignment": "small"}', '{"assignment": 1, "submissions": [{}]}'):
        (tmp_path / records.WHOLE).write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match=r"grades\.json is broken"):
            records.graded(tmp_path)
    small.graded(tmp_path, small.result())
    assert records.graded(tmp_path)[0].name == "small"
    small.install(monkeypatch, tmp_path / "changed", [*small.whole(), small.answer("x", "q3")])
    with pytest.raises(ValueError, match="small has other questions now"):
        records.graded(tmp_path)


def test_another_assignment_needs_another_folder(tmp_path: Path) -> None:
    seed = records.run_seed(tmp_path, None, "one")
    assert records.run_seed(tmp_path, None, "one") == seed
    with pytest.raises(ValueError, match="this folder holds the grades of one, got two"):
        records.run_seed(tmp_path, None, "two")
