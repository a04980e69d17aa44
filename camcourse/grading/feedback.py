"""A page of feedback for each student, which never shows a hidden test or a solution."""

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
MAX_NOTES = 30
MAX_NAME = 80  # bytes


def feedback(grades: Path, folder: Path) -> list[Path]:
    """Write a page for each student about the submission that counts; return the paths."""
    master, submissions = records.read_grades(grades)
    template, feedback_of = _environment().get_template("feedback.html"), _Feedback(master)
    written = []
    for one in submissions:
        if not one["counts"]:
            continue
        path = folder / f"{file_name(one['student'])}.html"
        records.write(path, template.render(**feedback_of.values(one)))
        written.append(path)
    return written


def file_name(student: str) -> str:
    """Return a file name that is valid on every system and different for each student."""
    plain = re.sub(r"[^\w-]+", "-", student).strip("-")
    short = plain.encode()[:MAX_NAME].decode(errors="ignore")
    return f"{short or 'student'}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"


def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


class _Feedback:
    """Makes the values of the template, without the secret lines of the master."""

    def __init__(self, master: masters.Master) -> None:
        self.master, self.secrets = master, leaks.secret_patterns(master)

    def values(self, one: dict[str, Any]) -> dict[str, Any]:
        """Return the values for a submission."""
        marks = [
            {
                **mark,
                "title": self.master.titles[mark["question"]],
                "words": STATUS.get(mark["status"], mark["status"]),
                "reason": self._censored(mark["reason"]),
            }
            for mark in one["marks"]
        ]
        notes = one["notes"][:MAX_NOTES]
        return {
            "assignment": self.master.title,
            "student": one["student"],
            "file": one["file"],
            "status": one["status"],
            "reason": self._censored(one["reason"]),
            "notes": [self._censored(note) for note in notes],
            "more_notes": len(one["notes"]) - len(notes),
            "marks": marks,
            "points": one["points"],
            "possible": sum(mark["possible"] for mark in marks),
            "waiting": sum(mark["possible"] for mark in marks if mark["status"] == "by hand"),
        }

    def _censored(self, words: str) -> str:
        """Replace a text that quotes a secret line, for example in a message of a hidden test."""
        secret = any(pattern.search(words) for pattern in self.secrets.values())
        return "a test did not pass" if secret else words
