"""The masters of the assignments: their form, their runs, and the copies that students get."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from tests.assignments import masters
from tests.assignments.masters import HIDDEN, MASTERS
from tooling import notebooks

each_master = pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)


def test_there_are_masters() -> None:
    """And each lies in a folder of its name, as nbgrader wants it."""
    assert MASTERS
    assert [path.stem for path in MASTERS] == [path.parent.name for path in MASTERS]


@each_master
def test_form(path: Path) -> None:
    """Valid, without outputs, in the form that nbformat writes."""
    notebook = masters.read(path)
    nbformat.validate(notebook)
    assert notebook.nbformat_minor == 5
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    for cell in notebook.cells:
        assert cell.source.strip(), cell.id
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@each_master
def test_metadata(path: Path) -> None:
    """What nbgrader reads: every cell is of one kind, has a name of its own, and points if graded."""
    notebook = masters.read(path)
    names = [cell.metadata["nbgrader"]["grade_id"] for cell in notebook.cells]
    assert len(set(names)) == len(names)
    keys = {"grade", "grade_id", "locked", "schema_version", "solution", "task"}
    for cell in notebook.cells:
        about = cell.metadata["nbgrader"]
        assert set(about) == keys | ({"points"} if about["grade"] else set()), about
        assert masters.kind(cell) in masters.KINDS.values(), about
        assert (about["schema_version"], about["task"]) == (3, False)
        if about["grade"]:
            assert isinstance(about["points"], int)
            assert about["points"] > 0
        if masters.kind(cell) in ("solution", "test"):
            assert cell.cell_type == "code", about
        if masters.looks(cell):
            assert masters.kind(cell) == "given", about


@each_master
def test_students_write_functions(path: Path) -> None:
    """A solution cell holds functions with a docstring, and a student loses nothing but their bodies."""
    notebook = masters.read(path)
    for cell in masters.chosen(masters.student_copy(path), "solution"):
        for node in ast.parse(cell.source).body:
            assert isinstance(node, ast.FunctionDef), cell.source
            assert ast.get_docstring(node), cell.source
            assert ast.unparse(node.body[1:]) == "raise NotImplementedError()", cell.source
    names = masters.functions(notebook)
    assert names
    assert len(set(names)) == len(names)


@each_master
def test_points(path: Path) -> None:
    """The first text names the sum; a heading that gives points gives those of its section."""
    notebook = masters.read(path)
    total, section, promised = 0, 0, None
    for cell in [*notebook.cells, None]:
        heading = cell and re.match(r"#+ .*\((\d+) points?\)", cell.source)
        if heading or cell is None:
            assert promised in (None, section), f"{promised} points promised before {cell}"
            section, promised = 0, int(heading.group(1)) if heading else None
        if cell is not None:
            points = cell.metadata["nbgrader"].get("points", 0)
            total, section = total + points, section + points
    assert re.search(rf"\b{total} points\b", notebook.cells[0].source)


@each_master
def test_every_function_is_tested_twice(path: Path) -> None:
    """By tests that students see, with sentences for them, and by hidden ones with fresh numbers."""
    notebook = masters.read(path)
    tests = masters.chosen(notebook, "test")
    seen = " ".join(masters.without(HIDDEN, cell.source) for cell in tests)
    unseen = " ".join(masters.inside(HIDDEN, cell.source) for cell in tests)
    for name in masters.functions(notebook):
        assert re.search(rf"\b{name}\(", seen), name
        assert re.search(rf"\b{name}\(", unseen), name
    for cell in tests:
        assert "assert " in masters.without(HIDDEN, cell.source), cell.source
        assert "assert " in masters.inside(HIDDEN, cell.source), cell.source
        assert "seed(" not in cell.source
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Assert):
                assert isinstance(node.msg, ast.Constant), ast.unparse(node)
                assert isinstance(node.msg.value, str)


@each_master
def test_a_person_grades_something(path: Path) -> None:
    """There is a question for a person, with a model answer, and how it is marked is said before."""
    cells = masters.read(path).cells
    manual = [place for place, cell in enumerate(cells) if masters.kind(cell) == "manual"]
    assert manual
    assert all(len(cells[place].source) > 80 for place in manual)
    for place in manual:
        before = [cell for cell in cells[:place] if cell.cell_type == "markdown"][-1]
        assert re.search(r"\d points?:", before.source), before.source


@each_master
def test_no_cell_takes_a_function_away(path: Path) -> None:
    """A student's function keeps its name: no given cell or test gives it to something else."""
    notebook = masters.read(path)
    for cell in (*masters.chosen(notebook, "given"), *masters.chosen(notebook, "test")):
        assert not masters.assigned(cell.source) & set(masters.functions(notebook)), cell.source


@each_master
def test_no_cell_is_upset_by_a_test(path: Path) -> None:
    """Given cells read nothing that a test gives a value, unless they give it one themselves."""
    notebook = masters.read(path)
    tests = [masters.assigned(cell.source) for cell in masters.chosen(notebook, "test")]
    for cell in masters.chosen(notebook, "given"):
        upset = set().union(*tests) & masters.used(cell.source) - masters.assigned(cell.source)
        assert not upset, f"{upset} in {cell.source}"


@each_master
def test_links(path: Path) -> None:
    """Links lead to files; those to chapters give the chapter's number and title."""
    numbers = {chapter: n for n, chapter in enumerate(chapters(), 1)}
    found = set()
    for cell in masters.read(path).cells:
        if cell.cell_type != "markdown":
            continue
        for words, address in re.findall(r"\[([^\]]+)\]\(([^)]+)\)", cell.source):
            target = (path.parent / address).resolve()
            assert target.is_file(), address
            if target in numbers:
                found.add(target)
                title = masters.read(target).cells[0].source.splitlines()[0].lstrip("# ")
                assert words.split() == f"Chapter {numbers[target]}, {title}".split()
    assert found, "no chapter is linked"


def chapters() -> list[Path]:
    """Return the numbered chapters in their order."""
    return [path for path in notebooks.listed() if re.match(r"\d\d-", path.name)]


@each_master
def test_students_copy_runs(path: Path) -> None:
    """Nothing solved: every test fails, every other cell runs, and the kernel is alive at the end."""
    released = masters.student_copy(path)
    released.cells.append(nbformat.v4.new_code_cell("6 * 7"))
    executed = masters.run(released, path)
    last = executed.cells.pop()
    assert last.outputs[0].data["text/plain"] == "42"
    for cell in executed.cells:
        if cell.cell_type == "code":
            failed = masters.errors(cell)
            if masters.kind(cell) == "test":
                assert failed in (["NotImplementedError"], ["AssertionError"]), cell.source
            elif masters.kind(cell) == "manual":
                assert failed in ([], ["NotImplementedError"]), cell.source
            else:
                assert failed == [], cell.source
