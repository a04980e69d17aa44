"""The book's own Sphinx extension: one part for each thing that the site needs beyond its tools."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

PARTS = (
    "captions",
    "explorers",
    "first_party",
    "freshness",
    "launch",
    "lean",
    "licences",
    "roles",
    "security",
    "signatures",
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Set up every part."""
    for part in PARTS:
        app.setup_extension(f"{__name__}.{part}")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
