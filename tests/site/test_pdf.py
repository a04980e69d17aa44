"""The book as one file to print: whole, with the pages that its contents name, and to be searched."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Browser

from tooling import notebooks, pdf

# A4 without its margins, in CSS pixels of 1/96 inch.
WIDE, HIGH = round((210 - 40) / 25.4 * 96), round((297 - 38) / 25.4 * 96)


@pytest.fixture(scope="module")
def printed(built: Path) -> list[str]:
    """The words of each page, with single spaces."""
    reader = pypdf.PdfReader(built / pdf.TARGET.relative_to(pdf.serve.SITE))
    return [" ".join(page.extract_text().split()) for page in reader.pages]


@pytest.fixture(scope="module")
def titles(built: Path) -> list[str]:
    """The title of each page of the book, as the page itself says it."""
    files = [built / f"{name}.html" for name in notebooks.pages()]
    found = [re.search(r"<h1>(.*?)<a class", file.read_text("utf-8"), re.DOTALL) for file in files]
    words = [html.unescape(re.sub("<[^>]+>", "", match[1])) for match in found if match]
    return [" ".join(title.split()) for title in words]


def test_every_chapter_begins_where_the_contents_say(printed: list[str], titles: list[str]) -> None:
    found = {title: re.search(rf"{re.escape(title)} (\d+)\b", printed[0]) for title in titles}
    assert len(titles) == len(notebooks.pages())
    numbers = [int(match[1]) for match in found.values() if match]
    assert len(numbers) == len(titles)
    assert numbers == sorted(set(numbers))
    for title, number in zip(titles, numbers, strict=True):
        assert title in printed[number - 1][:200]


def test_text_can_be_searched(printed: list[str]) -> None:
    """A sentence of the first chapter, a term of the glossary, a title of the references, figures' words."""
    text = " ".join(printed)
    for words in (
        "The filter asks one question everywhere",
        "global average pooling",
        "discriminative localization",
        "threshold 0.2",
    ):
        assert words in text


def test_it_shows_solutions_and_no_buttons(printed: list[str]) -> None:
    text = " ".join(printed)
    assert "Solution to Exercise 3.1" in text
    assert "Show code cell source" not in text
    assert "With JavaScript this picture answers" in text


def test_links_stay_within_the_file(built: Path) -> None:
    reader = pypdf.PdfReader(built / pdf.TARGET.relative_to(pdf.serve.SITE))
    links = [one.get_object() for page in reader.pages for one in page.get("/Annots", [])]
    addresses = [str(one["/A"]["/URI"]) for one in links if "/URI" in one.get("/A", {})]
    assert not [address for address in addresses if "127.0.0.1" in address]
    assert len(links) > 2 * len(addresses)


def test_no_figure_is_cut(chromium: Browser, site: str) -> None:
    """Each is lower than a page, on which it is kept together."""
    page = chromium.new_page(bypass_csp=True, viewport={"width": WIDE, "height": HIGH})
    pdf.gather(page, site)
    tall = page.locator("article :is(svg[role=img], img, figure)").evaluate_all(
        """(figures, most) => figures.filter((one) => one.getBoundingClientRect().height > most)
            .map((one) => one.outerHTML.slice(0, 200))""",
        HIGH,
    )
    kept = page.locator("article .cell_output:has(svg[role=img], figure)").evaluate_all(
        "cells => cells.map((cell) => getComputedStyle(cell).breakInside)"
    )
    page.close()
    assert tall == []
    assert len(kept) > 100
    assert set(kept) == {"avoid"}
