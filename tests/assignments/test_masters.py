"""The masters of the assignments: their form, and the copies that students get."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from camcourse import masters, regions
from camcourse.masters import Cell, Master
from camcourse.release import students_copy
from tooling import notebooks

MASTERS = [masters.read(name) for name in masters.names()]
each_master = pytest.mark.parametrize("master", MASTERS, ids=lambda master: master.name)


def notebook_of(master: Master) -> Any:
    return nbformat.read(master.path, as_version=4)


def assigned(source: str) -> set[str]:
    """Return the names that a cell gives a value."""
    nodes = list(ast.walk(ast.parse(source)))
    stored = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    defined = [n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return {*stored, *defined}


def used(source: str) -> set[str]:
    """Return the names that a cell reads, except the parameters of its functions."""
    nodes = list(ast.walk(ast.parse(source)))
    parameters = {n.arg for n in nodes if isinstance(n, ast.arg)}
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return read - parameters


def test_there_are_masters() -> None:
    """Each in a folder of its name, as nbgrader expects."""
    assert len(MASTERS) == len(list(masters.SOURCES.rglob("*.ipynb"))) > 0


@each_master
def test_form_and_metadata(master: Master) -> None:
    """Valid, without outputs, with the metadata that nbgrader reads."""
    notebook = notebook_of(master)
    nbformat.validate(notebook)
    assert notebook.nbformat_minor == 5
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    names = [cell.metadata["nbgrader"]["grade_id"] for cell in notebook.cells]
    assert len(set(names)) == len(names)
    keys = {"grade", "grade_id", "locked", "schema_version", "solution", "task"}
    for cell, known in zip(notebook.cells, master.cells, strict=True):
        assert cell.source.strip(), cell.id
        marks = cell.metadata["nbgrader"]
        assert set(marks) == keys | ({"points"} if marks["grade"] else set()), marks
        assert (marks["schema_version"], marks["task"]) == (3, False)
        assert marks["locked"] is (known.kind not in ("solution", "answer")), marks
        if marks["grade"]:
            assert isinstance(marks["points"], int)
            assert marks["points"] > 0
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
        if "look" in cell.metadata.get("tags", []):
            assert known.kind == "look"


@each_master
def test_students_write_functions(master: Master) -> None:
    """A solution cell has functions with a docstring, and a student's copy lacks only their bodies."""
    copy = students_copy(master)
    for cell, known in zip(copy.cells, master.cells, strict=True):
        for node in ast.parse(cell.source).body if known.kind == "solution" else []:
            assert isinstance(node, ast.FunctionDef), cell.source
            assert ast.get_docstring(node), cell.source
            assert ast.unparse(node.body[1:]) == "raise NotImplementedError()", cell.source
    assert len(set(master.functions)) == len(master.functions) > 0


@each_master
def test_points(master: Master) -> None:
    """The first text names the sum; a heading that gives points gives those of its section."""
    total, section, promised = 0.0, 0.0, None
    for cell in [*master.cells, None]:
        heading = cell and re.match(r"#+ .*\((\d+) points?\)", cell.source)
        if heading or cell is None:
            assert promised in (None, section), f"{promised} points promised before {cell}"
            section, promised = 0.0, int(heading.group(1)) if heading else None
        if cell is not None:
            total, section = total + cell.points, section + cell.points
    assert re.search(rf"\b{total:g} points\b", master.cells[0].source)


@each_master
def test_every_function_has_public_and_hidden_tests(master: Master) -> None:
    """The public ones have messages for students, the hidden ones draw new numbers."""
    tests, public, hidden = master.of_kind("tests"), "", ""
    for cell in tests:
        shown = regions.without(cell.source, regions.HIDDEN)
        numbers = regions.inside(cell.source, regions.HIDDEN)
        lines = enumerate(cell.source.split("\n"), 1)
        rest = "\n".join(line for number, line in lines if number in numbers)
        assert "assert " in shown, cell.source
        assert "assert " in rest, cell.source
        assert "seed(" not in cell.source
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Assert):
                assert isinstance(node.msg, ast.Constant), ast.unparse(node)
                assert isinstance(node.msg.value, str)
        public, hidden = f"{public}\n{shown}", f"{hidden}\n{rest}"
    for name in master.functions:
        assert re.search(rf"\b{name}\(", public), name
        assert re.search(rf"\b{name}\(", hidden), name


@each_master
def test_a_person_marks_something(master: Master) -> None:
    """Each such question has a model answer, and the text before it says how it is marked."""
    places = [place for place, cell in enumerate(master.cells) if cell.kind == "answer"]
    assert places
    for place in places:
        assert len(master.cells[place].source) > 80
        before = [cell for cell in master.cells[:place] if cell.kind == "text"][-1]
        assert re.search(r"\d points?:", before.source), before.source


@each_master
def test_cells_do_not_disturb_each_other(master: Master) -> None:
    """No cell redefines a student's function, and none reads a name that a test gives a value."""
    tests = [assigned(cell.source) for cell in master.of_kind("tests")]
    for cell in master.of_kind("provided", "look", "tests"):
        assert not assigned(cell.source) & set(master.functions), cell.source
    for cell in master.of_kind("provided", "look"):
        read = set().union(*tests) & used(cell.source) - assigned(cell.source)
        assert not read, f"{read} in {cell.source}"


@each_master
def test_links(master: Master) -> None:
    """Links lead to files; those to chapters give the chapter's number and title."""
    chapters = [path for path in notebooks.listed() if re.match(r"\d\d-", path.name)]
    numbers = {chapter: n for n, chapter in enumerate(chapters, 1)}
    found = set()
    text = "\n".join(cell.source for cell in master.of_kind("text"))
    for words, address in re.findall(r"\[([^\]]+)\]\(([^)]+)\)", text):
        target = (master.path.parent / address).resolve()
        assert target.is_file(), address
        if target in numbers:
            found.add(target)
            first = nbformat.read(target, as_version=4).cells[0].source
            title = first.splitlines()[0].lstrip("# ")
            assert words.split() == f"Chapter {numbers[target]}, {title}".split()
    assert found, "no chapter is linked"


def executed(notebooks: list[Any]) -> Iterator[tuple[Cell, list[str]]]:
    """Run the masters or their copies in one kernel; yield each code cell and the names of its errors.

    Names are forgotten between two notebooks: so the kernel starts and imports once.
    """
    cells: list[Any] = []
    known: list[Cell | None] = []
    for notebook, master in zip(notebooks, MASTERS, strict=True):
        cells.append(new_code_cell("%reset -f"))
        known.append(None)
        for cell, about in zip(notebook.cells, master.cells, strict=True):
            if cell.cell_type == "code":
                cells.append(new_code_cell(cell.source))
                known.append(about)
    whole = new_notebook(cells=[*cells, new_code_cell("6 * 7")])
    folder = {"metadata": {"path": str(masters.SOURCES)}}
    NotebookClient(
        whole, timeout=300, kernel_name="python3", allow_errors=True, resources=folder
    ).execute()
    assert whole.cells.pop().outputs[0].data["text/plain"] == "42"
    for cell, about in zip(whole.cells, known, strict=True):
        if about:
            yield about, [one.ename for one in cell.outputs if one.output_type == "error"]


def test_the_masters_run() -> None:
    """Every cell runs with the solutions, also those that only show something; one trains briefly."""
    notebooks = [notebook_of(master) for master in MASTERS]
    for cell in notebooks[masters.names().index("make-it-cam-ready")].cells:
        cell.source = cell.source.replace('"train"), 1500', '"train"), 200')
        cell.source = cell.source.replace("scenes=1024", "scenes=64")
    assert [(cell.grade_id, errors) for cell, errors in executed(notebooks) if errors] == []


def test_the_students_copies_run() -> None:
    """Every test fails, every other cell runs, and the kernel is alive at the end."""
    for cell, errors in executed([students_copy(master) for master in MASTERS]):
        if cell.kind == "tests":
            assert errors in (["NotImplementedError"], ["AssertionError"]), cell.source
        elif cell.kind == "answer":
            assert errors in ([], ["NotImplementedError"]), cell.source
        else:
            assert errors == [], cell.source
