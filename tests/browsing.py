"""Chromium for the tests of pages: what goes wrong in a page, whom it asks, what axe-core finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tooling import browser
from tooling.repository import ROOT

AXE = ROOT / "_web" / "tests" / "axe.min.js"
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")  # axe-core's names for A and AA
# The rules of these that ask for colours: of the same page in other colours, all that can change.
COLOURS = ("color-contrast", "link-in-text-block")
# Of thousands of words of code, axe-core looks at one in each colour: with all it takes six times as long.
LOOK = """async ([part, exclude, runOnly]) => {
    const seen = new Set();
    const codes = [...document.querySelectorAll(`${part} pre`)];
    for (const word of codes.flatMap((code) => [...code.querySelectorAll("span")])) {
        const { color, backgroundColor, fontWeight, fontSize, opacity } = getComputedStyle(word);
        const behind = getComputedStyle(word.closest("pre")).backgroundColor;
        const looks = [color, backgroundColor, fontWeight, fontSize, opacity, behind].join();
        word.toggleAttribute("data-repeated", seen.has(looks));
        seen.add(looks);
    }
    const contents = codes.map((code) => [...code.childNodes]);
    for (const code of codes) {
        const short = code.cloneNode(true);
        for (const word of short.querySelectorAll("[data-repeated]")) word.replaceWith(...word.childNodes);
        code.replaceChildren(...short.childNodes);
    }
    const { passes, violations } = await axe.run(
        { include: part, exclude }, { runOnly, resultTypes: ["violations"] });
    for (const [place, code] of codes.entries()) code.replaceChildren(...contents[place]);
    if (!passes.length) throw new Error("axe-core found nothing to look at");
    return violations.flatMap(({ id, nodes }) => nodes.map(
        ({ target, html, failureSummary }) => `${id}: ${target} ${html} ${failureSummary}`));
}"""
# No name has an address: what a page asks another server for fails, as it would on an island.
ISLAND = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A running Chromium."""
    with sync_playwright() as playwright:
        flags = [*browser.FLAGS, ISLAND]
        running = playwright.chromium.launch(executable_path=browser.find(), args=flags)
        yield running
        running.close()


@dataclass
class Watched:
    """A page, and everything that goes wrong in it or is asked of another server than ``home``."""

    page: Page
    home: str  # an address: what begins with it is the site's own
    problems: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen to the page from before its first request."""
        self.page.on("console", self.note_console)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        for event in ("request", "websocket"):
            self.page.on(event, lambda asked: self.note_address(asked.url))

    def note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console {message.type}: {message.text}")

    def note_address(self, address: str) -> None:
        url, home = urlsplit(address), urlsplit(self.home)
        own = url.netloc == home.netloc and url.path.startswith(home.path)
        if url.scheme not in ("data", "blob") and not own:
            self.foreign.append(address)

    def barriers(
        self, part: str = ":root", without: str | None = None, rules: Sequence[str] = WCAG
    ) -> list[str]:
        """Let axe-core look for barriers in a part of the page: WCAG 2.2, A and AA, or some rules of it."""
        if not AXE.is_file():
            pytest.fail("axe-core is missing: run `python -m tooling.web_assets`", pytrace=False)
        # Evaluated, not added: the page's policy lets no such script in.
        if not self.page.evaluate("'axe' in globalThis"):
            self.page.evaluate(AXE.read_text(encoding="utf-8") + ";undefined")
        found: list[str] = self.page.evaluate(
            LOOK, [part, [without] if without else [], list(rules)]
        )
        return found
