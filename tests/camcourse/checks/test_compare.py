"""Equal answers pass in every form in which readers may give them; others get the fitting sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import tensor

from camcourse.checks.compare import difference

ROW = tensor([1.0, 2.0, 4.0])
NAN = torch.nan


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ROW.double(), ROW),
        (ROW.clone().requires_grad_(), ROW),
        (ROW + 3e-5, ROW),  # below 1e-5 of the largest value
        (tensor([1e-6]), tensor([0.0])),  # absolute where all expected values are 0
        (tensor([NAN, 1.0]), tensor([NAN, 1.0])),
        (torch.zeros(0, 4), torch.zeros(0, 4)),
        (tensor([True, False]), tensor([True, False])),
        (tensor([1, 2], dtype=torch.int32), tensor([1, 2])),
        (0.5, tensor(0.5)),
        (tensor(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0])),
        (tensor([1.0, 2.0]), np.array([1.0, 2.0])),
        (3.0, 3),
        (np.int64(3), 3),
        (True, True),
        (tensor(1), True),
        ([1, 2.0], (1, 2.0)),
        (tensor([1, 2]), (1, 2)),
        (np.array([1, 2]), [1, 2]),
        ([("a", tensor([1.0]))], [("a", tensor([1.0]))]),
        ({"a": 1, "b": ROW}, {"b": ROW, "a": 1}),
        ("tabby", "tabby"),
        (None, None),
        ([None, 1], (None, 1)),
    ],
)
def test_equal(answer: Any, expected: Any) -> None:
    assert difference(answer, expected, 1e-5) is None


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (None, ROW, "Nothing came back. Does the function end with return?"),
        (3.0, None, "Expected None, got float 3.0."),
        ([1.0, 2.0], ROW, "Expected a tensor, got list."),
        (np.ones(3), ROW, "Expected a tensor, got ndarray of shape (3,)"),
        (ROW[None], ROW, "The shape should be (3,); it is (1, 3)."),
        (ROW.int(), ROW, "The dtype should be like float32; it is int32."),
        (ROW + 0j, ROW, "The dtype should be like float32; it is complex64."),
        (ROW > 1, tensor([0, 1, 1]), "The dtype should be like int64; it is bool."),
        (ROW / 0, ROW, "There are values that are not finite"),
        (ROW * NAN, ROW, "There are values that are not finite"),
        (tensor([NAN, 1]), tensor([NAN, 2]), "There are values that are not finite"),
        (-ROW, ROW, "All signs are flipped."),
        (9 * ROW, ROW, "All values are off by one factor: they should be 0.1111 times as large."),
        (tensor([4.0]), tensor([1.0]), "The shape is right, the values are not."),
        (ROW.flip(0), ROW, "The shape is right, the values are not."),
        (ROW * 0, ROW, "The shape is right, the values are not."),
        (ROW + 5e-5, ROW, "The shape is right, the values are not."),
        (tensor([1e-4]), tensor([0.0]), "The shape is right, the values are not."),
        (0.4, tensor(0.5), "The number is wrong."),
        (0.4, 0.5, "The number is wrong."),
        (1_280_001, 1_280_000, "The number is wrong."),  # integers are exact
        (float("nan"), 0.5, "The number is not finite: nan."),
        ("0.5", 0.5, "Expected a single number, got str '0.5'."),
        (0.5 + 0j, 0.5, "Expected a single number, got complex."),
        (tensor([0.5]), 0.5, "Expected a single number, got Tensor of shape (1,)"),
        (False, True, "The truth value is wrong."),
        (5, (1, 2), "Expected 2 values in a tuple or list, got int 5."),
        (tensor(5), (1, 2), "Expected 2 values in a tuple or list, got Tensor of shape ()"),
        ([1], (1, 2), "There should be 2 values; there are 1."),
        ([1, 3], (1, 2), "Value 2 of 2: The number is wrong."),
        ([1, None], (1, 2), "Value 2 of 2: Expected a single number, got None."),
        ([1], {"a": 1}, "Expected a dict, got list."),
        ({"b": 1}, {"a": 1}, "The keys should be ['a']; they are ['b']."),
        ({"a": 2}, {"a": 1}, "At 'a': The number is wrong."),
        ("lynx", "tabby", "The value is wrong."),
        (1, "tabby", "The value is wrong."),
        ("x" * 1000, 0.5, "Expected a single number, got str '" + "x" * 72 + "...."),
    ],
)
def test_different(answer: Any, expected: Any, words: str) -> None:
    before = ROW.clone()
    assert str(difference(answer, expected, 1e-5)).startswith(words)
    assert before.equal(ROW)
