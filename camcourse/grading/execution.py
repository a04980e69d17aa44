"""One submission's cells and functions, through as many starts of its process as it takes."""

from __future__ import annotations

import time
from typing import Any

from camcourse.grading.process import GRACE, START_SECONDS, TOO_MUCH, Ended, SandboxedProcess
from camcourse.grading.results import ENDINGS, Result
from camcourse.masters import Master

MOST_STARTS = 12
MOST_NOTES = 50
WHOLE = 30  # times the seconds of a call: what all cells and calls together may take on the clock


class Unanswered(BaseException):
    """A call to a student's function brought no value; ``status`` and the message say why.

    Not an Exception: no test, and no instant check within a test, takes it for the student's own.
    """

    def __init__(self, status: str, brief: str, details: str = "") -> None:
        super().__init__(f"{brief}: {details}" if details else brief)
        self.status, self.brief = status, brief


class Execution:
    """A submission's cells in the sandbox, through as many starts as it needs."""

    def __init__(
        self, master: Master, sandboxed: SandboxedProcess, result: Result, seconds: float
    ) -> None:
        self.master, self.sandboxed, self.result, self.seconds = master, sandboxed, result, seconds
        self.sources: list[str] = []
        self.ours: set[int] = (
            set()
        )  # cells that were given, and changed here or in the master since
        self.deadly: set[int] = set()  # cells that ended the process: skipped at the next start
        self.hopeless: dict[str, Unanswered] = {}  # functions that ended it
        self.starts = 0
        self.ending = "died"
        self.until = time.monotonic() + START_SECONDS + WHOLE * seconds

    def read(self) -> dict[str, str] | None:
        """Read the notebook and run its cells; return its answers, or None if it is unreadable."""
        reply = self.sandboxed.ask("read", START_SECONDS)
        if "unreadable" in reply:
            self.result.status, self.result.reason = "unreadable", _text(reply, "unreadable")
            return None
        cells = _checked_cells(reply.get("cells"))
        code = [cell for cell in cells if cell["kind"] == "code"]
        code = [cell for cell in code if cell["source"].strip() not in self.master.idle]
        self.sources = [cell["source"] for cell in code]
        given = self.master.given_names
        self.ours = {place for place, cell in enumerate(code) if cell["grade_id"] in given}
        self.start()
        return _answers(cells)

    def start(self) -> None:
        """Run every cell that has not been deadly, until all have run once."""
        while self.starts < MOST_STARTS:
            self.starts += 1
            if self._ran():
                return
        raise Ended(self.ending, "it was ended again and again, whichever cells were left out")

    def _ran(self) -> bool:
        for place, source in enumerate(self.sources):
            if place in self.deadly:
                continue
            try:
                reply = self._asked("run", source=source)
                if "full" in reply:
                    self.sandboxed.end()
                    raise Ended("memory", TOO_MUCH)
            except Ended as ended:
                self.deadly.add(place)
                self.ending = ended.status
                self._note(ended, f"cell {place + 1}: {ended}")
                return False
            if self.starts == 1 and "error" in reply and place not in self.ours:
                self._tell(f"cell {place + 1}: {_text(reply, 'error')}")
        return True

    def _asked(self, do: str, **details: Any) -> dict[str, Any]:
        """Ask within what the whole may still take."""
        usual = START_SECONDS if self.sandboxed.process is None else 3 * self.seconds + GRACE
        within = min(usual, max(0.1, self.until - time.monotonic()))
        return self.sandboxed.ask(do, within, seconds=self.seconds, **details)

    def _tell(self, words: str) -> None:
        if len(self.result.notes) < MOST_NOTES:
            self.result.notes.append(words)

    def _note(self, ended: Ended, words: str) -> None:
        self._tell(words)
        if self.result.status == "graded":
            self.result.status, self.result.reason = ENDINGS[ended.status], words

    def call(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call a function in the sandbox; raise :class:`Unanswered` if no value comes."""
        if name in self.hopeless:
            raise self.hopeless[name]
        try:
            if self.sandboxed.process is None:
                self.start()
            reply = self._asked("call", name=name, arguments=list(arguments), options=options)
        except Ended as ended:
            self._note(ended, f"{name}: {ended}")
            self.hopeless[name] = Unanswered("stopped", name, str(ended))
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
            refused = _text(reply, "refused")
            return Unanswered("failed", f"{name} returned what is no data", refused)
        if reply.get("blank"):
            return Unanswered("blank", f"{name} is not written yet")
        kind, _, words = _text(reply, "error").partition(": ")
        return Unanswered("error", f"{name} raised {kind[:80]}", words)


def _text(reply: dict[str, Any], key: str) -> str:
    """What should be a sentence may be anything, and dear to print."""
    words = reply.get(key)
    return words[:300] if isinstance(words, str) else "something that is no text"


def _answers(cells: list[dict[str, str]]) -> dict[str, str]:
    """A person gets to see every cell of an answer: who copies one may have written into either."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        if cell["grade_id"] and cell["source"] not in found.setdefault(cell["grade_id"], []):
            found[cell["grade_id"]].append(cell["source"])
    return {grade_id: "\n\n".join(sources) for grade_id, sources in found.items()}


def _checked_cells(cells: Any) -> list[dict[str, str]]:
    """The reader runs before anything of the student's, but it runs in there: trust is not needed."""
    fit = isinstance(cells, list) and all(
        isinstance(cell, dict) and all(isinstance(cell.get(k), str) for k in ("kind", "source", "grade_id"))
        for cell in cells
    )  # fmt: skip
    if not fit:
        raise Ended("tampered", "its cells could not be read")
    return cells
