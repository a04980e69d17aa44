"""Captions: a paragraph in italics, right after a code cell, says what its picture shows.

Such a paragraph gets the class ``caption-below``, so that the style sheet can tell it from a
paragraph that merely is in italics.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def is_cell(node: nodes.Node | None) -> bool:
    """Tell whether ``node`` is a notebook's code cell."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def mark_captions(app: Sphinx, document: nodes.document) -> None:
    """Mark each paragraph that consists of emphasis alone and follows a code cell."""
    for paragraph in document.findall(nodes.paragraph):
        alone = len(paragraph.children) == 1 and isinstance(paragraph[0], nodes.emphasis)
        if not alone or paragraph.parent is None:
            continue
        position = paragraph.parent.index(paragraph)
        if position and is_cell(paragraph.parent[position - 1]):
            paragraph["classes"].append("caption-below")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event."""
    app.connect("doctree-read", mark_captions)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
