"""Security: a content security policy in every page, which names no origin but the site's own.

The policy's scripts are the site's own files and the inline scripts that the page holds at this
moment, each by its hash. So this runs on the finished HTML, after all else that writes into it, and
whatever is put into a page later, by an error or by an attack, does not run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

# MathJax sets sizes as style attributes, notebooks' tables and the index bring their own, and an
# explorer brings its style sheet along, so 'unsafe-inline' has to stay for styles. A style that
# could ask for anything elsewhere is still held back, by img-src and font-src.
DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",  # the network in the browser is WebAssembly
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",  # explorers' pictures; a reader's own photograph
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
EXECUTED = {"", "module", "text/javascript", "application/javascript"}
MARK = '<meta http-equiv="Content-Security-Policy"'
PRESENT = re.compile(rf'{MARK} content="[^"]*"/?>\n?')
# A page must say within its first 1024 bytes how it is encoded, and the hashes need their room.
START = re.compile(r'<head>\s*<meta charset="utf-8"\s*/?>\n?', re.IGNORECASE)


class Scripts(HTMLParser):
    """Collects what a browser would execute: inline scripts, and handlers written as attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.handlers: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note handlers, and whether the text that follows is a script."""
        names = dict(attrs)
        self.handlers += [
            f"{name}={value!r} on <{tag}>" for name, value in attrs if name[:2] == "on"
        ]
        kind = (names.get("type") or "").strip().lower()
        self._open = tag == "script" and "src" not in names and kind in EXECUTED
        if self._open:
            self.inline.append("")

    def handle_data(self, data: str) -> None:
        """Add to the script that is open."""
        if self._open:
            self.inline[-1] += data

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        self._open = False


def policy(page: str) -> str:
    """Return the policy for a page: the directives, with the hash of each script the page holds.

    Raises
    ------
    ValueError
        If an element carries its handler as an attribute, which no hash can allow.
    """
    scripts = Scripts()
    scripts.feed(page)
    scripts.close()
    if scripts.handlers:
        raise ValueError(
            f"expected no handlers in attributes, got {scripts.handlers[0]}, which the content "
            "security policy would block. Attach it in a script of book/static."
        )
    digests = sorted(
        {
            base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            for text in scripts.inline
        }
    )
    hashes = "".join(f" 'sha256-{digest}'" for digest in digests)
    return "; ".join(
        f"{name} {value}{hashes if name == 'script-src' else ''}"
        for name, value in DIRECTIVES.items()
    )


def with_policy(page: str) -> str:
    """Return the page with its policy right after the declaration of its encoding.

    Raises
    ------
    ValueError
        If the page's head does not begin with that declaration, or it holds a handler attribute.
    """
    page = PRESENT.sub("", page)
    start = START.search(page)
    if start is None:
        raise ValueError('expected a page that begins with <head><meta charset="utf-8">, got none')
    tag = f'{MARK} content="{policy(page)}">\n'
    return page[: start.end()] + tag + page[start.end() :]


def protect(app: Sphinx, exception: Exception | None) -> None:
    """Write the policy into every page of the site, those of an earlier build included."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in sorted(out.rglob("*.html")):
        if "_static" in path.relative_to(out).parts:
            continue
        page = path.read_text(encoding="utf-8")
        try:
            safe = with_policy(page)
        except ValueError as error:
            raise ExtensionError(f"{path.relative_to(out)}: {error}") from error
        if safe != page:
            path.write_text(safe, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event; the late priority lets every other extension write first."""
    app.connect("build-finished", protect, priority=950)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
