"""The committed notebooks show the pictures that their cells draw when `make book` runs."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.book.differences import difference, drawn
from tooling.notebooks import listed
from tooling.repository import ROOT

EXECUTED = ROOT / "_build" / "jupyter_execute"


def code_cells(path: Path) -> list[Any]:
    """Read a notebook's code cells."""
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", listed(), ids=lambda path: path.stem)
def test_pictures_are_what_the_chapter_draws_now(path: Path) -> None:
    """Each picture and each table behind an explorer, cell by cell."""
    executed = EXECUTED / path.relative_to(ROOT)
    assert executed.exists(), f"{executed.relative_to(ROOT)} is missing: run `make book` first"
    assert executed.stat().st_mtime > path.stat().st_mtime, f"{path.name} changed since `make book`"
    committed, fresh = code_cells(path), code_cells(executed)
    assert [cell.source for cell in committed] == [cell.source for cell in fresh]
    for number, (old, new) in enumerate(zip(committed, fresh, strict=True), start=1):
        where = f"{path.name}, code cell {number} ({old.source.splitlines()[0]!r})"
        before, after = list(drawn(old)), list(drawn(new))
        kinds = [kind for kind, _ in before]
        assert kinds == [kind for kind, _ in after], f"{where} shows other kinds of output"
        for (kind, content), (_, anew) in zip(before, after, strict=True):
            found = difference(kind, content, anew)
            assert found is None, f"{where}: {found}"
