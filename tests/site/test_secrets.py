"""Graded work is written outside the book, and nothing of it reaches the built site."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from tooling.repository import ROOT

ASSIGNMENTS = ROOT / "assignments"
MARKS = re.compile(
    rb"### (BEGIN|END) (SOLUTION|HIDDEN TESTS)"
    rb'|"nbgrader": ?\{'  # a cell's points; the search knows the word, but as a list of pages
)


def found(folder: Path) -> list[str]:
    """Name the files of a site that hold a mark, or are a file of ``assignments/``."""
    ours = [path for path in ASSIGNMENTS.rglob("*") if path.is_file()]
    names = {path.name for path in ours if path.suffix == ".ipynb"}
    digests = {hashlib.sha256(path.read_bytes()).digest() for path in ours if path.stat().st_size}
    wrong = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = path.read_bytes()
        if (
            MARKS.search(content)
            or path.name in names
            or hashlib.sha256(content).digest() in digests
        ):
            wrong.append(path.relative_to(folder).as_posix())
    return wrong


def test_nothing_of_graded_work_is_on_the_site(built: Path) -> None:
    assert found(built) == []
    assert len(list(built.rglob("*.ipynb"))) >= 12, "the chapters' own notebooks were looked at"


def test_the_search_would_find(tmp_path: Path) -> None:
    """A master under its own and another name, a students' copy, and a solution in a page."""
    master = next(ASSIGNMENTS.glob("source/*/*.ipynb"))
    solution = b"<pre>### BEGIN SOLUTION</pre>"
    for name, content in (
        ("_sources/x.ipynb", master.read_bytes()),
        (f"{master.name}", b"{}"),
        ("page.html", solution),
        ("copy.ipynb", json.dumps({"metadata": {"nbgrader": {"points": 1}}}).encode()),
        ("fine.html", b"a solution"),
        ("searchindex.js", b'{"terms":{"nbgrader":[3],"solution":[1]}}'),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    wrong = {"_sources/x.ipynb", master.name, "page.html", "copy.ipynb"}
    assert set(found(tmp_path)) == wrong
