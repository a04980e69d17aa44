"""What ``check`` prints and raises."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch

import camcourse
from camcourse.checks import all_exercises

NAME = "global_average_pool"
HEAD = """✗ global_average_pool, case 1: one map of 2 × 2 cells
  given:    features = tensor([[[[1., 2.],
                                 [3., 6.]]]])
  expected: tensor([[3.]])
"""


def printed(capsys: pytest.CaptureFixture[str], name: Any, function: Any) -> str:
    """Return what a check prints; with ``strict`` the same text is raised."""
    camcourse.check(name, function)
    text = capsys.readouterr().out
    with pytest.raises(AssertionError) as raised:
        camcourse.check(name, function, strict=True)
    assert text.endswith(f"{raised.value}\n")
    return text


@pytest.mark.parametrize("strict", [False, True])
def test_pass(capsys: pytest.CaptureFixture[str], strict: bool) -> None:
    camcourse.check(NAME, lambda maps: maps.mean((2, 3)), strict=strict)
    assert capsys.readouterr().out == "✓ global_average_pool: all 4 cases are right.\n"


def test_a_mistake_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, NAME, lambda maps: maps.sum((2, 3))) == (
        f"{HEAD}  got:      tensor([[12.]])\n  The shape is right, the values are not.\n"
        "  Likely: you added the cells up and did not divide by their number, h · w.\n"
    )
    only_here = printed(capsys, NAME, lambda maps: torch.full((1, 1), 12.0))
    assert "\n  Perhaps: you added the cells up" in only_here


def test_without_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    starter = printed(capsys, NAME, lambda maps: None)
    head = HEAD.replace("✗", "○")  # not wrong, but not written yet
    assert starter == f"{head}  Nothing came back. Does the function end with return?\n"

    def broken(maps: Any) -> Any:
        return maps.meen()

    error = "AttributeError: 'Tensor' object has no attribute 'meen'"
    assert printed(capsys, NAME, broken) == (
        f"{HEAD}  It raised {error}\n  in the line: return maps.meen()\n"
    )
    text = printed(capsys, NAME, lambda maps: print("mean", maps.mean().item()))
    assert text.startswith("mean 3.0\n✗")
    assert text.endswith("nothing came back: print shows, return gives.\n")


@pytest.mark.parametrize(
    ("name", "function", "words"),
    [
        ("global_averge", torch.sum, "'global_averge'. Did you mean 'global_average_pool'?\n"),
        ("§§", torch.sum, f"'§§'. Choose from: {', '.join(all_exercises())}.\n"),
        (torch.sum, NAME, "Give the name of the exercise in quotation marks, then the function.\n"),
        ([], [], "Give the name of the exercise in quotation marks, then the function.\n"),
        (NAME, torch.ones(1, 2), f"{NAME}: give the function itself, without brackets"),
    ],
)
def test_calls_that_cannot_be_checked(
    capsys: pytest.CaptureFixture[str], name: Any, function: Any, words: str
) -> None:
    text = printed(capsys, name, function)
    assert text.startswith("✗ ")
    assert words in text


def test_the_signature_is_the_documented_one() -> None:
    assert str(inspect.signature(camcourse.check)) == (
        "(name: 'str', function: 'Function', strict: 'bool' = False) -> 'None'"
    )


@pytest.mark.parametrize(
    "function",
    [
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
    ],
)
def test_any_answer_gets_a_short_report(
    capsys: pytest.CaptureFixture[str], function: Callable[..., Any]
) -> None:
    text = printed(capsys, NAME, function)
    assert text.startswith("✗ global_average_pool, case 1:")
    assert len(text) < 1000
