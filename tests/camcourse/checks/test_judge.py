"""Whatever a function does, it gets a verdict, and leaves nothing behind."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from camcourse.checks import Case, Exercise, Mistake, Verdict, judge


def _cases() -> tuple[Case, ...]:
    return (
        Case("one number", (torch.tensor([2.0]), [1.0])),
        Case("two numbers", (torch.tensor([1.0, -3.0]), [2.0])),
    )


def _scaled(values: Tensor, factors: list[float]) -> Tensor:
    return values * factors[0]


SCALED = Exercise(
    "scaled",
    _scaled,
    _cases,
    (
        Mistake("you forgot the factor.", lambda values, factors: values + 0),
        Mistake("you added the factor.", lambda values, factors: values + factors[0]),
        Mistake("you dropped the signs.", lambda values, factors: (values * factors[0]).abs()),
        Mistake("you took one factor too far.", lambda values, factors: values * factors[1]),
    ),
)


def judged(function: Callable[..., Any]) -> Verdict:
    return judge(SCALED, function)


def test_a_right_function_passes() -> None:
    verdict = judged(lambda v, f: v * f[0])
    assert verdict == Verdict(SCALED, 2)
    assert verdict.passed


def test_the_first_wrong_case_is_told() -> None:
    """1 is 1 whether the factor is there or not; the second case tells."""
    verdict = judged(lambda v, f: v + 0)
    assert not verdict.passed
    assert (verdict.cases, verdict.case.words) == (1, "two numbers")
    assert verdict.expected.equal(torch.tensor([2.0, -6.0]))
    assert verdict.came.equal(torch.tensor([1.0, -3.0]))
    assert verdict.reason == ("All values are off by one factor: they should be 2 times as large.")
    assert (verdict.mistake, verdict.sure) == ("you forgot the factor.", True)


def test_a_mistake_that_fits_one_case_only_is_not_sure() -> None:
    """3 = 2 + 1, but then no 1 + 2."""
    verdict = judged(lambda v, f: torch.full_like(v, 3.0))
    assert (verdict.mistake, verdict.sure) == ("you added the factor.", False)


def test_a_mistake_may_be_an_exception() -> None:
    verdict = judged(lambda v, f: v * f[1])
    assert verdict.reason.startswith(
        "It raised IndexError: list index out of range\n  in the line:"
    )
    assert (verdict.mistake, verdict.sure) == ("you took one factor too far.", True)


def test_another_exception_is_another_mistake() -> None:
    assert judged(lambda v, f: v * f["first"]).mistake == ""


def leave(values: Tensor, factors: list[float]) -> Tensor:
    sys.exit(3)


def endless(values: Tensor, factors: list[float]) -> Tensor:
    return endless(values, factors)


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def mute(values: Tensor, factors: list[float]) -> Tensor:
    raise Mute


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (leave, "It raised SystemExit: 3\n  in the line: sys.exit(3)"),
        (endless, "It raised RecursionError: maximum recursion depth exceeded"),
        (mute, "It raised Mute\n  in the line: raise Mute"),
        (lambda v: v, "The function should take 2 arguments, (values, factors); it takes (v)."),
        (lambda: 1, "The function should take 2 arguments, (values, factors); it takes ()."),
        (
            lambda v, f, more: v,
            "The function should take 2 arguments, (values, factors); it takes (v, f, more).",
        ),
        (lambda v, f: None, "Nothing came back. Does the function end with return?"),
        (
            lambda v, f: print(v),
            "Something was printed, but nothing came back: print shows, return gives.",
        ),
        (lambda v, f: (x for x in v), "A tensor is wanted, not generator."),
        (lambda v, f: v.numpy() * f[0], "A tensor is wanted, not ndarray of shape (1,) and dtype "),
        (lambda v, f: v * torch.nan, "There are values that are not finite (NaN or infinity)."),
        (lambda v, f: torch.ones(10**6), "The shape should be (1,); it is (1000000,)."),
        (lambda v, f: 10**6000, "The answer cannot be compared: ValueError."),
        (lambda v, f: v.to("meta"), "The answer cannot be compared: NotImplementedError."),
    ],
)
def test_reasons(function: Callable[..., Any], words: str) -> None:
    verdict = judged(function)
    assert not verdict.passed
    assert verdict.cases == 0
    assert verdict.reason.startswith(words)


def test_functions_without_a_signature_are_tried() -> None:
    """dict has none that Python could read."""
    assert "It raised TypeError: dict expected at most 1 argument, got 2" in judged(dict).reason


def test_what_a_callable_is_does_not_matter() -> None:
    class Scaled(nn.Module):
        def forward(self, values: Tensor, factors: list[float]) -> Tensor:
            return values * factors[0]

    assert judged(Scaled()).passed
    assert judged(lambda *arguments: arguments[0] * arguments[1][0]).passed
    assert judged(lambda v, f, bias=0.0: v * f[0] + bias).passed


def test_arguments_that_have_a_default_may_be_left_out() -> None:
    def right(value: int, factor: int = 2) -> int:
        return value * factor

    exercise = Exercise("doubled", right, lambda: (Case("three", (3,)),), ())
    assert judge(exercise, lambda value: 2 * value).passed
    assert judge(exercise, lambda: 6).reason == (
        "The function should take 1 argument, (value); it takes ()."
    )


class Unequal:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("do not compare me")

    __hash__ = None  # type: ignore[assignment]


def test_an_answer_that_refuses_comparison() -> None:
    exercise = Exercise("one", lambda value: Unequal(), lambda: (Case("a", (1,)),), ())
    assert judge(exercise, lambda value: Unequal()).reason == (
        "The answer cannot be compared: RuntimeError."
    )


def test_the_keyboard_stops_a_check() -> None:
    def slow(values: Tensor, factors: list[float]) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judged(slow)


def in_place(values: Tensor, factors: list[float]) -> Tensor:
    return values.mul_(factors[0])


def emptied(values: Tensor, factors: list[float]) -> Tensor:
    return values * factors.pop()


@pytest.mark.parametrize(("function", "name"), [(in_place, "values"), (emptied, "factors")])
def test_arguments_changed_on_the_way(function: Callable[..., Any], name: str) -> None:
    verdict = judged(function)
    assert verdict.reason == (
        f"The answer is right, but {name} was changed on the way: work on a copy."
    )
    assert verdict.mistake == ""


@pytest.mark.parametrize("change", [nn.Module.eval, lambda network: network[0].bias.data.zero_()])
def test_a_network_changed_on_the_way(change: Callable[[Any], Any]) -> None:
    def cases() -> tuple[Case, ...]:
        return (Case("a network", (nn.Sequential(nn.Linear(2, 2)),)),)

    exercise = Exercise("depth", len, cases, ())
    assert judge(exercise, len).passed
    verdict = judge(exercise, lambda network: (change(network), len(network))[1])
    assert verdict.reason.startswith("The answer is right, but obj was changed on the way")


def test_prints_come_out_up_to_the_wrong_case(capsys: pytest.CaptureFixture[str]) -> None:
    def talkative(values: Tensor, factors: list[float]) -> Tensor:
        print("got", values.tolist())
        return values * factors[0] if len(values) > 1 else values + 1

    assert judged(talkative).cases == 0
    assert capsys.readouterr().out == "got [2.0]\n"


@pytest.fixture
def modes() -> Iterator[None]:
    yield
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("modes")
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("grad", [False, True])
def test_seeds_and_modes_are_as_before(fails: bool, grad: bool) -> None:
    def careless(values: Tensor, factors: list[float]) -> Tensor:
        torch.manual_seed(7)
        np.random.seed(7)  # noqa: NPY002
        random.seed(7)
        torch.set_grad_enabled(not grad)
        torch.set_default_dtype(torch.float64)
        if fails:
            raise ValueError
        return values * factors[0]

    torch.set_grad_enabled(grad)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    assert judged(careless).passed is not fails
    assert torch.get_rng_state().equal(before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert random.getstate() == before[2]
    assert torch.is_grad_enabled() is grad
    assert torch.get_default_dtype() == torch.float32


def test_cases_that_draw_leave_the_seed_alone() -> None:
    exercise = Exercise("size", len, lambda: (Case("three", (torch.rand(3),)),), ())
    before = torch.get_rng_state()
    assert judge(exercise, len).passed
    assert torch.get_rng_state().equal(before)


def test_every_call_starts_from_the_same_seed() -> None:
    """So a function that draws is comparable with the one that draws likewise."""
    exercise = Exercise("noise", lambda n: torch.rand(n), lambda: (Case("three", (3,)),), ())
    torch.rand(5)
    assert judge(exercise, lambda n: torch.rand(n)).passed
    assert not judge(exercise, lambda n: torch.rand(n + 1)[1:]).passed


def test_a_wrong_exercise_is_no_verdict() -> None:
    with pytest.raises(ZeroDivisionError):
        judge(Exercise("one", lambda n: n / 0, lambda: (Case("a", (1,)),), ()), lambda n: n)


def test_tensors_of_the_caller_are_left_alone() -> None:
    """Each call gets copies: a function that keeps and spoils them spoils nothing of the next."""
    kept = []

    def spoiling(values: Tensor, factors: list[float]) -> Tensor:
        answer = values * factors[0]
        kept.append(values)
        for old in kept[:-1]:
            old.zero_()
        return answer

    assert judged(spoiling).reason.startswith("The answer is right, but values was changed")
    kept.clear()
    assert judged(_scaled).passed
