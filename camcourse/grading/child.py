"""Runs inside the sandbox: reads a notebook, executes its cells, calls its functions. No scores here.

Started as ``python -m camcourse.grading.child COMMANDS REPLIES NOTEBOOK`` with two pipes and an open
file. Whatever a submission does to this process, it only ever changes its own answers: tests and
expected values are not here.
"""

from __future__ import annotations

import builtins
import importlib
import io
import json
import os
import signal
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from camcourse.grading import wire

LARGEST_SOURCE = 2**20  # characters of code that a notebook may hold
LONGEST_ANSWER = 2**18  # of a text; what is beyond it is a picture
LONGEST_WORDS = 500


class TimeIsUp(BaseException):
    """Not an Exception: ``except Exception`` in a loop does not swallow it."""


def main() -> None:
    """Answer commands until there are none."""
    commands, replies, notebook = (int(number) for number in sys.argv[1:4])
    sys.stdout = sys.stderr = io.TextIOWrapper(open(os.devnull, "wb"))  # noqa: SIM115
    importlib.import_module("camlib.networks")  # slow, and no cell's fault
    submission = Submission(notebook)
    answers: dict[str, Callable[..., dict[str, Any]]] = {
        "read": submission.read,
        "run": submission.run,
        "call": submission.call,
    }
    while (command := receive(commands)) is not None:
        send(replies, {"id": command["id"], **answers[command.pop("do")](**command)})


def receive(pipe: int) -> dict[str, Any] | None:
    """Wait for the next command; None when the grader has closed the pipe."""
    head = exactly(pipe, 8)
    return wire.decode(exactly(pipe, wire.body_length(head))) if head else None


def exactly(pipe: int, size: int) -> bytes:
    """Read so many bytes, or none if the pipe is at its end."""
    parts: list[bytes] = []
    while size and (part := os.read(pipe, min(size, 2**20))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def send(pipe: int, reply: dict[str, Any]) -> None:
    """Write a reply; if the value may not cross the border, say that instead."""
    try:
        message = memoryview(wire.encode(reply))
    except Exception as error:  # a student's object may raise anything
        message = memoryview(wire.encode({"id": reply["id"], "refused": words(error)}))
    while message:
        message = message[os.write(pipe, message) :]


def words(error: BaseException) -> str:
    """Return an exception's type and message, if it has one that can be read."""
    try:
        return f"{type(error).__name__}: {error}"[:LONGEST_WORDS]
    except BaseException:
        return type(error).__name__


class Submission:
    """One submission: its cells, and the names that they have defined."""

    def __init__(self, notebook: int) -> None:
        self.notebook = notebook
        self.names: dict[str, Any] = {
            "__name__": "__main__",
            "__builtins__": builtins,
            "get_ipython": lambda: _Nothing(),
            "display": lambda *objects, **options: None,
        }
        main_module = types.ModuleType("__main__")
        main_module.__dict__.update(self.names)
        self.names = main_module.__dict__
        sys.modules["__main__"] = main_module

    def read(self, id: int) -> dict[str, Any]:
        """Return the notebook's code cells and its answers by grade_id, or why it cannot be read."""
        try:
            os.lseek(self.notebook, 0, os.SEEK_SET)
            with open(self.notebook, encoding="utf-8", closefd=False) as file:
                notebook = json.load(file)
            return {"cells": list(_cells(notebook))}
        except _Unreadable as error:
            return {"unreadable": str(error)}
        except MemoryError:
            return {"unreadable": "too large to be read"}
        except (ValueError, RecursionError, OSError, AttributeError, TypeError, KeyError):
            return {"unreadable": "not a notebook: it cannot be read as JSON of nbformat 4"}

    def run(self, id: int, source: str, seconds: float) -> dict[str, Any]:
        """Execute one cell; an exception is its own affair, the next cell runs all the same."""
        try:
            with_limit(seconds, lambda: exec(compiled(source), self.names))
        except TimeIsUp:
            return {"error": f"stopped after {seconds:g} s"}
        except MemoryError:
            return {"full": True}  # what it has filled stays filled: only a new start helps
        except BaseException as error:
            return {"error": words(error)}
        return {}

    def call(
        self, id: int, name: str, arguments: list[Any], options: dict[str, Any], seconds: float
    ) -> dict[str, Any]:
        """Call a function of the submission and return its value."""
        function = self.names.get(name)
        if not callable(function):
            return {"missing": True}
        try:
            return {"value": with_limit(seconds, lambda: function(*arguments, **options))}
        except TimeIsUp:
            return {"late": True}
        except BaseException as error:
            return {"error": words(error), "blank": isinstance(error, NotImplementedError)}


def compiled(source: str) -> types.CodeType:
    """Return a cell as code; magics and shell commands become calls that do nothing."""
    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        source = rest if first.split()[0] in ("%%time", "%%timeit", "%%capture") else ""
    try:
        return compile(source, "<cell>", "exec", dont_inherit=True)
    except SyntaxError:
        inputs = importlib.import_module("IPython.core.inputtransformer2")  # slow, seldom needed
        plain = inputs.TransformerManager().transform_cell(source)
        return compile(plain, "<cell>", "exec", dont_inherit=True)


def with_limit(seconds: float, act: Any) -> Any:
    """Do something for at most so many seconds of this process' own time, thrice that on the clock.

    The grader has a clock of its own for those who disarm these.
    """

    def stop(*signalled: Any) -> None:
        raise TimeIsUp

    for signum in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(signum, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.5)
    signal.setitimer(signal.ITIMER_REAL, 3 * seconds, 0.5)
    try:
        return act()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


class _Unreadable(Exception):
    pass


def _cells(notebook: Any) -> Iterator[dict[str, str]]:
    about = notebook["metadata"]
    spec, info = about.get("kernelspec", {}), about.get("language_info", {})
    language = str(spec.get("language") or info.get("name") or "python")
    if "python" not in language.lower():
        raise _Unreadable(f"the notebook's language is {language[:40]!r}, not Python")
    code = 0
    for cell in notebook["cells"]:
        kind, source = str(cell["cell_type"])[:20], cell["source"]
        source = source if isinstance(source, str) else "".join(source)
        marks = (cell.get("metadata") or {}).get("nbgrader")
        grade_id = str(marks.get("grade_id", ""))[:200] if isinstance(marks, dict) else ""
        if kind == "code":
            code += len(source) + 100  # a cell is never free
            if code > LARGEST_SOURCE:
                raise _Unreadable(f"its cells hold more than {LARGEST_SOURCE >> 10} KiB of code")
        elif not grade_id:
            continue
        else:
            source = source[:LONGEST_ANSWER]
        yield {"kind": kind, "source": source, "grade_id": grade_id}


class _Nothing:
    """Stands for IPython's shell: takes every call, does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *values, **options: None


if __name__ == "__main__":
    main()
