"""Say how far the site is, for Sphinx either says nothing (-q) or names every picture it copies."""

from __future__ import annotations

import time
from typing import Any

from sphinx.application import Sphinx

# Seconds between two lines at least.
PAUSE = 5.0


class Progress:
    """Prints a line per phase, and then at most every few seconds the page that Sphinx is at."""

    def __init__(self) -> None:
        self.last = 0.0
        self.phase = ""

    def say(self, phase: str, page: str) -> None:
        """Print that ``page`` is being read or written, unless a line was printed just now."""
        now = time.monotonic()
        if phase != self.phase or now - self.last >= PAUSE:
            print(f"{phase} {page} ...", flush=True)
            self.phase, self.last = phase, now


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the two events that each page gives."""
    progress = Progress()
    app.connect("source-read", lambda app, page, source: progress.say("reading", page))
    app.connect("html-page-context", lambda app, page, *_: progress.say("writing", page))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
