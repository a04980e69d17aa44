"""Find what no student may see, wherever it stands: lines of solutions, hidden tests, their marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from camcourse import masters, regions

SHORTEST = 12  # characters of a line that can give something away
MARKS = (*regions.SOLUTION, *regions.HIDDEN)
# Many programs have such a line, and it tells nothing without the ones below it.
COMMONPLACE = re.compile(r"(import|from) |.*[:(\[{]$")


def secret_lines(cell: masters.Cell) -> list[str]:
    """Return the lines of a cell that no student may see, but for those too short to tell anything."""
    lines = enumerate(cell.source.split("\n"), 1)
    gone = _gone(cell)
    secret = [line.strip() for number, line in lines if number in gone]
    return [line for line in secret if len(line) >= SHORTEST and line not in MARKS]


def _gone(cell: masters.Cell) -> set[int]:
    """The numbers of the lines that a student's copy lacks; a solution without marks goes as a whole."""
    if cell.kind == "tests":
        return masters.hidden_lines(cell.source)
    if cell.kind not in ("solution", "answer"):
        return set()
    return regions.inside(cell.source, regions.SOLUTION) or set(
        range(1, cell.source.count("\n") + 2)
    )


def secrets(
    master: masters.Master, kinds: tuple[str, ...] = ("solution", "tests", "answer")
) -> dict[str, re.Pattern[str]]:
    """Return a pattern for each line that is secret."""
    cells = [cell for cell in master.cells if cell.kind in kinds]
    lines = [line for cell in cells for line in secret_lines(cell)]
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
    every = secrets(master)
    beside = _beside_tests(master, every)
    found = []
    for number, cell in enumerate(copy.cells, 1):
        kind = of_cell[number - 1] if number <= len(of_cell) else "provided"
        said = _in_cell(cell, kind, beside if kind == "tests" else every)
        found += [f"cell {number} {words}" for words in said]
    return found + [f"the notebook's metadata hold {one}" for one in _held(copy.metadata, every)]


def _beside_tests(
    master: masters.Master, every: dict[str, re.Pattern[str]]
) -> dict[str, re.Pattern[str]]:
    """Hidden tests may begin like those that students see, and that is no leak."""
    shown = [masters.visible(cell.source).split("\n") for cell in master.tests]
    alike = {line.strip() for lines in shown for line in lines}
    alike -= secrets(master, ("solution", "answer")).keys()
    return {line: pattern for line, pattern in every.items() if line not in alike}


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
