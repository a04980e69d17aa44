"""Every notebook is committed executed, in one form, small, its pictures described in words."""

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tooling import notebooks
from tooling.repository import ROOT, address

NOTEBOOKS = notebooks.listed()
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str = "code") -> list[Any]:
    """Read a notebook's cells of one kind."""
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def names(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell's code reads, and those that it gives a value."""
    code = re.sub(r"^(\s*)%.*", r"\1pass", source, flags=re.MULTILINE)  # IPython's own commands
    found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
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
    """`make format` would change nothing."""
    assert notebooks.formatted(path, address()) == path.read_text(encoding="utf-8")


@each_notebook
def test_small(path: Path) -> None:
    """Below 500 kB, pictures included."""
    assert path.stat().st_size < 500_000


@each_notebook
def test_executed_from_top_to_bottom(path: Path) -> None:
    """Each code cell has been run, one after the other."""
    counts = [cell.execution_count for cell in cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_errors_are_announced(path: Path) -> None:
    """A cell holds an error exactly if its tag says that the error is the lesson."""
    for cell in cells(path):
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in tags(cell)), cell.source


@each_notebook
def test_no_cell_warns(path: Path) -> None:
    """Nothing is written to the error stream."""
    for cell in cells(path):
        streams = [output.get("name") for output in cell.outputs]
        assert "stderr" not in streams, cell.source


@each_notebook
def test_no_cell_escapes_the_comparison(path: Path) -> None:
    """No tag keeps a cell from being run again; its output is compared, but for live training.

    A training on the spot ends differently on every machine. Only a cell that uses what came out of
    one may go uncompared.
    """
    escapes = {"nbval-skip", "nbval-raises-exception", "skip-execution"}
    live: set[str] = set()
    for cell in cells(path):
        assert not escapes & set(tags(cell)), cell.source
        assert "NBVAL_" not in cell.source
        used, given = names(cell.source)
        if live & used or "train" in used:
            live |= given
        assert "nbval-ignore-output" not in tags(cell) or live & used, cell.source


@each_notebook
def test_pictures_are_described(path: Path) -> None:
    """A cell that shows a picture says in its metadata what is to be seen."""
    for cell in cells(path):
        shows = any(
            kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {})
        )
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert not shows or len(alt) >= 15, f"{path.name}: needs an alt text:\n{cell.source}"


@each_notebook
def test_cells_are_short(path: Path) -> None:
    """At most 15 lines of code, empty ones aside: what the eye takes in at once."""
    for cell in cells(path):
        assert sum(bool(line) for line in cell.source.splitlines()) <= 15, cell.source


@each_notebook
def test_no_widget_state(path: Path) -> None:
    """The state of widgets would be a second copy of the data."""
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
