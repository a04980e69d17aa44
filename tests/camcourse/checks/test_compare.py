"""Equal answers pass in every form that a reader may give them; the rest is told word for word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from camcourse.checks.compare import difference

ROW = torch.tensor([1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (ROW.clone(), ROW),
        (ROW.double(), ROW),
        (ROW.clone().requires_grad_(), ROW),
        (ROW + 3e-5, ROW),  # a hundred-thousandth of the largest
        (torch.tensor([1e-6]), torch.tensor([0.0])),  # nothing to be relative to
        (torch.tensor([torch.nan, 1.0]), torch.tensor([torch.nan, 1.0])),
        (torch.zeros(0, 4), torch.zeros(0, 4)),
        (torch.tensor([True, False]), torch.tensor([True, False])),
        (torch.tensor([1, 2], dtype=torch.int32), torch.tensor([1, 2])),
        (0.5, torch.tensor(0.5)),
        (torch.tensor(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0])),
        (torch.tensor([1.0, 2.0]), np.array([1.0, 2.0])),
        (3.0, 3),
        (np.int64(3), 3),
        (True, True),
        (torch.tensor(1), True),
        ([1, 2.0], (1, 2.0)),
        (torch.tensor([1, 2]), (1, 2)),
        (np.array([1, 2]), [1, 2]),
        ([("a", torch.tensor([1.0]))], [("a", torch.tensor([1.0]))]),
        ({"a": 1, "b": ROW}, {"b": ROW, "a": 1}),
        ("tabby", "tabby"),
        (None, None),
        ([None, 1], (None, 1)),
    ],
)
def test_equal(came: Any, expected: Any) -> None:
    assert difference(came, expected, 1e-5) is None


TOLD = [
    (None, ROW, "Nothing came back. Does the function end with return?"),
    (3.0, None, "None is wanted, not float 3.0."),
    ([1.0, 2.0], ROW, "A tensor is wanted, not list."),
    (
        np.ones(3),
        ROW,
        "A tensor is wanted, not ndarray of shape (3,) and dtype float64.",
    ),
    (ROW[None], ROW, "The shape should be (3,); it is (1, 3)."),
    (ROW.int(), ROW, "The dtype should be like float32; it is int32."),
    (ROW + 0j, ROW, "The dtype should be like float32; it is complex64."),
    (ROW > 1, torch.tensor([0, 1, 1]), "The dtype should be like int64; it is bool."),
    (ROW / 0, ROW, "There are values that are not finite (NaN or infinity)."),
    (ROW * torch.nan, ROW, "There are values that are not finite (NaN or infinity)."),
    (torch.tensor([torch.nan, 1]), torch.tensor([torch.nan, 2]), "There are values that are not "),
    (-ROW, ROW, "All signs are turned round."),
    (9 * ROW, ROW, "All values are off by one factor: they should be 0.1111 times as large."),
    (torch.tensor([4.0]), torch.tensor([1.0]), "The shape is right, the values are not."),
    (ROW.flip(0), ROW, "The shape is right, the values are not."),
    (ROW * 0, ROW, "The shape is right, the values are not."),
    (ROW + 5e-5, ROW, "The shape is right, the values are not."),
    (torch.tensor([1e-4]), torch.tensor([0.0]), "The shape is right, the values are not."),
    (0.4, torch.tensor(0.5), "The number is another one."),
    (0.4, 0.5, "The number is another one."),
    (1_280_001, 1_280_000, "The number is another one."),  # whole numbers are exact
    (float("nan"), 0.5, "The number is not finite: nan."),
    ("0.5", 0.5, "A single number is wanted, not str '0.5'."),
    (0.5 + 0j, 0.5, "A single number is wanted, not complex."),
    (
        torch.tensor([0.5]),
        0.5,
        "A single number is wanted, not Tensor of shape (1,) and dtype float32.",
    ),
    (False, True, "The answer is the other one."),
    (5, (1, 2), "2 values in a tuple or list are wanted, not int 5."),
    (
        torch.tensor(5),
        (1, 2),
        "2 values in a tuple or list are wanted, not Tensor of shape () and ",
    ),
    ([1], (1, 2), "There should be 2 values; there are 1."),
    ([1, 3], (1, 2), "Value 2 of 2: The number is another one."),
    ([1, None], (1, 2), "Value 2 of 2: A single number is wanted, not None."),
    ([1], {"a": 1}, "A dict is wanted, not list."),
    ({"b": 1}, {"a": 1}, "The keys should be ['a']; they are ['b']."),
    ({"a": 2}, {"a": 1}, "At 'a': The number is another one."),
    ("lynx", "tabby", "It is another one."),
    (1, "tabby", "It is another one."),
    ("x" * 1000, 0.5, "A single number is wanted, not str '" + "x" * 72 + "...."),
]


@pytest.mark.parametrize(("came", "expected", "words"), TOLD)
def test_told(came: Any, expected: Any, words: str) -> None:
    told = difference(came, expected, 1e-5)
    assert told is not None
    assert told == words or (words.endswith(" ") and told.startswith(words))


def test_nothing_is_changed() -> None:
    came, expected = ROW.clone(), ROW.clone()
    difference(came, expected, 1e-5)
    assert came.equal(ROW)
    assert expected.equal(ROW)
