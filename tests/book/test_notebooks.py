"""Every notebook is committed executed, in one form, small, its pictures described in words."""

import ast
import functools
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tooling import notebooks
from tooling.repository import ROOT, address

NOTEBOOKS = notebooks.listed()
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@functools.cache
def read(path: Path) -> Any:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def code(path: Path) -> list[Any]:
    """Return a notebook's cells of code."""
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def names(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell's code reads, and those that it gives a value."""
    plain = re.sub(r"^(\s*)%.*", r"\1pass", source, flags=re.MULTILINE)  # IPython's own commands
    found = [node for node in ast.walk(ast.parse(plain)) if isinstance(node, ast.Name)]
    used = {node.id for node in found if isinstance(node.ctx, ast.Load)}
    return used, {node.id for node in found if isinstance(node.ctx, ast.Store)}


def tags(cell: Any) -> list[str]:
    """Return the tags of a cell."""
    return list(cell.metadata.get("tags", []))


def test_every_notebook_is_in_the_table_of_contents() -> None:
    """What _toc.yml does not name is neither built nor tested."""
    present = {
        path for path in (ROOT / "book").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts
    }
    assert present
    assert present == set(NOTEBOOKS)


@each_notebook
def test_form(path: Path) -> None:
    """`make format` would change nothing; below 600 kB, without widgets' state, a second copy of the data."""
    assert notebooks.formatted(path, address()) == path.read_text(encoding="utf-8")
    assert path.stat().st_size < 600_000
    assert "widgets" not in read(path).metadata


@each_notebook
def test_executed_from_top_to_bottom(path: Path) -> None:
    """Each code cell has been run, one after the other, without a word to the error stream.

    It holds an error exactly if its tag says that the error is the lesson.
    """
    for count, cell in enumerate(code(path), start=1):
        assert cell.execution_count == count, cell.source
        assert "stderr" not in [output.get("name") for output in cell.outputs], cell.source
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in tags(cell)), cell.source


@each_notebook
def test_no_cell_escapes_the_comparison(path: Path) -> None:
    """No tag keeps a cell from being run again; its output is compared, but for live training.

    A training on the spot ends differently on every machine. Only a cell that uses what came out of
    one may go uncompared.
    """
    escapes = {"nbval-skip", "nbval-raises-exception", "skip-execution"}
    live: set[str] = set()
    for cell in code(path):
        assert not escapes & set(tags(cell)), cell.source
        assert "NBVAL_" not in cell.source
        used, given = names(cell.source)
        if live & used or "train" in used:
            live |= given
        assert "nbval-ignore-output" not in tags(cell) or live & used, cell.source


@each_notebook
def test_cells_are_short_and_pictures_described(path: Path) -> None:
    """At most 15 lines of code, empty ones aside; what a picture shows stands in its cell's metadata."""
    for cell in code(path):
        assert sum(bool(line) for line in cell.source.splitlines()) <= 15, cell.source
        kinds = [kind for output in cell.outputs for kind in output.get("data", {})]
        shows = any(kind.startswith("image/") for kind in kinds)
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert not shows or len(alt) >= 15, f"{path.name}: needs an alt text:\n{cell.source}"
