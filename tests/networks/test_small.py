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
    """The head with pooling has a fraction of the other's."""
    assert count(GapNet()) == CONVOLUTIONS + 128 * 10 + 10
    assert count(FlattenNet()) == CONVOLUTIONS + 128 * 4 * 4 * 32 + 32 + 32 * 10 + 10
    assert count(GapNet()) <= 200_000
    assert count(FlattenNet().classifier) >= 5 * count(GapNet().classifier)


@pytest.mark.parametrize("side", [64, 96])
def test_a_gap_network_has_exact_maps_at_any_size(side: int) -> None:
    network = GapNet(classes=7).eval()
    cam = camlib.class_activation_maps(network, images(side=side))
    assert cam.maps.shape == (2, 7, side // 4, side // 4)
    torch.testing.assert_close(cam.maps.mean((2, 3)) + cam.offset, cam.logits)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_finer_network_says_the_same_at_the_places_that_both_have(stride: int) -> None:
    """Run at every place, the same weights give the coarse maps back at every fourth."""
    coarse = GapNet().train()
    coarse(images(8))  # statistics other than the first ones
    coarse.eval()
    finer = coarse.at_stride(stride)
    with torch.no_grad():
        some, all_ = coarse.features(images()), finer.features(images())
    assert all_.shape == (2, 128, 64 // stride, 64 // stride)
    every = 4 // stride
    torch.testing.assert_close(all_[:, :, ::every, ::every], some)
    cam = camlib.class_activation_maps(finer, images())
    torch.testing.assert_close(cam.maps.mean((2, 3)) + cam.offset, cam.logits)


def test_a_finer_network_is_a_copy_of_its_kind() -> None:
    coarse = GapNet("maximum", classes=3).double().train()
    finer = coarse.at_stride(2)
    assert isinstance(finer.pool, torch.nn.AdaptiveMaxPool2d)
    assert coarse.training
    assert not finer.training
    assert finer.classifier.weight.dtype == torch.float64
    assert finer.classifier.weight is not coarse.classifier.weight
    assert torch.equal(finer.classifier.weight, coarse.classifier.weight)


@pytest.mark.parametrize("stride", [0, 3, 8, True, "2"])
def test_another_stride_is_refused(stride: object) -> None:
    with pytest.raises(ValueError, match="stride: expected 1, 2 or 4 pixels, got"):
        GapNet().at_stride(stride)


def test_a_cell_sees_23_pixels() -> None:
    picture = images(1).requires_grad_()
    GapNet(stride=1).eval().features(picture)[0, :, 32, 32].sum().backward()
    assert picture.grad is not None
    seen = picture.grad[0, 0].abs().sum(0).nonzero()
    assert 20 <= int(seen.max() - seen.min()) + 1 <= 23  # ReLU may silence the edge


@pytest.mark.parametrize(
    ("network", "reason"),
    [(FlattenNet(), "FlattenNet.*flatten"), (GapNet("maximum"), "GapNet.*max")],
)
def test_a_head_without_exact_maps_is_refused_with_the_reason(network, reason: str) -> None:
    with pytest.raises(camlib.NotCAMReadyError, match=reason):
        camlib.class_activation_maps(network.eval(), images())


def test_maximum_pooling_takes_each_channels_highest_value() -> None:
    network = GapNet("maximum").eval()
    with torch.no_grad():
        highest = network.features(images()).amax((2, 3))
        assert torch.equal(network(images()), network.classifier(highest))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GapNet("median"), 'pooling: expected one of "average", "maximum", got'),
        (lambda: GapNet(classes=0), "classes: expected a whole number of at least 1, got 0"),
        (lambda: FlattenNet(classes=2.5), "classes: expected a whole number"),
        (lambda: FlattenNet(hidden=True), "hidden: expected a whole number"),
    ],
)
def test_a_wrong_argument_is_named(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
