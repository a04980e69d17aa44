"""The committed notebooks show the pictures that their cells draw when `make book` runs.

The runs lie in the cache that `make book` fills, under the digest of the camlib that ran. (The
folder jupyter_execute does not tell: after a hit in the cache it holds the committed outputs.)
"""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.book.differences import difference, drawn
from tooling.notebooks import listed
from tooling.repository import ROOT
from tooling.sphinx_ext.settings import cache_of

CACHE = cache_of(ROOT / "_build", ROOT) / "executed"
LIVE = "nbval-ignore-output"  # nbval's own tag: run the cell, do not compare


def code_cells(path: Path) -> list[Any]:
    """Read a notebook's code cells."""
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def sources(cells: list[Any]) -> list[str]:
    """Return the cells' code: it tells which run belongs to which notebook."""
    return [cell.source for cell in cells]


@pytest.fixture(scope="module")
def runs() -> list[list[Any]]:
    """Read the code cells of all chapters as `make book` has executed them."""
    found = [code_cells(path) for path in sorted(CACHE.glob("*/base.ipynb"))]
    assert found, "no executed chapters for this state of camlib: run `make book` first"
    return found


@pytest.mark.parametrize("path", listed(), ids=lambda path: path.stem)
def test_pictures_are_what_the_chapter_draws_now(path: Path, runs: list[list[Any]]) -> None:
    """Each picture and each table behind an explorer, cell by cell.

    A cell that shows what a training on the spot has brought shows something else on every machine;
    it must show something of the same kinds.
    """
    committed = code_cells(path)
    fresh = next((cells for cells in runs if sources(cells) == sources(committed)), None)
    assert fresh is not None, f"{path.name} has changed: run `make book` first"
    for number, (old, new) in enumerate(zip(committed, fresh, strict=True), start=1):
        where = f"{path.name}, code cell {number} ({old.source.splitlines()[0]!r})"
        before, after = list(drawn(old)), list(drawn(new))
        kinds = [kind for kind, _ in before]
        assert kinds == [kind for kind, _ in after], f"{where} shows other kinds of output"
        if LIVE in old.metadata.get("tags", []):
            continue
        for (kind, content), (_, again) in zip(before, after, strict=True):
            found = difference(kind, content, again)
            assert found is None, f"{where}: {found}"
