"""WeightedSumExplorer in the built book: the chapter's task can be solved in the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

import camlib
from camlib import networks, photos

PAGE = "book/03-weighted-sum"
FIGURE = '[data-camlib-explorer="weighted_sum_explorer"]'


def awake(page: Any) -> Locator:
    """The page's explorer, once it is alive and in view."""
    explorer = page.locator(FIGURE)
    expect(explorer.locator(".cx-app")).to_be_visible()
    explorer.scroll_into_view_if_needed()
    return explorer


def values(explorer: Locator) -> dict[str, float]:
    """The logits as they stand, the highest first."""
    lines = explorer.locator(".cx-ws-class").all()
    texts = [line.locator("span").all_inner_texts() for line in lines]
    return {text[0]: float(text[2].replace("−", "-")) for text in texts}


def decisive(explorer: Locator, winner: str, loser: str, count: int) -> list[int]:
    """The channels shown that are worth most to the winner and least to the loser."""
    network, names = networks.efficientnet_lite0(), networks.class_names()
    head = camlib.find_head(network, networks.preprocess(photos.load("cat")))
    first, second = head.weight[[names.index(winner), names.index(loser)]]
    value = (first - second) * camlib.global_average_pool(head.features)[0]
    labels = explorer.locator(".cx-ws-thumb").all_inner_texts()
    shown = [int(label) for label in labels if label.isdecimal()]
    return sorted(shown, key=lambda channel: -float(value[channel]))[:count]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_switching_off_moves_map_and_logits(
    visit: Callable[..., Any], width: int, scheme: str
) -> None:
    visited = visit(PAGE, width=width, scheme=scheme)
    explorer = awake(visited.page)
    picture = explorer.locator(".cx-ws-sum canvas.cx-heat")
    before, logits = picture.evaluate("canvas => canvas.toDataURL()"), values(explorer)
    explorer.get_by_role("checkbox").first.uncheck()
    assert values(explorer)["tabby"] < logits["tabby"]
    assert picture.evaluate("canvas => canvas.toDataURL()") != before
    explorer.get_by_role("button", name="All off").click()
    expect(explorer.locator(".cx-ws-head").last).to_contain_text("1,280 of 1,280 off")
    assert explorer.evaluate("figure => figure.scrollWidth <= figure.clientWidth + 1")
    assert visited.problems == []
    assert visited.foreign == []


@pytest.mark.parametrize(
    ("winner", "loser", "record"), [("tiger cat", "tabby", 4), ("tabby", "lynx", 11)]
)
def test_the_records_of_the_chapter_can_be_reached(
    visit: Callable[..., Any], winner: str, loser: str, record: int
) -> None:
    """The channels that the explorer shows are enough; with one less the winner is ahead."""
    page = visit(PAGE).page
    expect(page.locator("main")).to_contain_text(
        re.compile(rf"{winner} loses to {loser}: +{record} channels off")
    )
    explorer = awake(page)
    expect(explorer.locator(".cx-title strong")).to_have_text("tabby")
    for channel in decisive(explorer, winner, loser, record):
        logits = values(explorer)
        assert logits[winner] > logits[loser]
        explorer.get_by_role("checkbox", name=re.compile(f"^channel {channel}:")).uncheck()
    logits = values(explorer)
    assert logits[loser] > logits[winner]
    expect(explorer.locator(".cx-ws-head").last).to_contain_text(f"{record} of 1,280 off")


def test_without_scripts_the_map_is_there(visit: Callable[..., Any]) -> None:
    explorer = visit(PAGE, scripts=False).page.locator(FIGURE)
    expect(explorer.get_by_role("img", name="Weighted sum of feature maps for")).to_be_visible()
    expect(explorer.locator("figcaption")).to_contain_text("With JavaScript this picture answers")
