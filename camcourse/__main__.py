"""Release assignments, grade what comes back, merge points by hand, write feedback."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from camcourse import masters
from camcourse.grading.sandbox import SECONDS

INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = argparse.ArgumentParser(prog="python -m camcourse", description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser(
        "release",
        help="write the students' copies",
        description="Write the students' copies, without solutions, hidden tests and outputs. A copy in "
        "which a line of them survives is not written.",
    )
    one.add_argument(
        "assignment", nargs="*", metavar="ASSIGNMENT", help=f"{_names()} (default: all)"
    )
    one.add_argument(
        "--to",
        type=Path,
        default=Path("assignments/release"),
        metavar="FOLDER",
        help="default: assignments/release",
    )

    one = commands.add_parser(
        "grade",
        help="grade a folder of submissions",
        description="Grade a folder with a file or a folder for each student. Interrupted, it goes on "
        "where it stopped when the same command is given again.",
    )
    one.add_argument("assignment", metavar="ASSIGNMENT", help=_names())
    one.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="the folder")
    one.add_argument(
        "--to", type=Path, default=Path("grades"), metavar="FOLDER", help="default: grades"
    )
    one.add_argument("--jobs", type=int, default=2, help="submissions at a time (default: 2)")
    one.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help=f"of the processor, for a cell or a call (default: {SECONDS:g}); thrice that on the clock",
    )
    one.add_argument("--seed", type=int, help="of the tests' random inputs (default: drawn)")
    one.add_argument(
        "--unsafe",
        action="store_true",
        help="without bubblewrap: a submission may then do whatever you may",
    )
    one.add_argument("--quiet", action="store_true", help="no progress bar")

    one = commands.add_parser(
        "merge",
        help="take the points of a filled-in by-hand.csv",
        description="Take the points of a filled-in by-hand.csv, saved by any spreadsheet. If a row is "
        "wrong, the rows are named and nothing is taken.",
    )
    one.add_argument("grades", type=Path, metavar="GRADES", help="the folder that `grade` wrote")
    one.add_argument("table", type=Path, metavar="CSV", help="rows without points change nothing")

    one = commands.add_parser(
        "feedback",
        help="write a page for each student",
        description="Write a page for each student: the points of every question, and what the first "
        "test that failed has to say.",
    )
    one.add_argument("grades", type=Path, metavar="GRADES", help="the folder that `grade` wrote")
    one.add_argument(
        "--to", type=Path, default=Path("feedback"), metavar="FOLDER", help="default: feedback"
    )
    return whole


def _names() -> str:
    there = ", ".join(masters.names()) or f"none is in {masters.SOURCES}"
    return there.replace("%", "%%")  # argparse takes it for a place to fill in


def main(words: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    given = parser().parse_args(words)
    try:
        return {"release": _release, "grade": _grade, "feedback": _feedback, "merge": _merge}[
            given.command
        ](given)
    except (ValueError, RuntimeError, OSError) as problem:
        line = " ".join(str(problem).split()) or type(problem).__name__
        print(f"course: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("course: interrupted; the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED


def _release(given: argparse.Namespace) -> int:
    wanted = given.assignment or masters.names()
    if not wanted:
        raise ValueError(f"there is no assignment in {masters.SOURCES}.")
    for name in wanted:
        masters.read(name)  # a wrong name is refused before anything is written

    from camcourse.release import release

    for name in wanted:
        print(f"Released: {release(name, given.to)}")
    return 0


def _grade(given: argparse.Namespace) -> int:
    from camcourse.grading import records
    from camcourse.grading.grade import Job, grade

    if given.jobs < 1:
        raise ValueError(f"--jobs: expected at least 1, got {given.jobs}.")
    if not 0 < given.seconds <= 3600:
        raise ValueError(
            f"--seconds: expected more than 0 and at most 3600, got {given.seconds:g}."
        )
    if given.seed is not None and not 0 <= given.seed < 2**31:
        raise ValueError(f"--seed: expected 0 to {2**31 - 1}, got {given.seed}.")
    if given.to.resolve().is_relative_to(given.submissions.resolve()):
        raise ValueError(f"--to: {given.to} is among the submissions; choose a folder outside.")
    job = Job(
        given.assignment, given.submissions, given.to, given.jobs, not given.unsafe, given.seed,
        given.seconds, given.quiet,
    )  # fmt: skip
    results = grade(job)
    counts: dict[str, int] = {}
    for one in results:
        counts[one.status] = counts.get(one.status, 0) + 1
    print(
        f"{len(results)} submissions: "
        + ", ".join(f"{n} {word}" for word, n in sorted(counts.items()))
    )
    print(f"Points: {given.to / records.TABLE}; for a person to mark: {given.to / records.BY_HAND}")
    return 0


def _feedback(given: argparse.Namespace) -> int:
    from camcourse.grading.feedback import feedback

    print(f"{len(feedback(given.grades, given.to))} pages in {given.to}")
    return 0


def _merge(given: argparse.Namespace) -> int:
    from camcourse.grading.merge import merge

    print(f"{merge(given.grades, given.table)} answers have points by a person now.")
    return 0


if __name__ == "__main__":
    status = main()
    if status == INTERRUPTED:
        os._exit(status)  # at once: workers that are still busy end with this process
    sys.exit(status)
