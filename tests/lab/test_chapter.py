"""A chapter in JupyterLab as a reader meets it: run it, work its explorer, ask Python, answer back."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from camlib import networks

from .conftest import PATIENCE, Notebook, Server

CHAPTER = "05-exploring-classes.ipynb"


@pytest.fixture(scope="module")
def place(server: Server) -> int:
    """The place of the cell that makes the explorer."""
    cells = nbformat.read(server.folder / CHAPTER, as_version=4).cells
    made = re.compile(r"^explorers\.ClassExplorer\(", re.MULTILINE)
    return next(i for i, c in enumerate(cells) if c.cell_type == "code" and made.search(c.source))


@pytest.fixture(scope="module")
def view(notebook: Notebook, place: int) -> Locator:
    """The chapter's explorer, after a run of all cells down to it."""
    notebook.open(CHAPTER)
    notebook.run_to(place)
    made = notebook.cells.nth(place).locator(".camlib-explorer")
    expect(made.locator(".cx-app")).to_be_visible(timeout=PATIENCE)
    # Chapters don't name their explorer; IPython does.
    notebook.write(place, "explorer = _\nprint(explorer)")
    return made


def cell_of(view: Locator, row: int, column: int) -> Locator:
    return view.get_by_role("row").nth(row).get_by_role("gridcell").nth(column)


def test_a_class_and_a_place_chosen_by_the_reader_reach_python(
    notebook: Notebook, view: Locator, place: int
) -> None:
    tile = view.locator(".cx-tile").nth(2)
    name = tile.locator(".cx-name").inner_text()
    tile.click()
    expect(view.locator(".cx-title strong")).to_have_text(name)
    cell_of(view, 2, 3).click()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        notebook.page.keyboard.press(key)
    expect(cell_of(view, 3, 5)).to_be_focused()
    expect(cell_of(view, 3, 5)).to_have_attribute("aria-selected", "true")
    assert notebook.selected == place, "the arrow keys moved between the notebook's cells"
    notebook.picture("chapter-chosen")
    printed = notebook.write(place + 1, "print(explorer.class_index, explorer.cell)")
    assert printed == f"{networks.class_names().index(name)} (3, 5)"


def test_keys_pressed_in_the_explorer_are_no_commands(
    notebook: Notebook, view: Locator, place: int
) -> None:
    """On a cell JupyterLab takes "b" for a new one below, "x" cuts it out, arrows leave it."""
    before = notebook.cells.count()
    notebook.select(place)
    cell_of(view, 0, 0).click()
    for target in (cell_of(view, 0, 0), view.locator(".cx-tile").first):
        target.focus()
        for key in ("b", "x", "ArrowDown"):
            notebook.page.keyboard.press(key)
    assert (notebook.cells.count(), notebook.selected) == (before, place)
    view.get_by_role("combobox").click()
    notebook.page.keyboard.type("abbey xdd", delay=20)
    expect(view.get_by_text("No class is called “abbey xdd”.")).to_be_visible()
    notebook.page.keyboard.press("ControlOrMeta+a")
    notebook.page.keyboard.type("space sh")
    notebook.page.keyboard.press("Enter")
    expect(view.locator(".cx-title strong")).to_have_text("space shuttle")
    assert (notebook.cells.count(), notebook.selected) == (before, place)


def test_what_python_sets_is_shown(notebook: Notebook, view: Locator, place: int) -> None:
    notebook.write(place + 1, 'explorer.class_index, explorer.cell = names.index("groom"), (1, 6)')
    expect(view.locator(".cx-title strong")).to_have_text("groom")
    expect(cell_of(view, 1, 6)).to_have_attribute("aria-selected", "true")
    expect(view.get_by_text("row 1, column 6", exact=True)).to_be_visible()


def test_in_the_dark_it_still_answers(notebook: Notebook, view: Locator) -> None:
    notebook.wear("Dark")
    tile = view.locator(".cx-tile").nth(0)
    tile.click()
    expect(view.locator(".cx-title strong")).to_have_text(tile.locator(".cx-name").inner_text())
    notebook.picture("chapter-dark")
