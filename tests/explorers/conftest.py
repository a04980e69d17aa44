"""A browser in which the ES modules run, and what an explorer's HTML holds, read as a page reads it."""

import base64
import functools
import io
import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Playwright, Request

import camlib
from camlib.explorers.explorer import Explorer
from tooling import browser as tooling_browser

Open = Callable[..., Page]
ADDRESS = "http://explorer.test/"
MODULES = Path(camlib.explorers.__file__).parent
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ font-family: sans-serif }} img {{ max-width: 100%; height: auto }}</style>
<main>{}</main></html>"""
VISITS = itertools.count(1)
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}

# ------------------------------------------------------------------ HTML


def html_of(explorer: Explorer) -> str:
    """The HTML for a page without a kernel."""
    return explorer._repr_mimebundle_()[0]["text/html"]


def found_in(explorer: Explorer, pattern: str) -> str:
    return re.search(pattern, html_of(explorer), re.DOTALL)[1]


def data_of(explorer: Explorer) -> dict[str, Any]:
    """What the ES module gets."""
    return json.loads(found_in(explorer, r'<script type="application/json">(.*)</script>'))


def array(address: str, dtype: str) -> np.ndarray:
    """The numbers of a data address."""
    head, body = address.split(",")
    assert head == f"data:application/x-{dtype};base64"
    return np.frombuffer(base64.b64decode(body), np.dtype(dtype).newbyteorder("<"))


def picture(address: str) -> np.ndarray:
    """The pixels of a data address, 0 to 1."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))) / 255


def poster(explorer: Explorer) -> np.ndarray:
    """The picture that is seen without scripts, 0 to 1."""
    return picture(found_in(explorer, r'<img [^>]*src="([^"]*)"'))


def words_of(explorer: Explorer) -> tuple[str, str]:
    """The picture in words, and the caption."""
    caption = found_in(explorer, "<figcaption>(.*)</figcaption>")
    return found_in(explorer, 'alt="([^"]*)"'), re.sub("</?strong>", "", caption)


# ------------------------------------------------------------------ browser


class Handler(BaseHTTPRequestHandler):
    """Answers with a page around ``html``, and with the modules: the browser may keep those."""

    html = ""
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer goes out in one piece

    def do_GET(self) -> None:
        if self.path.endswith(".mjs"):
            self.answer("text/javascript", (MODULES / self.path[1:]).read_bytes(), "max-age=3600")
        else:
            page = PAGE.format(Handler.html).encode()
            self.answer("text/html; charset=utf-8", page, "no-store")

    def answer(self, kind: str, content: bytes, caching: str) -> None:
        self.send_response(200)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Cache-Control": caching,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about requests."""


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A running Chromium in which ADDRESS alone has a server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        rules = f"MAP explorer.test:80 127.0.0.1:{server.server_port}, MAP * ~NOTFOUND"
        flags = [*tooling_browser.FLAGS, f"--host-resolver-rules={rules}"]
        running = playwright.chromium.launch(executable_path=tooling_browser.find(), args=flags)
        yield running
        running.close()
        server.shutdown()


TROUBLES: list[str] = []


def new_page(chromium: Browser, **options: Any) -> Page:
    """A page of which TROUBLES hears: requests for anything but pages and modules, messages, errors."""
    asked = re.compile(rf"blob:.*|{ADDRESS}(\?\d+|[\w/]+\.mjs|favicon\.ico)")

    def note_request(request: Request) -> None:
        if not asked.fullmatch(request.url):
            TROUBLES.append(f"request to {request.url}")

    page = chromium.new_context(**options).new_page()
    page.on("pageerror", lambda error: TROUBLES.append(str(error)))
    page.on("console", lambda message: TROUBLES.append(message.text))
    page.on("request", note_request)
    return page


@pytest.fixture(scope="session")
def page_with(chromium: Browser) -> Open:
    """A page for each set of options, kept from test to test: a new one costs more than most tests."""
    return functools.cache(functools.partial(new_page, chromium))


@pytest.fixture
def quiet() -> Iterator[None]:
    """Nothing may go wrong in a page during the test."""
    yield
    troubles, TROUBLES[:] = TROUBLES[:], []
    assert troubles == []


@pytest.fixture
def serve(page_with: Open, quiet: None) -> Iterator[Open]:
    """Open a page around some HTML; what was there before is gone, the mouse is in the corner."""
    served = set()

    def serve(
        html: str | Explorer = "", viewport: dict[str, int] | None = None, **options: Any
    ) -> Page:
        Handler.html = html_of(html) if isinstance(html, Explorer) else html
        page = page_with(**options)
        served.add(page)
        page.mouse.move(0, 0)
        page.mouse.up()  # a test that failed may have left it pressed
        page.set_viewport_size(viewport or {"width": 1280, "height": 900})
        # Another address each time: of the same the browser would remember how far one had scrolled.
        page.goto(f"{ADDRESS}?{next(VISITS)}")
        page.bring_to_front()  # a tab key may have led out of the page
        return page

    yield serve
    for page in served:
        page.evaluate("undefined")  # what went wrong before this is heard of before its answer


@pytest.fixture(scope="session")
def empty_page(chromium: Browser) -> Page:
    """A page in which modules are called and nothing is shown."""
    page = new_page(chromium)
    page.goto(f"{ADDRESS}?0")
    return page


@pytest.fixture
def empty(empty_page: Page, quiet: None) -> Page:
    """The same, and nothing goes wrong in it."""
    return empty_page


HYDRATE = """async () => {
    const figure = document.querySelector("[data-camlib-explorer]");
    const { hydrate } = await import(`/${figure.dataset.camlibExplorer}.mjs`);
    window.leave = hydrate(figure);
}"""


@pytest.fixture
def alive(serve: Open) -> Open:
    """Open an explorer's static HTML and bring it to life; ``leave()`` ends that."""

    def alive(explorer: Explorer, **options: Any) -> Page:
        page = serve(explorer, **options)
        page.evaluate(HYDRATE)
        return page

    return alive


# Many numbers come over as text: one by one they would take seconds.
BASE64 = """const base64 = ({ buffer, byteOffset, byteLength }) => {
    let text = "";
    for (let at = 0; at < byteLength; at += 8192)
        text += String.fromCharCode(...new Uint8Array(buffer, byteOffset + at, Math.min(8192, byteLength - at)));
    return btoa(text);
};"""


def call(page: Page, module: str, expression: str, argument: Any = None) -> Any:
    """Evaluate a JavaScript expression of a module's exports ``m``, the argument ``a`` and BASE64."""
    return page.evaluate(
        f"async (a) => {{ {BASE64} const m = await import('/{module}'); return {expression}; }}",
        argument,
    )


def numbers(text: str) -> list[float]:
    """All numbers of a text."""
    return [float(found) for found in re.findall(r"-?\d+\.?\d*", text.replace("−", "-"))]


def pixels(canvas: Locator, *, over_black: bool = False) -> np.ndarray:
    """What a canvas shows, 0 to 255: colours and opacity, or, over black, colour × opacity."""
    drawn, height = canvas.evaluate(
        "(canvas, black) => {"
        + BASE64
        + """const surface = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
            if (black) surface.fillRect(0, 0, canvas.width, canvas.height);
            surface.drawImage(canvas, 0, 0);
            const { data } = surface.getImageData(0, 0, canvas.width, canvas.height);
            return [base64(data), canvas.height];
        }""",
        over_black,
    )
    return np.frombuffer(base64.b64decode(drawn), np.uint8).reshape(height, -1, 4)


def shot(canvas: Locator) -> str:
    """A canvas as text, to tell one drawing from another."""
    return canvas.evaluate("canvas => canvas.toDataURL()")


def point_at(page: Page, pad: Locator, row: int, column: int) -> None:
    """Move the mouse over the middle of a pixel of a picture of 224×224."""
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(
        box["x"] + (column + 0.5) * box["width"] / 224, box["y"] + (row + 0.5) * box["height"] / 224
    )


MODEL = """
class Model {
  listeners = new Map(); saved = [];
  constructor(values) { this.values = values; }
  get(name) { return this.values[name]; }
  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    (this.listeners.get(`change:${name}`) ?? []).forEach((listener) => listener());
  }
  save_changes() { this.saved.push({ ...this.values, _data: null }); }
  on(event, listener) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  }
  off(event, listener) {
    this.listeners.set(event, this.listeners.get(event).filter((other) => other !== listener));
  }
}
"""


def as_widget(page: Page, explorer: Explorer) -> None:
    """Render an explorer as anywidget does: its code from a blob, its traits in ``window.model``.

    ``window.leave()`` ends it.
    """
    traits = {name: value for name, value in explorer.get_state().items() if name != "layout"}
    page.evaluate(
        "async (traits) => {"
        + MODEL
        + """const code = new Blob([traits._esm], { type: "text/javascript" });
            const { default: widget } = await import(URL.createObjectURL(code));
            window.model = new Model({ ...traits, _esm: null });
            window.leave = widget.render({ model, el: document.querySelector("main") });
        }""",
        traits,
    )


def set_from_kernel(page: Page, **traits: Any) -> None:
    """Set traits as Python would; nothing is sent back."""
    before = page.evaluate("() => model.saved.length")
    page.evaluate(
        "(traits) => Object.entries(traits).forEach(([name, value]) => model.set(name, value))",
        traits,
    )
    assert page.evaluate("() => model.saved.length") == before
