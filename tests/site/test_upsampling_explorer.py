"""UpsamplingExplorer in the built book: alive without a kernel, a picture without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

PAGE = "book/04-upsampling"


def awake(page: Any) -> Locator:
    """The page's explorer, once it is alive and in view."""
    explorer: Locator = page.locator('[data-camlib-explorer="upsampling_explorer"]')
    expect(explorer.locator(".cx-app")).to_be_visible()
    explorer.scroll_into_view_if_needed()
    return explorer


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_align_corners_moves_the_hottest_pixel(
    visit: Callable[..., Any], width: int, scheme: str
) -> None:
    """From the centre of the cell, 47.5, to 223/6: the chapter prints the same two columns."""
    visited = visit(PAGE, width=width, scheme=scheme)
    explorer = awake(visited.page)
    explorer.get_by_role("radio", name="Bilinear").check()
    hot = explorer.get_by_role("button", name="Hottest pixel")
    expect(hot).to_have_text("Hottest pixel: row 112, column 48")
    explorer.get_by_role("radio", name="True").check()
    expect(hot).to_have_text("Hottest pixel: row 112, column 37")
    hot.click()
    expect(explorer.locator(".cx-sum .cx-heading")).to_have_text("Pixel row 112, column 37")
    assert explorer.evaluate("figure => figure.scrollWidth <= figure.clientWidth + 1")
    assert visited.problems == []
    assert visited.foreign == []


def test_arrow_keys_ask_the_pixels(visit: Callable[..., Any]) -> None:
    visited = visit(PAGE)
    explorer = awake(visited.page)
    explorer.get_by_role("application").focus()
    visited.page.keyboard.press("Home")
    visited.page.keyboard.press("PageUp")
    expect(explorer.locator(".cx-sum .cx-heading")).to_have_text("Pixel row 0, column 0")
    expect(explorer.locator(".cx-products li")).to_have_count(4)
    expect(explorer.locator(".cx-result")).to_have_text(re.compile(r"^[=≈] [\d.]+$"))
    assert visited.problems == []


def test_without_scripts_the_map_is_there(visit: Callable[..., Any]) -> None:
    page = visit(PAGE, scripts=False).page
    expect(page.get_by_role("img", name="The map of “tiger cat”")).to_be_visible()
    expect(page.locator("figcaption", has_text="With JavaScript")).to_be_visible()
