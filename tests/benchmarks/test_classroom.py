"""The class of 500: who is in it, and whether an unfair score would be noticed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks import classroom
from benchmarks.classroom import KINDS


def test_every_kind_is_in_a_class_of_500() -> None:
    counts = Counter(one.name for one in classroom.kinds(500))
    assert counts.keys() == {one.name for one in KINDS}
    assert counts["perfect"] + counts["partial"] + counts["blank"] == 400


def test_an_unfair_score_a_false_status_and_a_lost_student_are_named(tmp_path: Path) -> None:
    kinds = {one.name: one for one in KINDS}
    given = {f"{n}.ipynb": kinds["perfect"] for n in "abcd"}
    full = f"{kinds['perfect'].points:g}"
    table = tmp_path / "grades.csv"
    lines = (f"a.ipynb,{full},graded", "b.ipynb,0,graded", f"c.ipynb,{full},blank")
    table.write_text("\n".join(["file,points,status", *lines]), encoding="utf-8")
    wrong = classroom.compare(table, given)
    assert [words.partition(":")[0] for words in wrong] == ["b.ipynb", "c.ipynb", "d.ipynb"]
