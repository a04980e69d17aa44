"""What a page of the built book costs its reader: time until there is something to see, until it
answers, from an action to the next paint, from a photograph to its map; and bytes.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

import camlib
from benchmarks import goals
from benchmarks.goals import Result
from tooling import browser, serve

WINDOW = {"width": 1280, "height": 900}
# Pages that load on demand what no chapter does; but for the explorers' code their goals are their own.
BY_THEMSELVES = ("book/your-photo",)
# A page of the same theme with neither explorers nor formulas.
BARE_PAGE = "book/licences"
TURNS = 5  # of an action in a block, each block one round
FILES = ("cat.png", "coffee.png", "rocket.jpg", "astronaut.jpg")
COSTS = """(names) => [
    performance.getEntriesByName("first-contentful-paint")[0].startTime,
    names.length ? Math.max(...names.map((name) => performance.getEntriesByName(name)[0].startTime))
      : performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
    performance.getEntriesByType("resource")
      .filter(({ name }) => name.includes("/_static/explorers/"))
      .reduce((total, { encodedBodySize }) => total + encodedBodySize, 0),
]"""
MARKED = "(names) => names.every((name) => performance.getEntriesByName(name).length)"


@dataclass(frozen=True)
class Action:
    """What a reader does to an explorer: an event on one of these nodes after another.

    An ``input`` event on a slider sets it to its lowest and highest value in turn.
    """

    explorer: str
    what: str
    nodes: str
    event: str


# Every kind of change that is promised to show at once has its line here.
ACTIONS = (
    Action("class_explorer", "another class", ".cx-tile", "click"),
    Action("class_explorer", "pointing at a cell", ".cx-cell", "pointermove"),
    Action("class_explorer", "choosing a cell", ".cx-cell", "click"),
    Action("class_explorer", "opacity", "input[type=range]", "input"),
    Action("class_explorer", "photograph, map or scale", ".cx-settings input[type=radio]", "click"),
    Action("pooling_explorer", "another map, average or maximum", "input[type=radio]", "click"),
    Action("pooling_explorer", "moving the pattern", ".cx-push", "click"),
    Action("weighted_sum_explorer", "another class", ".cx-ws-class", "click"),
    Action("weighted_sum_explorer", "pointing at a channel", ".cx-ws-tile", "pointerenter"),
    Action("weighted_sum_explorer", "a channel on or off", ".cx-ws-tile input", "click"),
    Action("weighted_sum_explorer", "a weight", "input[type=range]", "input"),
    Action("upsampling_explorer", "pointing at a pixel", ".cx-pad", "pointermove"),
    Action("upsampling_explorer", "mode or align_corners", "input[type=radio]:enabled", "click"),
    Action("upsampling_explorer", "opacity", "input[type=range]", "input"),
    Action("box_explorer", "threshold", "input[type=range]", "input"),
    Action("box_explorer", "another picture", "input[type=radio]", "click"),
    Action("frame_explorer", "another frame", "input[type=range]", "input"),
    Action("method_comparer", "another class, layer or scale", "input[type=radio]", "click"),
    Action("method_comparer", "pointing at a place", ".cx-pad", "pointermove"),
)

# Blocks of an action and the smallest one that paints, in turn: a dot of one pixel changes its colour.
# A frame's callbacks run just before it is painted; a message posted in one arrives just after. Readers
# do not act in step with the screen: the turns of a block begin at places spread over a frame.
ACT = """async (figure, [selector, event, blocks, turns]) => {
  const nodes = [...figure.querySelectorAll(selector)];
  if (!nodes.length) throw new Error(`nothing is ${selector}`);
  const dot = document.createElement("canvas");
  [dot.width, dot.height, dot.style.position, dot.style.top] = [1, 1, "fixed", 0];
  document.body.append(dot);
  const surface = dot.getContext("2d");
  const least = (turn) => {
    surface.fillStyle = turn % 2 ? "black" : "white";
    surface.fillRect(0, 0, 1, 1);
  };
  const act = (turn) => {
    const node = nodes[turn % nodes.length];
    const { left, top, width, height } = node.getBoundingClientRect();
    // Never twice the same place: an explorer that sees no change has nothing to do.
    const [across, down] = [0.618 * turn, 0.755 * turn].map((share) => 0.1 + 0.8 * (share % 1));
    const place = { bubbles: true, clientX: left + across * width, clientY: top + down * height };
    if (event === "input") {
      node.value = node.value === node.max ? node.min : node.max;
      node.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (event === "click") node.click();
    else node.dispatchEvent(new PointerEvent(event, { ...place, pointerType: "mouse" }));
  };
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const timed = async (what, turn) => {
    await frame();
    await new Promise((done) => setTimeout(done, 40 + (16.7 * (turn % turns)) / turns));
    const start = performance.now();
    what(turn);
    await frame();
    const { port1, port2 } = new MessageChannel();
    await new Promise((done) => { port1.onmessage = done; port2.postMessage(null); });
    return performance.now() - start;
  };
  const sums = Array.from({ length: blocks }, () => [0, 0]);
  for (let turn = 0; turn < blocks * turns; turn++) {
    for (const which of turn % 2 ? [1, 0] : [0, 1]) {
      sums[Math.floor(turn / turns)][which] += await timed([act, least][which], turn) / turns;
    }
  }
  return sums;
}"""

# From a file's choice to the paint of its map: a message posted in a frame arrives after its paint.
SHOW = """async ([octets, name]) => {
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
  await ({SHOW})(given);
  return performance.now();
}}"""
# The network by itself, from the start of the visit to the end of its first run; bareRun() runs it again.
BARE_NETWORK = """async () => {
  const settings = await (await fetch("../_static/network/network.json")).json();
  const fetched = async (file) => new Uint8Array(await (await fetch(`../_static/${file}`)).arrayBuffer());
  const [ort, wasm, model] = await Promise.all([
    import(new URL("../_static/ort/ort.wasm.min.mjs", location.href)),
    fetched("ort/ort-wasm-simd-threaded.wasm"), fetched(`network/${settings.networks[0].file}`),
  ]);
  Object.assign(ort.env.wasm, { numThreads: 1, proxy: false, wasmBinary: wasm.buffer });
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  const images = new ort.Tensor("float32", new Float32Array(3 * 224 ** 2).fill(0.5), [1, 3, 224, 224]);
  globalThis.bareRun = async () => {
    const start = performance.now();
    await session.run({ images });
    return performance.now() - start;
  };
  await bareRun();
  return performance.now();
}"""


class SlowLine(serve.Handler):
    """Serves like a line that all files share."""

    bits_per_second: float
    piece = 16_384
    line = threading.Lock()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send piece by piece, each in the time that it takes."""
        while piece := source.read(self.piece):
            with self.line:
                time.sleep(8 * len(piece) / self.bits_per_second)
            outputfile.write(piece)


class Slow4G(SlowLine):
    """What Lighthouse calls slow 4G: 1.6 Mbit/s."""

    bits_per_second = 1.6e6


class Cable(SlowLine):
    """20 Mbit/s."""

    bits_per_second = 20e6


# How often each network is visited by which line, and the subject that it is reported as.
LINES = ((Slow4G, 1, goals.SLOW_4G), (Cable, 3, "your photograph, 20 Mbit/s"))


@contextmanager
def reader(
    site: Path = serve.SITE, handler: type[serve.Handler] = serve.Handler
) -> Iterator[tuple[Browser, str]]:
    """Serve the book, compressed, and start Chromium; yields it and the address, which ends in a slash."""
    with serve.in_background(site, handler) as address, sync_playwright() as playwright:
        flags = [*browser.FLAGS]
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=flags)
        yield chromium, address
        chromium.close()


@contextmanager
def first_visit(chromium: Browser) -> Iterator[Page]:
    """Give a page to a reader who has nothing in the cache yet."""
    context = chromium.new_context(viewport=WINDOW)
    yield context.new_page()
    context.close()


def explorers_of(page: str, site: Path = serve.SITE) -> list[str]:
    """Return the names of the explorers and apps that a page holds."""
    text = (site / f"{page}.html").read_text(encoding="utf-8")
    return sorted(set(re.findall(r'data-camlib-(?:explorer|app)="(\w+)"', text)))


def visits(pages: Sequence[str], count: int = 5, site: Path = serve.SITE) -> Iterator[Result]:
    """Visit each page ``count`` times, each time for the first time and after the bare page.

    The explorers' code is weighed, too.
    """
    with reader(site) as (chromium, address):
        bare = f"{address}{BARE_PAGE}.html"
        _visit(chromium, bare, [])  # the browser's own first page
        for name in pages:
            explorers = [f"explorer {one}" for one in explorers_of(name, site)]
            whole = name not in BY_THEMSELVES
            costs = [
                (
                    *_visit(chromium, bare, [])[:2],
                    *_visit(chromium, f"{address}{name}.html", explorers),
                )
                for _ in range(count if whole else 1)
            ]
            bare_paint, bare_ready, paint, ready, received, code = map(
                list, zip(*costs, strict=True)
            )
            if whole:
                times = {goals.BARE_PAINT: bare_paint, goals.FIRST_PAINT: paint}
                if explorers:
                    times |= {goals.BARE_READY: bare_ready, goals.READY: ready}
                yield Result(name, 1, times)
                yield Result(name, 1, {goals.TRANSFER: received}, unit="kB")
            if any(code):
                yield Result(name, 1, {goals.EXPLORER_CODE: code}, unit="kB")


def _visit(chromium: Browser, address: str, explorers: list[str]) -> tuple[float, ...]:
    """Visit a page until its explorers answer.

    Returns seconds to the first paint and until all explorers answer (without any: until its scripts
    have run), then megabytes in all and of the explorers' code.
    """
    with first_visit(chromium) as page:
        received: list[float] = []
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.loadingFinished", lambda one: received.append(one["encodedDataLength"]))
        page.goto(address, wait_until="networkidle")
        page.wait_for_function(MARKED, arg=[*explorers, "first-contentful-paint"])
        paint, ready, code = page.evaluate(COSTS, explorers)
    return paint / 1000, ready / 1000, sum(received) / 1e6, code / 1e6


def actions(pages: Sequence[str], blocks: int = 10) -> Iterator[Result]:
    """Time each action from the event to the next paint, on the first page that holds its explorer.

    Raises
    ------
    ValueError
        If no page holds an action's explorer.
    """
    with reader() as (chromium, address):
        for action in ACTIONS:
            name = next((name for name in pages if action.explorer in explorers_of(name)), None)
            if name is None:
                raise ValueError(
                    f"actions: expected a page that holds {action.explorer!r}, got none. "
                    "Put the explorer into a chapter, or its actions out of ACTIONS."
                )
            page = chromium.new_page(viewport=WINDOW)
            page.goto(f"{address}{name}.html", wait_until="load")
            figure = page.locator(f'[data-camlib-explorer="{action.explorer}"]').first
            page.wait_for_function(MARKED, arg=[f"explorer {action.explorer}"])
            figure.scroll_into_view_if_needed()
            act = [action.nodes, action.event]
            figure.evaluate(ACT, [*act, 1, 10])  # the compiler's and the caches' first runs
            times, least = zip(*figure.evaluate(ACT, [*act, blocks, TURNS]), strict=True)
            page.close()
            yield Result(
                f"{action.explorer}: {action.what}",
                1,
                {goals.ACTION: _seconds(times), goals.LEAST_ACTION: _seconds(least)},
            )


def your_photo(visits: int = 3, turns: int = 20) -> Iterator[Result]:
    """Time the first visit, with an empty cache and a reader who chooses at once, and later choices.

    A choice takes from the file to the paint of its map, decoding included; the book's photographs
    come in turn. Beside each the bare network runs: loaded by a bare page, or again in the same one.
    Last, the first visit by slower lines, with each of the networks that the page offers.
    """
    given = [(base64.b64encode(_photograph(file)).decode(), file) for file in FILES]
    with reader() as (chromium, address):
        first, bare = [], []
        for _ in range(visits):
            with first_visit(chromium) as page:
                page.goto(f"{address}book/your-photo.html", wait_until="commit")
                page.wait_for_selector('[data-camlib-app="your_photo"]', state="attached")
                first.append(page.evaluate(SINCE_START, given[0]))
            with first_visit(chromium) as page:
                page.goto(f"{address}{BARE_PAGE}.html", wait_until="commit")
                bare.append(page.evaluate(BARE_NETWORK))
        times = {goals.FIRST_VISIT: _seconds(first), goals.FIRST_BARE_RUN: _seconds(bare)}
        yield Result("your photograph", 1, times)
        page = chromium.new_page(viewport=WINDOW)
        page.goto(f"{address}book/your-photo.html")
        page.wait_for_selector('[data-camlib-app="your_photo"][data-awake]')
        page.evaluate(BARE_NETWORK)
        for pair in given:  # what is compiled at the first time is not the reader's
            page.evaluate(SHOW, pair)
        warm, bare = [], []
        for turn in range(turns):
            bare.append(page.evaluate("bareRun()"))
            warm.append(page.evaluate(SHOW, given[turn % len(given)]))
        times = {goals.WARM: _seconds(warm), goals.BARE_RUN: _seconds(bare)}
        yield Result("your photograph", 1, times)
    for line, count, subject in LINES:
        with reader(handler=line) as (chromium, address):
            slow: dict[str, list[float]] = {goals.SMALL_NETWORK: [], goals.LARGE_NETWORK: []}
            for _ in range(min(count, visits)):
                for contestant, first_of in ((goals.SMALL_NETWORK, 0), (goals.LARGE_NETWORK, 1)):
                    with first_visit(chromium) as page:
                        page.set_default_timeout(180_000)
                        page.route("**/network.json", partial(_start_with, first_of))
                        page.goto(f"{address}book/your-photo.html", wait_until="commit")
                        page.wait_for_selector('[data-camlib-app="your_photo"]', state="attached")
                        slow[contestant].append(page.evaluate(SINCE_START, given[0]) / 1000)
            yield Result(subject, 1, slow)


def _start_with(place: int, route: Route) -> None:
    """Answer with the page's settings, that network first."""
    settings = route.fetch().json()
    settings["networks"].insert(0, settings["networks"].pop(place))
    route.fulfill(json=settings)


def _seconds(milliseconds: Sequence[float]) -> list[float]:
    return [time / 1000 for time in milliseconds]


def _photograph(file: str) -> bytes:
    return (Path(camlib.__file__).parent / "assets" / "photos" / file).read_bytes()
