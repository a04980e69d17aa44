"""Find lines of solutions and hidden tests in what students get to see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from camcourse import regions
from camcourse.masters import Cell, Master

MIN_CHARACTERS = 12  # a shorter line tells nothing
# Lines of many programs, which tell nothing without those below them.
COMMON = re.compile(r"(import|from) |.*[:(\[{]$")
Patterns = dict[str, re.Pattern[str]]  # by the line that they find


def secret_lines(cell: Cell) -> list[str]:
    """Return the lines of a cell that students must not see, except those too short to tell anything."""
    lines = enumerate(cell.source.split("\n"), 1)
    removed = _removed_lines(cell)
    secret = [line.strip() for number, line in lines if number in removed]
    marks = (*regions.SOLUTION, *regions.HIDDEN)
    return [line for line in secret if len(line) >= MIN_CHARACTERS and line not in marks]


def _removed_lines(cell: Cell) -> set[int]:
    """Return the numbers of the lines that a student's copy lacks."""
    if cell.kind == "tests":
        return regions.inside(cell.source, regions.HIDDEN)
    if cell.kind not in ("solution", "answer"):
        return set()
    everything = set(range(1, cell.source.count("\n") + 2))  # nbgrader removes a cell without marks
    return regions.inside(cell.source, regions.SOLUTION) or everything


def secret_patterns(
    master: Master, kinds: tuple[str, ...] = ("solution", "tests", "answer")
) -> Patterns:
    """Return a pattern for each secret line."""
    lines = [line for cell in master.of_kind(*kinds) for line in secret_lines(cell)]
    return {line: _pattern(line) for line in lines if not COMMON.match(line)}


def _pattern(line: str) -> re.Pattern[str]:
    """Return a pattern for a line with any spaces in it, but not as a part of longer words."""
    words = re.findall(r"\w+|[^\w\s]", line)
    before = r"(?<!\w)" if re.match(r"\w", words[0]) else ""
    after = r"(?!\w)" if re.match(r"\w", words[-1]) else ""
    return re.compile(before + r"\s*".join(map(re.escape, words)) + after)


def find_leaks(master: Master, copy: Any) -> list[str]:
    """Describe every secret line, mark or output in a student's copy."""
    kinds = [cell.kind for cell in master.cells]
    patterns = secret_patterns(master)
    # A hidden test may have lines of a public one.
    tests = [regions.without(cell.source, regions.HIDDEN) for cell in master.of_kind("tests")]
    public = {line.strip() for source in tests for line in source.split("\n")}
    public -= secret_patterns(master, ("solution", "answer")).keys()
    in_tests = {line: pattern for line, pattern in patterns.items() if line not in public}
    found = []
    for number, cell in enumerate(copy.cells, 1):
        kind = kinds[number - 1] if number <= len(kinds) else "provided"
        leaks = _leaks_in_cell(cell, kind, in_tests if kind == "tests" else patterns)
        found += [f"cell {number} {leak}" for leak in leaks]
    return found + [
        f"the notebook's metadata hold {one}" for one in _matches(copy.metadata, patterns)
    ]


def _leaks_in_cell(cell: Any, kind: str, patterns: Patterns) -> Iterator[str]:
    for one in _matches(cell.source, patterns):
        yield f"shows {one}"
    if mark := regions.LIKE_A_MARK.search(cell.source):
        yield f"shows the mark {mark[0]!r}"
    if cell.get("outputs"):
        yield "has outputs"
    if cell.get("attachments") and kind in ("solution", "answer"):
        yield "has the attachments of its solution"
    for one in _matches([cell.metadata, cell.get("attachments")], patterns):
        yield f"has {one} in its metadata or attachments"


def _matches(tree: Any, patterns: Patterns) -> Iterator[str]:
    """Yield the lines that are found in a text, or in the texts of a tree."""
    if isinstance(tree, dict):
        tree = [*tree.keys(), *tree.values()]
    if isinstance(tree, list):
        for one in tree:
            yield from _matches(one, patterns)
    elif isinstance(tree, str):
        yield from (repr(line[:60]) for line, pattern in patterns.items() if pattern.search(tree))
