"""Points that a person gives, in a table saved by any spreadsheet program."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from camcourse import masters
from camcourse.grading import merge, records
from camcourse.grading.merge import merge as merged
from tests.camcourse.grading import small

NAMES = ["ada.ipynb", "=1+1.ipynb", "-rf.ipynb", "bob/a b.ipynb", "имя.ipynb", "o'hara;x, y.ipynb"]

pytestmark = pytest.mark.usefixtures("master")


@pytest.fixture
def grades(tmp_path: Path) -> Path:
    """The folder of a grading of two students."""
    return small.graded(tmp_path / "grades", *map(small.result, ["ada.ipynb", "bob.ipynb"]))


def rows(folder: Path) -> list[dict[str, str]]:
    """The table that a person fills in."""
    text = (folder / records.BY_HAND).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def saved(path: Path, table: list[dict[str, str]], encoding: str = "utf-8", **dialect: Any) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), **dialect)
    writer.writeheader()
    writer.writerows(table)
    path.write_bytes(text.getvalue().encode(encoding, "replace"))
    return path


def filled(folder: Path, points: dict[str, str], name: str = "t.csv", **form: Any) -> Path:
    """Save the table with points by file."""
    table = [{**row, "points": points.get(row["file"], row["points"])} for row in rows(folder)]
    return saved(folder / name, table, **form)


def points(folder: Path) -> dict[str, str]:
    """The points in the table of grades, by file."""
    with (folder / records.TABLE).open(encoding="utf-8", newline="") as file:
        return {row["file"]: row["q2-answer"] for row in csv.DictReader(file)}


def test_points_arrive_in_all_tables(grades: Path) -> None:
    assert merged(grades, filled(grades, {"ada.ipynb": "2.5"})) == 1
    assert points(grades) == {"ada.ipynb": "2.5", "bob.ipynb": ""}
    assert [row["points"] for row in rows(grades)] == ["2.5", ""]
    ada, bob = json.loads((grades / records.GRADES).read_text(encoding="utf-8"))["submissions"]
    assert (ada["points"], ada["marks"][1]["status"]) == (4.5, "marked")
    assert (bob["points"], bob["marks"][1]["status"]) == (2, "by hand")


def test_a_second_merge_corrects_and_keeps(grades: Path) -> None:
    """A row without points keeps those that were given before; also by another person."""
    for ada, bob, total, after in (
        ("1", "", 1, ["1", ""]),
        ("3", "0", 2, ["3", "0"]),
        ("", "2", 2, ["3", "2"]),
        ("", "", 2, ["3", "2"]),
    ):
        table = filled(grades, {"ada.ipynb": ada, "bob.ipynb": bob}, records.BY_HAND)
        assert merged(grades, table) == total
        assert list(points(grades).values()) == after


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"encoding": "utf-8-sig"},  # Excel
        {"encoding": "utf-8-sig", "delimiter": ";"},  # Excel in Europe
        {"encoding": "utf-16", "delimiter": "\t"},  # Excel, as text
        {"lineterminator": "\r"},  # Excel on old Macs
        {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"},  # LibreOffice
    ],
)
def test_spreadsheets(tmp_path: Path, form: dict[str, Any]) -> None:
    answers = ['two\nlines; "quoted", ends', "=1", "", "ö", "- a\n- b", "x\ry"]
    results = [small.result(name, reply=a) for name, a in zip(NAMES, answers, strict=True)]
    folder = small.graded(tmp_path / "grades", *results)
    comma = "," if form.get("delimiter") == ";" else "."
    table = [
        {**row, "points": f"{n / 2}".replace(".", comma)} for n, row in enumerate(rows(folder))
    ]
    wanted = {row["file"]: f"{n / 2:g}" for n, row in enumerate(table)}
    assert merged(folder, saved(tmp_path / "t.csv", table, **form)) == len(NAMES)
    assert points(folder) == wanted


def test_the_code_page_of_western_europe(tmp_path: Path) -> None:
    """A name with other characters has become question marks, and its row is reported."""
    folder = small.graded(tmp_path / "g", *map(small.result, ("müller.ipynb", "имя.ipynb")))
    form = {"encoding": "cp1252", "delimiter": ";"}
    assert merged(folder, filled(folder, {"müller.ipynb": "1,5"}, **form)) == 1
    with pytest.raises(ValueError, match=r"t\.csv: row 3: there is no question"):
        merged(folder, filled(folder, {"имя.ipynb": "1"}, **form))


@pytest.mark.parametrize(
    "changed",
    [
        lambda name: name.lstrip("'"),
        lambda name: name.replace("é", "e\N{COMBINING ACUTE ACCENT}"),
        lambda name: name.replace("  ", " ").strip(),
        lambda name: name[0] + name[1:].replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"),
    ],
)
def test_names_that_spreadsheets_change(tmp_path: Path, changed: Any) -> None:
    names = ("=1+1.ipynb", "@é.ipynb", " two  spaces .ipynb", "o'hara.ipynb")
    folder = small.graded(tmp_path / "g", *map(small.result, names))
    table = [{**row, "file": changed(row["file"]), "points": "1"} for row in rows(folder)]
    assert merged(folder, saved(tmp_path / "t.csv", table)) == 4
    assert set(points(folder).values()) == {"1"}


def test_similar_names(tmp_path: Path) -> None:
    """Each gets its own points if its name is unchanged; otherwise the row is reported."""
    names = ["a b.ipynb", "ab.ipynb", "a'b.ipynb"]
    folder = small.graded(tmp_path / "g", *map(small.result, names))
    given = dict(zip(names, "123", strict=True))
    assert merged(folder, filled(folder, given)) == 3
    assert points(folder) == given
    table = saved(tmp_path / "t.csv", [{**rows(folder)[0], "file": "a  b.ipynb"}])
    with pytest.raises(ValueError, match="row 2: several files fit"):
        merged(folder, table)


def test_other_columns_in_another_order(grades: Path) -> None:
    text = "Points , mine,FILE,question\n 2 ,x,bob.ipynb,q2-answer\n,,,\n\n"
    (grades / "t.csv").write_text(text, encoding="utf-8")
    assert merged(grades, grades / "t.csv") == 1
    assert points(grades)["bob.ipynb"] == "2"


def row(file: str, points: str, question: str = "q2-answer") -> str:
    return f"\n{question},{file},{points}"


WRONG_POINTS = ["3.5", "-1", "nan", "inf", "1e0", "1_0", "٣", "two", "01. Mai", "1/2"]
NO_EVE = "there is no question 'q2-answer', file 'eve.ipynb'"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        *((row("ada.ipynb", p), f"row 2: expected 0 to 3 points, got {p!r}") for p in WRONG_POINTS),
        (row("eve.ipynb", "1"), f"row 2: {NO_EVE}"),
        (row("ada.ipynb", "1", "q3"), "row 2: there is no question 'q3', file 'ada.ipynb'"),
        (row("ada.ipynb", "1", "q1-test"), "row 2: there is no question 'q1-test'"),
        (row("", "1"), "row 2: there is no question 'q2-answer', file ''"),
        (row("ada.ipynb", "1") + row("eve.ipynb", "1"), f"row 3: {NO_EVE}"),
        (row("ada.ipynb", "1") + row("ada.ipynb", "2"), "row 3: another row has other points"),
        (
            row("ada.ipynb", "9") + row("bob.ipynb", "1") + row("eve.ipynb", "1"),
            f"row 2: expected 0 to 3 points, got '9'; row 4: {NO_EVE}. Nothing was merged.",
        ),
    ],
)
def test_wrong_rows_are_reported_and_nothing_is_merged(grades: Path, body: str, words: str) -> None:
    (grades / "t.csv").write_text(f"question,file,points{body}\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in grades.iterdir()}
    with pytest.raises(ValueError, match=r"^t\.csv: .* Nothing was merged\.$") as caught:
        merged(grades, grades / "t.csv")
    assert words in str(caught.value)
    (grades / ".lock").unlink()
    assert {path: path.read_bytes() for path in grades.iterdir()} == before


def test_a_repeated_row_is_no_mistake(grades: Path) -> None:
    body = row("ada.ipynb", "1") + row("ada.ipynb", "1.0") + row("bob.ipynb", "3")
    (grades / "t.csv").write_text(f"question,file,points{body}", encoding="utf-8")
    assert merged(grades, grades / "t.csv") == 2
    assert points(grades) == {"ada.ipynb": "1", "bob.ipynb": "3"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected a CSV table"),
        (b"question,file\n", "the columns points are missing"),
        (b"x\n", "the columns file, points, question are missing"),
        (b'question,file,points\nq,"' + b"x" * 200_000 + b'",1', "expected a CSV table"),
        (b"PK\x03\x04\x14\x00\xff\xfe", "are missing|expected a CSV table"),
    ],
)
def test_another_file(grades: Path, content: bytes, words: str) -> None:
    (grades / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"t\.csv: .*{words}"):
        merged(grades, grades / "t.csv")


def test_points_decide_which_notebook_of_a_student_counts(tmp_path: Path) -> None:
    folder = small.graded(tmp_path / "g", small.result("ada/1.ipynb"), small.result("ada/2.ipynb"))
    merged(folder, filled(folder, {"ada/2.ipynb": "0.5"}))
    with (folder / records.TABLE).open(encoding="utf-8", newline="") as file:
        counts = {row["file"]: row["counts"] for row in csv.DictReader(file)}
    assert counts == {"ada/1.ipynb": "no", "ada/2.ipynb": "yes"}


@pytest.mark.parametrize("reply", ["I think so.", "\ud83d\ude00 \ud800"])
def test_a_later_grading_keeps_the_points_of_the_same_answer(tmp_path: Path, reply: str) -> None:
    names = ("ada.ipynb", "bob.ipynb")
    folder = small.graded(tmp_path / "g", *(small.result(name, reply=reply) for name in names))
    merged(folder, filled(folder, {"ada.ipynb": "2", "bob.ipynb": "1"}))
    again = [small.result("ada.ipynb", 0, reply), small.result("bob.ipynb", reply="Another one.")]
    master, merged_before = masters.read(small.NAME), merge.merged_points(folder)
    records.write_tables(folder, master, again, merged_before)
    assert points(folder) == {"ada.ipynb": "2", "bob.ipynb": ""}


def test_not_during_a_grading_and_not_elsewhere(grades: Path, tmp_path: Path) -> None:
    table = filled(grades, {"ada.ipynb": "2"})
    with records.locked(grades), pytest.raises(ValueError, match="another grading uses"):
        merged(grades, table)
    assert merged(grades, table) == 1
    with pytest.raises(ValueError, match="expected the folder that `grade` wrote"):
        merged(tmp_path / "nowhere", table)
    assert not (tmp_path / "nowhere").exists()


def test_points_that_are_not_merged_are_not_overwritten(grades: Path, tmp_path: Path) -> None:
    merge.refuse_unmerged(tmp_path)
    merge.refuse_unmerged(grades)
    table = filled(grades, {"ada.ipynb": "2.5"}, records.BY_HAND)
    with pytest.raises(ValueError, match=r"by-hand\.csv has points for 1 answers that are not"):
        merge.refuse_unmerged(grades)
    merged(grades, table)
    merge.refuse_unmerged(grades)
