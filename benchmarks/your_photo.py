"""How long a reader of "Your photograph" waits for the map: at the first visit, and afterwards."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

import camlib
from benchmarks.browsing import SITE, WINDOW, reader
from benchmarks.goals import FIRST_VISIT, WARM, Result

FILES = ("cat.png", "coffee.png", "rocket.jpg", "astronaut.jpg")

# From a file's choice to the paint of its map: a message posted in a frame arrives after its paint.
TIME = """async ([octets, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(octets), (c) => c.charCodeAt(0))], name));
  const input = document.querySelector('.yp-file');
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await frame();
  const start = performance.now();
  input.files = data.files;
  input.dispatchEvent(new Event('change'));
  const shown = () => document.querySelector('.yp-seen strong')?.textContent === name
    && document.querySelector('.yp-result .cx-heat');
  while (!shown()) {
    if (!document.querySelector('.yp-problem').hidden) throw new Error('refused');
    await frame();
  }
  const { port1, port2 } = new MessageChannel();
  await new Promise((done) => { port1.onmessage = done; port2.postMessage(null); });
  return performance.now() - start;
}"""
# The same from the start of the visit: performance.now() counts from there.
SINCE_START = f"""async (given) => {{
  while (!document.querySelector('[data-camlib-app][data-awake] .yp-file')) {{
    await new Promise((done) => setTimeout(done, 5));
  }}
  await ({TIME})(given);
  return performance.now();
}}"""


def measure(visits: int = 3, turns: int = 20, site: Path = SITE) -> Iterator[Result]:
    """Time the first visit, with an empty cache and a reader who chooses at once, and later choices.

    A choice takes from the file to the paint of its map, decoding included; the book's photographs
    come in turn.
    """
    with reader(site) as (chromium, address):
        page = f"{address}book/your-photo.html"
        first = [_first_visit(chromium, page) for _ in range(visits)]
        yield Result("your photograph", 1, {FIRST_VISIT: [time / 1000 for time in first]})
        warm = _warm(chromium, page, turns)
        yield Result("your photograph", 1, {WARM: [time / 1000 for time in warm]})


def _first_visit(chromium: Browser, address: str) -> float:
    context = chromium.new_context(viewport=WINDOW)  # nothing is in its cache
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_selector('[data-camlib-app="your_photo"]', state="attached")
    time: float = page.evaluate(SINCE_START, photograph(FILES[0]))
    context.close()
    return time


def _warm(chromium: Browser, address: str, turns: int) -> list[float]:
    page = chromium.new_page(viewport=WINDOW)
    page.goto(address)
    page.wait_for_selector('[data-camlib-app="your_photo"][data-awake]')
    given = [photograph(file) for file in FILES]
    for pair in given:  # what is compiled at the first time is not the reader's
        page.evaluate(TIME, pair)
    times = [page.evaluate(TIME, given[turn % len(given)]) for turn in range(turns)]
    page.close()
    return times


def photograph(file: str) -> tuple[str, str]:
    """Return a photograph of the book as base64, and its name."""
    octets = (Path(camlib.__file__).parent / "assets" / "photos" / file).read_bytes()
    return base64.b64encode(octets).decode(), file
