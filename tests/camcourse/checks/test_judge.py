"""Every function gets a verdict, and leaves nothing behind."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from camcourse.checks import Exercise, Verdict, judge

Function = Callable[..., Any]
SCALED = Exercise(
    "scaled",
    lambda values, factors: values * factors[0],
    lambda: {
        "one number": (torch.tensor([2.0]), [1.0]),
        "two numbers": (torch.tensor([1.0, -3.0]), [2.0]),
    },
    {
        "you forgot the factor.": lambda v, f: v + 0,
        "you added the factor.": lambda v, f: v + f[0],
        "you changed the signs.": (lambda v, f: (v * f[0]).abs(), lambda v, f: -v * f[0]),
        "you took the next factor.": lambda v, f: v * f[1],
    },
)


def judged(function: Function) -> Verdict:
    return judge(SCALED, function)


def one_case(solution: Function, *arguments: Any) -> Exercise:
    return Exercise("one", solution, lambda: {"a case": arguments}, {})


def test_the_first_wrong_case_is_reported() -> None:
    """2 · 1 is 2 whether the factor is there or not; the second case tells."""
    verdict = judged(lambda v, f: v + 0)
    assert not verdict.passed
    assert (verdict.right, verdict.case) == (1, "two numbers")
    assert verdict.arguments[1] == [2.0]
    assert verdict.expected.equal(torch.tensor([2.0, -6.0]))
    assert verdict.answer.equal(torch.tensor([1.0, -3.0]))
    assert "they should be 2 times as large" in verdict.reason


@pytest.mark.parametrize(
    ("function", "mistake", "sure"),
    [
        (lambda v, f: v + 0, "you forgot the factor.", True),
        (lambda v, f: torch.full_like(v, 3.0), "you added the factor.", False),  # 2 + 1, not 1 + 2
        (lambda v, f: v.abs() * f[0], "you changed the signs.", True),
        (lambda v, f: -v * f[0], "you changed the signs.", True),
        (lambda v, f: v * f[1], "you took the next factor.", True),  # raises an IndexError
        (lambda v, f: v * f["first"], "", False),  # raises another exception
    ],
)
def test_the_likely_mistake(function: Function, mistake: str, sure: bool) -> None:
    verdict = judged(function)
    assert not verdict.passed
    assert (verdict.mistake, verdict.sure) == (mistake, sure)


def leave(values: Tensor, factors: list[float]) -> Tensor:
    sys.exit(3)


def endless(values: Tensor, factors: list[float]) -> Tensor:
    return endless(values, factors)


def mute(values: Tensor, factors: list[float]) -> Tensor:
    raise type("Mute", (Exception,), {"__str__": lambda self: 1 / 0})


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (leave, "It raised SystemExit: 3\n  in the line: sys.exit(3)"),
        (endless, "It raised RecursionError: maximum recursion depth exceeded"),
        (mute, "It raised Mute\n  in the line: raise type("),
        (lambda v, f: v * f[1], "It raised IndexError: list index out of range\n  in the line:"),
        (lambda v: v, "The function should take 2 arguments, (values, factors); it takes (v)."),
        (lambda: 1, "The function should take 2 arguments, (values, factors); it takes ()."),
        (lambda v, f, more: v, "The function should take 2 arguments, (values, factors); it takes (v, f, more)."),
        (lambda v, f: None, "Nothing came back. Does the function end with return?"),
        (lambda v, f: print(v), "Something was printed, but nothing came back"),
        (lambda v, f: (x for x in v), "Expected a tensor, got generator."),
        (lambda v, f: torch.ones(10**6), "The shape should be (1,); it is (1000000,)."),
        (lambda v, f: 10**6000, "The answer cannot be compared: ValueError."),
        (lambda v, f: v.to("meta"), "The answer cannot be compared: NotImplementedError."),
        (dict, "It raised TypeError: dict expected at most 1 argument, got 2"),  # no signature
    ],
)  # fmt: skip
def test_reasons(function: Function, words: str) -> None:
    verdict = judged(function)
    assert (verdict.passed, verdict.right) == (False, 0)
    assert verdict.reason.startswith(words)


def test_any_callable_passes() -> None:
    class Scaled(nn.Module):
        def forward(self, values: Tensor, factors: list[float]) -> Tensor:
            return values * factors[0]

    assert judged(lambda v, f: v * f[0]) == Verdict(SCALED, 2)
    assert judged(Scaled()).passed
    assert judged(lambda *arguments: arguments[0] * arguments[1][0]).passed
    assert judged(lambda v, f, bias=0.0: v * f[0] + bias).passed


def test_parameters_with_a_default_may_be_left_out() -> None:
    def solution(value: int, factor: int = 2, *, more: int = 0) -> int:
        return value * factor + more

    exercise = one_case(solution, 3)
    assert exercise.parameters == ("value", "factor")
    assert judge(exercise, lambda value: 2 * value).passed
    words = "The function should take 1 argument, (value); it takes ()."
    assert judge(exercise, lambda: 6).reason == words


def test_an_answer_that_refuses_comparison() -> None:
    class Unequal:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError

    exercise = one_case(lambda value: Unequal(), 1)
    assert judge(exercise, lambda value: Unequal()).reason.endswith("compared: RuntimeError.")


def test_a_keyboard_interrupt_stops_the_check() -> None:
    def slow(values: Tensor, factors: list[float]) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judged(slow)


def test_an_error_of_the_solution_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        judge(one_case(lambda n: n / 0, 1), lambda n: n)


@pytest.mark.parametrize(
    ("name", "value", "change"),
    [
        ("values", torch.ones(2), lambda values, more: values.mul_(2)),
        ("values", [1.0], lambda values, more: values.pop()),
        ("values", nn.Sequential(nn.Linear(2, 2)), lambda values, more: values.eval()),
        ("values", nn.Sequential(nn.Linear(2, 2)), lambda net, more: net[0].bias.data.zero_()),
        ("more", [1.0], lambda values, more: more.update(b=1)),
    ],
)
def test_a_changed_argument(name: str, value: Any, change: Function) -> None:
    exercise = one_case(lambda values, more: len(values), value, {"a": 1})
    assert judge(exercise, lambda values, more: len(values)).passed
    verdict = judge(exercise, lambda values, more: (len(values), change(values, more))[0])
    assert verdict.reason.startswith(f"The answer is right, but the function changes {name}")
    assert (verdict.passed, verdict.mistake) == (False, "")


def test_each_call_gets_copies() -> None:
    """A function that keeps its arguments and changes them later changes nothing of the next call."""
    kept: list[Tensor] = []

    def spoiling(values: Tensor, factors: list[float]) -> Tensor:
        kept.append(values)
        for old in kept[:-1]:
            old.zero_()
        return values * factors[0]

    assert judged(spoiling).reason.startswith(
        "The answer is right, but the function changes values"
    )
    kept.clear()
    assert judged(SCALED.solution).passed


def test_prints_appear_up_to_the_wrong_case(capsys: pytest.CaptureFixture[str]) -> None:
    def talkative(values: Tensor, factors: list[float]) -> Tensor:
        print("got", values.tolist())
        return values * factors[0] if len(values) > 1 else values + 1

    assert judged(talkative).right == 0
    assert capsys.readouterr().out == "got [2.0]\n"


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("grad", [False, True])
def test_global_state_is_restored(fails: bool, grad: bool) -> None:
    def careless(values: Tensor, factors: list[float]) -> Tensor:
        torch.manual_seed(7)
        np.random.seed(7)  # noqa: NPY002
        random.seed(7)
        torch.set_grad_enabled(not grad)
        torch.set_default_dtype(torch.float64)
        if fails:
            raise ValueError
        return values * factors[0]

    with torch.set_grad_enabled(grad):
        before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
        try:
            assert judged(careless).passed is not fails
            assert torch.is_grad_enabled() is grad
            assert torch.get_default_dtype() == torch.float32
        finally:
            torch.set_default_dtype(torch.float32)
    assert torch.get_rng_state().equal(before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert random.getstate() == before[2]


def test_random_functions_and_cases_are_comparable() -> None:
    """Every call starts from the same seed, and the caller's random state is left alone."""
    noise = one_case(lambda n: torch.rand(n), 3)
    torch.rand(5)
    before = torch.get_rng_state()
    assert judge(noise, lambda n: torch.rand(n)).passed
    assert not judge(noise, lambda n: torch.rand(n + 1)[1:]).passed
    drawn = Exercise("size", len, lambda: {"three": (torch.rand(3),)}, {})
    assert judge(drawn, len).passed
    assert torch.get_rng_state().equal(before)
