"""Do the masters' tests tell right answers from wrong ones, whatever numbers they draw?"""

import importlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch

from tests.assignments import masters
from tests.assignments.masters import HIDDEN, MASTERS

each_master = pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
SEEDS = range(5)


@pytest.fixture
def in_place() -> Iterator[None]:
    """Leave matplotlib's settings and all random numbers as they were."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - tests may draw from either
    with matplotlib.rc_context(), torch.random.fork_rng(devices=[]):
        yield
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002


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
