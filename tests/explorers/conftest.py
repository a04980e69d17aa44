"""Maps whose answers are known, and a browser in which the ES module runs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, Playwright, Route

import camlib
from camlib.explorers import class_explorer
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
            elif route.request.url == ADDRESS + "class_explorer.mjs":
                module = Path(class_explorer.__file__).with_suffix(".mjs")
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
    """Open the explorer's static HTML and bring it to life."""

    def alive(html: str = explorer_html, **options: Any) -> Page:
        page = serve(html, **options)
        page.evaluate(
            """async () => {
                const { hydrate } = await import("/class_explorer.mjs");
                window.leave = hydrate(document.querySelector("[data-camlib-explorer]"));
            }"""
        )
        return page

    return alive
