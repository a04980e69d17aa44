"""First party: pages that ask no other server for anything.

Jupyter Book's default extensions put the address of a live-code service into every page, twice, and
the saved state of widgets into pages that show them. This book uses neither, so both are taken out
before a page is written.
"""

from __future__ import annotations

import html
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def is_unwanted(asset: Any) -> bool:
    """Tell whether a script or style sheet belongs to the live-code service or to the widgets."""
    attributes = getattr(asset, "attributes", {})
    name = str(getattr(asset, "filename", None) or asset or "")
    body = str(attributes.get("body") or "")
    return (
        attributes.get("type") == WIDGET_STATE or "sphinx-thebe" in name or "THEBE_JS_URL" in body
    )


def drop_unwanted(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Take unwanted scripts and style sheets off the page."""
    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context.get(kind, ()) if not is_unwanted(asset)]


def describe(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Give the page a description, its first paragraph, for those who find it by a search."""
    if doctree is None:
        return
    paragraph = next(iter(doctree.findall(nodes.paragraph)), None)
    # Words alone: what is written as HTML within the paragraph would stand there as code.
    words = (
        [] if paragraph is None else paragraph.findall(lambda node: isinstance(node, nodes.Text))
    )
    text = "".join(word for word in words if not isinstance(word.parent, nodes.raw))
    text = " ".join(text.split())
    if text:
        short = text if len(text) <= 160 else text[:160].rsplit(" ", 1)[0] + " …"
        tag = f'<meta name="description" content="{html.escape(short)}"/>'
        context["metatags"] = context.get("metatags", "") + "\n" + tag


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the events; the late priority lets the other extensions add their scripts first."""
    app.connect("html-page-context", describe)
    app.connect("html-page-context", drop_unwanted, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
