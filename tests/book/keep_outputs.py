"""Keep what nbval has run, so that the site is built from the very outputs that were compared.

python -m pytest -p tests.book.keep_outputs --nbval ...
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell

from tooling.execution import keep

# How many cells of each chapter have printed what they should.
_passed: Counter[Path] = Counter()


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around the comparison of pictures
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Take over each cell's new outputs, and keep the chapter once all its cells have passed."""
    yield
    if isinstance(item, IPyNbCell):
        chapter = item.parent
        item.cell.outputs = item.test_outputs
        _passed[chapter.path] += 1
        if _passed[chapter.path] == sum(cell.cell_type == "code" for cell in chapter.nb.cells):
            keep(chapter.nb, chapter.path)
