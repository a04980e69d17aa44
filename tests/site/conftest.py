"""The built book, served as it will be: below a folder of a server, and opened in Chromium."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    TimeoutError,
    sync_playwright,
)
from sphinx_external_toc.parsing import parse_toc_yaml
from xdist.scheduler import LoadScopeScheduling

from tooling import browser, serve

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "_build" / "html"
FOLDER = "/cam/"
ALL_AWAKE = """() =>
    document.querySelectorAll('[data-camlib-explorer]:not([data-camlib-app] *), [data-camlib-app]').length
    <= performance.getEntriesByType('mark').filter(({ name }) => name.startsWith('explorer ')).length
"""
# No name has an address: what a page asks another server for fails, as it would on an island.
ISLAND = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", ISLAND)
# Made by Sphinx beside the pages of the table of contents, as a reader comes to them.
MADE = ("genindex", "search.html?q=pooling")


@functools.cache
def table_of_contents() -> list[str]:
    """Return the pages that _toc.yml lists, without suffix: ["book/intro", ...]."""
    return list(parse_toc_yaml(ROOT / "_toc.yml"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for each page of the table of contents (``page_name``) or of the site (``any_page``)."""
    listed = table_of_contents()
    for name, values in (("page_name", listed), ("any_page", [*listed, *MADE])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values)


class ByPage(LoadScopeScheduling):
    """Of two workers, one does all tests of a page, for it opens the page once for them all.

    pytest-xdist's own groups need node names that can be written to, which pytest 9.2 has no more.
    """

    def _split_scope(self, nodeid: str) -> str:
        given = nodeid.partition("[")[2]
        names = (name for name in (*table_of_contents(), *MADE) if given.startswith(name))
        return max(names, key=len, default=nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByPage | None:
    """Hand the tests out page by page, where they are handed out by scope."""
    return ByPage(config, log) if config.option.dist == "loadscope" else None


class BelowFolder(serve.Handler):
    """Answers only below ``FOLDER``: an address that starts at the server's root fails here."""

    def translate_path(self, path: str) -> str:
        """Return the file for an address, or one that does not exist."""
        if not path.startswith(FOLDER):
            return str(BUILT / "outside the book's folder")
        return super().translate_path(path.removeprefix(FOLDER.rstrip("/")))


@pytest.fixture(scope="session")
def pages() -> list[str]:
    """The pages that _toc.yml lists."""
    return table_of_contents()


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the built book."""
    if not (BUILT / "index.html").is_file():
        pytest.fail(
            f"{BUILT.relative_to(ROOT)} holds no book: run `make book` first", pytrace=False
        )
    return BUILT


@pytest.fixture(scope="session")
def axe() -> Path:
    """The script of axe-core, which looks for barriers in a page."""
    script = ROOT / "_web" / "tests" / "axe.min.js"
    if not script.is_file():
        pytest.fail("axe-core is missing: run `python -m tooling.web_assets` first", pytrace=False)
    return script


@pytest.fixture(scope="session")
def site(built: Path) -> Iterator[str]:
    """The address of the built book, served below a folder; ends in a slash."""
    handler = functools.partial(BelowFolder, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{FOLDER}"
        server.shutdown()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A running Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser.find(), args=list(FLAGS))
        yield running
        running.close()


@dataclass
class Visit:
    """A page being visited, and everything that went wrong or elsewhere meanwhile."""

    page: Page
    site: str
    scripts: bool = True
    problems: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen to the page from before its first request."""
        self.page.add_init_script(
            """globalThis.violations = [];
            addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
                violations.push(`${effectiveDirective}: ${blockedURI}`));"""
        )
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on(
            "requestfailed", lambda request: self.problems.append(f"failed: {request.url}")
        )
        self.page.on("response", self._note_response)
        self.page.on("request", self._note_request)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console {message.type}: {message.text}")

    def _note_response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")

    def _note_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in ("data", "blob"):
            return
        if not request.url.startswith(self.site):
            self.foreign.append(request.url)

    def open(self, name: str) -> Page:
        """Open a page of the book by its name, and wait until all is quiet, drawn and awake."""
        address = name if ".html" in name else f"{name}.html"
        self.page.goto(f"{self.site}{address}", wait_until="networkidle")
        # Formulas are drawn once MathJax is ready; without formulas there is no MathJax.
        self.page.evaluate("() => globalThis.MathJax?.startup?.promise")
        # On a busy machine the network is quiet for a while between two modules. Whether all explorers
        # do wake is for a test to ask.
        if self.scripts:
            with contextlib.suppress(TimeoutError):
                self.page.wait_for_function(ALL_AWAKE, timeout=20_000)
        return self.page


@pytest.fixture
def visit(
    chromium: Browser, site: str, record_property: Callable[[str, object], None]
) -> Iterator[Callable[..., Visit]]:
    """Open a page: ``visit("book/intro", width=390, scripts=False, scheme="dark")``.

    Every page opened is noted in the test's report as a property "page".
    """
    contexts: list[BrowserContext] = []

    def start(
        name: str,
        *,
        width: int = 1280,
        height: int = 900,
        scripts: bool = True,
        scheme: str = "light",
        motion: str = "reduce",
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            java_script_enabled=scripts,
            color_scheme=scheme,
            has_touch=width < 500,
            reduced_motion=motion,
        )
        contexts.append(context)
        visit = Visit(context.new_page(), site, scripts)
        visit.open(name)
        record_property("page", name.partition(".html")[0])
        return visit

    yield start
    for context in contexts:
        context.close()


checked: dict[str, set[str]] = {"page": set(), "explorer": set()}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the pages that were opened, and the explorers used, by tests that passed."""
    if report.when == "call" and report.passed:
        for key, value in report.user_properties:
            if key in checked:
                checked[key].add(str(value))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which pages and explorers were checked."""
    for kind, names in checked.items():
        terminalreporter.write_line(f"{kind}s checked: {len(names)}")
