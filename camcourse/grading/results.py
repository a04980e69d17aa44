"""What grading finds: a mark for each question, and a result for each submission."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

ENDINGS = {
    "late": "stopped: too slow",
    "memory": "stopped: too much memory",
    "processes": "stopped: too many processes",
    "died": "stopped: ended itself",
    "tampered": "stopped: tampered with the answers",
}


@dataclass
class Mark:
    """One question: its points, and why."""

    question: str
    points: float
    possible: float
    status: str  # passed, failed, blank, missing, error, late, stopped, by hand
    reason: str = ""
    answer: str = ""  # what a person is to mark


@dataclass
class Result:
    """One submission: ``status`` is about the whole of it, each mark about a question."""

    file: str
    student: str
    status: str = "graded"
    reason: str = ""
    marks: list[Mark] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def points(self) -> float:
        """The points so far; those by hand come later."""
        return sum(mark.points for mark in self.marks)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)
