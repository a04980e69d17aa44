"""Pages: corrections to what the book's tools write, made through Sphinx's events.

The folder ``templates`` holds the other corrections, wherever the theme's templates can say it.
"""

from __future__ import annotations

import base64
import hashlib
import html
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.inspect import stringify_signature

# Written by MyST-NB into pages that show widgets; an explorer's HTML holds its data already.
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
# Later scripts read it while they load.
FIRST_SCRIPT = "_static/documentation_options.js"
# Static files of the theme that no page asks for: icons.css draws the icons, and the book is in English.
UNUSED = (
    "scripts/fontawesome.*",
    "vendor/fontawesome/**/*.*",
    "*webpack-macros.html",
    "locales/**/*.*",
)
# WCAG: a list consists of list items, a control's name holds the words that are seen on it.
CORRECTIONS = (
    # Sphinx: the entries of a bibliography, in an element with the role "list".
    (re.compile(r'(<div class="citation"[^>]*) role="doc-biblioentry"'), r'\1 role="listitem"'),
    # MyST-NB: the fold above a hidden cell, which reads "Show code cell source".
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
)
# Photographs in figures; what is smaller costs less within the page than a request of its own.
RASTER = re.compile(r'href="data:image/(webp|png);base64,([A-Za-z0-9+/=]{2000,})"')
# Sphinx: a signature with one parameter a line is a definition list without terms.
SIGNATURE = re.compile(r'<dl>\s*(<dd><em class="sig-param">.*?)\s*</dl>', re.DOTALL)


def mark_captions(app: Sphinx, document: nodes.document) -> None:
    """Give a paragraph of emphasis alone, right after a code cell, the class ``caption-below``."""
    for paragraph in document.findall(nodes.paragraph):
        alone = len(paragraph.children) == 1 and isinstance(paragraph[0], nodes.emphasis)
        before = paragraph.previous_sibling()
        if (
            alone
            and isinstance(before, nodes.container)
            and before.get("nb_element") == "cell_code"
        ):
            paragraph["classes"].append("caption-below")


class Looks(SphinxPostTransform):
    """Name what the style sheet looks for.

    It could ask itself (``:has``), but then the browser asks again at every change within an explorer.
    """

    default_priority = 199  # once MyST-NB has folded code
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Give outputs that hold an explorer, and cells that end in text, a class."""
        for shown in self.document.findall(nodes.raw):
            if "camlib-explorer" in shown.astext():
                shown["classes"].append("holds-explorer")
        for cell in self.document.findall(is_folded):
            last = cell.children[-1].children[-1:]
            if last and {"stream", "text_plain"} & set(last[0].get("classes", ())):
                cell["classes"].append("ends-in-text")


class FoldedCodeBelow(SphinxPostTransform):
    """Put a cell's folded code below what it draws or prints, and below the caption of that."""

    default_priority = 200  # right after MyST-NB has folded it
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Move the folds of a page."""
        for cell in list(self.document.findall(nodes.container)):
            if not is_folded(cell):
                continue
            fold, after = cell.pop(0), cell.next_node(descend=False, siblings=True)
            if isinstance(after, nodes.paragraph) and "caption-below" in after["classes"]:
                after.parent.remove(after)
                cell.append(after)
            cell.append(fold)


class OneFold(SphinxPostTransform):
    """Put folded code that shows nothing into the fold of the cell right behind it."""

    default_priority = 199  # once MyST-NB has folded it, before it is put below
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Join the folds of a page."""
        for cell in list(self.document.findall(nodes.container)):
            behind = cell.next_node(descend=False, siblings=True)
            if is_folded(cell) and len(cell) == 1 and behind is not None and is_folded(behind):
                behind[0].insert(0, cell[0].children)
                cell.parent.remove(cell)


def is_folded(node: nodes.Node) -> bool:
    """Say whether a node is a cell whose code is folded."""
    cell = isinstance(node, nodes.container) and node.get("hide_mode") == "input"
    return cell and bool(node.children) and isinstance(node[0], HideCodeCellNode)


class Figure(nodes.General, nodes.Element):  # type: ignore[misc]
    """A figure as a part of the page, its SVG in the attribute ``svg``."""


class FiguresInPlace(SphinxPostTransform):
    """Make figures parts of their page, which gives them ink and letters; their photographs become files."""

    default_priority = 190
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Replace the figures that code cells show."""
        for image in list(self.document.findall(nodes.image)):
            file = Path(self.app.srcdir, image["uri"])
            if file.suffix != ".svg" or not file.is_relative_to(self.app.outdir.parent):
                continue
            svg = RASTER.sub(self.written, file.read_text(encoding="utf-8"))
            label = html.escape(image.get("alt", ""))
            svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
            image.replace_self(Figure(svg=svg))

    def written(self, match: re.Match[str]) -> str:
        """Write a photograph beside the page, once for all pages that show it; return its address."""
        octets = base64.b64decode(match[2])
        name = f"{hashlib.sha256(octets).hexdigest()[:16]}.{match[1]}"
        folder = Path(self.app.outdir, "_images")
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(octets)
        return f'href="{"../" * self.env.docname.count("/")}_images/{name}"'


def put_figure(translator: Any, node: Figure) -> None:
    """Write a figure into a page."""
    translator.body.append(node["svg"])
    raise nodes.SkipNode


def signature_of_init(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returned: Any
) -> tuple[str, None] | None:
    """Document a widget class with the arguments of its own ``__init__``.

    The widgets' base class defines a ``__new__`` that takes anything, and autodoc would show that.
    """
    if what != "class" or not (signature or "").startswith("(*args"):
        return None
    parameters = list(inspect.signature(obj.__init__).parameters.values())[1:]
    shown = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    return stringify_signature(inspect.Signature(shown)), None


def correct(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Settle what a page loads and when, its description, and what it tells assistive technology."""
    scripts = [one for one in context["script_files"] if one.attributes.get("type") != WIDGET_STATE]
    context["script_files"] = scripts
    for script in scripts:
        # All of them wait for the page, or define what later ones use: none has to hold it up.
        late = script.filename and script.filename != FIRST_SCRIPT
        if late and "type" not in script.attributes:
            script.attributes.setdefault("defer", "defer")
    if description := first_words(doctree):
        tag = f'<meta name="description" content="{html.escape(description)}"/>'
        context["metatags"] = context.get("metatags", "") + "\n" + tag
    if "body" in context:
        context["body"] = corrected(context["body"])


def first_words(doctree: nodes.document | None) -> str:
    """Return the beginning of a page's first paragraph, without what it holds as HTML."""
    paragraph = next(doctree.findall(nodes.paragraph), None) if doctree else None
    words = paragraph.findall(nodes.Text) if paragraph else ()
    text = "".join(word for word in words if not isinstance(word.parent, nodes.raw))
    return textwrap.shorten(text, 162, placeholder=" …", break_on_hyphens=False)


def corrected(body: str) -> str:
    """Return a page's HTML with the corrections made."""
    for pattern, replacement in CORRECTIONS:
        body = pattern.sub(replacement, body)
    return SIGNATURE.sub(
        lambda match: (
            match[1].replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>")
        ),
        body,
    )


def drop_unused(app: Sphinx, exception: Exception | None) -> None:
    """Remove the theme's static files that no page asks for."""
    for pattern in UNUSED:
        for path in (Path(app.outdir) / "_static").glob(pattern):
            path.unlink()


def escape_stars(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Escape the star in an attribute's type such as ``Float[Tensor, "n c *places"]``.

    Napoleon copies it from the annotation, and it would begin an emphasis.
    """
    lines[:] = [
        line.replace(" *", r" \*") if line.startswith(":vartype ") else line for line in lines
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the events; the late priority lets other extensions add their scripts first."""
    app.connect("autodoc-process-docstring", escape_stars, priority=900)  # after Napoleon
    app.connect("doctree-read", mark_captions)
    app.add_node(Figure, html=(put_figure, None))
    app.add_post_transform(FiguresInPlace)
    app.add_post_transform(Looks)
    app.add_post_transform(OneFold)
    app.add_post_transform(FoldedCodeBelow)
    app.connect("autodoc-process-signature", signature_of_init)
    app.connect("html-page-context", correct, priority=900)
    app.connect("build-finished", drop_unused)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
