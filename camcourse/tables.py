"""``camcourse.tabulate``: numbers in rows and columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

NUMBER = re.compile(r"[-+−]?\d[\d,.]*(e[-+]?\d+)? ?%?|[-–]|nan")


@dataclass(frozen=True, repr=False)
class Table:
    """Rows of text below names of columns, which a notebook or a page of the book displays as HTML."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        lines = (self.columns, *self.rows)
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = [
            [line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in lines
        ]
        return "\n".join("  ".join(cells) for cells in aligned)

    def _repr_html_(self) -> str:
        # Bootstrap's class, which the theme of the book knows: numbers end below each other.
        numbers = [all(map(NUMBER.fullmatch, column)) for column in zip(*self.rows, strict=True)]
        ends = [' class="text-end"' if number else "" for number in numbers]

        def row(kind: str, cells: Sequence[str]) -> str:
            both = zip(ends, cells, strict=True)
            return (
                "<tr>"
                + "".join(f"<{kind}{end}>{escape(cell)}</{kind}>" for end, cell in both)
                + "</tr>"
            )

        body = "\n".join(row("td", cells) for cells in self.rows)
        head = row("th", self.columns)
        return f'<table class="table">\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>'


def tabulate(columns: Sequence[object], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table to display as the value of a cell.

    Parameters
    ----------
    columns
        The names of the columns.
    rows
        For each row a value per column, formatted already or shown as ``str`` does.

    Raises
    ------
    ValueError
        If there is no row or no column, or a row has another number of values than there are columns.

    Examples
    --------
    >>> tabulate(["map", "deletion"], [["CAM", f"{0.2345:.2f}"], ["edges", f"{0.31:.2f}"]])
    map    deletion
    CAM        0.23
    edges      0.31
    """
    given = tuple(tuple(str(value) for value in row) for row in rows)
    if not given or not columns:
        raise ValueError(
            f"rows, columns: expected at least one of each, got {len(given)} rows of "
            f"{len(columns)} columns. Print a sentence where there is nothing to show."
        )
    for row in given:
        if len(row) != len(columns):
            raise ValueError(
                f"rows: expected {len(columns)} values in each row, one per column, got "
                f"{len(row)} in {row}."
            )
    return Table(tuple(map(str, columns)), given)
