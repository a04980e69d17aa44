"""The marked regions in the cells of a master: solutions and hidden tests."""

from __future__ import annotations

import re

Marks = tuple[str, str]

SOLUTION: Marks = ("### BEGIN SOLUTION", "### END SOLUTION")
HIDDEN: Marks = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
# What nbgrader accepts as a mark, and misspelt marks.
LIKE_A_MARK = re.compile(
    r"(BEGIN|END) (SOLUTION|HIDDEN TESTS)|#\s*(?i:(begin|end)[\s_-]*(solution|hidden))"
)


def inside(source: str, marks: Marks) -> set[int]:
    """Return the numbers (from 1) of the lines of a region, including its marks."""
    begin, end = marks
    numbers, within = set(), False
    for number, line in enumerate(source.split("\n"), 1):
        within = within or line.strip() == begin
        if within:
            numbers.add(number)
        within = within and line.strip() != end
    return numbers


def without(source: str, marks: Marks) -> str:
    """Return a source without the lines of its regions."""
    hidden = inside(source, marks)
    lines = enumerate(source.split("\n"), 1)
    return "\n".join(line for number, line in lines if number not in hidden)


def problem(source: str, allowed: tuple[Marks, ...]) -> str | None:
    """Say what is wrong with the marks of a cell, if anything is."""
    opened: Marks | None = None
    for number, line in enumerate(source.split("\n"), 1):
        if not LIKE_A_MARK.search(line):
            continue
        mark = line.strip()
        marks = next((marks for marks in (SOLUTION, HIDDEN) if mark in marks), None)
        if marks is None:
            return f"line {number} is not a mark, but looks like one: {mark[:60]!r}"
        if marks not in allowed:
            return f"line {number}: {mark!r} is not allowed in a cell of this kind"
        if (mark == marks[0]) == (opened is not None):
            return f"line {number}: {mark!r} where {'no' if opened is None else 'a'} region is open"
        opened = marks if mark == marks[0] else None
    return None if opened is None else f"{opened[0]!r} has no {opened[1]!r}"
