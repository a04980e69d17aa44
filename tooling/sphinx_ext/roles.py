"""Roles: what the tools' HTML tells assistive technology, put right.

Each correction names the pattern that a tool writes and what should stand there instead. WCAG's
rules behind them: a list consists of list items, a definition list of terms and definitions, and a
control's name holds the words that are seen on it.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

CORRECTIONS = (
    # Sphinx: the entries of a bibliography, in an element with the role "list".
    (re.compile(r'(<div class="citation"[^>]*) role="doc-biblioentry"'), r'\1 role="listitem"'),
    # MyST-NB: the fold above a hidden cell, which reads "Show code cell source".
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
)
# Sphinx: a signature with one parameter a line is a definition list without terms.
SIGNATURE = re.compile(r'<dl>\s*(<dd><em class="sig-param">.*?)</dl>', re.DOTALL)


def corrected(body: str) -> str:
    """Return a page's HTML with the corrections made."""
    for pattern, replacement in CORRECTIONS:
        body = pattern.sub(replacement, body)
    return SIGNATURE.sub(
        lambda match: (
            match[1].replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>").strip()
        ),
        body,
    )


def correct(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Correct the page that is about to be written."""
    if "body" in context:
        context["body"] = corrected(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event."""
    app.connect("html-page-context", correct)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
