"""The tables that people open in spreadsheets: points of all submissions, answers to mark by hand."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from camcourse.grading.results import Mark, Result
from camcourse.masters import Master

LONGEST = 30_000  # characters of a cell: from 32,768 on Excel breaks it into rows
FORMULA = re.compile(r'(?:^|(?<=[\n\t;]))(?="*[=+\-@\t＝＋－＠])')
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def table(master: Master, results: list[Result], counting: set[str]) -> str:
    """Return the CSV: a row for each submission, a column for each question."""
    questions = [cell for cell in master.cells if cell.kind in ("tests", "answer")]
    titles = ["student", "file", "counts", "status", "points", "possible", "open"]
    rows: list[list[Any]] = [[*titles, *(cell.grade_id for cell in questions), "reason"]]
    possible = _number(sum(cell.points for cell in questions))
    for one in results:
        marks = {mark.question: mark for mark in one.marks}
        open_ones = sum(mark.status == "by hand" for mark in one.marks)
        row: list[Any] = [
            one.student,
            one.file,
            "yes" if one.file in counting else "no",
            one.status,
        ]
        row += [_number(one.points), possible, open_ones]
        row += [_points(marks[cell.grade_id]) for cell in questions]
        rows.append([*row, one.reason])
    return _csv(rows)


def hand_table(results: list[Result]) -> str:
    """Return the CSV that a person fills in: question by question, with the answers.

    It begins with a byte order mark, without which Excel takes UTF-8 for something else.
    """
    rows: list[list[Any]] = [["question", "file", "possible", "points", "answer"]]
    marks = [(place, one.file, mark) for one in results for place, mark in enumerate(one.marks)]
    for _, file, mark in sorted(marks, key=lambda found: found[:2]):
        if mark.status in ("by hand", "marked"):
            points = _number(mark.points) if mark.status == "marked" else ""
            rows.append([mark.question, file, _number(mark.possible), points, mark.answer])
    return "\ufeff" + _csv(rows)


def _points(mark: Mark) -> str:
    return "" if mark.status == "by hand" else _number(mark.points)


def _number(value: float) -> str:
    return f"{value:g}"


def _csv(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [[harmless(cell) for cell in row] for row in rows]
    )
    return text.getvalue()


def harmless(cell: Any) -> str:
    """Return a text that a spreadsheet shows and never runs.

    It takes what begins like a formula for one, also behind what it may take for the end of a cell.
    """
    text = str(cell).replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} … (the whole is in grades.json)"
    return FORMULA.sub("'", CONTROL.sub(_written_out, text))


def _written_out(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"
