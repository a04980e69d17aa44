"""Explorers: put the ES modules of ``camlib/explorers`` where the page's loader finds them.

There is one source of each module. Jupyter gets it as the widget's code, the page gets this copy,
and ``explorers.mjs`` beside the copies imports it for the elements that ask for it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx


def copy_modules(app: Sphinx, exception: Exception | None) -> None:
    """Copy every module into the site's static files, and remove those that are gone."""
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "explorers"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    source = Path(app.srcdir) / "camlib" / "explorers"
    for module in sorted(source.rglob("*.mjs")):
        copy = target / module.relative_to(source)
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(module, copy)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event."""
    app.connect("build-finished", copy_modules)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
