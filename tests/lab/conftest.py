"""JupyterLab as `make lab` starts it, on copies of the chapters, and Chromium to work in it."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.browsing import Watched, chromium
from tooling import lab, notebooks
from tooling.repository import ROOT

__all__ = ["ROOT", "chromium"]  # a fixture; and what tests import from here

PICTURES = ROOT / "_build" / "screenshots"
PATIENCE = 180_000
# JupyterLab's own server would fetch these from elsewhere, unseen by the browser.
PASSED_ON = re.compile(r"/lab/api/(news|update|extensions)")
BUSY = re.compile(r"Plugin .* to activate\.$")  # JupyterLab's warning that the machine is slow


@dataclass(frozen=True)
class Server:
    """A running JupyterLab; ``url`` ends in a slash, ``folder`` holds copies of the chapters."""

    url: str
    token: str
    folder: Path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab by the command of `make lab`; all that it writes goes into a temporary folder."""
    home = tmp_path_factory.mktemp("jupyter")
    folder = home / "book"
    folder.mkdir()
    for path in notebooks.listed():
        shutil.copyfile(path, folder / path.name)
    own = {
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
        "PYTHONPATH": ROOT,  # the camlib that is tested
    }
    environment = lab.environment() | {name: str(path) for name, path in own.items()}
    for name in ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTER_TOKEN"):
        environment.pop(name, None)
    first = folder / notebooks.listed()[0].name
    started = lab.command(first, "--no-browser", "--ServerApp.port=0")
    log = home / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(started, env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            found = _answer(process, home / "runtime", log)
            yield Server(found["url"], found["token"], folder)
        finally:
            process.terminate()  # kernels too
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _answer(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> dict[str, Any]:
    """Wait until the server answers and return what it says of itself."""
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.2)
        described = runtime / f"jpserver-{process.pid}.json"
        try:
            found = json.loads(described.read_text(encoding="utf-8"))
            connection = http.client.HTTPConnection(urlsplit(found["url"]).netloc, timeout=5)
            connection.request("GET", "/api", headers={"Authorization": f"token {found['token']}"})
            status = connection.getresponse().status
            connection.close()
        except (OSError, ValueError):
            continue
        if status == 200:
            return found
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')}", pytrace=False)


class Notebook(Watched):
    """A notebook open in JupyterLab, worked as a reader works it, and all that went wrong."""

    def __init__(self, page: Page, server: Server) -> None:
        super().__init__(page, server.url)
        self.server = server

    def note_console(self, message: ConsoleMessage) -> None:
        if not BUSY.match(message.text):
            super().note_console(message)

    def note_address(self, address: str) -> None:
        super().note_address(address)
        if PASSED_ON.match(urlsplit(address).path):
            self.foreign.append(address)

    def open(self, name: str) -> None:
        """Open a notebook and wait for its kernel: what one runs before would be lost.

        In a workspace of its own: JupyterLab opens again what was open before.
        """
        workspace = f"lab/workspaces/{Path(name).stem}"
        self.page.goto(f"{self.server.url}{workspace}/tree/{name}?token={self.server.token}")
        end = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end:
            sessions = self.page.request.get(f"{self.server.url}api/sessions").json()
            kernels = [session["kernel"] for session in sessions if session["path"] == name]
            if any(k["connections"] and k["execution_state"] == "idle" for k in kernels):
                return
            self.page.wait_for_timeout(200)
        pytest.fail(f"no kernel for {name}: {sessions}")

    @property
    def cells(self) -> Locator:
        """All cells of the notebook."""
        return self.page.locator(".jp-Notebook .jp-Cell")

    @property
    def selected(self) -> int:
        """The place of the cell that has the reader's attention."""
        return int(self.cells.evaluate_all("c => c.findIndex(e => e.matches('.jp-mod-active'))"))

    def select(self, place: int) -> Locator:
        """Click beside a cell: keys now speak to the notebook."""
        cell = self.cells.nth(place)
        prompt = ".jp-InputPrompt" if "jp-CodeCell" in str(cell.get_attribute("class")) else ""
        (cell.locator(prompt) if prompt else cell).first.click()
        assert self.selected == place
        return cell

    def run(self, place: int) -> str:
        """Run one cell by keyboard, wait for its end and return what it printed."""
        cell = self.select(place)
        prompt = cell.locator(".jp-InputPrompt")
        before = str(prompt.text_content())
        self.page.keyboard.press("Control+Enter")
        expect(prompt).not_to_have_text(before)
        expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=PATIENCE)
        stream = cell.locator("[data-mime-type='application/vnd.jupyter.stdout']")
        error = cell.locator("[data-mime-type='application/vnd.jupyter.error']")
        assert error.all_inner_texts() == []
        return "\n".join(stream.all_inner_texts()).strip()

    def run_to(self, place: int) -> None:
        """Run all cells from the first to this one, one after the other, by keyboard alone."""
        self.select(0)
        for _ in range(place + 1):
            self.page.keyboard.press("Shift+Enter")

    def write(self, below: int, source: str) -> str:
        """Write a new cell below another by keyboard, run it and return what it printed."""
        self.select(below)
        self.page.keyboard.press("b")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(source)
        return self.run(below + 1)

    def wear(self, theme: str) -> None:
        """Choose "Light" or "Dark" in the menu of themes, unless it is worn already."""
        named = self.page.locator("body").get_attribute("data-jp-theme-name")
        if named == f"JupyterLab {theme}":
            return
        self.page.get_by_role("menuitem", name="Settings").click()
        self.page.locator(".lm-Menu-item", has_text="Theme").first.hover()
        item = self.page.locator('.lm-Menu-item[data-command="apputils:change-theme"]')
        item.filter(has_text=re.compile(f"JupyterLab {theme}$")).click()
        expect(self.page.locator("body")).to_have_attribute(
            "data-jp-theme-name", f"JupyterLab {theme}"
        )

    def picture(self, name: str) -> None:
        """Keep a screenshot, for people to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"lab-{name}.png")


@pytest.fixture(scope="session")
def tab(chromium: Browser, server: Server) -> Iterator[Notebook]:
    """One tab for all: JupyterLab's code is read once."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    yield Notebook(context.new_page(), server)
    context.close()


@pytest.fixture(scope="module")
def notebook(tab: Notebook) -> Iterator[Notebook]:
    """JupyterLab in the browser; any problem or foreign request in a module's tests fails them."""
    yield tab
    problems, foreign = tab.problems, tab.foreign
    tab.page.goto("about:blank")
    tab.problems, tab.foreign = [], []
    assert problems == []
    assert foreign == []


worked: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the explorers whose tests passed."""
    if report.when == "call" and report.passed:
        worked.update(str(value) for key, value in report.user_properties if key == "explorer")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the explorers that were worked in JupyterLab."""
    terminalreporter.write_line(f"explorers in JupyterLab: {', '.join(sorted(worked)) or 'none'}")
