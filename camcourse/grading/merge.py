"""Merge points that a person has given into the grades."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from pathlib import Path

from camcourse.grading import records, tables
from camcourse.grading.results import Mark, Result

MERGED = "by-hand.json"
COLUMNS = {"question", "file", "points"}
Key = tuple[str, str, str]  # of records.answer_key
Answers = dict[tuple[str, str], list[tuple[Result, Mark]]]  # by question and simplified file name


def merged_points(folder: Path) -> dict[Key, float]:
    """Return the points that were merged before."""
    path = folder / MERGED
    if not path.exists():
        return {}
    return {(file, question, of): points for file, question, of, points in records.read_json(path)}


def merge(folder: Path, table: Path) -> int:
    """Merge the points of a filled-in ``by-hand.csv``; return how many answers have points now.

    A row without points keeps those that were merged before.

    Raises
    ------
    ValueError
        If a row is wrong. The message lists all wrong rows, and nothing is merged.
    """
    records.read_grades(folder)  # a wrong folder is refused before a lock is written there
    with records.locked(folder):
        master, submissions = records.read_grades(folder)
        results = [Result.from_dict(one) for one in submissions]
        points = merged_points(folder) | _read(table, results)
        rows = [[*key, value] for key, value in sorted(points.items())]
        records.write(folder / MERGED, records.as_json(rows))
        records.write_tables(folder, master, results, points)
    return sum(mark.status == "marked" for one in results for mark in one.marks)


def refuse_unmerged(folder: Path) -> None:
    """Raise ``ValueError`` if ``by-hand.csv`` has points that are not merged yet and would be lost."""
    grades, table = folder / records.GRADES, folder / records.BY_HAND
    if not grades.is_file() or not table.is_file():
        return
    results = [Result.from_dict(one) for one in records.read_json(grades)["submissions"]]
    merged = merged_points(folder)
    if new := sum(merged.get(key) != points for key, points in _read(table, results).items()):
        raise ValueError(
            f"grades: {records.BY_HAND} has points for {new} answers that are not merged yet and would "
            f"be overwritten. First run: python -m camcourse merge {folder} {table}"
        )


def _read(table: Path, results: list[Result]) -> dict[Key, float]:
    answers: Answers = {}
    for one in results:
        for mark in one.marks:
            if mark.status in ("by hand", "marked"):
                answers.setdefault((mark.question, _simplified(one.file)), []).append((one, mark))
    found: dict[Key, float] = {}
    problems = []
    for number, row in enumerate(_rows(table), 2):
        if not row["points"].strip():
            continue
        try:
            key, points = _points(row, answers)
            if found.setdefault(key, points) != points:
                raise ValueError("another row has other points for the same answer")
        except ValueError as error:
            problems.append(f"row {number}: {error}")
    if problems:
        raise ValueError(f"{table.name}: {'; '.join(problems[:20])}. Nothing was merged.")
    return found


def _rows(table: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file saved by any spreadsheet program."""
    text = re.sub(r"\r\n?", "\n", _decode(table.read_bytes()))
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        title, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except (csv.Error, ValueError) as error:
        raise ValueError(f"{table.name}: expected a CSV table ({error}).") from error
    names = [name.strip().lower() for name in title]
    if missing := COLUMNS.difference(names):
        raise ValueError(f"{table.name}: the columns {', '.join(sorted(missing))} are missing.")
    return [dict.fromkeys(names, "") | dict(zip(names, row, strict=False)) for row in rows]


def _decode(octets: bytes) -> str:
    """Decode what Excel saves: UTF-8, UTF-16, or the code page of Western Europe."""
    if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return octets.decode("utf-16", "replace")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _points(row: dict[str, str], answers: Answers) -> tuple[Key, float]:
    similar = answers.get((row["question"].strip(), _simplified(row["file"])), [])
    exact = [pair for pair in similar if tables.harmless(pair[0].file) == row["file"]]
    if len(exact or similar) != 1:
        name = f"question {row['question']!r}, file {row['file']!r}"
        raise ValueError(f"{'several files fit' if similar else 'there is no'} {name}")
    result, mark = (exact or similar)[0]
    text = row["points"].strip().replace(",", ".")
    points = float(text) if re.fullmatch(r"\d+\.?\d*|\.\d+", text, re.ASCII) else -1.0
    if not 0 <= points <= mark.possible:
        raise ValueError(f"expected 0 to {mark.possible:g} points, got {text!r}")
    return records.answer_key(result, mark), points


def _simplified(file: str) -> str:
    """Return a file name without what spreadsheets change: apostrophes, spaces, forms of accents."""
    text = unicodedata.normalize("NFC", tables.harmless(file))
    return re.sub(r"[\s'‘’]+", "", text)
