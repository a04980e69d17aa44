"""The masters of the assignments: their form, and whether their tests tell right from wrong."""

import ast
import importlib
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import numpy as np
import pytest
import torch

from tests.assignments import masters
from tests.assignments.masters import HIDDEN, MASTERS, SOLUTION
from tooling import notebooks

each_master = pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
SEEDS = range(5)
# Shorter lines of a solution, such as "return maps", may well stand elsewhere by chance.
TELLING = 24


@pytest.fixture
def in_place() -> Iterator[None]:
    """Leave matplotlib's settings and all random numbers as they were."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - tests may draw from either
    with matplotlib.rc_context(), torch.random.fork_rng(devices=[]):
        yield
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002


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
def test_regions(path: Path) -> None:
    """Every region is closed and stands where it belongs."""
    for cell in masters.read(path).cells:
        for name, kinds in ((SOLUTION, ("solution", "manual")), (HIDDEN, ("test",))):
            marks = re.findall(rf"### (BEGIN|END) {name}", cell.source)
            assert marks == ["BEGIN", "END"] * len(masters.region(name).findall(cell.source))
            assert not marks or masters.kind(cell) in kinds, cell.id
        for name in re.findall(r"### (?:BEGIN|END) (.*)", cell.source):
            assert name in (SOLUTION, HIDDEN), cell.id


@each_master
def test_students_write_functions(path: Path) -> None:
    """A solution cell holds functions with a docstring, and a student loses nothing but their bodies."""
    notebook = masters.read(path)
    for cell in masters.chosen(notebook, "solution"):
        released = masters.without(SOLUTION, cell.source, masters.STUB)
        for node in ast.parse(released).body:
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
def test_no_line_of_a_solution_survives(path: Path) -> None:
    """Neither in texts nor in code that students get."""
    notebook = masters.read(path)
    released = "\n".join(cell.source for cell in masters.student_copy(notebook).cells)
    assert "### " not in re.sub(r"^###+ .*", "", released, flags=re.MULTILINE)
    for cell in notebook.cells:
        for line in map(str.strip, masters.inside(SOLUTION, cell.source).splitlines()):
            assert len(line) < TELLING or line not in released, line


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
def test_runs_from_top_to_bottom(path: Path) -> None:
    """With the model solutions no cell fails, and none warns."""
    for cell in masters.run(masters.read(path), path).cells:
        if cell.cell_type == "code":
            assert not masters.errors(cell), cell.source
            assert "stderr" not in [output.get("name") for output in cell.outputs], cell.source


@each_master
def test_students_copy_runs(path: Path) -> None:
    """Nothing solved: every test fails, every other cell runs, and the kernel is alive at the end."""
    released = masters.student_copy(masters.read(path))
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


def prepared(notebook: Any) -> dict[str, Any]:
    """Run what is given, but for cells to look at, and the model solutions, as a grader would."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebook.cells:
        given = masters.kind(cell) == "given" and not masters.looks(cell)
        if cell.cell_type == "code" and (given or masters.kind(cell) == "solution"):
            exec(compile(cell.source, cell.id, "exec"), namespace)
    return namespace


def failing(cells: list[Any], namespace: dict[str, Any], seed: int) -> dict[str, str]:
    """Run test cells, each by itself, and return why those that fail do."""
    reasons = {}
    for cell in cells:
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        fresh = {
            name: value.clone() if isinstance(value, torch.Tensor) else value
            for name, value in namespace.items()
        }
        try:
            exec(compile(cell.source, cell.id, "exec"), fresh)
        except Exception as error:
            reasons[cell.metadata["nbgrader"]["grade_id"]] = f"{type(error).__name__}: {error}"
    return reasons


@each_master
@pytest.mark.usefixtures("in_place")
def test_right_answers_pass_with_any_numbers(path: Path) -> None:
    """Each test cell stands by itself, and the numbers it draws do not decide."""
    notebook = masters.read(path)
    namespace = prepared(notebook)
    for seed in SEEDS:
        assert failing(masters.chosen(notebook, "test"), namespace, seed) == {}


@each_master
@pytest.mark.usefixtures("in_place")
def test_each_test_needs_an_answer(path: Path) -> None:
    """Without functions no test cell passes."""
    notebook = masters.read(path)
    namespace = prepared(notebook)
    blank = dict.fromkeys(masters.functions(notebook), not_written)
    cells = masters.chosen(notebook, "test")
    assert len(failing(cells, namespace | blank, 0)) == len(cells)


def not_written(*_: Any, **__: Any) -> None:
    """Stand for a function that a student has not written."""
    raise NotImplementedError


class ByHeart:
    """Answers as the right function does while it learns; later only what it has met, else anything."""

    def __init__(self, right: Callable[..., Any]) -> None:
        self.right, self.learning, self.met = right, True, dict[Any, Any]()

    def __call__(self, *given: Any) -> Any:
        key = written_down(given)
        if self.learning:
            self.met[key] = self.right(*given)
        return self.met.get(key, next(reversed(self.met.values()), None))


def written_down(given: Any) -> Any:
    """Return arguments as something that can be compared with what was met before."""
    if isinstance(given, list | tuple):
        return tuple(map(written_down, given))
    if isinstance(given, dict):
        return tuple((name, written_down(one)) for name, one in given.items())
    if isinstance(given, torch.Tensor):
        given = given.numpy()
    return (given.shape, given.tobytes()) if isinstance(given, np.ndarray) else repr(given)


@each_master
@pytest.mark.usefixtures("in_place")
def test_answers_learned_by_heart_fail(path: Path) -> None:
    """Who answers right what the public tests ask, and nothing else, gets no test cell."""
    notebook = masters.read(path)
    namespace = prepared(notebook)
    for cell in masters.chosen(notebook, "test"):
        learned = {name: ByHeart(namespace[name]) for name in masters.functions(notebook)}
        public = cell.copy()
        public.source = masters.without(HIDDEN, cell.source)
        assert failing([public], namespace | learned, 0) == {}
        for function in learned.values():
            function.learning = False
        assert failing([public], namespace | learned, 1) == {}, "a public test draws numbers"
        for seed in SEEDS:
            assert failing([cell], namespace | learned, seed), cell.source


def module_of(path: Path) -> Path:
    """Return where wrong and other right answers to a master's questions are written down, if any."""
    return Path(__file__).with_name("answers") / f"{path.stem.replace('-', '_')}.py"


each_with_answers = pytest.mark.parametrize(
    "path", [path for path in MASTERS if module_of(path).exists()], ids=lambda path: path.stem
)


def answers(path: Path, which: str) -> dict[str, Any]:
    """Return the wrong answers, or other right ones, by the function that gives them."""
    found = getattr(
        importlib.import_module(f"tests.assignments.answers.{module_of(path).stem}"), which
    )
    assert set(found) == set(masters.functions(masters.read(path)))
    return dict(found)


@each_with_answers
@pytest.mark.usefixtures("in_place")
def test_wrong_answers_fail_with_any_numbers(path: Path) -> None:
    """Mistakes that students make cost points, and the same points whatever numbers are drawn."""
    notebook = masters.read(path)
    namespace = prepared(notebook)
    for function, variants in answers(path, "WRONG").items():
        assert len(variants) >= 3, f"{function}: think of more mistakes"
        cells = [c for c in masters.chosen(notebook, "test") if f"{function}(" in c.source]
        for words, variant in variants.items():
            changed = namespace | {function: variant}
            failed = [set(failing(cells, changed, seed)) for seed in SEEDS]
            assert failed[0], f"{function}: {words}, and all tests pass"
            assert failed == failed[:1] * len(SEEDS), f"{function}: {words}, and luck decides"


@each_with_answers
@pytest.mark.usefixtures("in_place")
def test_right_answers_of_other_forms_pass(path: Path) -> None:
    """Loops for matrices, tensors for numbers, lists for tensors, another way to the same result."""
    notebook = masters.read(path)
    namespace = prepared(notebook)
    for function, variants in answers(path, "ALSO_RIGHT").items():
        cells = [c for c in masters.chosen(notebook, "test") if f"{function}(" in c.source]
        for number, variant in enumerate(variants):
            failed = failing(cells, namespace | {function: variant}, number)
            assert failed == {}, f"{function}: {failed}"
