"""Points that a person gives, from a table as any spreadsheet may have saved it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from camcourse import masters
from camcourse.grading import merge, records, tables
from camcourse.grading.merge import merge as merged
from camcourse.grading.records import alone
from camcourse.grading.results import Result
from tests.camcourse.grading import small

NAMES = ["ada.ipynb", "=1+1.ipynb", "-rf.ipynb", "bob/a b.ipynb", "имя.ipynb", "o'hara;x, y.ipynb"]
FILES = ["ada.ipynb", "bob.ipynb"]


@pytest.fixture
def grades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a grading of two students."""
    small.install(monkeypatch, tmp_path / "source")
    return small.graded(tmp_path / "grades", *map(small.result, FILES))


def rows(folder: Path) -> list[dict[str, str]]:
    """The table that a person fills in."""
    text = (folder / records.BY_HAND).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def filled(folder: Path, points: dict[str, str]) -> list[dict[str, str]]:
    """The table with points by file."""
    return [{**row, "points": points.get(row["file"], row["points"])} for row in rows(folder)]


def saved(path: Path, table: list[dict[str, str]], encoding: str = "utf-8", **dialect: Any) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), **dialect)
    writer.writeheader()
    writer.writerows(table)
    path.write_bytes(text.getvalue().encode(encoding, "replace"))
    return path


def points(folder: Path) -> dict[str, str]:
    """What stands in the table of grades, by file."""
    with (folder / records.TABLE).open(encoding="utf-8", newline="") as file:
        return {row["file"]: row["q2-answer"] for row in csv.DictReader(file)}


def test_points_arrive_in_all_tables(grades: Path, tmp_path: Path) -> None:
    table = saved(tmp_path / "t.csv", filled(grades, {"ada.ipynb": "2.5"}))
    assert merged(grades, table) == 1
    assert points(grades) == {"ada.ipynb": "2.5", "bob.ipynb": ""}
    assert [row["points"] for row in rows(grades)] == ["2.5", ""]
    ada, bob = json.loads((grades / records.WHOLE).read_text(encoding="utf-8"))["submissions"]
    assert (ada["points"], ada["marks"][1]["status"]) == (4.5, "marked")
    assert (bob["points"], bob["marks"][1]["status"]) == (2, "by hand")


def test_merged_a_second_time_what_is_new_counts(grades: Path, tmp_path: Path) -> None:
    """A correction counts, an empty cell keeps what was there, nothing is lost by merging twice."""
    for given, total, after in (
        ({"ada.ipynb": "1"}, 1, {"ada.ipynb": "1", "bob.ipynb": ""}),
        ({"ada.ipynb": "3", "bob.ipynb": "0"}, 2, {"ada.ipynb": "3", "bob.ipynb": "0"}),
        ({"ada.ipynb": "", "bob.ipynb": "2"}, 2, {"ada.ipynb": "3", "bob.ipynb": "2"}),
        ({"ada.ipynb": "", "bob.ipynb": ""}, 2, {"ada.ipynb": "3", "bob.ipynb": "2"}),
    ):
        table = saved(tmp_path / "t.csv", filled(grades, given))
        assert merged(grades, table) == total
        assert points(grades) == after


def test_the_table_may_be_filled_in_where_it_lies(grades: Path) -> None:
    table = saved(grades / records.BY_HAND, filled(grades, {"bob.ipynb": "1"}))
    assert merged(grades, table) == 1
    assert merged(grades, table) == 1


def test_two_people_mark_one_half_each(grades: Path, tmp_path: Path) -> None:
    """Both have begun with the same empty table."""
    one = saved(tmp_path / "1.csv", filled(grades, {"ada.ipynb": "1"}))
    other = saved(tmp_path / "2.csv", filled(grades, {"bob.ipynb": "2"}))
    merged(grades, one)
    assert merged(grades, other) == 2
    assert points(grades) == {"ada.ipynb": "1", "bob.ipynb": "2"}


SPREADSHEETS = {
    "as it was": {},
    "Excel, UTF-8": {"encoding": "utf-8-sig"},
    "Excel in Europe": {"encoding": "utf-8-sig", "delimiter": ";"},
    "Excel, as text": {"encoding": "utf-16", "delimiter": "\t"},
    "Excel for the Macintosh": {"lineterminator": "\r"},
    "LibreOffice, all quoted": {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"},
}


@pytest.mark.parametrize("spreadsheet", SPREADSHEETS)
def test_spreadsheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spreadsheet: str) -> None:
    small.install(monkeypatch, tmp_path / "source")
    answers = ['two\nlines; "quoted", ends', "=1", "", "ö", "- a\n- b", "x\ry"]
    results = [small.result(name, reply=a) for name, a in zip(NAMES, answers, strict=True)]
    folder = small.graded(tmp_path / "grades", *results)
    table = [{**row, "points": f"{n / 2}"} for n, row in enumerate(rows(folder), 1)]
    wanted = {row["file"]: f"{float(row['points']):g}" for row in table}
    if "Europe" in spreadsheet:
        table = [{**row, "points": row["points"].replace(".", ",")} for row in table]
    assert merged(folder, saved(tmp_path / "t.csv", table, **SPREADSHEETS[spreadsheet])) == len(
        NAMES
    )
    assert points(folder) == wanted


def test_western_european_code_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has is read; a name that it lacks has become question marks, and its row is named."""
    small.install(monkeypatch, tmp_path / "source")
    folder = small.graded(tmp_path / "g", *map(small.result, ("müller.ipynb", "имя.ipynb")))
    table = tmp_path / "t.csv"
    saved(table, filled(folder, {"müller.ipynb": "1,5"}), "cp1252", delimiter=";")
    assert merged(folder, table) == 1
    saved(table, filled(folder, {"имя.ipynb": "1"}), "cp1252", delimiter=";")
    with pytest.raises(ValueError, match=r"t\.csv: row 3: there is no question"):
        merged(folder, table)


@pytest.mark.parametrize(
    "changed",
    [
        lambda name: name.lstrip("'"),  # Google takes it for the mark of a text
        lambda name: name.replace("é", "e\N{COMBINING ACUTE ACCENT}"),
        lambda name: name.replace("  ", " ").strip(),
        lambda name: (
            name.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") if name[0] != "'" else name
        ),
    ],
)
def test_names_that_spreadsheets_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: Any
) -> None:
    small.install(monkeypatch, tmp_path / "source")
    names = ("=1+1.ipynb", "@é.ipynb", " two  spaces .ipynb", "o'hara.ipynb")
    folder = small.graded(tmp_path / "g", *map(small.result, names))
    table = [{**row, "file": changed(row["file"]), "points": "1"} for row in rows(folder)]
    assert merged(folder, saved(tmp_path / "t.csv", table)) == 4
    assert set(points(folder).values()) == {"1"}


def test_names_that_differ_in_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gets its own points as long as its name stands there as it was; else it is asked."""
    small.install(monkeypatch, tmp_path / "source")
    names = ["a b.ipynb", "ab.ipynb", "a'b.ipynb"]
    folder = small.graded(tmp_path / "g", *map(small.result, names))
    table = filled(folder, dict(zip(names, "123", strict=True)))
    assert merged(folder, saved(tmp_path / "t.csv", table)) == 3
    assert points(folder) == dict(zip(names, "123", strict=True))
    table = [{**table[0], "file": "a  b.ipynb"}]
    with pytest.raises(ValueError, match="row 2: several files fit"):
        merged(folder, saved(tmp_path / "t.csv", table))


def test_other_columns_another_order_and_no_answers(grades: Path, tmp_path: Path) -> None:
    text = "Points , mine,FILE,question\n 2 ,x,bob.ipynb,q2-answer\n,,,\n\n"
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    assert merged(grades, tmp_path / "t.csv") == 1
    assert points(grades)["bob.ipynb"] == "2"


def row(file: str, points: str, question: str = "q2-answer") -> str:
    return f"\n{question},{file},{points}"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (row("ada.ipynb", "3.5"), "row 2: expected 0 to 3 points, got '3.5'"),
        (row("ada.ipynb", "-1"), "row 2: expected 0 to 3 points, got '-1'"),
        (row("ada.ipynb", "nan"), "row 2: expected 0 to 3 points, got 'nan'"),
        (row("ada.ipynb", "inf"), "row 2: expected 0 to 3 points, got 'inf'"),
        (row("ada.ipynb", "1e0"), "row 2: expected 0 to 3 points, got '1e0'"),
        (row("ada.ipynb", "1_0"), "row 2: expected 0 to 3 points, got '1_0'"),
        (row("ada.ipynb", "٣"), "row 2: expected 0 to 3 points, got '٣'"),
        (row("ada.ipynb", "two"), "row 2: expected 0 to 3 points, got 'two'"),
        (row("ada.ipynb", "01. Mai"), "row 2: expected 0 to 3 points, got '01. Mai'"),
        (row("ada.ipynb", "1/2"), "row 2: expected 0 to 3 points, got '1/2'"),
        (row("eve.ipynb", "1"), "row 2: there is no question 'q2-answer', file 'eve.ipynb'"),
        (row("ada.ipynb", "1", "q3"), "row 2: there is no question 'q3', file 'ada.ipynb'"),
        (
            row("ada.ipynb", "1", "q1-test"),
            "row 2: there is no question 'q1-test', file 'ada.ipynb'",
        ),
        (row("", "1"), "row 2: there is no question 'q2-answer', file ''"),
        (
            row("ada.ipynb", "1") + row("eve.ipynb", "1"),
            "row 3: there is no question 'q2-answer', file 'eve.ipynb'",
        ),
        (
            row("ada.ipynb", "1") + row("ada.ipynb", "2"),
            "row 3: another row has other points for the same answer",
        ),
        (
            row("ada.ipynb", "9") + row("bob.ipynb", "1") + row("eve.ipynb", "1"),
            "row 2: expected 0 to 3 points, got '9'; row 4: there is no question 'q2-answer', file 'eve.ipynb'",
        ),
    ],
)
def test_a_wrong_row_is_named_and_nothing_taken(
    grades: Path, tmp_path: Path, body: str, words: str
) -> None:
    (tmp_path / "t.csv").write_text(f"question,file,points{body}\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in grades.iterdir()}
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the whole message is compared
        merged(grades, tmp_path / "t.csv")
    assert str(caught.value) == f"t.csv: {words}. Nothing was merged."
    (grades / ".lock").unlink()
    assert {path: path.read_bytes() for path in grades.iterdir()} == before


def test_the_same_row_twice_is_no_mistake(grades: Path, tmp_path: Path) -> None:
    body = row("ada.ipynb", "1") + row("ada.ipynb", "1.0")
    (tmp_path / "t.csv").write_text(f"question,file,points{body}", encoding="utf-8")
    assert merged(grades, tmp_path / "t.csv") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a table"),
        (b"question,file\n", "the columns points are missing"),
        (b"x\n", "the columns file, points, question are missing"),
        (b'question,file,points\nq,"' + b"x" * 200_000 + b'",1', "not a table"),
        (b"PK\x03\x04\x14\x00\xff\xfe", "are missing|not a table"),
    ],
)
def test_what_is_no_such_table(grades: Path, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"t\.csv: .*{words}"):
        merged(grades, tmp_path / "t.csv")


def test_several_notebooks_of_one_student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is marked by itself, and points by hand may change which of them counts."""
    small.install(monkeypatch, tmp_path / "source")
    folder = small.graded(tmp_path / "g", small.result("ada/1.ipynb"), small.result("ada/2.ipynb"))
    merged(folder, saved(tmp_path / "t.csv", filled(folder, {"ada/2.ipynb": "0.5"})))
    with (folder / records.TABLE).open(encoding="utf-8", newline="") as file:
        counts = {row["file"]: row["counts"] for row in csv.DictReader(file)}
    assert counts == {"ada/1.ipynb": "no", "ada/2.ipynb": "yes"}


def test_a_later_grading_keeps_the_points(grades: Path, tmp_path: Path) -> None:
    merged(grades, saved(tmp_path / "t.csv", filled(grades, {"ada.ipynb": "2", "bob.ipynb": "1"})))
    again = [small.result("ada.ipynb", 0), small.result("bob.ipynb", reply="Another answer.")]
    records.finish(grades, masters.read(small.NAME), again, merge.kept(grades))
    assert points(grades) == {"ada.ipynb": "2", "bob.ipynb": ""}


def test_answers_with_half_a_surrogate_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.install(monkeypatch, tmp_path / "source")
    folder = small.graded(tmp_path / "g", small.result(reply="\ud83d\ude00 \ud800"))
    table = saved(tmp_path / "t.csv", filled(folder, {"ada.ipynb": "1"}))
    assert merged(folder, table) == 1
    again: Result = small.result(reply="\ud83d\ude00 \ud800")
    records.finish(folder, masters.read(small.NAME), [again], merge.kept(folder))
    assert points(folder) == {"ada.ipynb": "1"}


def test_not_while_a_grading_is_at_work(grades: Path, tmp_path: Path) -> None:
    table = saved(tmp_path / "t.csv", filled(grades, {"ada.ipynb": "2"}))
    with alone(grades), pytest.raises(ValueError, match="another grading is at work"):
        merged(grades, table)
    assert merged(grades, table) == 1


def test_no_grades(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected the folder that `grade` wrote"):
        merged(tmp_path / "nowhere", tmp_path / "t.csv")
    assert not (tmp_path / "nowhere").exists()


def test_bare_names_know_what_is_written_for_spreadsheets() -> None:
    for name in [*NAMES, "\t=x", "a\nb", "x" * 300]:
        assert merge._bare(tables.harmless(name)) == merge._bare(name)


def test_points_that_are_not_merged_are_not_written_over(grades: Path, tmp_path: Path) -> None:
    """Somebody has filled in by-hand.csv, and grades a latecomer before merging it."""
    merge.refuse_unmerged(grades)
    table = saved(grades / records.BY_HAND, filled(grades, {"ada.ipynb": "2.5"}))
    with pytest.raises(
        ValueError, match=r"by-hand\.csv holds points for 1 answers that are not merged"
    ):
        merge.refuse_unmerged(grades)
    merged(grades, table)
    merge.refuse_unmerged(grades)


def test_nothing_to_lose_without_a_grading(tmp_path: Path) -> None:
    merge.refuse_unmerged(tmp_path)
