"""PoolingExplorer in the built book: alive without a kernel, a picture without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

PAGE = "book/02-global-average-pooling"
FIGURE = '[data-camlib-explorer="pooling_explorer"]'


def awake(page: Any) -> Locator:
    """The page's explorer, once it is alive and in view."""
    explorer = page.locator(FIGURE)
    expect(explorer.locator(".cx-app")).to_be_visible()
    explorer.scroll_into_view_if_needed()
    return explorer


def changed(explorer: Locator) -> list[str]:
    """How many cells, averages and maxima have changed."""
    return explorer.locator(".cx-sum strong").all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_chapters_tasks(visit: Callable[..., Any], width: int, scheme: str) -> None:
    """Moving all maps moves no number; painting over a cell of all of them moves the averages."""
    visited = visit(PAGE, width=width, scheme=scheme)
    explorer = awake(visited.page)
    expect(explorer.locator(".cx-maps label")).to_have_count(20)
    explorer.get_by_role("radio", name="All 20 maps").check()
    explorer.get_by_role("button", name="Move the pattern left").click()
    cells, *numbers = changed(explorer)
    assert int(cells) > 100
    assert numbers == ["0", "0"]
    explorer.get_by_role("spinbutton").nth(4).click()
    assert changed(explorer)[1:] == ["20", "20"]
    explorer.get_by_role("spinbutton").nth(4).press("3")
    expect(explorer.locator(".cx-meters .cx-words")).to_contain_text("gives 3 / 9 = 0.33")
    explorer.get_by_role("button", name="Start again").click()
    assert changed(explorer) == ["0", "0", "0"]
    assert explorer.evaluate("figure => figure.scrollWidth <= figure.clientWidth + 1")
    assert visited.problems == []
    assert visited.foreign == []


def test_without_scripts_the_maps_and_their_means_are_there(visit: Callable[..., Any]) -> None:
    page = visit(PAGE, scripts=False).page
    picture = page.locator(FIGURE).get_by_role("img", name=re.compile("^20 maps of 3 by 3 cells"))
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 400
    caption = page.locator(FIGURE).locator("figcaption")
    expect(caption).to_contain_text("With JavaScript you can edit these maps")
