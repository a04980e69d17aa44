"""Cards say what a term or a citation means: by mouse, by keyboard and by touch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

PAGE = "book/03-weighted-sum"
TERM = "article a[href$='glossary.html#term-contribution'], article a[href$='glossary.html#term-weight']"
CITED = "article a[href*='references.html#']"


def opened(visit: Callable[..., Any], **way: Any) -> tuple[Page, Locator, Locator]:
    page = visit(PAGE, **way).page
    return page, page.locator(TERM).first, page.get_by_role("tooltip")


def test_a_mouse_opens_a_card_that_stays_while_it_is_read(visit: Callable[..., Any]) -> None:
    """The words are the glossary's own, the formula is drawn; leaving closes the card."""
    page, term, card = opened(visit)
    term.scroll_into_view_if_needed()
    expect(card).to_have_count(0)  # hidden
    term.hover()
    expect(card).to_be_visible()
    expect(term).to_have_attribute("aria-describedby", "book-card")
    said = card.inner_text()
    name = str(term.get_attribute("href")).partition("#")[2]
    card.hover()
    page.wait_for_timeout(400)
    expect(card).to_be_visible()
    assert card.locator("a").count() == 0
    page.mouse.move(2, 450)
    expect(card).to_have_count(0)
    meant = visit("book/glossary").page.locator(f"dt#{name} + dd")
    assert " ".join(meant.inner_text().split())[:60] == " ".join(said.split())[:60]


def test_keys_open_and_close_it(visit: Callable[..., Any]) -> None:
    page, term, card = opened(visit)
    term.evaluate("link => link.previousElementSibling?.focus()")
    term.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(term).to_be_focused()
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    expect(term).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("glossary"))


def test_the_first_tap_opens_it_the_second_follows(visit: Callable[..., Any]) -> None:
    page, term, card = opened(visit, width=390)
    term.scroll_into_view_if_needed()
    term.tap()
    expect(card).to_be_visible()
    box = card.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("article h1").tap()
    expect(card).to_have_count(0)
    term.tap()
    expect(card).to_be_visible()
    term.tap()
    page.wait_for_url(re.compile("glossary"))


def test_a_citation_names_its_source(visit: Callable[..., Any]) -> None:
    """In place of the browser's own words, which a keyboard never reaches."""
    page, _, card = opened(visit)
    cited = page.locator(CITED).first
    cited.scroll_into_view_if_needed()
    assert cited.get_attribute("title") is None
    cited.hover()
    expect(card).to_contain_text(re.compile(r"(19|20)\d\d"))
    expect(card).to_contain_text(re.compile("[A-Z][a-z]+"))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_an_open_card_has_no_barriers(visit: Callable[..., Any], width: int, scheme: str) -> None:
    visited = visit(PAGE, width=width, scheme=scheme)
    term = visited.page.locator(TERM).first
    term.scroll_into_view_if_needed()
    term.tap() if width == 390 else term.hover()
    expect(visited.page.get_by_role("tooltip")).to_be_visible()
    assert visited.barriers(".book-card") == []
    assert visited.problems == []
    assert visited.foreign == []
