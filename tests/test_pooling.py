"""Global average pooling: numbers worked by hand, slow loops, and bad input."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import camlib


@pytest.mark.parametrize(
    ("features", "pooled"),
    [
        ([[[[1.0, 2.0], [3.0, 6.0]], [[-1.0, 0.0], [0.0, 5.0]]]], [[3.0, 1.0]]),
        ([[[1.0, -2.0, 4.0]]], [[1.0]]),
        ([[[[[1.0, 2.0]], [[3.0, 10.0]]]]], [[4.0]]),
    ],
)
def test_by_hand(features: list[object], pooled: list[list[float]]) -> None:
    """Two maps: (1+2+3+6)/4 = 3 and (-1+0+0+5)/4 = 1.

    A signal: (1 - 2 + 4)/3 = 1. A volume of 2x1x2 cells: (1 + 2 + 3 + 10)/4 = 4.
    """
    assert camlib.global_average_pool(torch.tensor(features)).tolist() == pooled


@given(st.integers(1, 3), st.integers(1, 4), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_equals_a_slow_loop_over_places_in_a_row(n: int, k: int, sizes: list[int]) -> None:
    features = torch.randn(n, k, *sizes, dtype=torch.float64)
    row = features.reshape(n, k, -1).tolist()
    expected = [[sum(places) / len(places) for places in maps] for maps in row]
    torch.testing.assert_close(camlib.global_average_pool(features).tolist(), expected)


def test_equals_torchs_pooling_and_lets_gradients_through() -> None:
    features = torch.randn(2, 3, 4, 5, requires_grad=True)
    pooled = camlib.global_average_pool(features)
    expected = torch.nn.functional.adaptive_avg_pool2d(features, 1).flatten(1)
    torch.testing.assert_close(pooled, expected)
    (gradient,) = torch.autograd.grad(pooled.sum(), features)
    torch.testing.assert_close(gradient, torch.full_like(gradient, 1 / 20))


AXES = r"at least 3 axes \(n, k, \*places\), got Tensor of shape \(4, 5\) .* features\[None\]"


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (torch.zeros(4, 5), ValueError, f"expected {AXES}"),
        (torch.zeros(5), ValueError, r"expected at least 3 axes .* \(5,\) and dtype float32\.$"),
        (torch.zeros(1, 2, 0, 5), ValueError, r"axis \*places is empty, .* \(1, 2, 0, 5\) .* Pass"),
        (torch.zeros(1, 0, 5), ValueError, "axis k is empty, got .* Pass at least one element"),
        (torch.zeros(1, 2, 3, 5).long(), TypeError, r"expected a floating.* int64. .*\.float\(\)"),
        ([[1.0]], TypeError, r"expected a torch.Tensor, got list. .*torch\.as_tensor\(features\)"),
    ],
)
def test_bad_input_is_named(features: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^features: {message}"):
        camlib.global_average_pool(features)  # type: ignore[arg-type]
