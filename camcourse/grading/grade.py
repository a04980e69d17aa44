"""Grade a folder of submissions: in parallel, resumable, each in its own sandbox."""

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
from camcourse.grading.kit import make_kit
from camcourse.grading.marking import Setup, mark, nothing, setting_of
from camcourse.grading.results import Result
from camcourse.grading.sandbox import SECONDS, Sandbox, refuse_without
from camcourse.grading.submissions import Submission, find

PR_SET_PDEATHSIG = 1  # Linux, <sys/prctl.h>
MOST_BREAKS = 3  # of the grader's own process, before one submission is given up


@dataclass(frozen=True)
class Job:
    """What a grading is asked for."""

    assignment: str
    submissions: Path
    grades: Path
    jobs: int = 2
    safe: bool = True
    seed: int | None = None
    seconds: float = SECONDS
    quiet: bool = False


class NotWorkingError(RuntimeError):
    """The master's own solution does not get full marks here: then nobody's marks mean anything."""


def grade(job: Job) -> list[Result]:
    """Grade what is not graded yet, write the tables, and return all results, by file."""
    master = masters.read(job.assignment)
    found = find(job.submissions, job.assignment, frozenset(masters.names()))
    if not found:
        raise ValueError(
            f"submissions: expected notebooks (.ipynb), got none in {job.submissions}."
        )
    refuse_without(job.safe)
    job.grades.mkdir(parents=True, exist_ok=True)
    merge.refuse_unmerged(job.grades)
    with records.alone(job.grades), tempfile.TemporaryDirectory(prefix="kit-") as kit:
        seed = records.run_seed(job.grades, job.seed, job.assignment)
        make_kit(Path(kit))
        arguments = (job.assignment, Path(kit), job.safe, seed, job.seconds)
        done = dict(_kept(job, found, seed))
        missing = [one for one in found if one.name not in done]
        with tqdm(total=len(found), initial=len(done), unit="", disable=job.quiet) as bar:
            for result in _graded(job, arguments, master, missing):
                done[result.file] = result
                bar.update()
        results = [done[one.name] for one in found]
        records.finish(job.grades, master, results, merge.kept(job.grades))
    return results


def proof(setup: Setup) -> None:
    """Mark the master's own solution; raise :class:`NotWorkingError` unless all tests pass."""
    result = Result("the master", "")
    mark(setup, setup.master.path, result)
    wrong = [one for one in result.marks if one.status not in ("passed", "by hand")]
    if wrong:
        told = "; ".join(f"{one.question}: {one.reason}" for one in wrong)
        raise NotWorkingError(
            f"The master's own solution of {setup.master.name} does not pass here, so nothing was graded. "
            f"{result.reason} {told}"
        )


def _kept(job: Job, found: list[Submission], seed: int) -> Iterator[tuple[str, Result]]:
    for one in found:
        kept = records.load(_path(job, one))
        if kept is not None and kept[0] == _of(job.assignment, one, seed):
            yield one.name, kept[1]


def _path(job: Job, one: Submission) -> Path:
    return job.grades / records.RESULTS / f"{one.key}.json"


def _of(assignment: str, one: Submission, seed: int) -> str:
    """What a result depends on: graded again when the file or the master has changed."""
    content = masters.read(assignment).path.read_bytes()
    return f"{one.digest()} {hashlib.sha256(content).hexdigest()} {seed}"


def _graded(
    job: Job, arguments: tuple[Any, ...], master: masters.Master, missing: list[Submission]
) -> Iterator[Result]:
    """Grade all; if the grader itself breaks, one at a time, until it is known over which."""
    content = {one.name: _of(job.assignment, one, arguments[3]) for one in missing}
    left = {one.name: one for one in missing}
    breaks = 0
    while left:
        try:
            workers = 1 if breaks else job.jobs
            for one, result in _pooled(workers, arguments, list(left.values())):
                records.save(_path(job, one), content[one.name], result)
                del left[one.name]
                yield result
        except BrokenProcessPool:
            breaks += 1
            if breaks > MOST_BREAKS:  # alone, it has broken the grader again and again
                one = left.pop(next(iter(left)))
                breaks = 0
                yield _given_up(master, one)


def _given_up(master: masters.Master, one: Submission) -> Result:
    reason = "the grader itself ended while it marked this; look at it by hand"
    result = Result(one.name, one.student, "not graded", reason)
    result.marks = nothing(master, result)
    return result


def _pooled(
    workers: int, arguments: tuple[Any, ...], missing: list[Submission]
) -> Iterator[tuple[Submission, Result]]:
    context = multiprocessing.get_context("spawn")
    slots = context.Queue()
    for slot in range(workers):
        slots.put(slot)
    pool = ProcessPoolExecutor(workers, context, _begin, (*arguments, slots))
    try:
        _proven(pool)
        futures: dict[Future[Result], Submission] = {pool.submit(_one, one): one for one in missing}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except (KeyboardInterrupt, GeneratorExit):  # interrupted, one does not wait for the slowest
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def _proven(pool: ProcessPoolExecutor) -> None:
    try:
        pool.submit(_prove).result()
    except BrokenProcessPool as error:  # no submission's fault
        raise NotWorkingError(
            "The grader's own process ended while it marked the model solution, so nothing was graded."
        ) from error


_setup: list[Setup] = []  # a worker's own


def _begin(assignment: str, kit: Path, safe: bool, seed: int, seconds: float, slots: Any) -> None:
    # Ctrl-C is the grader's affair; when it ends, however it ends, its workers end with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    torch.set_num_threads(1)
    master = masters.read(assignment)
    sandbox = Sandbox(kit, safe, slots.get())
    _setup.append(Setup(master, setting_of(master), sandbox, seed, seconds))


def _prove() -> None:
    proof(_setup[0])


def _one(one: Submission) -> Result:
    result = Result(one.name, one.student)
    mark(_setup[0], one.path, result)
    return result
