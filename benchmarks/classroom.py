"""A class of 500: how long grading takes, whether memory stays flat, and whether anything gets lost.

``python -m benchmarks.classroom`` writes 500 submissions, good and hostile, grades them, kills the
grader halfway and starts it again, grades all a second time, and compares.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from camcourse import masters
from camcourse.grading.records import RESULTS, TABLE
from camcourse.grading.tables import harmless
from tests.camcourse.grading.hostile import ASSIGNMENT, SECONDS, Kind, Submissions

MINUTES = 20.0
GROWTH = 1.1  # of the grader's memory, last quarter against second
KINDS = Submissions(masters.read(ASSIGNMENT)).kinds()
ORDINARY = 4  # so many ordinary submissions for each of the strange kinds


def kinds(students: int) -> Iterator[Kind]:
    """Four of five students are ordinary: done, nearly done, or not begun."""
    ordinary = [one for one in KINDS if one.name in ("perfect", "partial", "blank")]
    strange = [one for one in KINDS if one not in ordinary]
    for number in range(students):
        turn, place = divmod(number, ORDINARY + 1)
        yield strange[turn % len(strange)] if place == 0 else ordinary[(0, 0, 1, 2)[place - 1]]


def hand_in(folder: Path, students: int) -> dict[str, Kind]:
    """Write the submissions; return who handed in what, by file."""
    folder.mkdir()
    given = {}
    for number, kind in enumerate(kinds(students)):
        home = folder / f"student {number:03}"
        home.mkdir()
        kind.make(home / f"{kind.name}.ipynb")
        given[f"{home.name}/{kind.name}.ipynb"] = kind
    return given


def graders_memory(pid: int) -> int:
    """Bytes that the grader and its workers hold; what is inside the sandboxes is another matter."""
    size = 0
    with contextlib.suppress(psutil.Error):
        whole = psutil.Process(pid)
        for one in [whole, *whole.children(), *[c for p in whole.children() for c in p.children()]]:
            if one.name().startswith("python"):
                size += one.memory_info().rss
    return size


def graded(
    submissions: Path, grades: Path, jobs: int, stop_at: int | None = None
) -> tuple[float, list[int]]:
    """Run the grader as an instructor would, or kill it after so many results.

    Returns seconds, and the grader's memory over time.
    """
    command = [sys.executable, "-m", "camcourse", "grade", ASSIGNMENT, str(submissions), "--quiet"]
    command += ["--to", str(grades), "--jobs", str(jobs), "--seconds", str(SECONDS)]
    sizes, begun = [], time.monotonic()
    process = subprocess.Popen(command)
    while process.poll() is None:
        sizes.append(graders_memory(process.pid))
        if stop_at is not None and len(list((grades / RESULTS).glob("*.json"))) >= stop_at:
            process.send_signal(signal.SIGKILL)
            process.wait()
            break
        time.sleep(2)
    if stop_at is None and process.returncode:
        raise SystemExit(f"the grader ended with {process.returncode}")
    return time.monotonic() - begun, sizes


def compare(table: Path, given: dict[str, Kind]) -> list[str]:
    """Name every submission whose score or status is not the fair one."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: (float(row["points"]), row["status"]) for row in csv.DictReader(file)}
    found = {
        name: (rows.get(harmless(name)), (kind.points, kind.status)) for name, kind in given.items()
    }
    return [f"{name}: {got}, fair: {fair}" for name, (got, fair) in found.items() if got != fair]


def main() -> int:
    """Grade a class twice, the first time with an interruption, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classroom", description=__doc__)
    parser.add_argument("--students", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="class-", ignore_cleanup_errors=True) as home:
        return measured(Path(home), words)


def measured(home: Path, words: argparse.Namespace) -> int:
    """Do it all in a folder."""
    submissions, first, second = (home / name for name in ("submissions", "first", "second"))
    given = hand_in(submissions, words.students)
    before, _ = graded(submissions, first, words.jobs, stop_at=words.students // 2)
    kept = {path: path.stat().st_mtime_ns for path in (first / RESULTS).glob("*.json")}
    after, _ = graded(submissions, first, words.jobs)
    again = sum(path.stat().st_mtime_ns != at for path, at in kept.items())
    whole, sizes = graded(submissions, second, words.jobs)
    quarter = max(1, len(sizes) // 4)
    early, late = max(sizes[quarter : 2 * quarter] or sizes), max(sizes[-quarter:])
    wrong = compare(first / TABLE, given)
    same = (first / TABLE).read_bytes() == (second / TABLE).read_bytes()
    figures = {
        "students": words.students,
        "jobs": words.jobs,
        "minutes": round(whole / 60, 1),
        "minutes with a kill halfway": round((before + after) / 60, 1),
        "graded before the kill": len(kept),
        "of these graded again": again,
        "grader's memory, second quarter, MiB": early >> 20,
        "grader's memory, last quarter, MiB": late >> 20,
        "not the fair score": len(wrong),
        "the same table twice": same,
    }
    for name, value in figures.items():
        print(f"{name:40} {value}")
    print(*wrong[:20], sep="\n")
    if words.json:
        words.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    met = whole / 60 <= MINUTES and late <= GROWTH * early and not wrong and same and not again
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
