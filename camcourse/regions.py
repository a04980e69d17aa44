"""The marked regions of a master's cells: solutions and hidden tests."""

from __future__ import annotations

import re

SOLUTION = ("### BEGIN SOLUTION", "### END SOLUTION")
HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
# What nbgrader takes for a mark, or what somebody may have meant for one.
LIKE_A_MARK = re.compile(
    r"(BEGIN|END) (SOLUTION|HIDDEN TESTS)|#\s*(?i:(begin|end)[\s_-]*(solution|hidden))"
)


def inside(source: str, marks: tuple[str, str]) -> set[int]:
    """Return the numbers (from 1) of the lines between two marks; the marks' own are among them."""
    begin, end = marks
    numbers, within = set(), False
    for number, line in enumerate(source.split("\n"), 1):
        within = within or line.strip() == begin
        if within:
            numbers.add(number)
        within = within and line.strip() != end
    return numbers


def without(source: str, marks: tuple[str, str]) -> str:
    """Return a source without the lines between two marks."""
    gone = inside(source, marks)
    lines = enumerate(source.split("\n"), 1)
    return "\n".join(line for number, line in lines if number not in gone)


def problem(source: str, allowed: tuple[tuple[str, str], ...]) -> str | None:
    """Say what is wrong with a cell's marks, if anything is: each region begins, and ends."""
    opened: tuple[str, str] | None = None
    for number, line in enumerate(source.split("\n"), 1):
        if not LIKE_A_MARK.search(line):
            continue
        word = line.strip()
        kind = next((marks for marks in (SOLUTION, HIDDEN) if word in marks), None)
        if kind is None:
            return f"line {number} is no mark, but looks like one: {word[:60]!r}"
        if kind not in allowed:
            return f"line {number}: {word!r} does not belong into a cell of this kind"
        if (word == kind[0]) == (opened is not None):
            return f"line {number}: {word!r} where {'no' if opened is None else 'a'} region is open"
        opened = kind if word == kind[0] else None
    return None if opened is None else f"{opened[0]!r} has no {opened[1]!r}"
