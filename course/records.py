"""What grading leaves behind: a file for each submission, then one CSV and one JSON for all."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from course.marking import Mark, Result
from course.masters import Master

RESULTS = "results"
TABLE, WHOLE, BY_HAND, RUN = "grades.csv", "grades.json", "by-hand.csv", "run.json"


def write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8", newline="")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def as_json(value: Any) -> str:
    """The one form in which the tool writes JSON."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def run_seed(folder: Path, wanted: int | None) -> int:
    """Return the seed of this folder's grading: the one it began with, a wanted or a new one."""
    path = folder / RUN
    if path.exists():
        kept = int(json.loads(path.read_text(encoding="utf-8"))["seed"])
        if wanted not in (None, kept):
            raise ValueError(
                f"--seed: this folder was begun with {kept}, got {wanted}. Grade into another folder."
            )
        return kept
    seed = secrets.randbelow(2**31) if wanted is None else wanted
    write(path, as_json({"seed": seed}))
    return seed


def load(path: Path) -> tuple[str, Result] | None:
    """Return what was graded, and the result; None if there is none or it cannot be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        marks = [Mark(**one) for one in kept["result"].pop("marks")]
        return str(kept["of"]), Result(**kept["result"], marks=marks)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(path: Path, of: str, result: Result) -> None:
    """Keep a result, and what it is the result of."""
    write(path, as_json({"of": of, "result": result.as_dict()}))


def finish(folder: Path, master: Master, results: list[Result], by_hand: dict[Any, float]) -> None:
    """Write the tables. ``by_hand`` has the points that a person gave, by (file, question)."""
    for result in results:
        for mark in result.marks:
            if mark.status == "by hand" and (result.file, mark.question) in by_hand:
                mark.points, mark.status = by_hand[result.file, mark.question], "marked"
    counting = counted(results)
    write(folder / TABLE, table(master, results, counting))
    whole = [
        {**one.as_dict(), "points": one.points, "counts": one.file in counting} for one in results
    ]
    write(folder / WHOLE, as_json({"assignment": master.name, "submissions": whole}))
    write(folder / BY_HAND, hand_table(results))


def counted(results: Iterable[Result]) -> set[str]:
    """Of several notebooks of one student the best counts, the first of equals."""
    best: dict[str, Result] = {}
    for result in results:
        if result.student not in best or result.points > best[result.student].points:
            best[result.student] = result
    return {result.file for result in best.values()}


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
    """Return the CSV that a person fills in: question by question, with the answers."""
    rows: list[list[Any]] = [["question", "file", "possible", "points", "answer"]]
    marks = [(mark, one) for one in results for mark in one.marks]
    for mark, one in sorted(marks, key=lambda pair: (pair[0].question, pair[1].file)):
        if mark.status in ("by hand", "marked"):
            points = _number(mark.points) if mark.status == "marked" else ""
            rows.append([mark.question, one.file, _number(mark.possible), points, mark.answer])
    return _csv(rows)


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
    """A spreadsheet takes a text that begins so for a formula, and would run a student's."""
    text = str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
