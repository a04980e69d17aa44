"""What a reader sees, word for word; nothing is raised unless asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch

import camcourse
from camcourse.checks import all_exercises

NAME = "global_average_pool"


def said(capsys: pytest.CaptureFixture[str], name: Any, function: Any) -> str:
    """Return what a check prints, and see that strict raises the same words."""
    camcourse.check(name, function)
    words = capsys.readouterr().out
    with pytest.raises(AssertionError) as raised:
        camcourse.check(name, function, strict=True)
    assert words.endswith(f"{raised.value}\n")
    return words


def test_pass(capsys: pytest.CaptureFixture[str]) -> None:
    for strict in (False, True):
        camcourse.check(NAME, lambda maps: maps.mean((2, 3)), strict=strict)
        assert capsys.readouterr().out == "✓ global_average_pool: all 4 cases are right.\n"


def test_a_mistake_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, NAME, lambda maps: maps.sum((2, 3))) == (
        "✗ global_average_pool, case 1: one map of 2 × 2 cells\n"
        "  given:    features = tensor([[[[1., 2.],\n"
        "                                 [3., 6.]]]])\n"
        "  expected: tensor([[3.]])\n"
        "  came:     tensor([[12.]])\n"
        "  The shape is right, the values are not.\n"
        "  Likely: you added the cells up and did not divide by their number, h · w.\n"
    )


def test_a_mistake_in_one_case_is_a_guess(capsys: pytest.CaptureFixture[str]) -> None:
    words = said(capsys, NAME, lambda maps: torch.full((1, 1), 12.0))
    assert "\n  Perhaps: you added the cells up" in words


def test_a_starter(capsys: pytest.CaptureFixture[str]) -> None:
    def starter(maps: Any) -> Any:
        """To be written."""
        ...

    assert said(capsys, NAME, starter) == (
        "✗ global_average_pool, case 1: one map of 2 × 2 cells\n"
        "  given:    features = tensor([[[[1., 2.],\n"
        "                                 [3., 6.]]]])\n"
        "  expected: tensor([[3.]])\n"
        "  Nothing came back. Does the function end with return?\n"
    )


def test_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(maps: Any) -> Any:
        return maps.meen()

    words = said(capsys, NAME, broken)
    assert words.endswith(
        "  expected: tensor([[3.]])\n"
        "  It raised AttributeError: 'Tensor' object has no attribute 'meen'\n"
        "  in the line: return maps.meen()\n"
    )


def test_a_printing_function(capsys: pytest.CaptureFixture[str]) -> None:
    words = said(capsys, NAME, lambda maps: print("mean", maps.mean().item()))
    assert words.startswith("mean 3.0\n✗ global_average_pool, case 1:")
    assert words.endswith("nothing came back: print shows, return gives.\n")


@pytest.mark.parametrize(
    ("name", "function", "words"),
    [
        (
            "global_averge",
            torch.sum,
            "✗ There is no exercise 'global_averge'. Did you mean 'global_average_pool'?\n",
        ),
        (torch.sum, NAME, "✗ First the exercise's name in quotation marks, then the function.\n"),
        ([], [], "✗ First the exercise's name in quotation marks, then the function.\n"),
        (
            NAME,
            torch.ones(1, 2),
            "✗ global_average_pool: give the function itself, without brackets behind its name.\n",
        ),
    ],
)
def test_calls_that_are_not_understood(
    capsys: pytest.CaptureFixture[str], name: Any, function: Any, words: str
) -> None:
    assert said(capsys, name, function) == words


def test_a_name_like_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    words = said(capsys, "§§", torch.sum)
    assert words == f"✗ There is no exercise '§§'. There are: {', '.join(all_exercises())}.\n"


def test_the_signature_is_what_the_book_promises() -> None:
    assert str(inspect.signature(camcourse.check)) == (
        "(name: 'str', function: 'Function', strict: 'bool' = False) -> 'None'"
    )


WEIRD: list[Callable[..., Any]] = [
    lambda maps: (_ for _ in maps),
    lambda maps: float("nan"),
    lambda maps: 10**6000,
    lambda maps: torch.ones(10**6),
    lambda maps: torch.ones(1, 1, device="meta"),
    lambda maps: torch.ones(1, 1).to_sparse(),
    lambda maps: "mean" * 10**6,
    lambda maps: [None] * 10**5,
    lambda maps: lambda: maps,
    lambda maps: ValueError("returned, not raised"),
    lambda maps: maps.mean((2, 3)).numpy(),
    lambda maps: type("Odd", (), {"shape": property(lambda self: 1 / 0)})(),
]


@pytest.mark.parametrize("function", WEIRD)
def test_no_answer_is_too_weird(
    capsys: pytest.CaptureFixture[str], function: Callable[..., Any]
) -> None:
    words = said(capsys, NAME, function)
    assert words.startswith("✗ global_average_pool, case 1:")
    assert len(words) < 1000
