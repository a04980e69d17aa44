"""MethodComparer in the built book: alive without a kernel, a picture without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

PAGES = ("book/09-grad-cam", "book/10-grad-cam-plus-plus")


def awake(page: Any) -> Locator:
    """The page's explorer, once it is alive and in view."""
    explorer: Locator = page.locator('[data-camlib-explorer="method_comparer"]').first
    expect(explorer.locator(".cx-app")).to_be_visible()
    explorer.scroll_into_view_if_needed()
    return explorer


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_another_class_shows_other_maps(
    visit: Callable[..., Any], name: str, width: int, scheme: str
) -> None:
    """Each panel says another highest value as soon as another class is chosen."""
    visited = visit(name, width=width, scheme=scheme)
    explorer = awake(visited.page)
    words = explorer.locator(".cx-panel .cx-words")
    before = words.all_inner_texts()
    assert len(before) >= 2
    explorer.get_by_role("radio", checked=False).first.check(force=True)
    expect(words.first).not_to_have_text(before[0])
    assert explorer.evaluate("figure => figure.scrollWidth <= figure.clientWidth + 1")
    assert visited.problems == []
    assert visited.foreign == []


@pytest.mark.parametrize("name", PAGES)
def test_a_place_is_marked_in_every_panel(visit: Callable[..., Any], name: str) -> None:
    """Pointing by the keyboard: every panel that has a map says its value there."""
    visited = visit(name)
    explorer = awake(visited.page)
    pads = explorer.get_by_role("application")
    pads.first.focus()
    visited.page.keyboard.press("ArrowRight")
    values = explorer.locator(".cx-panel .cx-value")
    expect(values.first).to_contain_text(".")
    assert all("." in text for text in values.all_inner_texts()[: pads.count()])
    assert visited.problems == []


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_there_is_a_picture(visit: Callable[..., Any], name: str) -> None:
    explorer = visit(name, scripts=False).page.locator('[data-camlib-explorer="method_comparer"]')
    expect(explorer.locator("> img").first).to_be_visible()
    expect(explorer.locator("figcaption").first).to_contain_text("JavaScript")
