"""A page for each student: which points were lost, and why, without showing a hidden test."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import jinja2

from camcourse import leaks, masters
from camcourse.grading import records

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
MOST_NOTES = 30
LONGEST_NAME = 80  # bytes: file systems take 255, other programs less


def feedback(grades: Path, folder: Path) -> list[Path]:
    """Write a page for each student, about the submission that counts; return the pages' paths."""
    master, submissions = records.graded(grades)
    page, show = _environment().get_template("feedback.html"), _Shown(master)
    written = []
    for one in submissions:
        if not one["counts"]:
            continue
        path = folder / f"{file_name(one['student'])}.html"
        records.write(path, page.render(**show.page(one)))
        written.append(path)
    return written


def file_name(student: str) -> str:
    """Return a file name that every system takes, another one for each student."""
    plain = re.sub(r"[^\w-]+", "-", student).strip("-")
    short = plain.encode()[:LONGEST_NAME].decode(errors="ignore")
    return f"{short or 'student'}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"


def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


class _Shown:
    """What a page says of a submission; built once for all, for it knows what it must not say."""

    def __init__(self, master: masters.Master) -> None:
        self.master, self.secrets = master, leaks.secrets(master)

    def page(self, one: dict[str, Any]) -> dict[str, Any]:
        """Return the values of the template."""
        marks = [
            {
                **mark,
                "title": self.master.titles[mark["question"]],
                "words": STATUS.get(mark["status"], mark["status"]),
                "reason": self._said(mark["reason"]),
            }
            for mark in one["marks"]
        ]
        notes = one["notes"][:MOST_NOTES]
        return {
            "assignment": self.master.title,
            "student": one["student"],
            "file": one["file"],
            "status": one["status"],
            "reason": self._said(one["reason"]),
            "notes": [self._said(note) for note in notes],
            "more_notes": len(one["notes"]) - len(notes),
            "marks": marks,
            "points": one["points"],
            "possible": sum(mark["possible"] for mark in marks),
            "waiting": sum(mark["possible"] for mark in marks if mark["status"] == "by hand"),
        }

    def _said(self, words: str) -> str:
        """A test says what is wrong in words of its own; should it quote itself, it is not quoted."""
        told = any(pattern.search(words) for pattern in self.secrets.values())
        return "a test did not pass" if told else words
