"""Points that a person gives, merged into the grades."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from pathlib import Path
from typing import Any

from camcourse.grading import records, tables
from camcourse.grading.results import Mark, Result

KEPT = "by-hand.json"
NEEDED = {"question", "file", "points"}
Key = tuple[str, str, str]  # as records.hand_key makes them
Open = dict[tuple[str, str], list[tuple[Result, Mark]]]  # by question and bare name of the file


def kept(folder: Path) -> dict[Key, float]:
    """Return the points that were merged before."""
    path = folder / KEPT
    if not path.exists():
        return {}
    return {(file, question, of): points for file, question, of, points in records.read_json(path)}


def merge(folder: Path, table: Path) -> int:
    """Take the points from a filled-in ``by-hand.csv``; return how many answers have some now.

    All rows are checked before any is taken, so a typing error loses nothing. A row without points
    leaves those that were merged before.
    """
    records.graded(folder)  # before anything is written there
    with records.alone(folder):
        master, submissions = records.graded(folder)
        results = [_result(one) for one in submissions]
        taken = kept(folder) | _read(table, results)
        rows = [[*key, points] for key, points in sorted(taken.items())]
        records.write(folder / KEPT, records.as_json(rows))
        records.finish(folder, master, results, taken)
    return sum(mark.status == "marked" for one in results for mark in one.marks)


def refuse_unmerged(folder: Path) -> None:
    """Raise ``ValueError`` if ``by-hand.csv`` holds points that nobody has merged: they would be lost."""
    if not (folder / records.WHOLE).is_file() or not (folder / records.BY_HAND).is_file():
        return
    whole = records.read_json(folder / records.WHOLE)
    results = [_result(one) for one in whole["submissions"]]
    before = kept(folder)
    filled = _read(folder / records.BY_HAND, results)
    if new := sum(before.get(key) != points for key, points in filled.items()):
        raise ValueError(
            f"grades: {records.BY_HAND} holds points for {new} answers that are not merged yet, and "
            f"would be written anew. First: python -m camcourse merge {folder} {folder / records.BY_HAND}"
        )


def _read(table: Path, results: list[Result]) -> dict[Key, float]:
    waiting: Open = {}
    for one in results:
        for mark in one.marks:
            if mark.status in ("by hand", "marked"):
                waiting.setdefault((mark.question, _bare(one.file)), []).append((one, mark))
    taken: dict[Key, float] = {}
    problems = []
    for number, row in enumerate(_rows(table), 2):
        if not row["points"].strip():
            continue
        try:
            key, points = _points(row, waiting)
            if taken.setdefault(key, points) != points:
                raise ValueError("another row has other points for the same answer")
        except ValueError as error:
            problems.append(f"row {number}: {error}")
    if problems:
        raise ValueError(f"{table.name}: {'; '.join(problems[:20])}. Nothing was merged.")
    return taken


def _rows(table: Path) -> list[dict[str, str]]:
    """The rows of a CSV, as any spreadsheet may have saved it."""
    text = re.sub(r"\r\n?", "\n", _text(table.read_bytes()))
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        title, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except (csv.Error, ValueError) as error:
        raise ValueError(f"{table.name}: not a table as CSV has it ({error}).") from error
    names = [name.strip().lower() for name in title]
    if missing := NEEDED.difference(names):
        raise ValueError(f"{table.name}: the columns {', '.join(sorted(missing))} are missing.")
    return [dict.fromkeys(names, "") | dict(zip(names, row, strict=False)) for row in rows]


def _text(octets: bytes) -> str:
    """Excel saves UTF-8, UTF-16, or the code page of Western Europe."""
    if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return octets.decode("utf-16", "replace")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _points(row: dict[str, str], waiting: Open) -> tuple[Key, float]:
    found = waiting.get((row["question"].strip(), _bare(row["file"])), [])
    exact = [pair for pair in found if tables.harmless(pair[0].file) == row["file"]]
    if len(exact or found) != 1:
        name = f"question {row['question']!r}, file {row['file']!r}"
        raise ValueError(f"{'several files fit' if found else 'there is no'} {name}")
    result, mark = (exact or found)[0]
    words = row["points"].strip().replace(",", ".")
    points = float(words) if re.fullmatch(r"\d+\.?\d*|\.\d+", words, re.ASCII) else -1.0
    if not 0 <= points <= mark.possible:
        raise ValueError(f"expected 0 to {mark.possible:g} points, got {words!r}")
    return records.hand_key(result, mark), points


def _bare(file: str) -> str:
    """A name without what spreadsheets take away, add or change: apostrophes, spaces, forms of accents."""
    text = unicodedata.normalize("NFC", tables.harmless(file))
    return re.sub(r"[\s'‘’]+", "", text)


def _result(one: dict[str, Any]) -> Result:
    marks = [Mark(**mark) for mark in one["marks"]]
    fields = {key: one[key] for key in ("file", "student", "status", "reason", "notes")}
    return Result(**fields, marks=marks)
