"""The built book as a whole: its pages, its search, its loader of explorers, its page of the library."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import camlib
from tooling.repository import ROOT
from tooling.sphinx_ext import explorers

# Made by Sphinx beside the pages of the table of contents.
EXTRA = {"index", "search", "genindex"}
# The line below the heading of the results, once all are listed.
SEARCHED = re.compile("found|finished", re.IGNORECASE)


def test_table_of_contents_is_all(pages: list[str], built: Path) -> None:
    """Each page of _toc.yml is built, and no page that is not in it."""
    found = {
        path.relative_to(built).with_suffix("").as_posix()
        for path in built.rglob("*.html")
        if "_static" not in path.parts
    }
    assert found == set(pages) | EXTRA


def test_the_folder_leads_to_the_first_page(
    pages: list[str], site: str, visit: Callable[..., Any], built: Path
) -> None:
    """By a page with a policy, a title, and a link for those whose browser does not follow by itself."""
    visited = visit(pages[-1])
    visited.page.goto(f"{site}index.html", wait_until="commit")
    visited.page.wait_for_url(f"{site}{pages[0]}.html")
    assert visited.problems == []
    front = (built / "index.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in front
    assert "<title>Class Activation Maps</title>" in front
    assert f'<a href="{pages[0]}.html">' in front


def test_what_a_page_does_without_is_gone(pages: list[str], built: Path) -> None:
    """No icons by script, no live code, no handler in an attribute, no script that keeps a page back."""
    for name in (*pages, "search"):
        page = (built / f"{name}.html").read_text(encoding="utf-8")
        for absent in ("fontawesome.js", "thebe", "onclick=", "widget-state"):
            assert absent not in page, f"{absent} in {name}"
        blocking = re.findall(r'<script (?![^>]*(?:defer|type="module"))[^>]*src="([^"]+)"', page)
        assert [Path(source).stem for source in blocking] == ["documentation_options"]
    assert not list((built / "_static").rglob("fontawesome*.*"))


def test_search(visit: Callable[..., Any]) -> None:
    """Searching for a word lists the pages that hold it, and one click opens such a page."""
    visited = visit("search.html?q=pooling")
    page = visited.page
    results = page.locator("#search-results ul.search li a")
    results.first.wait_for()
    expect(page.locator("#search-results h2 + *").first).to_have_text(SEARCHED)
    addresses = results.evaluate_all("(links) => links.map((link) => link.href)")
    assert any("02-global-average-pooling.html" in address for address in addresses)
    results.first.click()
    page.wait_for_load_state("networkidle")
    assert "pooling" in page.locator("article").inner_text().lower()
    # The words found are marked, until the reader has seen enough of that.
    marked = page.locator("article .highlighted")
    assert marked.count()
    page.get_by_role("link", name="Hide Search Matches").click()
    assert marked.count() == 0
    assert page.evaluate("violations") == []
    assert visited.problems == []
    assert visited.foreign == []


def test_a_result_of_the_search_opens_at_its_section(visit: Callable[..., Any]) -> None:
    """A word of one section in the middle of a long page; by an address of its own, a page opens at its top."""
    page = visit("search.html?q=impostors").page
    page.locator("#search-results ul.search a[href*='11-when-not-to-believe']").first.click()
    page.wait_for_url("**/11-when-not-to-believe.html*#who-passes")
    expect(page.get_by_role("heading", name="Who passes?")).to_be_in_viewport()
    page = visit("book/11-when-not-to-believe").page
    assert "#" not in page.url
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize(
    "words",
    ["grayscale", "NaN", "bounding box", "timm", "huggingface", "cuda", "save png", "ImageFolder",
     "Conv3d", "regression", "threshold"],
)  # fmt: skip
def test_the_words_people_search_for_lead_to_a_recipe(
    visit: Callable[..., Any], words: str
) -> None:
    page = visit(f"search.html?q={words}").page
    expect(page.locator("#search-results h2 + *").first).to_have_text(SEARCHED)
    results = page.locator("#search-results ul.search > li > a:first-of-type")
    first = results.evaluate_all("(links) => links.slice(0, 3).map((link) => link.href)")
    assert any("recipes.html" in address or "08-map-to-box.html" in address for address in first), (
        first
    )


def test_failing_explorer_leaves_the_others(visit: Callable[..., Any], pages: list[str]) -> None:
    """One explorer without a module and one with a bad name: the third wakes up all the same."""
    visited = visit(pages[0])
    page, site = visited.page, visited.home
    loader = page.locator('script[type=module][src*="explorers.mjs"]')
    assert loader.count() == 1
    page.route(
        f"{site}book/stand.html",
        lambda route: route.fulfill(
            content_type="text/html",
            body='<figure data-camlib-explorer="absent"></figure>'
            '<figure data-camlib-explorer="../outside"></figure>'
            '<figure data-camlib-explorer="present"></figure>'
            '<script type="module" src="../_static/explorers.mjs"></script>',
        ),
    )
    page.route(
        f"{site}_static/explorers/present.mjs",
        lambda route: route.fulfill(
            content_type="text/javascript",
            body="export const hydrate = (figure) => { figure.textContent = 'awake'; };",
        ),
    )
    visited.problems.clear()
    page.goto(f"{site}book/stand.html", wait_until="networkidle")
    assert page.locator("figure").all_inner_texts() == ["", "", "awake"]
    told = [problem for problem in visited.problems if "explorer stays a picture" in problem]
    assert len(told) == 2
    assert any('there is no explorer called "absent"' in problem for problem in told)
    assert any('no explorer can be called "../outside"' in problem for problem in told)


def test_modules_are_those_of_the_package(built: Path, tmp_path: Path) -> None:
    """The pages' modules are the package's, made small; none is left from before."""
    source = Path(camlib.explorers.__file__).parent
    explorers.bundle(source, tmp_path, ROOT / explorers.MINIFIER)
    published = contents(built / explorers.TARGET)
    assert published == contents(tmp_path)
    assert set(published) == {path.name for path in source.glob("*.mjs")} | {"shared/all.mjs"}
    whole = sum(module.stat().st_size for module in source.rglob("*.mjs"))
    assert sum(map(len, published.values())) < 0.75 * whole


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, by its name there."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def public_names() -> list[str]:
    """Return every public name of camlib, dotted, and of the modules among them."""
    values = {name: getattr(camlib, name) for name in camlib.__all__}
    modules = {name: value for name, value in values.items() if inspect.ismodule(value)}
    names = [f"camlib.{name}" for name in values.keys() - modules.keys()]
    for part, module in modules.items():
        members = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
        ]
        names += [f"camlib.{part}.{name}" for name in members]
    return names


def test_library_page_is_complete(built: Path) -> None:
    """The page of the library describes each public name."""
    text = (built / "book" / "api.html").read_text(encoding="utf-8")
    names = public_names()
    assert len(names) > 20
    assert [name for name in names if f'id="{name}"' not in text] == []
