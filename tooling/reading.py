"""How long each chapter is for its reader: words of prose, and the code in sight.

python -m tooling.reading

Folded solutions and folded cells count for neither; the exit status is 1 beyond a limit.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from tooling import notebooks

WORDS, LINES, WIDTH = 3200, 100, 76
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
# Formulas, folded boxes, the fences of directives and their options are no words of prose.
BOX = re.compile(r"^:::\{admonition\}.*\n:class:.*dropdown[\s\S]*?^:::$", re.MULTILINE)
EDGE = re.compile(r"(\{solution-(?:start|end)\})")
APART = re.compile(r"\$\$[^$]*\$\$|^ *(?:`{3,}|:{3,})(?:\{[\w-]+\})?|^ *:[\w-]+:.*$", re.MULTILINE)


@dataclass(frozen=True)
class Length:
    """What of a chapter is in sight: words, lines of code, the widest of them, cells of asserts alone."""

    words: int
    lines: int
    width: int
    asserts: int

    @property
    def within(self) -> bool:
        """Whether the chapter keeps all limits."""
        long = self.words > WORDS or self.lines > LINES or self.width > WIDTH
        return not long and self.asserts == 0


def length(notebook: Any) -> Length:
    """Measure a notebook."""
    cells = list(_in_sight(notebook))
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    lines = [line for source in code for line in source.splitlines() if line.strip()]
    return Length(
        words=sum(len(re.findall(r"\S*\w\S*", APART.sub("", BOX.sub("", text)))) for text in prose),
        lines=len(lines),
        width=max(map(len, lines), default=0),
        asserts=sum(_asserts_alone(source) for source in code),
    )


def _in_sight(notebook: Any) -> Iterator[Any]:
    in_solution = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            shown = ""
            for part in EDGE.split(cell.source):
                if EDGE.fullmatch(part):
                    in_solution = "start" in part
                elif not in_solution:
                    shown += part
            yield nbformat.from_dict({**cell, "source": shown})
        elif not (in_solution or FOLDED & set(cell.metadata.get("tags", []))):
            yield cell


def _asserts_alone(source: str) -> bool:
    plain = re.sub(r"^(\s*)[%!].*", r"\1pass", source, flags=re.MULTILINE)  # IPython's own commands
    found = ast.parse(plain).body
    return bool(found) and all(isinstance(statement, ast.Assert) for statement in found)


def chapters() -> list[Path]:
    """Return the numbered chapters."""
    return [path for path in notebooks.listed() if path.stem[0].isdigit()]


def main() -> int:
    """Print a table of the chapters."""
    print(f"{'in sight':32} words  lines of code  widest  asserts alone")
    lengths = {path.stem: length(nbformat.read(path, as_version=4)) for path in chapters()}
    for name, one in lengths.items():
        mark = "" if one.within else "  too long"
        print(f"{name:32} {one.words:5} {one.lines:14} {one.width:7} {one.asserts:14}{mark}")
    print(f"{'at most':32} {WORDS:5} {LINES:14} {WIDTH:7} {0:14}")
    return int(not all(one.within for one in lengths.values()))


if __name__ == "__main__":
    sys.exit(main())
