"""Mark one submission: the master's tests run here, the student's functions in the sandbox."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import random
import traceback
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from camcourse import regions
from camcourse.grading.process import ChildProcess, ProcessEnded
from camcourse.grading.results import STATUSES, Mark, Result
from camcourse.grading.runner import CallFailed, SubmissionRunner
from camcourse.grading.sandbox import SECONDS, Sandbox
from camcourse.masters import Cell, Master

# An answer that is still as in the student's copy.
UNTOUCHED = ("YOUR ANSWER HERE", "# YOUR CODE HERE\nraise NotImplementedError()")
MAX_FILE = 512 * 2**20  # bytes: a notebook with many pictures has a few MiB


@dataclass(frozen=True)
class MarkingContext:
    """What marking needs besides a submission.

    ``provided_names`` are the names that the master's provided cells define; ``seed`` is for the
    random inputs of the tests, ``seconds`` the limit of a cell or a call.
    """

    master: Master
    provided_names: dict[str, Any]
    sandbox: Sandbox
    seed: int
    seconds: float = SECONDS


def mark(context: MarkingContext, file: Path, result: Result) -> None:
    """Mark the submission in a file and write the outcome into ``result``."""
    master = context.master
    if problem := _file_problem(file):
        result.status, result.reason = problem
        result.marks = no_points(master, result)
        return
    with ChildProcess(context.sandbox, file) as process:
        runner = SubmissionRunner(master, process, result, context.seconds)
        try:
            answers = runner.read()
        except ProcessEnded as ended:
            result.status, result.reason = STATUSES[ended.status], str(ended)
            answers = None
        if answers is None:
            result.marks = no_points(master, result)
            return
        for cell in master.questions:
            if cell.kind == "tests":
                result.marks.append(_run_tests(cell, context, runner))
            else:
                given = answers.get(cell.grade_id, "")
                status = "blank" if given.strip() in UNTOUCHED else "by hand"
                result.marks.append(Mark(cell.grade_id, 0.0, cell.points, status, "", given))
    tested = [one.status for one in result.marks if one.status != "by hand"]
    if result.status == "graded" and set(tested) <= {"blank", "missing"}:
        result.status = "blank"


def _file_problem(file: Path) -> tuple[str, str] | None:
    if file.is_symlink() or not file.is_file():
        return "unreadable", "not a file but a link or a folder"
    if not os.access(file, os.R_OK):
        return "unreadable", "no permission to open the file"
    size = file.stat().st_size
    if size == 0:
        return "unreadable", "the file is empty"
    if size > MAX_FILE:
        return "too large", f"{size >> 20} MiB, and at most {MAX_FILE >> 20} are read"
    return None


def no_points(master: Master, result: Result) -> list[Mark]:
    """Return marks without points; a person still marks the answers of a file that can be read."""
    unread = result.status in ("unreadable", "too large")
    marks = []
    for cell in master.questions:
        status = "not read" if unread or cell.kind == "tests" else "by hand"
        marks.append(Mark(cell.grade_id, 0.0, cell.points, status, result.reason))
    return marks


def _run_tests(cell: Cell, context: MarkingContext, runner: SubmissionRunner) -> Mark:
    def call(name: str, /, *arguments: Any, **options: Any) -> Any:
        return runner.call(name, arguments, options)

    proxies = {name: functools.partial(call, name) for name in context.master.functions}
    set_seeds(context.seed + zlib.crc32(cell.grade_id.encode()))
    code = compile(cell.source, f"<{cell.grade_id}>", "exec", dont_inherit=True)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, {**context.provided_names, **proxies})
    except CallFailed as error:
        reason = str(error) if is_public(error, cell) else error.brief
        return Mark(cell.grade_id, 0.0, cell.points, error.status, reason)
    except AssertionError as error:  # its message is written for students
        reason = str(error) or f"a test of {cell.grade_id} failed"
        return Mark(cell.grade_id, 0.0, cell.points, "failed", reason)
    except Exception as error:  # the answer does not fit into the test's computation
        reason = "the answer has another type or shape than asked for"
        if is_public(error, cell):
            reason += f" ({type(error).__name__}: {error})"[:300]
        return Mark(cell.grade_id, 0.0, cell.points, "failed", reason)
    return Mark(cell.grade_id, cell.points, cell.points, "passed")


def is_public(error: BaseException, cell: Cell) -> bool:
    """Return whether the error is from a test that students can see; only then may its numbers be told."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == f"<{cell.grade_id}>"]
    return bool(lines) and lines[-1] not in regions.inside(cell.source, regions.HIDDEN)


def set_seeds(seed: int) -> None:
    """Seed the generators that tests draw their inputs from."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 the global one, which a line of a test may use
    random.seed(seed)


def run_provided(master: Master) -> dict[str, Any]:
    """Run the master's provided cells and return the names that they define."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in master.provided:
            exec(compile(cell.source, f"<{master.name}>", "exec", dont_inherit=True), names)
    return names
