"""What grading leaves behind: a file for each submission, then one CSV and one JSON for all."""

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
TABLE, WHOLE, BY_HAND, RUN = "grades.csv", "grades.json", "by-hand.csv", "run.json"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Two gradings into one folder would mix: the second is refused."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(
                f"grades: another grading is at work in {folder}; wait for it."
            ) from None
        yield


def write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all, even if the power fails meanwhile.

    Half a surrogate pair is no text, yet JSON and Python let it pass; it is written out as JSON does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """Return what a file of this tool holds; ``ValueError`` with its name if it is broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is broken: {error}.") from error


def graded(folder: Path) -> tuple[Master, list[dict[str, Any]]]:
    """Return the assignment that was graded into a folder, and its submissions as JSON has them."""
    if not (folder / WHOLE).is_file():
        raise ValueError(
            f"grades: expected the folder that `grade` wrote, with {WHOLE}, got {folder}."
        )
    whole = read_json(folder / WHOLE)
    try:
        name, found = str(whole["assignment"]), list(whole["submissions"])
        asked = [{mark["question"] for mark in one["marks"]} for one in found]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder / WHOLE} is broken: it is no table of grades.") from error
    master = masters.read(name)
    if any(one != set(master.titles) for one in asked):
        raise ValueError(f"grades: {name} has other questions now than in {folder}; grade again.")
    return master, found


def as_json(value: Any) -> str:
    """The one form in which the tool writes JSON."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def run_seed(folder: Path, wanted: int | None, assignment: str = "") -> int:
    """Return the seed of this folder's grading: the one it began with, a wanted or a new one.

    A folder that was begun with another assignment is refused.
    """
    path = folder / RUN
    if path.exists():
        run = read_json(path)
        kept = int(run["seed"])
        if run.get("assignment", assignment) != assignment:
            raise ValueError(
                f"assignment: this folder holds the grades of {run['assignment']}, got {assignment}. "
                "Grade into another folder."
            )
        if wanted not in (None, kept):
            raise ValueError(
                f"--seed: this folder was begun with {kept}, got {wanted}. Grade into another folder."
            )
        return kept
    seed = secrets.randbelow(2**31) if wanted is None else wanted
    write(path, as_json({"seed": seed} | ({"assignment": assignment} if assignment else {})))
    return seed


def load(path: Path) -> tuple[str, Result] | None:
    """Return what was graded, and the result; None if there is none or it cannot be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        marks = [Mark(**one) for one in kept["result"].pop("marks")]
        return str(kept["of"]), Result(**kept["result"], marks=marks)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def save(path: Path, of: str, result: Result) -> None:
    """Keep a result, and what it is the result of."""
    write(path, as_json({"of": of, "result": result.as_dict()}))


def finish(folder: Path, master: Master, results: list[Result], by_hand: dict[Any, float]) -> None:
    """Write the tables. ``by_hand`` has the points that a person gave, by :func:`hand_key`."""
    for result in results:
        for mark in result.marks:
            points = by_hand.get(hand_key(result, mark))
            if mark.status in ("by hand", "marked") and points is not None:
                mark.points, mark.status = points, "marked"
    counting = counted(results)
    write(folder / TABLE, tables.table(master, results, counting))
    whole = [
        {**one.as_dict(), "points": one.points, "counts": one.file in counting} for one in results
    ]
    write(folder / WHOLE, as_json({"assignment": master.name, "submissions": whole}))
    write(folder / BY_HAND, tables.hand_table(results))


def hand_key(result: Result, mark: Mark) -> tuple[str, str, str]:
    """What points by a person belong to: if the answer is another one later, they do not hold for it."""
    answer = mark.answer.encode("utf-16-le", "surrogatepass")
    return result.file, mark.question, hashlib.sha256(answer).hexdigest()


def counted(results: Iterable[Result]) -> set[str]:
    """Of several notebooks of one student the best counts, the first of equals."""
    best: dict[str, Result] = {}
    for result in results:
        if result.student not in best or result.points > best[result.student].points:
            best[result.student] = result
    return {result.file for result in best.values()}
