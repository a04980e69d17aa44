"""How long a reader waits for an explorer in the built book: from the action to the next paint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.browsing import SITE, WINDOW, explorers_of, reader
from benchmarks.goals import ACTION, Result


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
    Action("method_comparer", "another class, layer or scale", "input[type=radio]", "click"),
    Action("method_comparer", "pointing at a place", ".cx-pad", "pointermove"),
)

# A frame's callbacks run just before it is painted; a message posted in one arrives just after.
TIMES = """async (figure, [selector, event, count]) => {
  const nodes = [...figure.querySelectorAll(selector)];
  if (!nodes.length) throw new Error(`nothing is ${selector}`);
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(null);
  }));
  const act = (node, turn) => {
    const { left, top, width, height } = node.getBoundingClientRect();
    // Never twice the same place: an explorer that sees no change has nothing to do.
    const [across, down] = [0.618 * turn, 0.755 * turn].map((share) => 0.1 + 0.8 * (share % 1));
    const place = { bubbles: true, clientX: left + across * width, clientY: top + down * height };
    if (event === "input" && "value" in node) {
      const other = node.value === node.max ? node.min : node.max;
      node.value = node.type === "range" ? other : node.value;
      node.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (event.startsWith("pointer")) {
      node.dispatchEvent(new PointerEvent(event, { ...place, pointerType: "mouse" }));
    } else if (event === "click") node.click();
    else node.dispatchEvent(new MouseEvent(event, place));
  };
  const times = [];
  for (let turn = 0; turn < count; turn++) {
    // Readers do not act in step with the screen.
    await new Promise((done) => setTimeout(done, 40 + 16 * Math.random()));
    const start = performance.now();
    act(nodes[turn % nodes.length], turn);
    await painted();
    times.push(performance.now() - start);
  }
  return times;
}"""


def measure(
    pages: Sequence[str],
    count: int = 60,
    actions: Sequence[Action] = ACTIONS,
    site: Path = SITE,
) -> Iterator[Result]:
    """Time each action on the first page that holds its explorer.

    Raises
    ------
    ValueError
        If no page holds an action's explorer.
    """
    with reader(site) as (chromium, address):
        for action in actions:
            page = next((p for p in pages if action.explorer in explorers_of(p, site)), None)
            if page is None:
                raise ValueError(
                    f"actions: expected a page that holds {action.explorer!r}, got none. "
                    "Put the explorer into a chapter, or its actions out of ACTIONS."
                )
            times = _times(chromium, f"{address}{page}.html", action, count)
            name = f"{action.explorer}: {action.what}"
            yield Result(name, 1, {ACTION: [time / 1000 for time in times]})


def _times(chromium: Browser, address: str, action: Action, count: int) -> list[float]:
    page = chromium.new_page(viewport=WINDOW)
    page.goto(address, wait_until="load")
    figure = page.locator(f'[data-camlib-explorer="{action.explorer}"]').first
    page.wait_for_function(
        "(name) => performance.getEntriesByName(name).length", arg=f"explorer {action.explorer}"
    )
    figure.scroll_into_view_if_needed()
    act = [action.nodes, action.event]
    figure.evaluate(TIMES, [*act, 10])  # the compiler's and the caches' first runs do not count
    times: list[float] = figure.evaluate(TIMES, [*act, count])
    page.close()
    return times
