"""BoxExplorer in the built book: alive without a kernel, a picture without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from tooling.repository import ROOT

PAGE = "book/08-map-to-box"


def hits_printed() -> tuple[float, float]:
    """Between which thresholds the chapter says that the first scene's box is a hit."""
    notebook = nbformat.read(ROOT / f"{PAGE}.ipynb", as_version=4)
    texts = [
        output.get("text", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    first = re.search(r"a hit from ([\d.]+) to ([\d.]+), best IoU", "".join(texts))
    assert first is not None
    return float(first[1]), float(first[2])


def awake(page: Any) -> Locator:
    """The page's explorer, once it is alive and in view."""
    explorer: Locator = page.locator('[data-camlib-explorer="box_explorer"]')
    expect(explorer.locator(".cx-app")).to_be_visible()
    explorer.scroll_into_view_if_needed()
    return explorer


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_slider_finds_what_the_chapter_prints(
    visit: Callable[..., Any], width: int, scheme: str
) -> None:
    """The box is right at both ends of the printed range and wrong one step above it."""
    visited = visit(PAGE, width=width, scheme=scheme)
    explorer = awake(visited.page)
    slider = explorer.get_by_role("slider", name="Threshold")
    verdict = explorer.locator(".cx-verdict")
    low, high = hits_printed()
    for threshold, word in ((low, "found"), (high, "found"), (high + 0.01, "missed")):
        slider.fill(f"{threshold:.2f}")
        expect(verdict).to_contain_text(word)
    assert explorer.evaluate("figure => figure.scrollWidth <= figure.clientWidth + 1")
    assert visited.problems == []
    assert visited.foreign == []


def test_arrow_keys_move_threshold_and_scene(visit: Callable[..., Any]) -> None:
    visited = visit(PAGE)
    explorer = awake(visited.page)
    slider = explorer.get_by_role("slider", name="Threshold")
    slider.focus()
    visited.page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("0.21")
    explorer.get_by_role("radio").first.focus()
    visited.page.keyboard.press("ArrowRight")
    expect(explorer.locator(".cx-title")).to_contain_text("picture 2 of 4")
    assert visited.problems == []


def test_without_scripts_the_box_is_there(visit: Callable[..., Any]) -> None:
    page = visit(PAGE, scripts=False).page
    expect(page.get_by_role("img", name="dark where the map lies below 20 %")).to_be_visible()
    expect(page.locator("figcaption", has_text="With JavaScript")).to_be_visible()
