"""Mark one submission: the master's tests run here, the student's functions in the sandbox."""

from __future__ import annotations

import contextlib
import io
import random
import traceback
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from course import SECONDS, masters
from course.masters import Master
from course.sandbox import Sandbox
from course.sitting import GRACE, START_SECONDS, TOO_MUCH, Ended, Sitting

LARGEST_FILE = 512 * 2**20  # bytes: a notebook with many pictures in it is a few MiB
MOST_STARTS = 6
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


class Unanswered(BaseException):
    """A call to a student's function brought no value; ``status`` and the message say why.

    Not an Exception: no test, and no instant check within a test, takes it for the student's own.
    """

    def __init__(self, status: str, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True)
class Desk:
    """What marking needs besides a submission.

    ``setting`` holds the names that the master's provided cells define; ``seed`` is what tests draw
    their inputs from.
    """

    master: Master
    setting: dict[str, Any]
    sandbox: Sandbox
    seed: int
    seconds: float = SECONDS


def mark(desk: Desk, file: Path, result: Result) -> None:
    """Fill in ``result``."""
    master = desk.master
    if problem := _unfit(file):
        result.status, result.reason = problem
        result.marks = _nothing(master, result)
        return
    with Sitting(desk.sandbox, file) as sitting:
        stay = _Stay(master, sitting, result, desk.seconds)
        try:
            answers = stay.read()
        except Ended as ended:
            result.status, result.reason = ENDINGS[ended.status], str(ended)
            result.marks = _nothing(master, result)
            return
        if answers is None:
            result.marks = _nothing(master, result)
            return
        for cell in master.cells:
            if cell.kind == "tests":
                result.marks.append(_marked(cell, desk, stay))
            elif cell.kind == "answer":
                given = answers.get(cell.grade_id, "")
                result.marks.append(Mark(cell.grade_id, 0.0, cell.points, "by hand", "", given))
    if result.status == "graded" and _all_blank(result):
        result.status = "blank"


def _unfit(file: Path) -> tuple[str, str] | None:
    if file.is_symlink() or not file.is_file():
        return "unreadable", "not a file but a link or a folder"
    size = file.stat().st_size
    if size == 0:
        return "unreadable", "the file is empty"
    if size > LARGEST_FILE:
        return "too large", f"{size >> 20} MiB, and at most {LARGEST_FILE >> 20} are read"
    return None


def _nothing(master: Master, result: Result) -> list[Mark]:
    return [
        Mark(cell.grade_id, 0.0, cell.points, "by hand" if cell.kind == "answer" else "not read", result.reason)
        for cell in master.cells
        if cell.kind in ("tests", "answer")
    ]  # fmt: skip


def _all_blank(result: Result) -> bool:
    tested = [one for one in result.marks if one.status != "by hand"]
    return all(one.status in ("blank", "missing") for one in tested)


class _Stay:
    """A submission's cells in the sandbox, through as many starts as it needs."""

    def __init__(self, master: Master, sitting: Sitting, result: Result, seconds: float) -> None:
        self.master, self.sitting, self.result, self.seconds = master, sitting, result, seconds
        self.sources: list[str] = []
        self.deadly: set[int] = set()  # cells that ended the process: skipped at the next start
        self.hopeless: dict[str, Unanswered] = {}  # functions that ended it
        self.starts = 0

    def read(self) -> dict[str, str] | None:
        """Read the notebook and run its cells; return its answers, or None if it is unreadable."""
        reply = self.sitting.ask("read", START_SECONDS)
        if "unreadable" in reply:
            self.result.status, self.result.reason = "unreadable", str(reply["unreadable"])
            return None
        cells = _checked_cells(reply.get("cells"))
        code = [cell["source"] for cell in cells if cell["kind"] == "code"]
        self.sources = [one for one in code if one.strip() not in self.master.idle]
        self.start()
        return {cell["grade_id"]: cell["source"] for cell in cells if cell["grade_id"]}

    def start(self) -> None:
        """Run every cell that has not been deadly, until all have run once."""
        while self.starts < MOST_STARTS:
            self.starts += 1
            if self._ran():
                return
        raise Ended("died", "it ended its process again and again")

    def _ran(self) -> bool:
        for place, source in enumerate(self.sources):
            if place in self.deadly:
                continue
            try:
                limit = START_SECONDS if self.sitting.process is None else 3 * self.seconds + GRACE
                reply = self.sitting.ask("run", limit, source=source, seconds=self.seconds)
                if "full" in reply:
                    self.sitting.end()
                    raise Ended("memory", TOO_MUCH)
            except Ended as ended:
                self.deadly.add(place)
                self._note(ended, f"cell {place + 1}: {ended}")
                return False
            if self.starts == 1 and (error := reply.get("error")):
                self.result.notes.append(f"cell {place + 1}: {str(error)[:500]}")
        return True

    def _note(self, ended: Ended, words: str) -> None:
        self.result.notes.append(words)
        if self.result.status == "graded":
            self.result.status, self.result.reason = ENDINGS[ended.status], words

    def call(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call a function in the sandbox; raise :class:`Unanswered` if no value comes."""
        if name in self.hopeless:
            raise self.hopeless[name]
        try:
            if self.sitting.process is None:
                self.start()
            details = {"name": name, "arguments": list(arguments), "options": options}
            limit = 3 * self.seconds + GRACE
            reply = self.sitting.ask("call", limit, seconds=self.seconds, **details)
        except Ended as ended:
            self._note(ended, f"{name}: {ended}")
            self.hopeless[name] = Unanswered("stopped", f"{name}: {ended}")
            raise self.hopeless[name] from None
        if "value" in reply:
            return reply["value"]
        raise self._unanswered(name, reply)

    def _unanswered(self, name: str, reply: dict[str, Any]) -> Unanswered:
        if reply.get("missing"):
            return Unanswered("missing", f"there is no function {name}")
        if reply.get("late"):
            self.hopeless[name] = Unanswered("late", f"{name} took longer than {self.seconds:g} s")
            return self.hopeless[name]
        if "refused" in reply:
            return Unanswered(
                "failed", f"{name} returned {str(reply['refused'])[:200]}; data is wanted"
            )
        if reply.get("blank"):
            return Unanswered("blank", f"{name} is not written yet")
        return Unanswered("error", f"{name} raised {str(reply.get('error', 'an exception'))[:300]}")


def _checked_cells(cells: Any) -> list[dict[str, str]]:
    """The reader runs before anything of the student's, but it runs in there: trust is not needed."""
    fit = isinstance(cells, list) and all(
        isinstance(cell, dict) and all(isinstance(cell.get(k), str) for k in ("kind", "source", "grade_id"))
        for cell in cells
    )  # fmt: skip
    if not fit:
        raise Ended("tampered", "its cells could not be read")
    return cells


def _marked(cell: masters.Cell, desk: Desk, stay: _Stay) -> Mark:
    proxies = {name: _proxy(stay, name) for name in stay.master.functions}
    names = {**desk.setting, **proxies}
    set_seeds(desk.seed + zlib.crc32(cell.grade_id.encode()))
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(cell.source, f"<{cell.grade_id}>", "exec", dont_inherit=True), names)
    except Unanswered as problem:
        return Mark(cell.grade_id, 0.0, cell.points, problem.status, str(problem))
    except AssertionError as error:
        return Mark(cell.grade_id, 0.0, cell.points, "failed", _said(error, cell))
    except Exception as error:
        return Mark(cell.grade_id, 0.0, cell.points, "failed", _unfitting(error, cell))
    return Mark(cell.grade_id, cell.points, cell.points, "passed")


def _proxy(stay: _Stay, name: str) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        return stay.call(name, arguments, options)

    call.__name__ = name
    return call


def _said(error: AssertionError, cell: masters.Cell) -> str:
    """An assertion's message is written for students; anything else would show the test."""
    return str(error) or f"a test of {cell.grade_id} failed"


def _unfitting(error: Exception, cell: masters.Cell) -> str:
    """The test itself stumbled: the answer is of another kind or shape than any test expects."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if cell.grade_id in frame.filename
    ]
    shown = not lines or lines[-1] not in masters.hidden_lines(cell.source)
    detail = f" ({type(error).__name__}: {error})"[:300] if shown else ""
    return f"the answer is of another kind or shape than asked for{detail}"


def set_seeds(seed: int) -> None:
    """Seed what tests draw their inputs from."""
    torch.manual_seed(seed)
    # The global generators: what a line of a test may use.
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)


def setting_of(master: Master) -> dict[str, Any]:
    """Run the master's provided cells and return the names they define."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in master.provided:
            exec(compile(cell.source, f"<{master.name}>", "exec", dont_inherit=True), names)
    return names
