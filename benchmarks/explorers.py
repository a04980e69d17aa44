"""How long a reader waits for an explorer without a kernel: from the action to the paint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from playwright.sync_api import Page, Route, sync_playwright

import camlib
from camlib import explorers, networks, photos
from camlib.explorers import modules
from tooling import browser

ADDRESS = "http://explorer.test/"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
PAGE = """<!doctype html><meta charset="utf-8"><main style="max-width: 46rem">{}</main>
<script type="module">
import {{ hydrate }} from "/class_explorer.mjs";
hydrate(document.querySelector("figure"));
globalThis.ready = true;
</script>"""

# A frame's callbacks run just before it is painted; a message posted in one arrives just after.
TIMES = """async ([act, count]) => {
  const nodes = [...document.querySelectorAll(act.nodes)];
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(null);
  }));
  const times = [];
  for (let turn = 0; turn < count; turn++) {
    // Readers do not act in step with the screen.
    await new Promise((done) => setTimeout(done, 40 + 16 * Math.random()));
    const start = performance.now();
    nodes[turn % nodes.length].dispatchEvent(new MouseEvent(act.event, { bubbles: true }));
    await painted();
    times.push(performance.now() - start);
  }
  return times;
}"""


def measure_class_switch(count: int = 60) -> float:
    """Return the median time in milliseconds from a click on a class to the next paint."""
    with explorer_page() as page:
        return _median(page, nodes=".cx-tile", event="click", count=count)


def measure_cell_choice(count: int = 60) -> float:
    """Return the median time in milliseconds from a click on a cell to the next paint."""
    with explorer_page() as page:
        return _median(page, nodes=".cx-cell", event="click", count=count)


@contextmanager
def explorer_page() -> Iterator[Page]:
    """Open Chromium with the cat's 1000 maps, drawn at 448 pixels."""
    images = networks.preprocess(photos.load("cat"))
    cam = camlib.class_activation_maps(networks.efficientnet_lite0(), images)
    picture = networks.to_picture(images[0])
    bundle = explorers.ClassExplorer(picture, cam, networks.class_names())._repr_mimebundle_()
    assert bundle is not None
    html = PAGE.format(bundle[0]["text/html"])

    def answer(route: Route) -> None:
        if route.request.url == ADDRESS:
            route.fulfill(body=html, content_type="text/html")
        elif route.request.url.endswith(".mjs"):
            module = modules.FOLDER / route.request.url.removeprefix(ADDRESS)
            route.fulfill(path=module, content_type="text/javascript")
        else:
            route.fulfill(status=404)

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=list(FLAGS))
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.route("**/*", answer)
        page.goto(ADDRESS)
        page.wait_for_function("globalThis.ready")
        yield page
        chromium.close()


def _median(page: Page, *, nodes: str, event: str, count: int) -> float:
    act = {"nodes": nodes, "event": event}
    page.evaluate(
        TIMES, [act, 10]
    )  # the compiler's and the caches' first runs are not the reader's
    return median(page.evaluate(TIMES, [act, count]))


if __name__ == "__main__":
    print(f"class: {measure_class_switch():.1f} ms, cell: {measure_cell_choice():.1f} ms")
