"""The layer that Grad-CAM weighs by default: never another picture's, never the output itself."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import camlib
from tests.explain.networks import With


def block() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU())


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build().eval()


@pytest.fixture
def images() -> Tensor:
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(5))


def siamese(network: With, images: Tensor) -> Tensor:
    """Compare a picture with a reference that the network keeps, which it reads last."""
    own = network.f(images).amax((2, 3))
    reference = network.f(network.reference).amax((2, 3)).expand(len(images), -1)
    return network.fc(torch.cat([own, reference], 1))


def siamese_network(forward: Callable[[With, Tensor], Tensor] = siamese) -> With:
    def build() -> With:
        network = With(forward, f=block(), fc=nn.Linear(12, 3))
        network.register_buffer("reference", torch.randn(1, 3, 8, 8))
        return network

    return seeded(build)  # type: ignore[return-value]


def test_the_reference_of_a_siamese_network_is_never_the_default(images: Tensor) -> None:
    network = siamese_network()
    for _ in range(2):
        found = camlib.grad_cam(network, images, 1)
        assert found.layer == "f (call 1)"
        chosen = camlib.grad_cam(network, images, 1, ("f", 1))
        torch.testing.assert_close(found.maps, chosen.maps)
    own = seeded(
        lambda: With(lambda n, x: n.fc(n.f(x).amax((2, 3))), f=block(), fc=nn.Linear(6, 3))
    )
    own.f = network.f
    own.fc.weight.data = network.fc.weight.data[:, :6]
    torch.testing.assert_close(camlib.grad_cam(own, images, 1).maps, found.maps)


def test_the_average_of_a_reference_belongs_to_the_offset(images: Tensor) -> None:
    def forward(network: With, images: Tensor) -> Tensor:
        own, other = (network.f(one).mean((2, 3)) for one in (images, network.reference))
        return network.fc(torch.cat([own, other.expand(len(images), -1)], 1))

    network = siamese_network(forward)
    cam = camlib.class_activation_maps(network, images)
    weight, bias = network.fc.weight.detach(), network.fc.bias.detach()
    features, reference = (network.f(one).detach() for one in (images, network.reference))
    torch.testing.assert_close(cam.maps, torch.einsum("nkhw,ck->nchw", features, weight[:, :6]))
    expected = bias + reference.mean((2, 3)) @ weight[:, 6:].T
    torch.testing.assert_close(cam.offset, expected.expand(2, -1))


@pytest.mark.parametrize("pool", [lambda maps: maps.amax((2, 3)), lambda maps: maps.mean((2, 3))])
def test_two_calls_side_by_side_have_to_be_chosen(
    images: Tensor, pool: Callable[[Tensor], Tensor]
) -> None:
    """A picture and its mirror image: the sum of both maps, the second turned back, is the whole."""

    def forward(network: With, images: Tensor) -> Tensor:
        return sum(network.fc(pool(network.f(one))) for one in (images, images.flip(3))) / 2

    network = seeded(lambda: With(forward, f=block(), fc=nn.Linear(6, 3)))
    message = (
        "layer: expected one activation that decides the score, got 'f', which runs 2 times side by "
        "side. Choose a call, counted from 1: layer=('f', 2)."
    )
    for _ in range(2):
        with pytest.raises(ValueError, match="layer: expected one activation") as caught:
            camlib.grad_cam(network, images, 1)
        assert str(caught.value) == message
    first, second = camlib.grad_cam(network, images, 1, [("f", 1), ("f", 2)])
    assert (first.layer, second.layer) == ("f (call 1)", "f (call 2)")
    mirrored = camlib.grad_cam(network, images.flip(3), 1, ("f", 1))
    torch.testing.assert_close(second.maps, mirrored.maps)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (("f", 3), "layer: expected a call from 1 to 2 of 'f', got call 3"),
        (("f", 0), r"layer: expected \(name, call\) with a call counted from 1, got \('f', 0\)"),
        (("f", True), r"layer: expected \(name, call\) with a call counted from 1"),
        (("g", 1), "layer: expected the name of a layer of With, got 'g'"),
        (("f",), "expected a layer that runs once, got 'f', which runs 2 times"),
    ],
)
def test_calls_that_do_not_exist(images: Tensor, layer: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        camlib.grad_cam(siamese_network(), images, 1, layer)  # type: ignore[call-overload]


def score(output: Tensor) -> Tensor:
    return output[:, 1].mean((1, 2))


@pytest.mark.parametrize(
    "end",
    [
        [],
        [nn.Upsample(scale_factor=2, mode="bilinear")],
        [nn.Upsample(scale_factor=2), nn.Dropout(0.5)],
        [nn.AvgPool2d(2)],
        [nn.Softplus()],
    ],
)
def test_the_output_itself_is_no_explanation(images: Tensor, end: list[nn.Module]) -> None:
    """Segmentation: the activation before the last convolution, not the prediction rescaled."""
    network = seeded(lambda: nn.Sequential(*block(), nn.Conv2d(6, 4, 1), *end))
    found = camlib.grad_cam(network, images, score)
    assert found.layer == "1"
    torch.testing.assert_close(found.maps, camlib.grad_cam(network, images, score, "1").maps)


class Ensemble(nn.Module):
    """The mean of three networks' logits."""

    def __init__(self) -> None:
        super().__init__()
        self.nets = nn.ModuleList(
            nn.Sequential(*block(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, 3))
            for _ in range(3)
        )

    def forward(self, images: Tensor) -> Tensor:
        return sum(net(images) for net in self.nets) / 3


def test_one_member_of_an_ensemble_is_said_to_be_one(images: Tensor) -> None:
    network = seeded(Ensemble)
    for _ in range(2):
        with pytest.warns(UserWarning, match="also by other ways than 'nets.2.1'") as caught:
            found = camlib.grad_cam(network, images, 1)
        assert caught[0].filename == __file__
        torch.testing.assert_close(found.maps, camlib.grad_cam(network, images, 1, "nets.2.1").maps)


@pytest.mark.parametrize("pool", [nn.AdaptiveMaxPool2d(1), nn.AdaptiveAvgPool2d(1)])
def test_maps_of_nothing_are_said_to_be_nothing(images: Tensor, pool: nn.Module) -> None:
    """A softmax so sure that it has no gradient left: the logits' maps are not zero."""
    network = seeded(
        lambda: nn.Sequential(*block(), pool, nn.Flatten(), nn.Linear(6, 3), nn.Softmax(1))
    )
    network[4].weight.data *= 1e5
    with pytest.warns(UserWarning, match="all weights of 2 of 2 maps are exactly 0") as caught:
        found = camlib.grad_cam(network, images, 1)
    assert caught[0].filename == __file__
    assert not found.maps.any()
    assert camlib.grad_cam(network[:5], images, 1).maps.any()


def test_a_shared_activation_that_runs_twice_in_a_row_is_clear(images: Tensor) -> None:
    """The last call decides alone: what the first one gave reaches the score through it."""

    def forward(network: With, images: Tensor) -> Tensor:
        maps = network.act(network.one(images))
        return network.fc(network.act(network.two(maps) + maps).amax((2, 3)))

    network = seeded(
        lambda: With(
            forward,
            one=nn.Conv2d(3, 6, 3),
            two=nn.Conv2d(6, 6, 3, padding=1),
            act=nn.ReLU(),
            fc=nn.Linear(6, 3),
        )
    )
    assert camlib.grad_cam(network, images, 1).layer == "act (call 2)"
