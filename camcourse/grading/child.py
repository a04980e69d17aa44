"""Runs inside the sandbox: reads a notebook, executes its cells, and calls its functions.

Started as ``python -m camcourse.grading.child COMMANDS REPLIES NOTEBOOK`` with two pipes and an open
file. A submission can change anything in this process, but that only changes its own answers: tests,
expected values and points are in the grader's process.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import json
import os
import signal
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from camcourse.grading import messages

MAX_SOURCE = 2**20  # characters of code in a notebook
MAX_ANSWER = 2**18  # characters of an answer in words; the rest would be a picture
MAX_ERROR = 500  # characters of an error message


class TimeLimitReached(BaseException):
    """Not an ``Exception``, so that ``except Exception`` in a loop does not catch it."""


def main() -> None:
    """Answer commands until the grader closes the pipe."""
    commands, replies, notebook = (int(number) for number in sys.argv[1:4])
    sys.stdout = sys.stderr = io.TextIOWrapper(open(os.devnull, "wb"))  # noqa: SIM115
    kernel = Kernel(notebook)
    actions: dict[str, Callable[..., dict[str, Any]]] = {
        "ready": import_all,
        "read": kernel.read,
        "run": kernel.run,
        "call": kernel.call,
    }
    while (command := receive(commands)) is not None:
        send(replies, {"id": command.pop("id"), **actions[command.pop("do")](**command)})


def import_all(modules: list[str]) -> dict[str, Any]:
    """Import what cells will import: it takes seconds that should not count for a cell."""
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    return {}


def receive(pipe: int) -> dict[str, Any] | None:
    """Wait for the next command; return None when the grader has closed the pipe."""
    head = read_exactly(pipe, 8)
    return messages.decode(read_exactly(pipe, messages.body_length(head))) if head else None


def read_exactly(pipe: int, size: int) -> bytes:
    """Read ``size`` bytes; fewer if the pipe is closed."""
    parts: list[bytes] = []
    while size and (part := os.read(pipe, min(size, 2**20))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def send(pipe: int, reply: dict[str, Any]) -> None:
    """Write a reply; if its value cannot be sent, write why."""
    try:
        message = memoryview(messages.encode(reply))
    except Exception as error:  # an object of a student may raise anything
        message = memoryview(messages.encode({"id": reply["id"], "refused": describe_error(error)}))
    while message:
        message = message[os.write(pipe, message) :]


def describe_error(error: BaseException) -> str:
    """Return the type and message of an exception, or its type if the message cannot be read."""
    try:
        return f"{type(error).__name__}: {error}"[:MAX_ERROR]
    except BaseException:
        return type(error).__name__


class Kernel:
    """Executes the cells of a notebook in one namespace, as a Jupyter kernel does."""

    def __init__(self, notebook: int) -> None:
        self.notebook = notebook
        main_module = types.ModuleType("__main__")
        self.names = main_module.__dict__
        self.names |= {
            "__builtins__": builtins,
            "get_ipython": lambda: _NoShell(),
            "display": lambda *objects, **options: None,
        }
        sys.modules["__main__"] = main_module

    def read(self) -> dict[str, Any]:
        """Return the code cells and the answers by grade_id, or why the notebook cannot be read."""
        try:
            os.lseek(self.notebook, 0, os.SEEK_SET)
            with open(self.notebook, encoding="utf-8", closefd=False) as file:
                notebook = json.load(file)
            return {"cells": list(_cells(notebook))}
        except _UnreadableNotebook as error:
            return {"unreadable": str(error)}
        except MemoryError:
            return {"unreadable": "too large to be read"}
        except (ValueError, RecursionError, OSError, AttributeError, TypeError, KeyError):
            return {"unreadable": "not a notebook: it cannot be read as JSON of nbformat 4"}

    def run(self, source: str, seconds: float) -> dict[str, Any]:
        """Execute a cell and return its error, if any."""
        try:
            run_with_limit(seconds, lambda: exec(compile_cell(source), self.names))
        except TimeLimitReached:
            return {"error": f"stopped after {seconds:g} s"}
        except MemoryError:
            return {"full": True}  # the objects that fill the memory stay: the process must end
        except BaseException as error:
            return {"error": describe_error(error)}
        return {}

    def call(
        self, name: str, arguments: list[Any], options: dict[str, Any], seconds: float
    ) -> dict[str, Any]:
        """Call a function of the submission and return its value, or why there is none."""
        function = self.names.get(name)
        if not callable(function):
            return {"missing": True}
        try:
            return {"value": run_with_limit(seconds, lambda: function(*arguments, **options))}
        except TimeLimitReached:
            return {"late": True}
        except BaseException as error:
            return {"error": describe_error(error), "blank": isinstance(error, NotImplementedError)}


def compile_cell(source: str) -> types.CodeType:
    """Compile a cell; magics and shell commands become calls that do nothing."""
    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        source = rest if first.split()[0] in ("%%time", "%%timeit", "%%capture") else ""
    try:
        return compile(source, "<cell>", "exec", dont_inherit=True)
    except SyntaxError:
        inputs = importlib.import_module("IPython.core.inputtransformer2")  # slow, seldom needed
        plain = inputs.TransformerManager().transform_cell(source)
        return compile(plain, "<cell>", "exec", dont_inherit=True)


def run_with_limit(seconds: float, action: Callable[[], Any]) -> Any:
    """Call ``action`` with a limit in seconds of processor time, and of three times that on the clock.

    A submission can switch these timers off; the grader has a clock of its own.
    """

    def stop(*signalled: Any) -> None:
        raise TimeLimitReached

    for signum in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(signum, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.5)
    signal.setitimer(signal.ITIMER_REAL, 3 * seconds, 0.5)
    try:
        return action()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


class _UnreadableNotebook(Exception):
    pass


def _cells(notebook: Any) -> Iterator[dict[str, str]]:
    metadata = notebook["metadata"]
    spec, info = metadata.get("kernelspec", {}), metadata.get("language_info", {})
    language = str(spec.get("language") or info.get("name") or "python")
    if "python" not in language.lower():
        raise _UnreadableNotebook(f"the notebook's language is {language[:40]!r}, not Python")
    size = 0
    for cell in notebook["cells"]:
        kind, source = str(cell["cell_type"])[:20], cell["source"]
        source = source if isinstance(source, str) else "".join(source)
        marks = (cell.get("metadata") or {}).get("nbgrader")
        grade_id = str(marks.get("grade_id", ""))[:200] if isinstance(marks, dict) else ""
        if kind == "code":
            size += len(source) + 100  # a limit on empty cells, too
            if size > MAX_SOURCE:
                raise _UnreadableNotebook(
                    f"its cells hold more than {MAX_SOURCE >> 10} KiB of code"
                )
        elif not grade_id:
            continue
        else:
            source = source[:MAX_ANSWER]
        yield {"kind": kind, "source": source, "grade_id": grade_id}


class _NoShell:
    """Replaces IPython's shell: accepts every call and does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *values, **options: None


if __name__ == "__main__":
    main()
