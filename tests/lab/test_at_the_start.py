"""`make lab` from a fresh state: the first page open, the chapters beside it, nobody else asked.

By its name the first of the files here: afterwards the state is no longer fresh.
"""

from __future__ import annotations

import subprocess

from playwright.sync_api import expect

from tooling import notebooks

from .conftest import ROOT, Notebook


def test_make_lab_runs_the_command_that_is_tested_here() -> None:
    command = ["make", "--dry-run", "--no-print-directory", "lab"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == ".venv/bin/python -m tooling.lab"


def test_a_fresh_start(notebook: Notebook) -> None:
    """No question, no message; the fixture refuses foreign requests."""
    listed = [path.name for path in notebooks.listed()]
    notebook.open(listed[0])
    page = notebook.page
    expect(page.locator(".jp-DirListing-itemName")).to_have_text(
        sorted(listed), use_inner_text=True
    )
    expect(page.get_by_role("heading", name="What did the network look at?")).to_be_visible()
    # On a busy machine a question may come late; that the setting says "no" holds at any time.
    setting = "lab/api/settings/@jupyterlab/apputils-extension:notification"
    schema = page.request.get(notebook.server.url + setting).json()["schema"]["properties"]
    assert (schema["fetchNews"]["default"], schema["checkForUpdates"]["default"]) == (
        "false",
        False,
    )
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)  # what asks does so once all else is there
    expect(page.locator(".jp-Dialog, .Toastify__toast")).to_have_count(0)
    notebook.picture("fresh")
