"""How long a reader of "Your photograph" waits for the map: at the first visit, and afterwards."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

import camlib
from tooling import browser, serve

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
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


def measure_first_visit(count: int = 3) -> float:
    """Return the median time in milliseconds from opening the page to the first map.

    With an empty cache, from a server on this machine, by a reader who chooses at once.
    """
    with browser_and_address() as (page, address):
        times = []
        for _ in range(count):
            assert page.context.browser is not None
            fresh = page.context.browser.new_context(viewport={"width": 1280, "height": 900})
            opened = fresh.new_page()
            opened.goto(address, wait_until="commit")
            opened.wait_for_selector('[data-camlib-app="your_photo"]', state="attached")
            times.append(opened.evaluate(SINCE_START, photograph(FILES[0])))
            fresh.close()
        return median(times)


def measure_warm(count: int = 20) -> float:
    """Return the median time in milliseconds from the choice of a photograph to its map.

    The network is loaded; the book's four photographs come in turn, decoding included.
    """
    with browser_and_address() as (page, address):
        page.goto(address)
        page.wait_for_selector('[data-camlib-app="your_photo"][data-awake]')
        given = [photograph(file) for file in FILES]
        for pair in given:  # what is compiled at the first time is not the reader's
            page.evaluate(TIME, pair)
        return median(page.evaluate(TIME, given[turn % len(given)]) for turn in range(count))


def photograph(file: str) -> tuple[str, str]:
    """Return a photograph of the book as base64, and its name."""
    octets = (Path(camlib.__file__).parent / "assets" / "photos" / file).read_bytes()
    return base64.b64encode(octets).decode(), file


@contextmanager
def browser_and_address() -> Iterator[tuple[Page, str]]:
    """Serve the built book on this machine and open Chromium."""
    with serve.server(port=0) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=list(FLAGS))
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        yield page, f"http://127.0.0.1:{server.server_port}/book/your-photo.html"
        chromium.close()
        server.shutdown()


if __name__ == "__main__":
    print(f"first visit: {measure_first_visit():.0f} ms, warm: {measure_warm():.0f} ms")
