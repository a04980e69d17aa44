"""Every explorer in JupyterLab: the reader's choice reaches Python, Python's reaches the view."""

from __future__ import annotations

from collections.abc import Callable

import nbformat
import pytest
from playwright.sync_api import expect

from camlib import explorers

from .conftest import PATIENCE, Notebook, Server
from .explorers import LINES, SETUP

NAMES = list(explorers.__all__)
NAME = "one-of-each.ipynb"
PLACE = {name: 1 + 3 * number for number, name in enumerate(NAMES)}  # of each explorer's cell


def test_every_explorer_has_a_line() -> None:
    """Who adds an explorer says in tests/lab/explorers.py how it is tried here."""
    assert list(LINES) == NAMES


@pytest.fixture(scope="module")
def one_of_each(notebook: Notebook, server: Server) -> Notebook:
    """A notebook with three cells for each explorer: make it, print its trait, set its trait."""
    sources = [SETUP]
    for name in NAMES:
        line, variable = LINES[name], name.lower()
        sources.append(f"{variable} = {line.make}\n{variable}")
        sources.append(f"print(repr({variable}.{line.trait}))")
        sources.append(f"{variable}.{line.trait} = {line.back!r}")
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number:03d}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(made, server.folder / NAME)
    notebook.open(NAME)
    notebook.run(0)
    return notebook


@pytest.mark.parametrize("name", NAMES)
def test_reader_and_python_see_the_same(
    one_of_each: Notebook, name: str, record_property: Callable[[str, object], None]
) -> None:
    line, place = LINES[name], PLACE[name]
    one_of_each.run(place)
    view = one_of_each.cells.nth(place).locator(".camlib-explorer")
    expect(view.locator(".cx-app")).to_be_visible(timeout=PATIENCE)
    assert one_of_each.run(place + 1) != repr(line.chosen), "nothing is left to choose"
    line.act(view)
    assert one_of_each.run(place + 1) == repr(line.chosen)
    one_of_each.run(place + 2)
    line.follows(view)
    assert one_of_each.run(place + 1) == repr(line.back)
    record_property("explorer", name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_at_home_in_both_themes(one_of_each: Notebook, name: str, theme: str) -> None:
    """Its colours are JupyterLab's, every word can be read, and it fits into its cell."""
    one_of_each.wear(theme)
    cell = one_of_each.cells.nth(PLACE[name])
    view = cell.locator(".camlib-explorer")
    view.scroll_into_view_if_needed()
    paper, ink = (
        one_of_each.page.evaluate(
            "name => getComputedStyle(document.body).getPropertyValue(name)", variable
        )
        for variable in ("--jp-layout-color0", "--jp-ui-font-color0")
    )
    resolved = view.evaluate(
        """(view, wanted) => {
            const probe = view.appendChild(document.createElement("i"));
            const colours = wanted.map((colour) => {
                probe.style.color = colour;
                return getComputedStyle(probe).color;
            });
            probe.remove();
            return colours;
        }""",
        [paper, ink],
    )
    app = view.locator(".cx-app")
    assert app.evaluate("e => getComputedStyle(e).backgroundColor") == resolved[0]
    assert app.evaluate("e => getComputedStyle(e).color") == resolved[1]
    assert view.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    assert cell.locator(".jp-OutputArea-output").evaluate_all(
        "all => all.every(e => e.scrollWidth <= e.clientWidth + 1 && e.scrollHeight <= e.clientHeight + 1)"
    )
    place = f"[data-windowed-list-index='{PLACE[name]}'] .camlib-explorer"
    assert one_of_each.barriers(place) == []
    one_of_each.picture(f"{name.lower()}-{theme.lower()}")
