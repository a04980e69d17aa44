"""The results of grading: a mark for each question, and a result for each submission."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

# The status of a submission, by the status of :class:`~camcourse.grading.process.ProcessEnded`.
STATUSES = {
    "late": "stopped: too slow",
    "memory": "stopped: too much memory",
    "processes": "stopped: too many processes",
    "died": "stopped: ended itself",
    "tampered": "stopped: tampered with the answers",
}


@dataclass
class Mark:
    """The points of one question, and the reason for them."""

    question: str
    points: float
    possible: float
    status: str  # one of feedback.STATUS
    reason: str = ""
    answer: str = ""  # what a person is to mark


@dataclass
class Result:
    """One submission; ``status`` is about all of it, each mark about a question."""

    file: str
    student: str
    status: str = "graded"
    reason: str = ""
    marks: list[Mark] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def points(self) -> float:
        """The sum of the points given so far."""
        return sum(mark.points for mark in self.marks)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Result:
        """Return the result of :meth:`as_dict`; other keys are ignored."""
        kept = {key: fields[key] for key in ("file", "student", "status", "reason", "notes")}
        return cls(**kept, marks=[Mark(**mark) for mark in fields["marks"]])
