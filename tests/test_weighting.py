"""The weighted sum: numbers worked by hand, slow loops, the theorem of chapter 3, and bad input."""

import itertools

import pytest
import torch

import camlib


@pytest.mark.parametrize("sizes", [(4,), (2, 2), (2, 1, 2)])
def test_two_channels_two_classes_by_hand(sizes: tuple[int, ...]) -> None:
    """Class 0 is 3·A - 1·B, class 1 is 0·A + 2·B, with A = [1 0; 2 4] and B = [5 1; 0 2].

    3·A - B = [3-5, 0-1; 6-0, 12-2] = [-2 -1; 6 10]; 2·B = [10 2; 0 4]. Also in a signal or a volume.
    """
    features = torch.tensor([[1.0, 0.0, 2.0, 4.0], [5.0, 1.0, 0.0, 2.0]]).view(1, 2, *sizes)
    maps = camlib.weighted_sum(features, torch.tensor([[3.0, -1.0], [0.0, 2.0]]))
    expected = torch.tensor([[-2.0, -1.0, 6.0, 10.0], [10.0, 2.0, 0.0, 4.0]])
    assert torch.equal(maps, expected.view(1, 2, *sizes))


@pytest.mark.parametrize("classes", [3, 333])
@pytest.mark.parametrize("sizes", [(6,), (2, 3), (3, 1, 2), (2, 1, 3, 2)])
def test_each_place_is_weighed_by_itself(classes: int, sizes: tuple[int, ...]) -> None:
    """A slow loop over places; their order in memory is not the order of their axes."""
    features = torch.randn(2, *reversed(sizes), 5).permute(0, -1, *range(len(sizes), 0, -1))
    weight = torch.randn(classes, 5)
    maps = camlib.weighted_sum(features, weight)
    assert maps.shape == (2, classes, *sizes)
    for place in itertools.product(*map(range, sizes)):
        at = (slice(None), slice(None), *place)
        torch.testing.assert_close(maps[at], features[at] @ weight.T, rtol=1e-5, atol=1e-5)


def test_the_mean_of_the_map_is_the_weighted_sum_of_the_means() -> None:
    features = torch.randn(2, 7, 3, 5, dtype=torch.float64)
    weight = torch.randn(4, 7, dtype=torch.float64)
    of_maps = camlib.global_average_pool(camlib.weighted_sum(features, weight))
    of_means = camlib.global_average_pool(features) @ weight.T
    torch.testing.assert_close(of_maps, of_means)


@pytest.mark.parametrize("classes", [199, 200, 333])
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_many_classes_are_weighed_as_few_are(
    classes: int, n: int, memory: torch.memory_format
) -> None:
    """A processor weighs them as a convolution; the places of 3x5 cells are no full block of it."""
    features = torch.randn(n, 6, 3, 5).contiguous(memory_format=memory)
    weight = torch.randn(classes, 12)[:, ::2]  # with gaps in memory
    maps = camlib.weighted_sum(features, weight)
    assert maps.shape == (n, classes, 3, 5)
    assert maps.is_contiguous()
    expected = torch.einsum("ck,nkhw->nchw", weight.double(), features.double())
    torch.testing.assert_close(maps.double(), expected, rtol=1e-5, atol=1e-5)


def test_the_gradient_flows_through_many_classes() -> None:
    features = torch.randn(1, 6, 3, 5, requires_grad=True)
    weight = torch.randn(333, 6, requires_grad=True)
    camlib.weighted_sum(features, weight).sum().backward()
    torch.testing.assert_close(
        features.grad, weight.detach().sum(0)[:, None, None].expand(1, 6, 3, 5)
    )
    torch.testing.assert_close(weight.grad, features.detach().sum((0, 2, 3)).expand(333, 6))


@pytest.mark.parametrize(
    ("features", "weight", "error", "message"),
    [
        (
            (1, 3, 2, 2),
            (5, 4),
            ValueError,
            r"weight: .* each of the 3 channels .* \(5, 4\) .* Pass",
        ),
        ((5, 3), (5, 3), ValueError, r"features: expected at least 3 axes .* features\[None\]"),
        ((1, 3, 2, 2), (3,), ValueError, r"weight: expected 2 axes \(c, k\), .* weight\[None\]"),
        (
            (1, 3, 2, 2),
            (1, 5, 3),
            ValueError,
            r"weight: expected 2 axes \(c, k\), got .* float32\.$",
        ),
    ],
)
def test_axes_that_do_not_fit_are_named(
    features: tuple[int, ...], weight: tuple[int, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        camlib.weighted_sum(torch.zeros(features), torch.zeros(weight))


@pytest.mark.parametrize("other", [{"dtype": torch.float64}, {"device": "meta"}])
def test_other_dtypes_and_devices_are_named(other: dict[str, object]) -> None:
    message = (
        r"^weight: expected dtype torch.float32 on cpu like features, .* weight\.to\(features\)"
    )
    with pytest.raises(TypeError, match=message):
        camlib.weighted_sum(torch.zeros(1, 3, 2, 2), torch.zeros(5, 3, **other))  # type: ignore[call-overload]
