"""ClassExplorer in the built book: alive without a kernel, a picture without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

PAGES = ["book/intro", "book/05-exploring-classes"]
FIGURE = '[data-camlib-explorer="class_explorer"]'


@pytest.fixture(params=PAGES)
def page_with_explorer(request: pytest.FixtureRequest, built: Path) -> str:
    """A page that the book promises an explorer on."""
    name: str = request.param
    assert 'data-camlib-explorer="class_explorer"' in (built / f"{name}.html").read_text()
    return name


def awake(page: Any) -> Locator:
    """The page's first explorer, once it is alive and in view."""
    explorer = page.locator(FIGURE).first
    expect(explorer.locator(".cx-app")).to_be_visible()
    explorer.scroll_into_view_if_needed()
    return explorer


def title_of(explorer: Locator) -> Locator:
    return explorer.locator(".cx-title strong")


def drawn(explorer: Locator) -> str:
    """The map as it is drawn now."""
    address: str = explorer.locator(".cx-stage .cx-heat").evaluate("canvas => canvas.toDataURL()")
    return address


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_another_class_moves_the_map(
    page_with_explorer: str, visit: Callable[..., Any], width: int, scheme: str
) -> None:
    visited = visit(page_with_explorer, width=width, scheme=scheme)
    explorer = awake(visited.page)
    tile = explorer.locator(".cx-tile[aria-pressed=false]").last
    before, name = drawn(explorer), tile.locator(".cx-name").inner_text()
    tile.click()
    expect(title_of(explorer)).to_have_text(name)
    assert drawn(explorer) != before
    assert explorer.evaluate("figure => figure.scrollWidth <= figure.clientWidth + 1")
    assert visited.problems == []
    assert visited.foreign == []


def test_search(page_with_explorer: str, visit: Callable[..., Any]) -> None:
    visited = visit(page_with_explorer)
    explorer = awake(visited.page)
    field = explorer.get_by_role("combobox")
    field.fill("goldfish")
    expect(explorer.get_by_role("option")).to_have_text([re.compile("^goldfish")])
    field.press("Enter")
    expect(title_of(explorer)).to_have_text("goldfish")
    assert visited.problems == []


def test_arrow_keys_ask_the_places(page_with_explorer: str, visit: Callable[..., Any]) -> None:
    visited = visit(page_with_explorer)
    explorer = awake(visited.page)
    explorer.get_by_role("gridcell").first.focus()
    heading = explorer.locator(".cx-speaks .cx-heading")
    for key, place in [
        ("ArrowRight", "row 1, column 2"),
        ("ArrowDown", "row 2, column 2"),
        ("ArrowDown", "row 3, column 2"),
    ]:
        visited.page.keyboard.press(key)
        expect(heading).to_contain_text(place)
        expect(explorer.locator(".cx-line").first).to_have_text(re.compile(r"\w+.*[\d.]+"))
    assert visited.problems == []


def test_the_photograph_is_grey_in_the_dark_too(
    page_with_explorer: str, visit: Callable[..., Any]
) -> None:
    """The theme has rules of its own for pictures on dark pages."""
    for scheme in ("light", "dark"):
        explorer = awake(visit(page_with_explorer, scheme=scheme).page)
        style = "image => [getComputedStyle(image).filter, getComputedStyle(image).padding]"
        assert explorer.locator(".cx-photo").evaluate(style) == ["grayscale(1)", "0px"]


def test_without_scripts_the_map_is_there(
    page_with_explorer: str, visit: Callable[..., Any]
) -> None:
    page = visit(page_with_explorer, scripts=False).page
    explorer = page.locator(FIGURE).first
    expect(explorer.get_by_role("img", name="Class activation map of")).to_be_visible()
    expect(explorer.locator("figcaption")).to_contain_text("With JavaScript this picture answers")


def test_on_a_phone_the_guesses_are_beside_the_map(visit: Callable[..., Any]) -> None:
    """Map and buttons fit on one screen of the first page: whoever taps sees what it does."""
    explorer = awake(visit("book/intro", width=390).page)
    stage, tile = (
        explorer.locator(part).bounding_box() for part in (".cx-stage", ".cx-tile >> nth=-1")
    )
    assert stage is not None
    assert tile is not None
    assert tile["y"] + tile["height"] - stage["y"] < 600
