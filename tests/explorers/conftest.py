"""Maps whose answers are known, and a browser in which the ES module runs."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, Playwright, Route

import camlib
from camlib.explorers import modules
from tooling import browser as tooling_browser

ADDRESS = "http://explorer.test/"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ font-family: sans-serif }} img {{ max-width: 100%; height: auto }}</style>
<main>{}</main></html>"""


def make_cam(
    count: int = 1000, rows: int = 7, columns: int = 7, classes: list[int] | None = None
) -> camlib.ClassActivationMaps:
    """Random maps that keep the identity; the last class's map is negative everywhere."""
    generator = torch.Generator().manual_seed(rows * columns)
    maps = 4 * torch.randn((1, count, rows, columns), generator=generator)
    maps[0, -1] = -maps[0, -1].abs() - 0.25
    offset = torch.randn((1, count), generator=generator)
    return camlib.ClassActivationMaps(
        maps=maps,
        logits=maps.mean((2, 3)) + offset,
        offset=offset,
        classes=torch.tensor(classes) if classes else torch.arange(count),
    )


def make_picture(height: int = 224, width: int = 224) -> np.ndarray:
    """A smooth picture, floats from 0 to 1."""
    down, across = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    return np.stack([down, across, 1 - down * across], axis=-1)


def make_names(count: int = 1000) -> list[str]:
    """Names with numbers in words' place, so that each is easy to search for."""
    return [f"thing {index:03d}" for index in range(count)]


@pytest.fixture(scope="session")
def cam() -> camlib.ClassActivationMaps:
    return make_cam()


@pytest.fixture(scope="session")
def explorer_html(cam: camlib.ClassActivationMaps) -> str:
    explorer = camlib.explorers.ClassExplorer(make_picture(), cam, make_names())
    return explorer._repr_mimebundle_()[0]["text/html"]


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A running Chromium."""
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    running = playwright.chromium.launch(executable_path=tooling_browser.find(), args=flags)
    yield running
    running.close()


@pytest.fixture
def serve(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page around some HTML; any other request than the module's, or an error, fails."""
    contexts, troubles = [], []

    def serve(html: str = "", **options: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text))

        def answer(route: Route) -> None:
            if route.request.url == ADDRESS:
                route.fulfill(body=PAGE.format(html), content_type="text/html; charset=utf-8")
            elif route.request.url.endswith(".mjs"):
                module = modules.FOLDER / route.request.url.removeprefix(ADDRESS)
                route.fulfill(path=module, content_type="text/javascript")
            elif route.request.url.endswith("/favicon.ico"):
                route.fulfill(status=204)
            else:
                troubles.append(f"request to {route.request.url}")
                route.abort()

        context.route("**/*", answer)
        page.goto(ADDRESS)
        return page

    yield serve
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def alive(serve: Callable[..., Page], explorer_html: str) -> Callable[..., Page]:
    """Open an explorer's static HTML and bring it to life."""

    def alive(html: str = explorer_html, **options: Any) -> Page:
        page = serve(html, **options)
        page.evaluate(
            """async () => {
                const figure = document.querySelector("[data-camlib-explorer]");
                const { hydrate } = await import(`/${figure.dataset.camlibExplorer}.mjs`);
                window.leave = hydrate(figure);
            }"""
        )
        return page

    return alive


def call(page: Page, module: str, expression: str, argument: Any = None) -> Any:
    """Evaluate a JavaScript expression of a module's exports ``m`` and the argument ``a``."""
    return page.evaluate(
        f"async (a) => {{ const m = await import('/{module}'); return {expression}; }}", argument
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


def as_widget(page: Page, explorer: Any) -> None:
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
