"""Mark one submission: the master's tests run here, the student's functions in the sandbox."""

from __future__ import annotations

import contextlib
import io
import os
import random
import traceback
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from camcourse import masters
from camcourse.grading.execution import Execution, Unanswered
from camcourse.grading.process import Ended, SandboxedProcess
from camcourse.grading.results import ENDINGS, Mark, Result
from camcourse.grading.sandbox import SECONDS, Sandbox
from camcourse.masters import Master

# What stands in a student's copy where a person's question is to be answered.
UNTOUCHED = ("YOUR ANSWER HERE", "# YOUR CODE HERE\nraise NotImplementedError()")
LARGEST_FILE = 512 * 2**20  # bytes: a notebook with many pictures in it is a few MiB


@dataclass(frozen=True)
class Setup:
    """What marking needs besides a submission.

    ``setting`` holds the names that the master's provided cells define; ``seed`` is what tests draw
    their inputs from.
    """

    master: Master
    setting: dict[str, Any]
    sandbox: Sandbox
    seed: int
    seconds: float = SECONDS


def mark(setup: Setup, file: Path, result: Result) -> None:
    """Fill in ``result``."""
    master = setup.master
    if problem := _unfit(file):
        result.status, result.reason = problem
        result.marks = nothing(master, result)
        return
    with SandboxedProcess(setup.sandbox, file) as sandboxed:
        execution = Execution(master, sandboxed, result, setup.seconds)
        try:
            answers = execution.read()
        except Ended as ended:
            result.status, result.reason = ENDINGS[ended.status], str(ended)
            result.marks = nothing(master, result)
            return
        if answers is None:
            result.marks = nothing(master, result)
            return
        for cell in master.cells:
            if cell.kind == "tests":
                result.marks.append(_marked(cell, setup, execution))
            elif cell.kind == "answer":
                given = answers.get(cell.grade_id, "")
                status = "blank" if given.strip() in UNTOUCHED else "by hand"
                result.marks.append(Mark(cell.grade_id, 0.0, cell.points, status, "", given))
    if result.status == "graded" and _all_blank(result):
        result.status = "blank"


def _unfit(file: Path) -> tuple[str, str] | None:
    if file.is_symlink() or not file.is_file():
        return "unreadable", "not a file but a link or a folder"
    if not os.access(file, os.R_OK):
        return "unreadable", "the file may not be opened"
    size = file.stat().st_size
    if size == 0:
        return "unreadable", "the file is empty"
    if size > LARGEST_FILE:
        return "too large", f"{size >> 20} MiB, and at most {LARGEST_FILE >> 20} are read"
    return None


def nothing(master: Master, result: Result) -> list[Mark]:
    """No points for any test; answers that could be read are a person's to mark all the same."""
    lost = result.status in ("unreadable", "too large")
    return [
        Mark(cell.grade_id, 0.0, cell.points, "not read" if lost or cell.kind == "tests" else "by hand", result.reason)
        for cell in master.cells
        if cell.kind in ("tests", "answer")
    ]  # fmt: skip


def _all_blank(result: Result) -> bool:
    tested = [one for one in result.marks if one.status != "by hand"]
    return all(one.status in ("blank", "missing") for one in tested)


def _marked(cell: masters.Cell, setup: Setup, execution: Execution) -> Mark:
    proxies = {name: _proxy(execution, name) for name in execution.master.functions}
    names = {**setup.setting, **proxies}
    set_seeds(setup.seed + zlib.crc32(cell.grade_id.encode()))
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(cell.source, f"<{cell.grade_id}>", "exec", dont_inherit=True), names)
    except Unanswered as problem:
        said = str(problem) if _in_the_open(problem, cell) else problem.brief
        return Mark(cell.grade_id, 0.0, cell.points, problem.status, said)
    except AssertionError as error:
        return Mark(cell.grade_id, 0.0, cell.points, "failed", _said(error, cell))
    except Exception as error:
        return Mark(cell.grade_id, 0.0, cell.points, "failed", _unfitting(error, cell))
    return Mark(cell.grade_id, cell.points, cell.points, "passed")


def _proxy(execution: Execution, name: str) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        return execution.call(name, arguments, options)

    call.__name__ = name
    return call


def _said(error: AssertionError, cell: masters.Cell) -> str:
    """An assertion's message is written for students; anything else would show the test."""
    return str(error) or f"a test of {cell.grade_id} failed"


def _unfitting(error: Exception, cell: masters.Cell) -> str:
    """The test itself stumbled: the answer is of another kind or shape than any test expects."""
    detail = f" ({type(error).__name__}: {error})"[:300] if _in_the_open(error, cell) else ""
    return f"the answer is of another kind or shape than asked for{detail}"


def _in_the_open(error: BaseException, cell: masters.Cell) -> bool:
    """Whether a test that students can see has failed: only then may its numbers be told."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == f"<{cell.grade_id}>"]
    return bool(lines) and lines[-1] not in masters.hidden_lines(cell.source)


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
