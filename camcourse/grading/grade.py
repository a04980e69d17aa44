"""Grade a folder of submissions in parallel, each in its own sandbox; a second run continues the first."""

from __future__ import annotations

import ctypes
import hashlib
import multiprocessing
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from camcourse import masters
from camcourse.grading import merge, records
from camcourse.grading.library import copy_library
from camcourse.grading.marking import MarkingContext, mark, no_points, run_provided
from camcourse.grading.results import Result
from camcourse.grading.sandbox import SECONDS, Sandbox, require_sandbox
from camcourse.grading.submissions import Submission, find

PR_SET_PDEATHSIG = 1  # Linux, <sys/prctl.h>
MAX_BREAKS = 3  # of the grader's own process, before it gives up on a submission


@dataclass(frozen=True)
class Job:
    """The arguments of ``python -m camcourse grade``."""

    assignment: str
    submissions: Path
    grades: Path
    jobs: int = 2
    safe: bool = True
    seed: int | None = None
    seconds: float = SECONDS
    quiet: bool = False


class NotWorkingError(RuntimeError):
    """The master's solution does not get full points on this machine, so no points would be fair."""


def grade(job: Job) -> list[Result]:
    """Grade the submissions that are not graded yet, write the tables, and return all results by file."""
    master = masters.read(job.assignment)
    found = find(job.submissions, job.assignment, frozenset(masters.names()))
    if not found:
        raise ValueError(
            f"submissions: expected notebooks (.ipynb), got none in {job.submissions}."
        )
    require_sandbox(job.safe)
    job.grades.mkdir(parents=True, exist_ok=True)
    merge.refuse_unmerged(job.grades)
    with records.locked(job.grades), tempfile.TemporaryDirectory(prefix="library-") as library:
        seed = records.run_seed(job.grades, job.seed, job.assignment)
        copy_library(Path(library))
        arguments = (master, Path(library), job.safe, seed, job.seconds)
        done = dict(_graded_before(job, found, seed))
        missing = [one for one in found if one.name not in done]
        with tqdm(total=len(found), initial=len(done), unit="", disable=job.quiet) as bar:
            for result in _graded(job, arguments, missing):
                done[result.file] = result
                bar.update()
        results = [done[one.name] for one in found]
        records.write_tables(job.grades, master, results, merge.merged_points(job.grades))
    return results


def prove(context: MarkingContext) -> None:
    """Mark the master's own solution; raise :class:`NotWorkingError` unless all tests pass."""
    result = Result("the master", "")
    mark(context, context.master.path, result)
    wrong = [one for one in result.marks if one.status not in ("passed", "by hand")]
    if wrong:
        reasons = "; ".join(f"{one.question}: {one.reason}" for one in wrong)
        raise NotWorkingError(
            f"Nothing was graded: the master's own solution of {context.master.name} does not pass here. "
            f"{result.reason} {reasons}"
        )


def _graded_before(job: Job, found: list[Submission], seed: int) -> Iterator[tuple[str, Result]]:
    for one in found:
        saved = records.load(_path(job, one))
        if saved is not None and saved[0] == _source(job.assignment, one, seed):
            yield one.name, saved[1]


def _path(job: Job, one: Submission) -> Path:
    return job.grades / records.RESULTS / f"{one.key}.json"


def _source(assignment: str, one: Submission, seed: int) -> str:
    """Return what a result depends on; if it has changed, the submission is graded again."""
    content = masters.read(assignment).path.read_bytes()
    return f"{one.digest()} {hashlib.sha256(content).hexdigest()} {seed}"


def _graded(job: Job, arguments: tuple[Any, ...], missing: list[Submission]) -> Iterator[Result]:
    """Grade all; if the grader's process breaks, one at a time, to find the submission that breaks it."""
    sources = {one.name: _source(job.assignment, one, arguments[3]) for one in missing}
    left = {one.name: one for one in missing}
    breaks = 0
    while left:
        try:
            workers = 1 if breaks else job.jobs
            for one, result in _graded_in_pool(workers, arguments, list(left.values())):
                records.save(_path(job, one), sources[one.name], result)
                del left[one.name]
                yield result
        except BrokenProcessPool:
            breaks += 1
            if breaks > MAX_BREAKS:
                one = left.pop(next(iter(left)))
                breaks = 0
                reason = "the grader itself ended while it marked this; look at it by hand"
                result = Result(one.name, one.student, "not graded", reason)
                result.marks = no_points(arguments[0], result)
                yield result


def _graded_in_pool(
    workers: int, arguments: tuple[Any, ...], missing: list[Submission]
) -> Iterator[tuple[Submission, Result]]:
    context = multiprocessing.get_context("spawn")
    slots = context.Queue()
    for slot in range(workers):
        slots.put(slot)
    pool = ProcessPoolExecutor(workers, context, _start_worker, (*arguments, slots))
    try:
        _wait_for_proof(pool)
        futures: dict[Future[Result], Submission] = {
            pool.submit(_mark, one): one for one in missing
        }
        for future in as_completed(futures):
            yield futures[future], future.result()
    except (KeyboardInterrupt, GeneratorExit):  # do not wait for the submissions that run
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def _wait_for_proof(pool: ProcessPoolExecutor) -> None:
    try:
        pool.submit(_prove).result()
    except BrokenProcessPool as error:  # not because of a submission
        raise NotWorkingError(
            "Nothing was graded: the grader's own process ended while it marked the model solution."
        ) from error


_context: list[MarkingContext] = []  # of this worker


def _start_worker(
    master: masters.Master, library: Path, safe: bool, seed: int, seconds: float, slots: Any
) -> None:
    # Ctrl-C is for the main process; when that ends in any way, its workers end with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    torch.set_num_threads(1)
    sandbox = Sandbox(library, safe, slots.get())
    _context.append(MarkingContext(master, run_provided(master), sandbox, seed, seconds))


def _prove() -> None:
    prove(_context[0])


def _mark(one: Submission) -> Result:
    result = Result(one.name, one.student)
    mark(_context[0], one.path, result)
    return result
