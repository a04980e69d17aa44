"""The tables for spreadsheets: points of all submissions, and answers to mark by hand."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from camcourse.grading.results import Mark, Result
from camcourse.masters import Master

MAX_CELL = 30_000  # characters; Excel splits cells from 32,768 on
FORMULA = re.compile(r'(?:^|(?<=[\n\t;]))(?="*[=+\-@\t＝＋－＠])')
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def grades_table(master: Master, results: list[Result], counting: set[str]) -> str:
    """Return the CSV with a row for each submission and a column for each question."""
    names = [cell.grade_id for cell in master.questions]
    titles = ["student", "file", "counts", "status", "points", "possible", "open"]
    rows: list[list[Any]] = [[*titles, *names, "reason"]]
    possible = _number(sum(cell.points for cell in master.questions))
    for one in results:
        points = {mark.question: _points(mark) for mark in one.marks}
        counts = "yes" if one.file in counting else "no"
        waiting = sum(mark.status == "by hand" for mark in one.marks)
        row = [one.student, one.file, counts, one.status, _number(one.points), possible, waiting]
        rows.append([*row, *(points[name] for name in names), one.reason])
    return _csv(rows)


def hand_table(results: list[Result]) -> str:
    """Return the CSV that a person fills in, sorted by question, with the answers.

    It begins with a byte order mark, without which Excel does not read it as UTF-8.
    """
    rows: list[list[Any]] = [["question", "file", "possible", "points", "answer"]]
    marks = [(place, one.file, mark) for one in results for place, mark in enumerate(one.marks)]
    for _, file, mark in sorted(marks, key=lambda found: found[:2]):
        if mark.status in ("by hand", "marked"):
            possible = _number(mark.possible)
            rows.append([mark.question, file, possible, _points(mark), mark.answer])
    return "\ufeff" + _csv(rows)


def _points(mark: Mark) -> str:
    return "" if mark.status == "by hand" else _number(mark.points)


def _number(value: float) -> str:
    return f"{value:g}"


def _csv(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: Any) -> str:
    """Return the text of a cell with an apostrophe before what a spreadsheet would run as a formula.

    This includes formulas after a character that a spreadsheet may take for the end of a cell. Control
    characters are escaped, and long texts cut.
    """
    text = str(cell).replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_CELL:
        text = f"{text[:MAX_CELL]} … (the whole text is in grades.json)"
    return FORMULA.sub("'", CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text))
