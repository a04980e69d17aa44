"""Points that a person gives, merged into the grades."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from course import masters, records
from course.marking import Mark, Result

KEPT = "by-hand.json"
Key = tuple[str, str]  # file, question


def kept(folder: Path) -> dict[Key, float]:
    """Return the points that were merged before."""
    path = folder / KEPT
    if not path.exists():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {(file, question): float(points) for file, question, points in rows}


def merge(folder: Path, table: Path) -> int:
    """Take the points from a filled-in ``by-hand.csv``; return how many answers have some now.

    All rows are checked before any is taken, so a typing error loses nothing.
    """
    whole = json.loads((folder / records.WHOLE).read_text(encoding="utf-8"))
    results = [_result(one) for one in whole["submissions"]]
    open_marks = {
        (records.harmless(one.file), mark.question): (one.file, mark)
        for one in results
        for mark in one.marks
        if mark.status in ("by hand", "marked")
    }
    taken = kept(folder) | _read(table, open_marks)
    rows = [[file, question, points] for (file, question), points in sorted(taken.items())]
    records.write(folder / KEPT, records.as_json(rows))
    records.finish(folder, masters.read(whole["assignment"]), results, taken)
    return len(taken)


def _read(table: Path, open_marks: dict[Key, tuple[str, Any]]) -> dict[Key, float]:
    taken: dict[Key, float] = {}
    problems = []
    rows = csv.DictReader(io.StringIO(table.read_text(encoding="utf-8-sig"), newline=""))
    for number, row in enumerate(rows, 2):
        words = (row.get("points") or "").strip().replace(",", ".")
        if not words:
            continue
        known = open_marks.get((row.get("file") or "", row.get("question") or ""))
        points = _number(words)
        if known is None:
            problems.append(f"row {number}: no such file and question")
        elif points is None or not 0 <= points <= known[1].possible:
            problems.append(
                f"row {number}: expected 0 to {known[1].possible:g} points, got {words!r}"
            )
        else:
            taken[known[0], known[1].question] = points
    if problems:
        raise ValueError(f"{table.name}: {'; '.join(problems[:20])}. Nothing was merged.")
    return taken


def _number(words: str) -> float | None:
    try:
        return float(words)
    except ValueError:
        return None


def _result(one: dict[str, Any]) -> Result:
    marks = [Mark(**mark) for mark in one["marks"]]
    fields = {key: one[key] for key in ("file", "student", "status", "reason", "notes")}
    return Result(**fields, marks=marks)
