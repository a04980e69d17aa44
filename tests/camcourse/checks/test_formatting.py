"""Values as readers see them: small ones whole, large ones by their shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from camcourse.checks.formatting import format_value


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor([[1.0, 2.5], [-3.0, 0.0]]), "tensor([[ 1. ,  2.5],\n        [-3. ,  0. ]])"),
        (torch.ones(2, 1, 2), "tensor([[[1., 1.]],\n        [[1., 1.]]])"),
        (torch.tensor([1 / 3, 2.0]), "tensor([0.33333, 2.     ])"),
        (torch.tensor([3.0000001, -1e-9]), "tensor([3., 0.])"),
        (torch.tensor([0.5], dtype=torch.float64), "tensor([0.5], dtype=torch.float64)"),
        (torch.tensor([0.5]).requires_grad_(), "tensor([0.5])"),
        (torch.tensor([1, 2]), "tensor([1, 2])"),
        (torch.tensor([True, False]), "tensor([ True, False])"),
        (torch.tensor(7.0), "tensor(7.)"),
        (torch.tensor([torch.nan, 1.0]), "tensor([nan,  1.])"),
        (torch.zeros(0, 4), "tensor([], size=(0, 4))"),
        (torch.zeros(32), f"tensor([{'0., ' * 15}0.,\n        {'0., ' * 15}0.])"),
        (torch.zeros(33), "tensor(...) of shape (33,)"),
        (np.array([1.0, 2.0], dtype=np.float32), "array([1., 2.])"),
        (np.zeros((5, 7)), "array(...) of shape (5, 7)"),
        (0.1 + 0.2, "0.3"),
        (1_280_000, "1280000"),
        ([1, 0.5, "a"], "[1, 0.5, 'a']"),
        ((torch.tensor([1.0]),), "(tensor([1.]),)"),
        ({"a": 1 / 3}, "{'a': 0.333333}"),
        (None, "None"),
        ("x" * 1000, "'" + "x" * 396 + "..."),
        (list(range(1000)), str(list(range(1000)))[:397] + "..."),
        (nn.Identity(), "Identity()"),
        (iter([]), "<list_iterator object>"),  # without its address
        (Unprintable(), "a value of type Unprintable"),
        ([Unprintable()], "[a value of type Unprintable]"),
        (torch.ones(1, device="meta"), "a value of type Tensor"),
    ],
)
def test_format_value(value: Any, text: str) -> None:
    assert format_value(value) == text


def test_a_number_that_python_refuses_to_print() -> None:
    assert format_value(10**6000) == "a value of type int"
