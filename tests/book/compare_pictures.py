"""Compare what nbval has run with the committed outputs, also where nbval itself compares badly: pictures.

python -m pytest -p tests.book.compare_pictures --nbval ...
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from nbval.plugin import IPyNbCell

from tests.book.differences import difference, drawn

LIVE = "nbval-ignore-output"  # nbval's own tag: run the cell, do not compare


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Compare each cell's pictures and the tables behind explorers once its text has been compared.

    A cell that shows what a training on the spot has brought shows something else on every machine; it
    must show something of the same kinds.
    """
    yield
    if isinstance(item, IPyNbCell):
        found = changed(item.cell, {"outputs": item.test_outputs})
        assert found is None, f"{item.name} ({item.cell.source.splitlines()[0]!r}): {found}"


def changed(old: Any, new: Any) -> str | None:
    """Return what two runs of a cell show differently, or None."""
    before, after = list(drawn(old)), list(drawn(new))
    if [kind for kind, _ in before] != [kind for kind, _ in after]:
        return "shows other kinds of output"
    if LIVE in old.metadata.get("tags", []):
        return None
    found = (difference(kind, a, b) for (kind, a), (_, b) in zip(before, after, strict=True))
    return next((words for words in found if words), None)
