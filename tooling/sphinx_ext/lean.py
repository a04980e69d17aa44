"""Lean: what the theme writes into every page and this book does without, taken out again.

* Font Awesome's script, half a megabyte compressed, replaces a dozen icons; a small style sheet
  (``icons.css``, made by ``tooling/web_assets.py``) draws them, without scripts as well.
* The live-code service leaves a configuration and a script behind that nothing reads.
* Scripts that a page needs only once it is there would keep it from being shown: they are deferred, in
  their order.
* The print button's handler stands in an attribute, where no security policy can allow it;
  ``controls.mjs`` attaches it.

The front door, which leads to the first page, is written here too: the tools' own is no full page.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

SURPLUS = (
    re.compile(r"\s*<!-- So that users can add custom icons -->"),
    re.compile(r'\s*<script defer src="[^"]*/fontawesome\.js[^"]*"></script>'),
    re.compile(r'\s*<script type="text/x-thebe-config">.*?</script>', re.DOTALL),
    re.compile(r"\s*<script>\s*kernelName = '[^']*'\s*</script>"),
    re.compile(r' onclick="window\.print\(\)"'),
)
# All of them wait for the page anyway, or define what later ones use.
LATE = re.compile(
    r"<script(?! defer)(?P<rest>(?: [a-z-]+=\"[^\"]*\")* src=\"[^\"]*/?(?:clipboard\.min|copybutton|"
    r"design-tabs|doctools|language_data|searchindex|searchtools|sphinx-book-theme|"
    r"sphinx_highlight|togglebutton)\.js[^\"]*\">)"
)
UNUSED = (
    "scripts/fontawesome.*",
    "sphinx-thebe.*",
    "vendor/fontawesome/**/*.*",
    "*webpack-macros.html",
    "locales/**/*.*",
)
DOOR = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={target}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
</head>
<body><main><h1>{title}</h1><p><a href="{target}">To the first page</a></p></main></body>
</html>
"""


def leaner(page: str) -> str:
    """Return a page's HTML without what it has no use for."""
    for pattern in SURPLUS:
        page = pattern.sub("", page)
    return LATE.sub(r"<script defer\g<rest>", page)


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Go over all pages and static files once they are written."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        if (lean := leaner(page)) != page:
            path.write_text(lean, encoding="utf-8")
    for pattern in UNUSED:
        for path in out.joinpath("_static").glob(pattern):
            path.unlink()
    door = DOOR.format(
        target=html.escape(app.builder.get_target_uri(app.config.root_doc)),
        title=html.escape(app.config.html_title or app.config.project),
    )
    (out / "index.html").write_text(door, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event; later than the tools, earlier than the security policy."""
    app.connect("build-finished", finish, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
