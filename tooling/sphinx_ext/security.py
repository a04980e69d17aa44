"""Security: a content security policy in every page, which names no origin but the site's own.

The policy's scripts are the site's own files and the inline scripts that the page holds at this
moment, each by its hash. So this runs on the finished HTML, after all else that writes into it, and
whatever is put into a page later, by an error or by an attack, does not run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

# KaTeX sets sizes as style attributes, notebooks' tables and the index bring their own, and an
# explorer brings its style sheet along, so 'unsafe-inline' has to stay for styles. A style that
# could ask for anything elsewhere is still held back, by img-src and font-src.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'{hashes}",  # the network in the browser is WebAssembly
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",  # explorers' pictures; a reader's own photograph
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
EXECUTED = ("", "module", "text/javascript", "application/javascript")
MARK = '<meta http-equiv="Content-Security-Policy"'
# A page must say within its first 1024 bytes how it is encoded, and the hashes need their room.
START = re.compile(r'<head>\s*<meta charset="utf-8"\s*/?>\n?', re.IGNORECASE)


def policy(page: str) -> str:
    """Return the policy for a page, with the hash of each script that the page holds.

    Raises
    ------
    ValueError
        If an element carries its handler as an attribute, which no hash can allow.
    """
    soup = BeautifulSoup(page, "html.parser")
    for element in soup.find_all(True):
        for name in element.attrs:
            if name.startswith("on"):
                raise ValueError(
                    f"expected no handlers in attributes, got {name}={element[name]!r} on "
                    f"<{element.name}>, which the content security policy would block. Attach it in "
                    "a script of book/static."
                )
    inline = [
        script.get_text()
        for script in soup.find_all("script", src=False)
        if str(script.get("type", "")).strip().lower() in EXECUTED
    ]
    digests = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline}
    return POLICY.format(hashes="".join(f" 'sha256-{digest}'" for digest in sorted(digests)))


def with_policy(page: str) -> str:
    """Return the page with a policy right after the declaration of its encoding.

    Raises
    ------
    ValueError
        If the page's head does not begin with that declaration, or it holds a handler attribute.
    """
    start = START.search(page)
    if start is None:
        raise ValueError('expected a page that begins with <head><meta charset="utf-8">, got none')
    head, rest = page[: start.end()], page[start.end() :]
    if rest.startswith(MARK):  # left by an earlier build
        return page
    return f'{head}{MARK} content="{policy(page)}">\n{rest}'


def protect(app: Sphinx, exception: Exception | None) -> None:
    """Write the policy into every page of the site."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in sorted(out.rglob("*.html")):
        if "_static" in path.relative_to(out).parts:
            continue
        try:
            path.write_text(with_policy(path.read_text(encoding="utf-8")), encoding="utf-8")
        except ValueError as error:
            raise ExtensionError(f"{path.relative_to(out)}: {error}") from error


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event; the late priority lets every other extension write first."""
    app.connect("build-finished", protect, priority=950)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
