"""The book's own Sphinx extension: what the site needs beyond its tools, one module for each subject."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

PARTS = ("explorers", "licences", "pages", "progress", "security", "settings")


def setup(app: Sphinx) -> dict[str, Any]:
    """Set up every part."""
    for part in PARTS:
        app.setup_extension(f"{__name__}.{part}")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
