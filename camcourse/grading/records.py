"""The files that grading writes: one for each submission, then one CSV and one JSON for all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from camcourse import masters
from camcourse.grading import tables
from camcourse.grading.results import Mark, Result
from camcourse.masters import Master

RESULTS = "results"
TABLE, GRADES, BY_HAND, RUN = "grades.csv", "grades.json", "by-hand.csv", "run.json"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder of grades; ``ValueError`` if another process has locked it."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(
                f"grades: another grading uses {folder}. Wait until it has finished."
            ) from None
        yield


def write(path: Path, text: str) -> None:
    """Write a file completely or not at all, even if the machine stops meanwhile.

    Lone surrogates, which JSON and Python allow, are escaped.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def as_json(value: Any) -> str:
    """Return a value as JSON, in the form in which all files are written."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def read_json(path: Path) -> Any:
    """Return the value in a JSON file; ``ValueError`` with the file's name if it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}.") from error


def read_grades(folder: Path) -> tuple[Master, list[dict[str, Any]]]:
    """Return the assignment that was graded into a folder, and the submissions in ``grades.json``."""
    path = folder / GRADES
    if not path.is_file():
        raise ValueError(
            f"grades: expected the folder that `grade` wrote, with {GRADES}, got {folder}."
        )
    grades = read_json(path)
    try:
        name, submissions = str(grades["assignment"]), list(grades["submissions"])
        questions = [{mark["question"] for mark in one["marks"]} for one in submissions]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged: it has no grades.") from error
    master = masters.read(name)
    if any(one != set(master.titles) for one in questions):
        raise ValueError(f"grades: {name} has other questions now than in {folder}; grade again.")
    return master, submissions


def run_seed(folder: Path, wanted: int | None, assignment: str = "") -> int:
    """Return the seed of this folder's grading: the one in ``run.json``, else ``wanted``, else a random one.

    Raises
    ------
    ValueError
        If the folder belongs to another assignment, or to another seed than ``wanted``.
    """
    path = folder / RUN
    if path.exists():
        run = read_json(path)
        seed = int(run["seed"])
        if run.get("assignment", assignment) != assignment:
            raise ValueError(
                f"assignment: this folder has the grades of {run['assignment']}, got {assignment}. "
                "Grade into another folder."
            )
        if wanted not in (None, seed):
            raise ValueError(
                f"--seed: this folder has grades with seed {seed}, got {wanted}. Grade into another folder."
            )
        return seed
    seed = secrets.randbelow(2**31) if wanted is None else wanted
    write(path, as_json({"seed": seed} | ({"assignment": assignment} if assignment else {})))
    return seed


def load(path: Path) -> tuple[str, Result] | None:
    """Return the source and the result in a file of :func:`save`, or None if it cannot be read."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        return str(saved["of"]), Result.from_dict(saved["result"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def save(path: Path, of: str, result: Result) -> None:
    """Write a result, with a text that identifies what it is the result of."""
    write(path, as_json({"of": of, "result": result.as_dict()}))


def write_tables(
    folder: Path, master: Master, results: list[Result], by_hand: dict[Any, float]
) -> None:
    """Write the tables. ``by_hand`` has the points that a person gave, by :func:`answer_key`."""
    for result in results:
        for mark in result.marks:
            points = by_hand.get(answer_key(result, mark))
            if mark.status in ("by hand", "marked") and points is not None:
                mark.points, mark.status = points, "marked"
    counting = counting_files(results)
    write(folder / TABLE, tables.grades_table(master, results, counting))
    submissions = [
        {**one.as_dict(), "points": one.points, "counts": one.file in counting} for one in results
    ]
    write(folder / GRADES, as_json({"assignment": master.name, "submissions": submissions}))
    write(folder / BY_HAND, tables.hand_table(results))


def answer_key(result: Result, mark: Mark) -> tuple[str, str, str]:
    """Return what points by a person belong to: they are not for another answer to the question."""
    answer = mark.answer.encode("utf-16-le", "surrogatepass")
    return result.file, mark.question, hashlib.sha256(answer).hexdigest()


def counting_files(results: Iterable[Result]) -> set[str]:
    """Return each student's file with the most points, the first of several."""
    best: dict[str, Result] = {}
    for result in results:
        if result.student not in best or result.points > best[result.student].points:
            best[result.student] = result
    return {result.file for result in best.values()}
