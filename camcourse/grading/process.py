"""The process of one submission: start it in the sandbox, send it commands, watch it, and end it."""

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

from camcourse.grading import messages
from camcourse.grading.sandbox import DATA, PROCESSES, Sandbox

START_SECONDS = 120.0  # includes importing torch, perhaps on a busy machine
GRACE = 5.0  # seconds on the clock after the child's own limit
CHECK_INTERVAL = 0.25
OUT_OF_MEMORY = f"it needed more than {DATA >> 30} GiB of memory"


class ProcessEnded(Exception):
    """The process of a submission has ended or was ended; ``status`` says why."""

    def __init__(self, status: str, words: str) -> None:
        super().__init__(words)
        self.status = status


class ChildProcess:
    """A process in the sandbox that answers one command at a time; it starts with the first command."""

    def __init__(self, sandbox: Sandbox, notebook: Path) -> None:
        self.sandbox, self.notebook = sandbox, _sealed_copy(notebook)
        self.process: subprocess.Popen[bytes] | None = None
        self.requests = 0
        self._commands = self._replies = -1
        self._next_check = 0.0

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(self, *raised: object) -> None:
        self.end()
        os.close(self.notebook)

    def request(self, do: str, within: float, **details: Any) -> dict[str, Any]:
        """Send a command and return the reply, or raise :class:`ProcessEnded`."""
        if self.process is None:
            self._start()
        self.requests += 1
        message = messages.encode({"do": do, "id": self.requests, **details})
        try:
            reply = messages.decode(self._exchange(message, time.monotonic() + within))
            if not isinstance(reply, dict) or reply.get("id") != self.requests:
                raise ProcessEnded("tampered", "it sent a reply that was not asked for")
        except messages.MessageError as error:
            self.end()
            raise ProcessEnded(
                "tampered", f"it sent something else than a reply ({error})"
            ) from error
        except ProcessEnded:
            self.end()
            raise
        return reply

    def end(self) -> None:
        """Kill the process and its descendants, and wait for their end; do nothing if it is not running.

        Processes that are still ending would count for the limits of the next start.
        """
        if self.process is None:
            return
        for pipe in (self._commands, self._replies):
            os.close(pipe)
        descendants = _descendants(self.process.pid)
        self.process.kill()  # bubblewrap's namespace ends, and all processes in it
        for one in descendants:  # without bubblewrap they would go on
            with contextlib.suppress(psutil.Error):
                one.kill()
        self.process.wait()
        self.process = None
        deadline = time.monotonic() + START_SECONDS
        while any(map(_is_alive, descendants)) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _start(self) -> None:
        child_reads, self._commands = os.pipe()
        self._replies, child_writes = os.pipe()
        pipes = (child_reads, child_writes)
        try:
            self.process = subprocess.Popen(
                self.sandbox.command(*pipes, self.notebook),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(*pipes, self.notebook),
                env=self.sandbox.environment(),
                cwd="/",
            )
        finally:
            for pipe in pipes:
                os.close(pipe)
        os.set_blocking(self._commands, False)
        os.set_blocking(self._replies, False)

    def _exchange(self, message: bytes, deadline: float) -> bytes:
        self._write(memoryview(message), deadline)
        head = self._read(8, deadline)
        return self._read(messages.body_length(head), deadline)

    def _write(self, message: memoryview, deadline: float) -> None:
        while message:
            self._wait(deadline, writes=True)
            try:
                message = message[os.write(self._commands, message) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise ProcessEnded("died", self._exit_status()) from None

    def _read(self, size: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self._wait(deadline, writes=False)
            try:
                part = os.read(self._replies, min(size - len(parts), 2**20))
            except BlockingIOError:
                continue
            if not part:
                raise ProcessEnded("died", self._exit_status())
            parts += part
        return bytes(parts)

    def _wait(self, deadline: float, writes: bool) -> None:
        """Return when the pipe is ready; meanwhile check what the process uses."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ProcessEnded("late", "it took longer than it may")
            pause = min(left, CHECK_INTERVAL)
            pipes = ([], [self._commands]) if writes else ([self._replies], [])
            ready = select.select(*pipes, [], pause)
            if time.monotonic() >= self._next_check:  # also while quick replies keep the pipe ready
                self._check_usage()
            if ready[0] or ready[1]:
                return

    def _check_usage(self) -> None:
        assert self.process is not None
        self._next_check = time.monotonic() + CHECK_INTERVAL
        descendants = _descendants(self.process.pid)
        if len(descendants) >= PROCESSES - 5:
            raise ProcessEnded(
                "processes", f"it started more than {PROCESSES - 10} processes or threads"
            )
        if _memory(descendants, "rss") > DATA and _memory(descendants, "pss") > DATA:
            raise ProcessEnded("memory", OUT_OF_MEMORY)

    def _exit_status(self) -> str:
        assert self.process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(GRACE)
            return f"its process ended by itself (exit status {code})"
        return "its process closed its pipes"


def _sealed_copy(notebook: Path) -> int:
    """Return an open, unchangeable copy of a file in memory, which does not tell the file's name."""
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


def _memory(processes: list[psutil.Process], measure: str) -> int:
    """Return bytes in memory; "pss" takes longer and counts pages that processes share only once."""
    size = 0
    for one in processes:
        with contextlib.suppress(psutil.Error):
            info = one.memory_info() if measure == "rss" else one.memory_full_info()
            size += getattr(info, measure)
    return size


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
