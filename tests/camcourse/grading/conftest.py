"""A course with one small assignment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from camcourse import masters
from tests.camcourse.grading import small

Install = Callable[..., masters.Master]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that makes a master of some cells, or the usual ones, the only one of the course."""
    folders = (tmp_path / f"source-{number}" for number in range(10))

    def install(cells: list[Any] | None = None) -> masters.Master:
        folder = next(folders)
        small.write(folder, small.whole() if cells is None else cells)
        monkeypatch.setattr(masters, "SOURCES", folder)
        return masters.read(small.NAME)

    return install


@pytest.fixture
def master(install: Install) -> masters.Master:
    """Install the usual master."""
    return install()
