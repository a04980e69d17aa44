"""The small networks: their sizes counted by hand, and what each is refused or accepted for."""

import pytest
import torch

import camlib
from camlib.networks import FlattenNet, GapNet

# 3x3 weights between channels, 1x1 at last; batch normalisation's scale and shift.
CONVOLUTIONS = 9 * (1 * 24 + 24 * 48 + 48 * 96 + 96 * 96) + 96 * 128 + 2 * (24 + 48 + 96 + 96 + 128)


def count(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def images(count: int = 2, side: int = 64) -> torch.Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_the_parameters_are_those_counted_by_hand() -> None:
    assert count(GapNet()) <= 200_000
    assert count(GapNet()) == CONVOLUTIONS + 128 * 10 + 10
    assert count(FlattenNet()) == CONVOLUTIONS + 128 * 16 * 16 * 32 + 32 + 32 * 10 + 10


def test_the_head_with_pooling_has_a_fraction_of_the_parameters() -> None:
    assert count(FlattenNet().classifier) >= 5 * count(GapNet().classifier)


@pytest.mark.parametrize("side", [64, 96])
def test_a_gap_network_has_exact_maps_at_any_size(side: int) -> None:
    network = GapNet(classes=7).eval()
    cam = camlib.class_activation_maps(network, images(side=side))
    assert cam.maps.shape == (2, 7, side // 4, side // 4)
    torch.testing.assert_close(cam.maps.mean((2, 3)) + cam.offset, cam.logits)


def test_flattening_is_refused_with_the_reason() -> None:
    with pytest.raises(camlib.NotCAMReadyError, match=r"FlattenNet.*flatten"):
        camlib.class_activation_maps(FlattenNet().eval(), images())


def test_maximum_pooling_is_refused_with_the_reason() -> None:
    with pytest.raises(camlib.NotCAMReadyError, match=r"GapNet.*max"):
        camlib.class_activation_maps(GapNet("maximum").eval(), images())


def test_maximum_pooling_takes_each_channels_highest_value() -> None:
    network = GapNet("maximum").eval()
    with torch.no_grad():
        highest = network.features(images()).amax((2, 3))
        assert torch.equal(network(images()), network.classifier(highest))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GapNet("median"), 'pooling: expected "average" or "maximum", got \'median\''),
        (lambda: GapNet(classes=0), "classes: expected a whole number of at least 1, got 0"),
        (lambda: FlattenNet(classes=2.5), "classes: expected a whole number"),
        (lambda: FlattenNet(hidden=True), "hidden: expected a whole number"),
    ],
)
def test_a_wrong_argument_is_named(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
