"""Every page of the built book, in the browser: nothing broken, nothing foreign, all of it there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

# What a page holds, asked of the page itself. What an explorer that is awake draws for itself is the
# subject of its own tests.
QUESTIONS = """() => ({
    title: document.title,
    description: document.querySelector('meta[name=description]')?.content ?? '',
    headings: [...document.querySelectorAll('h1')].map((heading) => heading.textContent),
    formulas: document.querySelectorAll('.math').length,
    drawn: document.querySelectorAll('.math mjx-container').length,
    wrong: document.querySelectorAll('mjx-merror, [data-mjx-error]').length,
    pictures: [...document.images].map((image) => ({
        source: image.currentSrc.slice(-80),
        alt: image.getAttribute('alt'),
        breadth: image.naturalWidth,
        place: image.closest('[data-camlib-explorer]') ? 'explorer'
            : image.closest('article') ? 'text' : 'around',
    })),
    links: [...document.querySelectorAll('a[href]')].map((link) => link.href),
    breadth: [document.documentElement.scrollWidth, document.documentElement.clientWidth],
    addresses: [...document.querySelectorAll('script[src], link[href], img[src]')]
        .map((element) => element.src || element.href),
    inline: [...document.scripts].map((script) => script.textContent).join('\\n'),
})"""


@dataclass(frozen=True)
class Facts:
    """What was found on a page."""

    problems: list[str]
    foreign: list[str]
    found: dict[str, Any]


@pytest.fixture(scope="session")
def known() -> dict[tuple[str, int, bool], Facts]:
    """Facts gathered so far: each page is opened once in each way."""
    return {}


@pytest.fixture
def facts(
    visit: Callable[..., Any],
    known: dict[tuple[str, int, bool], Facts],
    record_property: Callable[[str, object], None],
) -> Callable[..., Facts]:
    """Open a page and gather its facts: ``facts("book/intro", width=390, scripts=False)``."""

    def gather(page_name: str, *, width: int = 1280, scripts: bool = True) -> Facts:
        key = (page_name, width, scripts)
        if key not in known:
            opened = visit(page_name, width=width, scripts=scripts)
            known[key] = Facts(opened.problems, opened.foreign, opened.page.evaluate(QUESTIONS))
        record_property("page", page_name)
        return known[key]

    return gather


def test_nothing_goes_wrong(page_name: str, facts: Callable[..., Facts]) -> None:
    """No error or warning in the console, no exception, no request that fails."""
    assert facts(page_name).problems == []


def test_nothing_foreign_is_asked_for(
    page_name: str, facts: Callable[..., Facts], site: str
) -> None:
    """All requests stay on the site, and the page does not even hold a foreign script's address."""
    gathered = facts(page_name)
    assert gathered.foreign == []
    held = [url for url in gathered.found["addresses"] if not url.startswith((site, "data:"))]
    assert held == []
    assert re.findall(r"https?://[^\s\"'<>]+\.m?js", gathered.found["inline"]) == []


def test_one_title(page_name: str, facts: Callable[..., Facts]) -> None:
    """One heading of the first level, which the window's title and the book's name repeat."""
    found = facts(page_name).found
    assert len(found["headings"]) == 1
    heading = found["headings"][0].rstrip("#").strip()
    words = re.sub(r"^[\d.]+\s*", "", heading)
    assert " ".join(words.split()) in " ".join(found["title"].split())
    assert found["title"].endswith("Class Activation Maps")
    assert found["description"]


def test_formulas_are_drawn(page_name: str, facts: Callable[..., Facts]) -> None:
    """Each formula became a drawing, none an error message."""
    found = facts(page_name).found
    assert found["drawn"] == found["formulas"]
    assert found["wrong"] == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts on", "scripts off"])
def test_pictures_load(page_name: str, scripts: bool, facts: Callable[..., Facts]) -> None:
    """Every picture has pixels and says in words what it shows, with and without scripts."""
    found = facts(page_name, scripts=scripts).found
    assert [picture for picture in found["pictures"] if not picture["breadth"]] == []
    assert [picture for picture in found["pictures"] if picture["alt"] is None] == []
    # The mark beside the book's name is decoration, and so are the pictures on the buttons of an
    # explorer that is awake; what the text shows is not, nor an explorer's own picture.
    telling = {"text"} if scripts else {"text", "explorer"}
    assert [p for p in found["pictures"] if p["place"] in telling and not p["alt"]] == []


def test_phone_does_not_scroll_sideways(page_name: str, facts: Callable[..., Facts]) -> None:
    """At 390 pixels the page is no wider than the window."""
    scroll, client = facts(page_name, width=390).found["breadth"]
    assert client == 390
    assert scroll <= client


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the names of all places in an HTML file that a link can lead to."""
    return frozenset(re.findall(r'\bid="([^"]+)"', path.read_text(encoding="utf-8")))


def test_links_lead_somewhere(
    page_name: str, facts: Callable[..., Facts], site: str, built: Path
) -> None:
    """Each link within the book leads to a file that is there, and to a place within it."""
    broken = []
    for link in facts(page_name).found["links"]:
        address, fragment = urldefrag(urljoin(site, link))
        if not address.startswith(site):
            if urlsplit(address).scheme not in ("https", "mailto"):
                broken.append(link)
            continue
        path = built / unquote(urlsplit(address).path.removeprefix(urlsplit(site).path))
        if not path.is_file() or (fragment and unquote(fragment) not in anchors(path)):
            broken.append(link)
    assert broken == []


def test_dark_mode_leaves_figures_alone(page_name: str, visit: Callable[..., Any]) -> None:
    """In dark mode no mat is put behind a figure and no filter changes its colours."""
    page = visit(page_name, scheme="dark").page
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    altered = page.eval_on_selector_all(
        ".bd-article img:not([data-camlib-explorer] *)",
        """(images) => images.map((image) => [getComputedStyle(image), getComputedStyle(image.parentElement)])
            .filter(([own, around]) => own.filter !== 'none'
                || own.backgroundColor !== 'rgba(0, 0, 0, 0)' || around.backgroundColor === 'rgb(255, 255, 255)')
            .length""",
    )
    assert altered == 0
