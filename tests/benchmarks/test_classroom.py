"""The class of 500: who is in it, and whether an unfair score would be noticed."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from benchmarks import classroom
from tests.camcourse.grading.hostile import KINDS


def test_every_kind_is_in_a_class_of_500() -> None:
    counts = Counter(one.name for one in classroom.kinds(500))
    assert counts.keys() == {one.name for one in KINDS}
    assert counts["perfect"] + counts["partial"] + counts["blank"] == 400


def table(folder: Path, given: dict[str, tuple[str, str]]) -> Path:
    path = folder / "grades.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "points", "status"])
        writer.writerows([name, *row] for name, row in given.items())
    return path


def test_an_unfair_score_a_false_status_and_a_lost_student_are_named(tmp_path: Path) -> None:
    kinds = {one.name: one for one in KINDS}
    given = {f"{n}.ipynb": kinds["perfect"] for n in "abcd"}
    full = f"{kinds['perfect'].points:g}"
    rows = {"a.ipynb": (full, "graded"), "b.ipynb": ("0", "graded"), "c.ipynb": (full, "blank")}
    wrong = classroom.compare(table(tmp_path, rows), given)
    assert [words.partition(":")[0] for words in wrong] == ["d.ipynb", "b.ipynb", "c.ipynb"]
