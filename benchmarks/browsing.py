"""The built book on a local server that compresses, and Chromium to read it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tooling import browser, serve

SITE = serve.SITE
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
WINDOW = {"width": 1280, "height": 900}


@contextmanager
def reader(site: Path = SITE) -> Iterator[tuple[Browser, str]]:
    """Serve the book and start Chromium; yields it and the book's address, which ends in a slash."""
    with serve.server(site, port=0) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=list(FLAGS))
        yield chromium, f"http://127.0.0.1:{server.server_port}/"
        chromium.close()
        server.shutdown()


def explorers_of(page: str, site: Path = SITE) -> list[str]:
    """Return the names of the explorers and apps that a page holds, in their order."""
    text = (site / f"{page}.html").read_text(encoding="utf-8")
    return re.findall(r'data-camlib-(?:explorer|app)="(\w+)"', text)
