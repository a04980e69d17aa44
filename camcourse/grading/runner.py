"""Run the cells of one submission and call its functions, restarting its process where needed."""

from __future__ import annotations

import time
from typing import Any

from camcourse.grading.process import (
    GRACE,
    OUT_OF_MEMORY,
    START_SECONDS,
    ChildProcess,
    ProcessEnded,
)
from camcourse.grading.results import STATUSES, Result
from camcourse.masters import Master

MAX_STARTS = 12
MAX_NOTES = 50
TOTAL_LIMIT = 30  # times the limit of a call: the clock time of all cells and calls together


class CallFailed(BaseException):
    """A call of a student's function returned no value; ``status`` and the message say why.

    This is not an ``Exception``, so that a test or a check inside a test does not catch it.
    """

    def __init__(self, status: str, brief: str, details: str = "") -> None:
        super().__init__(f"{brief}: {details}" if details else brief)
        self.status, self.brief = status, brief


class SubmissionRunner:
    """The cells and functions of a submission. What happens to its process goes into ``result``."""

    def __init__(
        self, master: Master, process: ChildProcess, result: Result, seconds: float
    ) -> None:
        self.master, self.process, self.result, self.seconds = master, process, result, seconds
        self.sources: list[str] = []
        self.quiet_cells: set[int] = set()  # errors of these cells are not reported
        self.fatal_cells: set[int] = set()  # these ended the process; a restart leaves them out
        self.failed_calls: dict[str, CallFailed] = {}  # functions that are not called again
        self.starts = 0
        self.last_end = "died"
        self.deadline = time.monotonic() + START_SECONDS + TOTAL_LIMIT * seconds

    def read(self) -> dict[str, str] | None:
        """Read the notebook and run its cells; return its answers, or None if it is unreadable."""
        self._start()
        reply = self.process.request("read", START_SECONDS)
        if "unreadable" in reply:
            self.result.status, self.result.reason = "unreadable", _text(reply, "unreadable")
            return None
        cells = _checked_cells(reply.get("cells"))
        code = [
            cell
            for cell in cells
            if cell["kind"] == "code" and cell["source"].strip() not in self.master.not_executed
        ]
        self.sources = [cell["source"] for cell in code]
        quiet = self.master.quiet_ids
        self.quiet_cells = {place for place, cell in enumerate(code) if cell["grade_id"] in quiet}
        self.run_cells()
        return _answers(cells)

    def run_cells(self) -> None:
        """Run all cells; if one ends the process, start again without it."""
        while self.starts < MAX_STARTS:
            self.starts += 1
            if self._run_cells_once():
                return
        raise ProcessEnded(
            self.last_end, "it was ended again and again, whichever cells were left out"
        )

    def _run_cells_once(self) -> bool:
        for place, source in enumerate(self.sources):
            if place in self.fatal_cells:
                continue
            try:
                reply = self._request("run", source=source)
                if "full" in reply:
                    self.process.end()
                    raise ProcessEnded("memory", OUT_OF_MEMORY)
            except ProcessEnded as ended:
                self.fatal_cells.add(place)
                self.last_end = ended.status
                self._record_end(ended, f"cell {place + 1}: {ended}")
                return False
            if self.starts == 1 and "error" in reply and place not in self.quiet_cells:
                self._add_note(f"cell {place + 1}: {_text(reply, 'error')}")
        return True

    def _request(self, do: str, **details: Any) -> dict[str, Any]:
        """Send a command, with what is left of the total limit."""
        if self.process.process is None:
            self._start()
        within = min(3 * self.seconds + GRACE, max(0.1, self.deadline - time.monotonic()))
        return self.process.request(do, within, seconds=self.seconds, **details)

    def _start(self) -> None:
        """Start the process; the time for this depends on the machine and does not count."""
        begin = time.monotonic()
        self.process.request("ready", START_SECONDS, modules=list(self.master.imports))
        self.deadline += time.monotonic() - begin

    def _add_note(self, words: str) -> None:
        if len(self.result.notes) < MAX_NOTES:
            self.result.notes.append(words)

    def _record_end(self, ended: ProcessEnded, words: str) -> None:
        self._add_note(words)
        if self.result.status == "graded":
            self.result.status, self.result.reason = STATUSES[ended.status], words

    def call(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call a function in the sandbox; raise :class:`CallFailed` if it returns no value."""
        if name in self.failed_calls:
            raise self.failed_calls[name]
        try:
            if self.process.process is None:
                self.run_cells()
            reply = self._request("call", name=name, arguments=list(arguments), options=options)
        except ProcessEnded as ended:
            self._record_end(ended, f"{name}: {ended}")
            self.failed_calls[name] = CallFailed("stopped", name, str(ended))
            raise self.failed_calls[name] from None
        if "value" in reply:
            return reply["value"]
        raise self._failure(name, reply)

    def _failure(self, name: str, reply: dict[str, Any]) -> CallFailed:
        if reply.get("missing"):
            return CallFailed("missing", f"there is no function {name}")
        if reply.get("late"):
            self.failed_calls[name] = CallFailed(
                "late", f"{name} took longer than {self.seconds:g} s"
            )
            return self.failed_calls[name]
        if "refused" in reply:
            refused = _text(reply, "refused")
            return CallFailed("failed", f"{name} returned a value that is not data", refused)
        if reply.get("blank"):
            return CallFailed("blank", f"{name} is not written yet")
        kind, _, words = _text(reply, "error").partition(": ")
        return CallFailed("error", f"{name} raised {kind[:80]}", words)


def _text(reply: dict[str, Any], key: str) -> str:
    """Return a sentence of a reply; a manipulated reply may hold anything, of any size."""
    words = reply.get(key)
    return words[:300] if isinstance(words, str) else "something that is not text"


def _answers(cells: list[dict[str, str]]) -> dict[str, str]:
    """Return the answers by grade_id; copies of a cell are joined, since each may hold the answer."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        if cell["grade_id"] and cell["source"] not in found.setdefault(cell["grade_id"], []):
            found[cell["grade_id"]].append(cell["source"])
    return {grade_id: "\n\n".join(sources) for grade_id, sources in found.items()}


def _checked_cells(cells: Any) -> list[dict[str, str]]:
    """Return the cells as the child has read them, if they have the expected form."""
    keys = ("kind", "source", "grade_id")
    if not isinstance(cells, list) or not all(
        isinstance(cell, dict) and all(isinstance(cell.get(key), str) for key in keys)
        for cell in cells
    ):
        raise ProcessEnded("tampered", "its cells could not be read")
    return cells
