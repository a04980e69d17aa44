"""A submission's process in the sandbox: start it, ask it, watch it, and end it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from camcourse.grading import wire
from camcourse.grading.sandbox import DATA, PROCESSES, Sandbox

START_SECONDS = 120.0  # torch is imported meanwhile, perhaps on a busy machine
GRACE = 5.0  # on the clock, after the child's own limits should have struck
LOOK_EVERY = 0.25
TOO_MUCH = f"it needed more than {DATA >> 30} GiB of memory"


class Ended(Exception):
    """The submission's process is gone, and ``status`` says why."""

    def __init__(self, status: str, words: str) -> None:
        super().__init__(words)
        self.status = status


class SandboxedProcess:
    """A process in the sandbox that answers one command at a time."""

    def __init__(self, sandbox: Sandbox, notebook: Path) -> None:
        self.sandbox, self.notebook = sandbox, _sealed(notebook)
        self.process: subprocess.Popen[bytes] | None = None
        self.asked = 0
        self._commands = self._replies = -1
        self._next_look = 0.0

    def __enter__(self) -> SandboxedProcess:
        return self

    def __exit__(self, *raised: object) -> None:
        self.end()
        os.close(self.notebook)

    def ask(self, do: str, within: float, **details: Any) -> dict[str, Any]:
        """Send a command and return the reply, or raise :class:`Ended`."""
        if self.process is None:
            self._start()
        self.asked += 1
        message = wire.encode({"do": do, "id": self.asked, **details})
        try:
            body = self._exchanged(message, time.monotonic() + within)
            reply = wire.decode(body)
        except wire.WireError as error:
            self.end()
            raise Ended("tampered", f"it sent something that is no answer ({error})") from error
        except Ended:
            self.end()
            raise
        if not isinstance(reply, dict) or reply.get("id") != self.asked:
            self.end()
            raise Ended("tampered", "it sent an answer that nobody had asked for")
        return reply

    def end(self) -> None:
        """Kill the process and all that it has started; may be called again."""
        if self.process is None:
            return
        for pipe in (self._commands, self._replies):
            os.close(pipe)
        family = _family(self.process.pid)
        self.process.kill()  # bubblewrap's walls fall, and everybody inside dies with them
        for member in family:  # without bubblewrap nobody else does it
            with contextlib.suppress(psutil.Error):
                member.kill()
        self.process.wait()
        self.process = None

    def _start(self) -> None:
        theirs_in, self._commands = os.pipe()
        self._replies, theirs_out = os.pipe()
        theirs = (theirs_in, theirs_out)
        try:
            self.process = subprocess.Popen(
                self.sandbox.command(*theirs, self.notebook),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(*theirs, self.notebook),
                env=self.sandbox.environment(),
                cwd="/",
            )
        finally:
            for pipe in theirs:
                os.close(pipe)
        os.set_blocking(self._commands, False)
        os.set_blocking(self._replies, False)

    def _exchanged(self, message: bytes, deadline: float) -> bytes:
        self._written(memoryview(message), deadline)
        head = self._read(8, deadline)
        return self._read(wire.body_length(head), deadline)

    def _written(self, message: memoryview, deadline: float) -> None:
        while message:
            self._wait(deadline, writes=True)
            try:
                message = message[os.write(self._commands, message) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise Ended("died", self._last_words()) from None

    def _read(self, size: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self._wait(deadline, writes=False)
            try:
                part = os.read(self._replies, min(size - len(parts), 2**20))
            except BlockingIOError:
                continue
            if not part:
                raise Ended("died", self._last_words())
            parts += part
        return bytes(parts)

    def _wait(self, deadline: float, writes: bool) -> None:
        """Return when the pipe is ready; meanwhile watch the process' size."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Ended("late", "it took longer than it may")
            pause = min(left, LOOK_EVERY)
            pipes = ([], [self._commands]) if writes else ([self._replies], [])
            ready = select.select(*pipes, [], pause)
            if time.monotonic() >= self._next_look:  # by the clock: quick answers hide nothing
                self._look()
            if ready[0] or ready[1]:
                return

    def _look(self) -> None:
        assert self.process is not None
        self._next_look = time.monotonic() + LOOK_EVERY
        family = _family(self.process.pid)
        if len(family) >= PROCESSES - 5:
            raise Ended("processes", f"it started more than {PROCESSES - 10} processes or threads")
        if _size(family, "rss") > DATA and _size(family, "pss") > DATA:
            raise Ended("memory", TOO_MUCH)

    def _last_words(self) -> str:
        assert self.process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(GRACE)
            return f"its process ended by itself (exit status {code})"
        return "its process closed the line"


def _sealed(notebook: Path) -> int:
    """Return an open copy in memory that nobody can change, and that does not tell the file's name."""
    copy = os.memfd_create("submission", os.MFD_ALLOW_SEALING)
    source = os.open(notebook, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        while os.sendfile(copy, source, None, 2**24):
            pass
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(copy, fcntl.F_ADD_SEALS, seals)
    except OSError:
        os.close(copy)
        raise
    finally:
        os.close(source)
    return copy


def _size(family: list[psutil.Process], measure: str) -> int:
    """Bytes in memory; "pss" is dear, and counts pages that processes share only once."""
    size = 0
    for member in family:
        with contextlib.suppress(psutil.Error):
            info = member.memory_info() if measure == "rss" else member.memory_full_info()
            size += getattr(info, measure)
    return size


def _family(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
