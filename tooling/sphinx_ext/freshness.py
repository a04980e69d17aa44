"""Freshness: what a page is made from decides when it is made again.

Sphinx looks at the page's source alone, and the cache of executed notebooks at the cells alone. So
neither notices that camlib, a style sheet or a template has changed. Here each of these gets a
digest that takes part in the configuration: a changed library executes the notebooks again, and a
changed look writes the pages again.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

LIBRARY = ("camlib/**/*", "camcourse/checks/**/*", "camcourse/quizzes/**/*", "constraints.txt")
LOOK = (
    "book/static/**/*",
    "tooling/sphinx_ext/**/*",
    "camlib/explorers/**/*.mjs",
    "_web/*fingerprint",
)


def digest(root: Path, patterns: Iterable[str]) -> str:
    """Return a short digest of the names and contents of the files that match ``patterns``."""
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    total = hashlib.sha256()
    for path in sorted(found):
        if "__pycache__" in path.parts:
            continue
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def add_digests(app: Sphinx, config: Config) -> None:
    """Name the cache of executed notebooks after the library's digest, and note the look's digest."""
    root = Path(app.srcdir)
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    cache = Path(app.outdir).parent / ".jupyter_cache" / f"{digest(root, LIBRARY)}-{python}"
    config.nb_execution_cache_path = str(cache)
    config.site_look = digest(root, LOOK)


def drop_old_caches(app: Sphinx, exception: Exception | None) -> None:
    """After a build that went well, remove the caches of earlier states of the library."""
    if exception is not None or app.config.nb_execution_mode != "cache":
        return
    current = Path(app.config.nb_execution_cache_path)
    for other in current.parent.glob("*"):
        if other != current and other.is_dir():
            shutil.rmtree(other)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the look's digest and connect the events."""
    app.add_config_value("site_look", "", "html", str)
    app.connect("config-inited", add_digests)
    app.connect("build-finished", drop_old_caches)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
