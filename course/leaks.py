"""Find what no student may see, wherever it stands: lines of solutions, hidden tests, their marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from course import masters, regions

# Many programs have such a line, and it tells nothing without the ones below it.
COMMONPLACE = re.compile(r"(import|from) |.*[:(\[{]$")


def secrets(master: masters.Master) -> dict[str, re.Pattern[str]]:
    """Return a pattern for each line that is secret."""
    lines = [line for cell in master.cells for line in masters.secret_lines(cell)]
    return {line: _pattern(line) for line in lines if not COMMONPLACE.match(line)}


def _pattern(line: str) -> re.Pattern[str]:
    """Find a line whatever the spaces in it, but not as a part of longer words."""
    words = re.findall(r"\w+|[^\w\s]", line)
    before = r"(?<!\w)" if re.match(r"\w", words[0]) else ""
    after = r"(?!\w)" if re.match(r"\w", words[-1]) else ""
    return re.compile(before + r"\s*".join(map(re.escape, words)) + after)


def leaking(master: masters.Master, copy: Any) -> list[str]:
    """Name every place of a copy where a line of a solution, a hidden test or a mark stands."""
    of_cell = [cell.kind for cell in master.cells]
    every, shown = secrets(master), _shown_by_tests(master)
    beside = {line: found for line, found in every.items() if line not in shown}
    found = []
    for number, cell in enumerate(copy.cells, 1):
        kind = of_cell[number - 1] if number <= len(of_cell) else "provided"
        said = _in_cell(cell, kind, beside if kind == "tests" else every)
        found += [f"cell {number} {words}" for words in said]
    return found + [f"the notebook's metadata hold {one}" for one in _held(copy.metadata, every)]


def _shown_by_tests(master: masters.Master) -> set[str]:
    """Hidden tests may begin like those that students see."""
    return {
        line.strip() for cell in master.tests for line in masters.visible(cell.source).split("\n")
    }


def _in_cell(cell: Any, kind: str, wanted: dict[str, re.Pattern[str]]) -> Iterator[str]:
    for one in _held(cell.source, wanted):
        yield f"shows {one}"
    if mark := regions.LIKE_A_MARK.search(cell.source):
        yield f"shows the mark {mark[0]!r}"
    if cell.get("outputs"):
        yield "has outputs"
    if cell.get("attachments") and kind in ("solution", "answer"):
        yield "has the attachments of its solution"
    for one in _held([cell.metadata, cell.get("attachments")], wanted):
        yield f"holds {one} beside its text"


def _held(tree: Any, wanted: dict[str, re.Pattern[str]]) -> Iterator[str]:
    """The wanted lines that a text holds, or a tree of texts."""
    if isinstance(tree, dict):
        tree = [*tree.keys(), *tree.values()]
    if isinstance(tree, list):
        for one in tree:
            yield from _held(one, wanted)
    elif isinstance(tree, str):
        yield from (repr(line[:60]) for line, pattern in wanted.items() if pattern.search(tree))
