"""The masters' tests accept right answers and reject wrong ones, whatever numbers they draw."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch

from camcourse import masters, regions
from camcourse.grading.marking import is_public, run_provided, set_seeds
from camcourse.masters import Cell, Master

MASTERS = [masters.read(name) for name in masters.names()]
each_master = pytest.mark.parametrize("master", MASTERS, ids=lambda master: master.name)
SEEDS = range(3)


@pytest.fixture
def in_place() -> Iterator[None]:
    """Use one thread, as the grader does; restore all settings and random states afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - tests may draw from either
    with matplotlib.rc_context(), torch.random.fork_rng(devices=[]):
        yield
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
    torch.set_num_threads(threads)


def prepared(master: Master) -> dict[str, Any]:
    """Run the provided code and the model solutions, and return the names that they define."""
    names = run_provided(master)
    for cell in master.of_kind("solution"):
        exec(compile(cell.source, cell.grade_id, "exec"), names)
    return names


def failing(cells: list[Cell], names: dict[str, Any], seed: int) -> dict[str, str]:
    """Run each test cell by itself, and return why those that fail do, by grade_id."""
    failed = {cell.grade_id: failure(cell, names, seed) for cell in cells}
    return {name: f"{type(error).__name__}: {error}" for name, error in failed.items() if error}


def failure(cell: Cell, names: dict[str, Any], seed: int) -> Exception | None:
    """Run a test cell and return what it raises."""
    set_seeds(seed)
    fresh = {
        name: value.clone() if isinstance(value, torch.Tensor) else value
        for name, value in names.items()
    }
    try:
        exec(compile(cell.source, f"<{cell.grade_id}>", "exec"), fresh)
    except Exception as error:
        return error
    return None


def calling(master: Master, function: str = "") -> list[Cell]:
    """Return the test cells, or those that call a function."""
    return [cell for cell in master.of_kind("tests") if f"{function}(" in cell.source]


@each_master
@pytest.mark.usefixtures("in_place")
def test_right_answers_pass_with_any_numbers(master: Master) -> None:
    """Each test cell stands by itself, and the numbers it draws do not decide."""
    names = prepared(master)
    for seed in SEEDS:
        assert failing(calling(master), names, seed) == {}


@each_master
@pytest.mark.usefixtures("in_place")
def test_each_test_needs_an_answer(master: Master) -> None:
    """Without functions no test cell passes."""
    names = prepared(master)
    blank = dict.fromkeys(master.functions, not_written)
    cells = calling(master)
    assert len(failing(cells, names | blank, 0)) == len(cells)


def not_written(*_: Any, **__: Any) -> None:
    """A function that a student has not written."""
    raise NotImplementedError


class ByHeart:
    """Learns the right function's answers; later it knows only these, and answers anything else with one."""

    def __init__(self, right: Callable[..., Any]) -> None:
        self.right, self.learning, self.known = right, True, dict[Any, Any]()

    def __call__(self, *given: Any) -> Any:
        key = written_down(given)
        if self.learning:
            self.known[key] = self.right(*given)
        return self.known.get(key, next(reversed(self.known.values()), None))


def written_down(given: Any) -> Any:
    """Return arguments as something that can be compared with known arguments."""
    if isinstance(given, list | tuple):
        return tuple(map(written_down, given))
    if isinstance(given, dict):
        return tuple((name, written_down(one)) for name, one in given.items())
    if isinstance(given, torch.Tensor):
        given = given.numpy()
    return (given.shape, given.tobytes()) if isinstance(given, np.ndarray) else repr(given)


@each_master
@pytest.mark.usefixtures("in_place")
def test_answers_learned_by_heart_fail(master: Master) -> None:
    """Functions that only know the answers to public tests pass no test cell."""
    names = prepared(master)
    for cell in calling(master):
        learned = {name: ByHeart(names[name]) for name in master.functions}
        public = replace(cell, source=regions.without(cell.source, regions.HIDDEN))
        assert failing([public], names | learned, 0) == {}
        for function in learned.values():
            function.learning = False
        assert failing([public], names | learned, 1) == {}, "a public test draws numbers"
        for seed in SEEDS:
            assert failing([cell], names | learned, seed), cell.source


def answers(master: Master, which: str) -> dict[str, Any]:
    """Return wrong answers, or other right ones, by the function that gives them."""
    module = f"tests.assignments.answers.{master.name.replace('-', '_')}"
    found = getattr(importlib.import_module(module), which)
    assert set(found) == set(master.functions)
    return dict(found)


@each_master
@pytest.mark.usefixtures("in_place")
def test_wrong_answers_fail_with_any_numbers(master: Master) -> None:
    """Mistakes that students make cost points, and the same points whatever numbers are drawn."""
    names = prepared(master)
    for function, variants in answers(master, "WRONG").items():
        assert len(variants) >= 3, f"{function}: think of more mistakes"
        cells = calling(master, function)
        for words, variant in variants.items():
            changed = names | {function: variant}
            failed = {cell: failure(cell, changed, 0) for cell in cells}
            assert any(failed.values()), f"{function}: {words}, and all tests pass"
            for cell, error in failed.items():
                if error and is_public(error, cell):
                    continue  # a public test draws no numbers
                again = [failure(cell, changed, seed) for seed in SEEDS[1:]]
                assert {error is None} == {one is None for one in again}, (
                    f"{function}: {words}, and luck decides"
                )


@each_master
@pytest.mark.usefixtures("in_place")
def test_right_answers_of_other_forms_pass(master: Master) -> None:
    """Loops for matrices, tensors for numbers, lists for tensors, another way to the same result."""
    names = prepared(master)
    for function, variants in answers(master, "ALSO_RIGHT").items():
        cells = calling(master, function)
        for number, variant in enumerate(variants):
            failed = failing(cells, names | {function: variant}, number)
            assert failed == {}, f"{function}: {failed}"
