"""What a page costs its reader: time until there is something to see, time until it answers, bytes."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.browsing import SITE, WINDOW, explorers_of, reader
from benchmarks.goals import ALL_CODE, EXPLORER_CODE, FIRST_PAINT, READY, TRANSFER, Result

# Pages that load on demand what no chapter does; but for the explorers' code their goals are their own.
BY_THEMSELVES = ("book/your-photo",)
MARKS = """(names) => [
    performance.getEntriesByName("first-contentful-paint")[0].startTime,
    ...names.map((name) => performance.getEntriesByName(name)[0].startTime),
]"""
CODE = """() => performance.getEntriesByType("resource")
    .filter(({ name }) => name.includes("/_static/explorers/"))
    .reduce((total, { encodedBodySize }) => total + encodedBodySize, 0)"""


@dataclass(frozen=True)
class Cost:
    """One first visit: seconds until there is a paint, until the explorers answer; megabytes received."""

    paint: float
    ready: float
    received: float
    code: float


def measure(pages: Sequence[str], count: int = 5, site: Path = SITE) -> Iterator[Result]:
    """Visit each page ``count`` times, each time for the first time, and weigh the explorers' code."""
    with reader(site) as (chromium, address):
        _visit(chromium, f"{address}{pages[0]}.html", [])  # the browser's own first page
        for name in pages:
            explorers = sorted(set(explorers_of(name, site)))
            visits = 1 if name in BY_THEMSELVES else count
            costs = [_visit(chromium, f"{address}{name}.html", explorers) for _ in range(visits)]
            if name not in BY_THEMSELVES:
                readies = {READY: [cost.ready for cost in costs]} if explorers else {}
                yield Result(name, 1, {FIRST_PAINT: [cost.paint for cost in costs]} | readies)
                yield Result(name, 1, {TRANSFER: [cost.received for cost in costs]}, unit="kB")
            if any(cost.code for cost in costs):
                yield Result(name, 1, {EXPLORER_CODE: [cost.code for cost in costs]}, unit="kB")
    yield Result("all explorers", 1, {ALL_CODE: [code_size(site)]}, unit="kB")


def code_size(site: Path = SITE) -> float:
    """Return the size in megabytes of all explorers' modules, each compressed as it is served."""
    modules = sorted((site / "_static" / "explorers").rglob("*.mjs"))
    if not modules:
        raise ValueError(f"site: expected the explorers' modules in {site}, got none. `make book`?")
    return sum(len(gzip.compress(module.read_bytes(), 6, mtime=0)) for module in modules) / 1e6


def _visit(chromium: Browser, address: str, explorers: list[str]) -> Cost:
    """Visit a page with an empty cache, until its explorers answer."""
    context = chromium.new_context(viewport=WINDOW)  # nothing is in its cache
    page = context.new_page()
    received: list[float] = []
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(address, wait_until="networkidle")
    names = [f"explorer {name}" for name in explorers]
    page.wait_for_function(
        "(names) => [...names, 'first-contentful-paint']"
        ".every((name) => performance.getEntriesByName(name).length)",
        arg=names,
    )
    paint, *ready = page.evaluate(MARKS, names)
    code = page.evaluate(CODE)
    context.close()
    return Cost(paint / 1000, max(ready, default=0.0) / 1000, sum(received) / 1e6, code / 1e6)
