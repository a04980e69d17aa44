"""The randomisation test: maps that notice it, maps that do not, and a network left as it was."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import Tensor, nn

import camlib
from camlib.faithfulness import randomisation_test, rank_correlation, shuffled
from tests.explain.networks import build, flatten_net, random_pictures, tiny_transformer


def test_rank_correlation_by_hand() -> None:
    """Ranks 1 2 3 4 against 1 3 2 4: 1 - 6·(0 + 1 + 1 + 0)/(4·15) = 0.8. Reversed: -1."""
    maps = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]).repeat(3, 1, 1)
    others = torch.tensor(
        [[[0.0, 8.0], [5.0, 9.0]], [[4.0, 3.0], [2.0, 1.0]], [[7.0, 7.0], [7.0, 7.0]]]
    )
    for kind in (torch.float32, torch.bfloat16):
        found = rank_correlation(maps.to(kind), others.to(kind))
        np.testing.assert_allclose(found, [0.8, -1.0, 0.0], atol=1e-15)


@given(st.integers(2, 5), st.integers(1, 5), st.integers(0, 1000))
def test_rank_correlation_equals_scipys(h: int, w: int, seed: int) -> None:
    """Also with ties: small whole numbers."""
    numbers = torch.randint(4, (2, h, w), generator=torch.Generator().manual_seed(seed)).double()
    one, other = numbers[:1], numbers[1:]
    if one.unique().numel() > 1 and other.unique().numel() > 1:
        expected = spearmanr(one.flatten(), other.flatten()).statistic
        assert rank_correlation(one, other)[0] == pytest.approx(expected)


def test_shuffled_keeps_the_numbers() -> None:
    parameter = torch.arange(12.0).view(3, 4)
    found = shuffled(parameter, torch.Generator().manual_seed(0))
    assert found.shape == (3, 4)
    assert not torch.equal(found, parameter)
    assert sorted(found.flatten().tolist()) == list(range(12))


class Two(nn.Module):
    """A picture of two pixels times 2, then the row (1, -1)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 1, 1, bias=False)
        self.fc = nn.Linear(2, 1, bias=False)
        self.first.weight.data.fill_(2.0)
        self.fc.weight.data = torch.tensor([[1.0, -1.0]])

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.first(images).flatten(1))


def test_a_cascade_by_hand() -> None:
    """Each weight is replaced by its negative, first the row, then the factor in front of it.

    The map is the row times factor times picture (1, 3): (2, -6), then (-2, 6), then (2, -6) again:
    its order is turned round by the first step and back by the second.
    """
    images = torch.tensor([[[[1.0, 3.0]]]])

    def explain(network: nn.Module) -> Tensor:
        return (network.fc.weight * network.first(images).flatten(1)).view(1, 1, 2)

    found = randomisation_test(Two(), images, explain, replace=lambda weight, _: -weight)
    assert found.layers == ("fc", "first")
    assert found.maps.tolist() == [[[[2.0, -6.0]]], [[[-2.0, 6.0]]], [[[2.0, -6.0]]]]
    assert found.similarity.tolist() == [[-1.0], [1.0]]


def test_a_map_of_the_picture_alone_notices_nothing() -> None:
    """An edge detector looks like an explanation, and is none."""
    images = random_pictures(2, 1)

    def edges(_: nn.Module) -> Tensor:
        return images[:, 0].diff(dim=1).abs()

    found = randomisation_test(flatten_net(), images, edges)
    assert found.similarity.min() == 1.0


def test_grad_cam_notices_and_the_network_is_left_alone() -> None:
    network, images = camlib.networks.garment_network("gap").train(), random_pictures(2, 1)
    before = copy.deepcopy(network.state_dict())

    def test() -> camlib.faithfulness.Randomisation:
        return randomisation_test(
            network, images, lambda one: camlib.grad_cam(one, images, 3).maps[:, 0]
        )

    found = test()
    assert (found.layers[0], found.layers[-1]) == ("classifier", "features.0")
    assert found.similarity.shape == (len(found.layers), 2)
    assert np.abs(found.similarity[-1]).max() < 0.9
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
    np.testing.assert_array_equal(test().similarity, found.similarity)


@pytest.mark.parametrize("make", [lambda: build("resnet18"), tiny_transformer])
def test_every_parameter_that_takes_part_is_replaced(make) -> None:
    """Also those that a module reads without running the part that holds them.

    What wraps other layers comes after them.
    """
    network, images = make(), random_pictures(1, 3, 32)
    kept: list[nn.Module] = []

    def explain(network: nn.Module) -> Tensor:
        kept.append(network)
        return torch.rand(1, 2, 2)

    found = randomisation_test(network, images, explain, replace=lambda weight, _: weight + 1)
    for before, after in zip(network.parameters(), kept[-1].parameters(), strict=True):
        assert torch.equal(after, before + 1)
    if make is tiny_transformer:
        assert found.layers[:2] == ("heads.head", "encoder.ln")
        assert found.layers[-3:] == ("encoder", "conv_proj", "(the whole network)")


CONVOLUTION, PICTURE = nn.Sequential(nn.Conv2d(1, 4, 3)), torch.randn(1, 1, 4, 4)
MAP = torch.ones(1, 2, 2)


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: randomisation_test(CONVOLUTION, PICTURE, lambda _: torch.ones(2)),
            r"explain: expected .* shape \(1, h, w\), got .* \(2,\) .*maps\[:, 0\]",
        ),
        (
            # Copying would spread one number over all weights without a word.
            lambda: randomisation_test(
                CONVOLUTION, PICTURE, lambda _: MAP, replace=lambda *_: torch.ones(1)
            ),
            r"replace: .* shape \(4, 1, 3, 3\), got Tensor of shape \(1,\)",
        ),
        (
            lambda: randomisation_test(torch.jit.script(CONVOLUTION), PICTURE, lambda _: MAP),
            "network: expected layers whose order can be watched, got the scripted ''",
        ),
        (
            lambda: rank_correlation(MAP, torch.ones(1, 2, 3)),
            r"others: expected the maps' shape \(1, 2, 2\), got \(1, 2, 3\)",
        ),
        (lambda: rank_correlation(MAP, MAP / 0), "others: expected finite numbers"),
    ],
)
def test_bad_input_is_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
