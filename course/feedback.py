"""A page for each student: which points were lost, and why, without showing a hidden test."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import jinja2

from course import masters, records

STATUS = {
    "passed": "right",
    "failed": "not right yet",
    "blank": "not written",
    "missing": "not found",
    "error": "stops with an error",
    "late": "too slow",
    "stopped": "stopped",
    "not read": "not read",
    "by hand": "not marked yet",
    "marked": "marked by a person",
}


def feedback(grades: Path, folder: Path) -> list[Path]:
    """Write a page for each submission that counts, and an index; return the pages' paths."""
    whole = json.loads((grades / records.WHOLE).read_text(encoding="utf-8"))
    master = masters.read(whole["assignment"])
    page = _environment().get_template("feedback.html")
    written = []
    for one in whole["submissions"]:
        if not one["counts"]:
            continue
        path = folder / f"{file_name(one['student'])}.html"
        records.write(path, page.render(**_shown(one, master)))
        written.append(path)
    return written


def file_name(student: str) -> str:
    """Return a file name that every system takes, another one for each student."""
    plain = re.sub(r"[^\w-]+", "-", student).strip("-")[:60]
    return f"{plain or 'student'}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"


def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def _shown(one: dict[str, Any], master: masters.Master) -> dict[str, Any]:
    titles = master.titles
    marks = [
        {**mark, "title": titles[mark["question"]], "words": STATUS[mark["status"]]}
        for mark in one["marks"]
    ]
    possible = sum(mark["possible"] for mark in marks)
    waiting = sum(mark["possible"] for mark in marks if mark["status"] == "by hand")
    return {
        "assignment": master.title,
        "student": one["student"],
        "file": one["file"],
        "status": one["status"],
        "reason": one["reason"],
        "notes": one["notes"],
        "marks": marks,
        "points": one["points"],
        "possible": possible,
        "waiting": waiting,
    }
