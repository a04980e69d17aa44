"""Every page of the built book, in the browser: nothing broken, nothing foreign, all of it there.

A page is opened once wide and light, once narrow and dark, and switched to the other colours each time;
without scripts once, wide, and then made narrow. All that is asked of it is asked then, a screenshot
of each opening goes to ``_build/reports/screenshots``, and the tests below look at the answers.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from playwright.sync_api import TimeoutError

from tests.browsing import COLOURS
from tooling.repository import ROOT

# What a page holds, asked of the page itself. What an explorer that is awake draws for itself is the
# subject of its own tests.
QUESTIONS = """() => ({
    title: document.title,
    description: document.querySelector('meta[name=description]')?.content ?? '',
    headings: [...document.querySelectorAll('h1')].map((heading) => heading.textContent),
    formulas: document.querySelectorAll('.math').length,
    drawn: document.querySelectorAll('.math > .katex, .math > .katex-display').length,
    wrong: document.querySelectorAll('.katex-error').length,
    // Begins to the left of where its box begins: no scrolling reaches that.
    cut: [...document.querySelectorAll('div.math')].filter((formula) => formula.getBoundingClientRect().left
        > Math.min(...[...formula.querySelectorAll('.base')].map((part) => part.getBoundingClientRect().left)) + 1)
        .length,
    pictures: [...document.images].map((image) => ({
        source: image.currentSrc.slice(-80),
        alt: image.getAttribute('alt'),
        breadth: image.naturalWidth,
        place: image.closest('[data-camlib-explorer]') ? 'explorer'
            : image.closest('article') ? 'text' : 'around',
    })),
    figures: [...document.querySelectorAll('article svg[role=img]')].map((figure) => ({
        label: figure.getAttribute('aria-label'),
        // What the page gives its ink; other words stand on colours of the figure's own.
        inks: [...new Set([...figure.querySelectorAll('text')]
            .filter((text) => text.getAttribute('style').includes('var(--cam-ink'))
            .map((text) => getComputedStyle(text).fill))],
    })),
    paper: getComputedStyle(document.body).backgroundColor,
    links: [...document.querySelectorAll('a[href]')].map((link) => link.href),
    height: document.documentElement.scrollHeight,
    breadth: [document.documentElement.scrollWidth, document.documentElement.clientWidth],
    // TeX that is read as text, outside of code.
    raw: (document.querySelector('article')?.innerText.match(/\\\\[([]|\\$\\$|\\\\(?:frac|sum|operatorname)/g) ?? []).length
        - [...document.querySelectorAll('article :is(pre, code)')].reduce((count, code) => count
            + (code.innerText.match(/\\\\[([]|\\$\\$|\\\\(?:frac|sum|operatorname)/g) ?? []).length, 0),
    policies: [...document.querySelectorAll('meta[http-equiv="Content-Security-Policy"]')]
        .map((meta) => meta.content),
    before: [...document.head.children].slice(0, 2).map((element) => element.outerHTML.slice(0, 40)),
    violations: globalThis.violations ?? [],
    theme: document.documentElement.dataset.theme,
    matted: [...document.querySelectorAll('.bd-article img')]
        .filter((image) => !image.closest('[data-camlib-explorer]'))
        .map((image) => [getComputedStyle(image), getComputedStyle(image.parentElement)])
        .filter(([own, around]) => own.filter !== 'none' || own.backgroundColor !== 'rgba(0, 0, 0, 0)'
            || around.backgroundColor === 'rgb(255, 255, 255)').length,
    moving: [...document.querySelectorAll('body, body *')].filter((element) => {
        const style = getComputedStyle(element);
        return [style.transitionDuration, style.animationDuration].some((times) => /[1-9]/.test(times))
            || style.scrollBehavior === 'smooth';
    }).map((element) => element.outerHTML.slice(0, 80)),
    icons: [...document.querySelectorAll('.fas, .fa-solid, .fa-brands')]
        .filter((icon) => getComputedStyle(icon).maskImage === 'none').map((icon) => icon.className),
    explorers: [...document.querySelectorAll('[data-camlib-explorer]:not([data-camlib-app] *)')]
        .map((figure) => figure.dataset.camlibExplorer),
    apps: [...document.querySelectorAll('[data-camlib-app]')].map((app) => app.dataset.camlibApp),
    awake: performance.getEntriesByType('mark').map((mark) => mark.name)
        .filter((name) => name.startsWith('explorer ')).map((name) => name.slice('explorer '.length)),
    modules: performance.getEntriesByType('resource')
        .map(({ name }) => name.split('/_static/explorers/')[1]).filter((name) => name),
    addresses: [...document.querySelectorAll('script[src], link[href], img[src]')]
        .map((element) => element.src || element.href),
    inline: [...document.scripts].map((script) => script.textContent).join('\\n'),
})"""


# What is left of a page on paper.
PAPER = """() => {
    const shown = (element) => element.getClientRects().length > 0;
    const texts = [...document.querySelectorAll('article :is(p, li, h1, h2, td, pre, pre span, figcaption)')];
    return {
        titles: [...document.querySelectorAll('article h1')].filter(shown).length,
        controls: [...document.querySelectorAll('button, input, select, nav, .bd-sidebar-primary, dialog')]
            .filter(shown).map((element) => element.outerHTML.slice(0, 80)),
        brightest: Math.max(...texts.filter(shown).map((element) => {
            const [red, green, blue] = getComputedStyle(element).color.match(/[0-9.]+/g).map(Number);
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        })),
        cut: [...document.querySelectorAll('article pre')]
            .filter((code) => shown(code) && code.scrollWidth > code.clientWidth + 1).length,
        explorers: [...document.querySelectorAll('[data-camlib-explorer]:not([data-camlib-app] *)')].map((figure) =>
            [...figure.children].filter(shown).map((element) => element.tagName).join(' ')),
    };
}"""
# What is left without scripts.
UNSCRIPTED = """() => ({
    controls: [...document.querySelectorAll('button, input, select')]
        .filter((element) => element.getClientRects().length).map((element) => element.outerHTML.slice(0, 80)),
    contents: [...document.querySelectorAll('.bd-sidebar-primary nav.bd-links a')]
        .filter((link) => link.getClientRects().length && link.getBoundingClientRect().left >= 0).length,
    said: document.querySelector('.without-scripts')?.innerText ?? '',
    explorers: [...document.querySelectorAll('[data-camlib-explorer]')].map((figure) => [
        figure.querySelector(':scope > img').getClientRects().length,
        figure.querySelector(':scope > figcaption').innerText]),
})"""
WIDTHS = (1280, 390)
# In this order: the text is looked at for barriers in the first colours only.
SCHEMES = {1280: ("light", "dark"), 390: ("dark", "light")}
WAYS = [(width, scheme) for width in WIDTHS for scheme in SCHEMES[width]]
PICTURES = ROOT / "_build" / "reports" / "screenshots"
every_way = pytest.mark.parametrize(("width", "scheme"), WAYS)


@dataclass(frozen=True)
class Facts:
    """What was found on a page."""

    problems: list[str]
    foreign: list[str]
    found: dict[str, Any]
    barriers: list[str]
    paper: dict[str, Any]


@pytest.fixture(scope="session")
def known() -> dict[tuple[str, int, str, bool], Facts]:
    """Facts gathered so far: by name, width, colours, and whether scripts run."""
    return {}


@pytest.fixture
def facts(
    visit: Callable[..., Any],
    known: dict[tuple[str, int, str, bool], Facts],
    record_property: Callable[[str, object], None],
) -> Callable[..., Facts]:
    """Open a page and gather its facts: ``facts("book/intro", width=390, scripts=False)``."""

    def gather(
        name: str, *, width: int = 1280, scheme: str = "light", scripts: bool = True
    ) -> Facts:
        if (name, width, scheme, scripts) not in known:
            if scripts:
                first, second = [(width, one) for one in SCHEMES[width]]
            else:
                first, second = [(one, "light") for one in WIDTHS]
            opened = visit(name, width=first[0], scheme=first[1], scripts=scripts)
            known[(name, *first, scripts)] = look(opened, picture_of(name, *first, scripts))
            opened.page.set_viewport_size({"width": second[0], "height": 900})
            if scripts:
                with contextlib.suppress(TimeoutError):  # then a test says that the theme stayed
                    opened.wear(second[1])
            known[(name, *second, scripts)] = look(opened)
        record_property("page", name.partition(".html")[0])
        return known[name, width, scheme, scripts]

    return gather


def picture_of(name: str, width: int, scheme: str, scripts: bool) -> Path:
    """Return the file for a screenshot."""
    way = f"{width}-{scheme if scripts else 'without-scripts'}.jpg"
    return PICTURES / f"{name.partition('.html')[0].replace('/', '-')}-{way}"


def picture(page: Any, path: Path) -> None:
    """Take a page's picture: five screens of it at most, for a whole chapter has thirty."""
    screen = page.viewport_size
    height = min(page.evaluate("document.documentElement.scrollHeight"), 5 * screen["height"])
    path.parent.mkdir(parents=True, exist_ok=True)
    # On a screen that is so high: several times faster than a picture of more than the screen.
    page.set_viewport_size(screen | {"height": height})
    page.screenshot(path=path, type="jpeg", quality=60)
    page.set_viewport_size(screen)


def look(opened: Any, path: Path | None = None) -> Facts:
    """Ask an open page everything, also on paper. A page just opened gets its picture taken.

    After a switch only the colours around the text are looked at: the text has been looked at in these
    colours, at the other width. Without the text that is much faster; the page is of no use afterwards.
    """
    page = opened.page
    found = page.evaluate(QUESTIONS)
    paper: dict[str, Any] = {}
    barriers: list[str] = []
    # Before the page is on paper, where no code scrolls: the theme would note that for the keyboard.
    if opened.scripts and path:
        barriers = opened.barriers()
    if opened.scripts:
        page.emulate_media(media="print")
        paper = page.evaluate(PAPER)
        page.emulate_media(media="screen")
    else:
        found |= page.evaluate(UNSCRIPTED)
    if opened.scripts and not path:
        page.evaluate("document.querySelector('article')?.remove()")
        barriers = opened.barriers(rules=COLOURS)
    # Last: what the theme does when a window changes its height would touch what is looked at above.
    if path:
        picture(page, path)
    return Facts(list(opened.problems), list(opened.foreign), found, barriers, paper)


@every_way
def test_nothing_goes_wrong(
    any_page: str,
    width: int,
    scheme: str,
    facts: Callable[..., Facts],
    site: str,
    record_property: Callable[[str, object], None],
) -> None:
    """No error or warning in the console, no request that fails, none to another server.

    Each formula became a drawing, each explorer and app has come to life, nothing moves for a reader
    who asked for less motion, and dark mode puts neither mat nor filter on a figure.
    """
    gathered = facts(any_page, width=width, scheme=scheme)
    found = gathered.found
    assert gathered.problems == []
    assert gathered.foreign == []
    assert found["violations"] == []
    assert found["theme"] == scheme
    # The page does not even hold a foreign script's address.
    own = (site, "data:")
    assert [
        url for url in found["addresses"] if urlsplit(url).scheme and not url.startswith(own)
    ] == []
    assert re.findall(r"https?://[^\s\"'<>]+\.m?js", found["inline"]) == []
    assert found["drawn"] == found["formulas"]
    assert found["cut"] == 0
    assert found["wrong"] == 0
    assert found["raw"] <= 0
    assert found["icons"] == []
    assert sorted(found["awake"]) == sorted(found["explorers"] + found["apps"])
    assert found["moving"] == []
    assert scheme == "light" or found["matted"] == 0
    for name in found["awake"]:
        record_property("explorer", name)


@every_way
def test_accessible(any_page: str, width: int, scheme: str, facts: Callable[..., Facts]) -> None:
    """No rule of WCAG 2.2 A and AA that axe-core knows is broken; a phone does not scroll sideways."""
    gathered = facts(any_page, width=width, scheme=scheme)
    assert gathered.barriers == []
    scroll, client = gathered.found["breadth"]
    assert width > 390 or (client == 390 and scroll <= client)


def luminance(colour: str) -> float:
    """Return the relative luminance of "rgb(r, g, b)" as WCAG 2 defines it."""
    shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@every_way
def test_figures_can_be_read(
    any_page: str, width: int, scheme: str, facts: Callable[..., Facts]
) -> None:
    """By eye, with a contrast of 4.5 to 1, and by ear."""
    found = facts(any_page, width=width, scheme=scheme).found
    for figure in found["figures"]:
        assert len(figure["label"]) >= 15
        for ink in figure["inks"]:
            dark, light = sorted((luminance(ink), luminance(found["paper"])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, figure["label"]


def test_explorers_are_fetched_alone(any_page: str, facts: Callable[..., Facts]) -> None:
    """The module of each explorer that the page holds, what they share, and nothing of the others."""
    found = facts(any_page).found
    # The page for photographs shows its maps in an explorer, which it makes itself.
    made = ["class_explorer" for app in found["apps"] if app == "your_photo"]
    names = {*found["explorers"], *made}
    expected = [f"{name}.mjs" for name in names] + ["shared/all.mjs"] * bool(names)
    assert sorted(found["modules"]) == sorted(expected)


def test_policy(any_page: str, facts: Callable[..., Facts]) -> None:
    """One policy, before all that it is about, which names no other origin and no loophole."""
    found = facts(any_page).found
    (policy,) = found["policies"]
    assert found["before"][0].lower().startswith("<meta charset")
    assert found["before"][1].startswith('<meta http-equiv="Content-Security-P')
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert "'unsafe-inline'" not in directives["script-src"]
    words = {word for value in directives.values() for word in value.split()}
    hashes = {word for word in words if re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", word)}
    assert hashes
    assert words - hashes == {
        "'none'", "'self'", "'wasm-unsafe-eval'", "'unsafe-inline'", "data:", "blob:"
    }  # fmt: skip


@every_way
def test_paper(any_page: str, width: int, scheme: str, facts: Callable[..., Facts]) -> None:
    """Printed, a page has its title, dark ink, no buttons, no line cut off; explorers are pictures."""
    gathered = facts(any_page, width=width, scheme=scheme)
    paper = gathered.paper
    assert paper["titles"] == (0 if any_page.startswith("search") else 1)
    assert paper["controls"] == []
    assert paper["brightest"] < 140
    assert paper["cut"] == 0
    assert paper["explorers"] == ["IMG FIGCAPTION"] * len(gathered.found["explorers"])


def test_motion_would_be_seen(visit: Callable[..., Any], pages: list[str]) -> None:
    """Without that wish something moves, so that the test above can fail."""
    assert visit(pages[0], motion="no-preference").page.evaluate(QUESTIONS)["moving"]


@pytest.mark.parametrize("width", WIDTHS)
def test_without_scripts(any_page: str, width: int, facts: Callable[..., Facts]) -> None:
    """No dead button, the contents at hand, explorers as pictures that say what scripts would add."""
    found = facts(any_page, width=width, scripts=False).found
    assert found["controls"] == []
    assert found["contents"] > 5
    assert "Scripts are off" in found["said"]
    assert found["breadth"][0] <= width
    assert all(shown and "JavaScript" in caption for shown, caption in found["explorers"])


def test_chapters_can_be_read_in_one_go(page_name: str, facts: Callable[..., Facts]) -> None:
    """With folds closed at most 20 000 pixels, about 22 screens."""
    assert facts(page_name).found["height"] <= 20_000 or page_name == "book/api"


def test_one_title(page_name: str, facts: Callable[..., Facts]) -> None:
    """One heading of the first level, which the window's title and the book's name repeat."""
    found = facts(page_name).found
    assert len(found["headings"]) == 1
    heading = found["headings"][0].rstrip("#").strip()
    words = re.sub(r"^[\d.]+\s*", "", heading)
    assert " ".join(words.split()) in " ".join(found["title"].split())
    assert found["title"].endswith("Class Activation Maps")
    assert found["description"]


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


def planted(page: str) -> str:
    """Return a page's HTML with a script, a handler, and a picture of another server's within it."""
    plants = (
        "<script>globalThis.planted = 'script'</script>"
        "<img id=plant src=data:, onerror=\"globalThis.planted = 'handler'\">"
        '<img src="https://elsewhere.test/pixel.png">'
    )
    return page.replace("<article", f"{plants}<article", 1)


@pytest.mark.parametrize("protected", [True, False])
def test_planted_code_does_not_run(
    protected: bool, visit: Callable[..., Any], pages: list[str], site: str, built: Path
) -> None:
    """With the policy neither script, handler nor request gets through; without it all would."""
    page = visit(pages[1]).page
    body = planted((built / f"{pages[1]}.html").read_text(encoding="utf-8"))
    if not protected:
        body = body.replace('http-equiv="Content-Security-Policy"', 'name="no-policy"')
    asked: list[str] = []
    page.route(
        f"{site}{pages[1]}.html", lambda route: route.fulfill(body=body, content_type="text/html")
    )
    page.route(
        "https://elsewhere.test/**", lambda route: asked.append(route.request.url) or route.abort()
    )
    page.goto(f"{site}{pages[1]}.html", wait_until="load")
    page.wait_for_load_state("networkidle")
    told = page.evaluate(
        "[globalThis.planted ?? null, violations.map((told) => told.split(':')[0]).sort()]"
    )
    if protected:
        assert told == [None, ["img-src", "script-src-attr", "script-src-elem"]]
        assert asked == []
    else:
        assert told == ["handler", []]
        assert asked == ["https://elsewhere.test/pixel.png"]
