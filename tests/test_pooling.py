"""Global average pooling: numbers worked by hand, slow loops, and bad input."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import camlib


def test_two_maps_by_hand() -> None:
    """(1+2+3+6)/4 = 3 and (-1+0+0+5)/4 = 1."""
    features = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[-1.0, 0.0], [0.0, 5.0]]]])
    assert camlib.global_average_pool(features).tolist() == [[3.0, 1.0]]


def test_a_signal_and_a_volume_by_hand() -> None:
    """(1 - 2 + 4)/3 = 1 in the signal; (1 + 2 + 3 + 10)/4 = 4 in the volume of 2x1x2 cells."""
    signal = torch.tensor([[[1.0, -2.0, 4.0]]])
    assert camlib.global_average_pool(signal).tolist() == [[1.0]]
    volume = torch.tensor([[[[[1.0, 2.0]], [[3.0, 10.0]]]]])
    assert camlib.global_average_pool(volume).tolist() == [[4.0]]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_the_number_of_axes_of_places_makes_no_difference(sizes: list[int]) -> None:
    """Add up place after place, in places that are laid out in a row."""
    features = torch.randn(2, 3, *sizes, dtype=torch.float64)
    row = features.reshape(2, 3, -1)
    expected = sum(row[:, :, place] for place in range(row.shape[2])) / row.shape[2]
    torch.testing.assert_close(camlib.global_average_pool(features), expected)


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5))
def test_equals_the_slow_loop(n: int, k: int, h: int, w: int) -> None:
    features = torch.randn(n, k, h, w, dtype=torch.float64)
    expected = torch.zeros(n, k, dtype=torch.float64)
    for picture in range(n):
        for channel in range(k):
            for row in range(h):
                for column in range(w):
                    expected[picture, channel] += features[picture, channel, row, column] / (h * w)
    torch.testing.assert_close(camlib.global_average_pool(features), expected)


def test_equals_torchs_pooling_and_lets_gradients_through() -> None:
    features = torch.randn(2, 3, 4, 5, requires_grad=True)
    pooled = camlib.global_average_pool(features)
    expected = torch.nn.functional.adaptive_avg_pool2d(features, 1).flatten(1)
    torch.testing.assert_close(pooled, expected)
    (gradient,) = torch.autograd.grad(pooled.sum(), features)
    torch.testing.assert_close(gradient, torch.full_like(gradient, 1 / 20))


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (
            torch.zeros(4, 5),
            ValueError,
            "features: expected at least 3 axes (n, k, *places), got Tensor of shape (4, 5) and "
            "dtype float32. If the first axis (n) is missing, add it: features[None].",
        ),
        (
            torch.zeros(1, 2, 0, 5),
            ValueError,
            "features: axis *places is empty, got Tensor of shape (1, 2, 0, 5) and dtype float32. "
            "Pass at least one element along every axis (n, k, *places).",
        ),
        (
            torch.zeros(1, 0, 5),
            ValueError,
            "features: axis k is empty, got Tensor of shape (1, 0, 5) and dtype float32. "
            "Pass at least one element along every axis (n, k, *places).",
        ),
        (
            torch.zeros(1, 2, 3, 5, dtype=torch.int64),
            TypeError,
            "features: expected a floating-point tensor, got Tensor of shape (1, 2, 3, 5) and "
            "dtype int64. Convert it first, for example with features.float().",
        ),
        (
            [[1.0]],
            TypeError,
            "features: expected a torch.Tensor, got list. "
            "Convert it first, for example with torch.as_tensor(features).",
        ),
    ],
)
def test_bad_input_is_named(features: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        camlib.global_average_pool(features)  # type: ignore[arg-type]
    assert str(caught.value) == message
