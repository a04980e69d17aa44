"""Release assignments, grade submissions, merge points given by hand, and write feedback."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

from camcourse import masters
from camcourse.grading.sandbox import SECONDS

INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    assignments = ", ".join(masters.names()) or f"none is in {masters.SOURCES}"
    assignments = assignments.replace("%", "%%")  # argparse formats help texts with %
    main_parser = argparse.ArgumentParser(prog="python -m camcourse", description=__doc__)
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, short: str, description: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=short, description=description)

    def add_output(one: argparse.ArgumentParser, folder: str) -> None:
        words = f"default: {folder}"
        one.add_argument("--to", type=Path, default=Path(folder), metavar="FOLDER", help=words)

    one = command(
        "release",
        "write the students' copies",
        "Write the students' copies, without solutions, hidden tests and outputs. A copy that still "
        "has a line of them is not written.",
    )
    one.add_argument(
        "assignment", nargs="*", metavar="ASSIGNMENT", help=f"{assignments} (default: all)"
    )
    add_output(one, "assignments/release")

    one = command(
        "grade",
        "grade a folder of submissions",
        "Grade a folder with a file or a folder for each student. After an interruption the same "
        "command continues.",
    )
    one.add_argument("assignment", metavar="ASSIGNMENT", help=assignments)
    one.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="the folder")
    add_output(one, "grades")
    one.add_argument(
        "--jobs", type=int, default=2, help="submissions graded at a time (default: 2)"
    )
    one.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="limit for a cell or a call, in seconds of processor time; the limit on the clock is three "
        f"times that (default: {SECONDS:g})",
    )
    one.add_argument("--seed", type=int, help="of the tests' random inputs (default: random)")
    one.add_argument(
        "--unsafe",
        action="store_true",
        help="without bubblewrap: a submission can then do whatever you can",
    )
    one.add_argument("--quiet", action="store_true", help="no progress bar")

    one = command(
        "merge",
        "merge the points of a filled-in by-hand.csv",
        "Merge the points of a filled-in by-hand.csv, saved by any spreadsheet program. If rows are "
        "wrong, they are listed and nothing is merged.",
    )
    one.add_argument("grades", type=Path, metavar="GRADES", help="the folder that `grade` wrote")
    one.add_argument("table", type=Path, metavar="CSV", help="rows without points change nothing")

    one = command(
        "feedback",
        "write a page for each student",
        "Write a page for each student: the points of every question, and the message of the first "
        "test that failed.",
    )
    one.add_argument("grades", type=Path, metavar="GRADES", help="the folder that `grade` wrote")
    add_output(one, "feedback")
    return main_parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    given = parser().parse_args(arguments)
    run = {"release": _release, "grade": _grade, "feedback": _feedback, "merge": _merge}
    try:
        run[given.command](given)
    except (ValueError, RuntimeError, OSError) as error:
        line = " ".join(str(error).split()) or type(error).__name__
        print(f"course: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("course: interrupted; the same command continues from here.", file=sys.stderr)
        return INTERRUPTED
    return 0


def _release(given: argparse.Namespace) -> None:
    wanted = given.assignment or masters.names()
    if not wanted:
        raise ValueError(f"there is no assignment in {masters.SOURCES}.")
    for name in wanted:
        masters.read(name)  # a wrong name is refused before anything is written

    from camcourse.release import release

    for name in wanted:
        print(f"Released: {release(name, given.to)}")


def _grade(given: argparse.Namespace) -> None:
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
        raise ValueError(f"--to: {given.to} is inside the submissions; choose a folder outside.")
    job = Job(
        given.assignment, given.submissions, given.to, given.jobs, not given.unsafe, given.seed,
        given.seconds, given.quiet,
    )  # fmt: skip
    results = grade(job)
    counts = sorted(Counter(one.status for one in results).items())
    print(f"{len(results)} submissions: " + ", ".join(f"{n} {status}" for status, n in counts))
    print(f"Points: {given.to / records.TABLE}; to mark by hand: {given.to / records.BY_HAND}")


def _feedback(given: argparse.Namespace) -> None:
    from camcourse.grading.feedback import feedback

    print(f"{len(feedback(given.grades, given.to))} pages in {given.to}")


def _merge(given: argparse.Namespace) -> None:
    from camcourse.grading.merge import merge

    print(f"{merge(given.grades, given.table)} answers have points given by hand now.")


if __name__ == "__main__":
    status = main()
    if status == INTERRUPTED:
        os._exit(status)  # at once: workers that are still busy end with this process
    sys.exit(status)
