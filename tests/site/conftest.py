"""The built book, served as it will be: below a folder of a server, and opened in Chromium."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, TimeoutError
from xdist.scheduler import LoadScopeScheduling

from tests.browsing import Watched, chromium
from tooling import notebooks, serve

__all__ = ["chromium"]  # a fixture

FOLDER = "cam/"
READY = """() =>
    document.querySelectorAll('[data-camlib-explorer]:not([data-camlib-app] *), [data-camlib-app]').length
    <= performance.getEntriesByType('mark').filter(({ name }) => name.startsWith('explorer ')).length
    && [...document.images].every(({ naturalWidth, loading }) => naturalWidth || loading === 'lazy')
"""
# Made by Sphinx beside the pages of the table of contents, as a reader comes to them.
MADE = ("genindex", "search.html?q=pooling")
contents = functools.cache(notebooks.pages)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for each page of the table of contents (``page_name``) or of the site (``any_page``)."""
    for name, values in (("page_name", contents()), ("any_page", [*contents(), *MADE])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values)


class ByPage(LoadScopeScheduling):
    """Of two workers, one does all tests of a page, for it opens the page once for them all.

    pytest-xdist's own groups need node names that can be written to, which pytest 9.2 has no more.
    """

    def _split_scope(self, nodeid: str) -> str:
        given = nodeid.partition("[")[2]
        names = (name for name in (*contents(), *MADE) if given.startswith(name))
        return max(names, key=len, default=nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByPage | None:
    """Hand the tests out page by page, where they are handed out by scope."""
    return ByPage(config, log) if config.option.dist == "loadscope" else None


class BelowFolder(serve.Handler):
    """Answers only below ``FOLDER``: an address that starts at the server's root fails here."""

    def translate_path(self, path: str) -> str:
        """Return the file for an address, or one that does not exist."""
        if not path.startswith(f"/{FOLDER}"):
            return str(serve.SITE / "outside the book's folder")
        return super().translate_path(path.removeprefix(f"/{FOLDER}"))

    def send_header(self, keyword: str, value: str) -> None:
        """Let a browser keep what it has: nothing changes while tests run."""
        super().send_header(keyword, "max-age=3600" if keyword == "Cache-Control" else value)


@pytest.fixture(scope="session")
def pages() -> list[str]:
    """The pages that _toc.yml lists."""
    return contents()


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the built book."""
    if not (serve.SITE / "index.html").is_file():
        pytest.fail(f"{serve.SITE} holds no book: run `make book` first", pytrace=False)
    return serve.SITE


@pytest.fixture(scope="session")
def site(built: Path) -> Iterator[str]:
    """The address of the built book, served below a folder; ends in a slash."""
    with serve.in_background(built, BelowFolder) as address:
        yield f"{address}{FOLDER}"


@dataclass
class Visit(Watched):
    """A page of the book being visited."""

    scripts: bool = True

    def __post_init__(self) -> None:
        """Note failures of the network, and what the page's security policy holds back, too."""
        super().__post_init__()
        self.page.on("requestfailed", lambda one: self.problems.append(f"failed: {one.url}"))
        self.page.on("response", self.note_response)
        self.page.add_init_script(
            """globalThis.violations = [];
            addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
                violations.push(`${effectiveDirective}: ${blockedURI}`));"""
        )

    def note_response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")

    def open(self, name: str) -> Page:
        """Open a page of the book by its name, and wait until all is loaded, drawn and awake."""
        address = name if ".html" in name else f"{name}.html"
        self.page.goto(f"{self.home}{address}")
        if self.scripts:
            # Whether all explorers wake and all pictures load is for a test to ask.
            with contextlib.suppress(TimeoutError):
                self.page.wait_for_function(READY, timeout=20_000)
        return self.page

    def wear(self, scheme: str) -> None:
        """Switch to other colours."""
        self.page.emulate_media(color_scheme=scheme)
        theme = "scheme => document.documentElement.dataset.theme === scheme"
        self.page.wait_for_function(theme, arg=scheme, timeout=5000)

    def forget(self) -> None:
        """Leave nothing of this visit to the next one but what the browser has fetched."""
        self.page.context.set_offline(False)
        self.page.context.unroute_all()
        self.page.unroute_all()
        # Not at once: a page stores something even as it is left.
        clear = "() => { localStorage.clear(); sessionStorage.clear(); }"
        self.page.evaluate(f"addEventListener('pagehide', {clear})")
        self.page.goto("about:blank")
        self.page.context.clear_cookies()
        self.page.mouse.move(-1, -1)
        self.problems, self.foreign = [], []


@pytest.fixture(scope="session")
def idle() -> dict[tuple[bool, bool], list[Visit]]:
    """Visits that are over, by touch and scripts: a new tab costs more than all a page does in it."""
    return {}


@pytest.fixture
def visit(
    chromium: Browser,
    site: str,
    idle: dict[tuple[bool, bool], list[Visit]],
    record_property: Callable[[str, object], None],
) -> Iterator[Callable[..., Visit]]:
    """Open a page: ``visit("book/intro", width=390, scripts=False, scheme="dark")``.

    In a tab that an earlier test is done with, or a ``fresh`` one: then nothing has been fetched yet.
    Every page opened is noted in the test's report as a property "page".
    """
    shared: list[tuple[tuple[bool, bool], Visit]] = []
    contexts: list[BrowserContext] = []

    def start(
        name: str,
        *,
        width: int = 1280,
        scripts: bool = True,
        scheme: str = "light",
        motion: str = "reduce",
        fresh: bool = False,
    ) -> Visit:
        kind = (width < 500, scripts)
        if idle.get(kind) and not fresh:
            visit = idle[kind].pop()
        else:
            context = chromium.new_context(java_script_enabled=scripts, has_touch=width < 500)
            visit = Visit(context.new_page(), site, scripts=scripts)
        if fresh:
            contexts.append(visit.page.context)
        else:
            shared.append((kind, visit))
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.page.emulate_media(media="screen", color_scheme=scheme, reduced_motion=motion)
        visit.open(name)
        record_property("page", name.partition(".html")[0])
        return visit

    yield start
    for kind, visit in shared:
        visit.forget()
        idle.setdefault(kind, []).append(visit)
    for context in contexts:
        context.close()
