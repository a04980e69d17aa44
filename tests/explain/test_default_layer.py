"""The layer that Grad-CAM weighs by default: never another picture's, never the output itself."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import camlib
from tests.explain.networks import With, build, flatten_net, random_pictures


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
    advice = r"'f', which runs 2 times side by side\. Choose a call, .* layer=\('f', 2\)"
    for _ in range(2):
        with pytest.raises(ValueError, match=f"layer: expected one activation .*{advice}"):
            camlib.grad_cam(network, images, 1)
    first, second = camlib.grad_cam(network, images, 1, [("f", 1), ("f", 2)])
    assert (first.layer, second.layer) == ("f (call 1)", "f (call 2)")
    mirrored = camlib.grad_cam(network, images.flip(3), 1, ("f", 1))
    torch.testing.assert_close(second.maps, mirrored.maps)


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
@pytest.mark.parametrize("classes", [4, 6])  # as many as the activation has channels
def test_the_output_itself_is_no_explanation(
    images: Tensor, classes: int, end: list[nn.Module]
) -> None:
    """Segmentation: the activation before the last convolution, not the prediction rescaled."""
    network = seeded(lambda: nn.Sequential(*block(), nn.Conv2d(6, classes, 1), *end))
    found = camlib.grad_cam(network, images, score)
    assert found.layer == "1"
    torch.testing.assert_close(found.maps, camlib.grad_cam(network, images, score, "1").maps)


def test_one_member_of_an_ensemble_is_said_to_be_one(images: Tensor) -> None:
    """The mean of three networks' logits."""

    def member() -> nn.Module:
        return nn.Sequential(*block(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, 3))

    def forward(network: With, images: Tensor) -> Tensor:
        return sum(net(images) for net in network.nets) / 3

    network = seeded(lambda: With(forward, nets=nn.ModuleList(member() for _ in range(3))))
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


def two_blocks(act: nn.Module, last: nn.Module) -> nn.Module:
    """Two convolutions with a skip, each with an activation behind it, and a maximum."""

    def forward(network: With, images: Tensor) -> Tensor:
        maps = network.act(network.one(images))
        return network.fc(network.last(network.two(maps) + maps).amax((2, 3)))

    convolutions = {"one": nn.Conv2d(3, 6, 3), "two": nn.Conv2d(6, 6, 3, padding=1)}
    return With(forward, **convolutions, act=act, last=last, fc=nn.Linear(6, 3))


def test_a_shared_activation_that_runs_twice_in_a_row_is_clear(images: Tensor) -> None:
    """The last call decides alone: what the first one gave reaches the score through it."""

    def shared_block() -> nn.Module:
        act = nn.ReLU()
        return two_blocks(act, act)

    network = seeded(shared_block)
    found = camlib.grad_cam(network, images, [0, 1])
    assert found.layer == "act (call 2)"
    by_its_other_name = camlib.grad_cam(network, images, [0, 1], ("last", 2))
    torch.testing.assert_close(by_its_other_name.maps, found.maps)
    separate = seeded(lambda: two_blocks(nn.ReLU(), nn.ReLU()))
    torch.testing.assert_close(found.maps, camlib.grad_cam(separate, images, [0, 1], "last").maps)


def test_an_empty_output_on_the_way_is_passed_over(images: Tensor) -> None:
    """As of a part that looks at detected boxes, when there are none."""

    def forward(network: With, images: Tensor) -> Tensor:
        maps = network.f(images)
        network.boxes(images[:0])
        return network.fc(maps.amax((2, 3)))

    network = seeded(lambda: With(forward, f=block(), boxes=block(), fc=nn.Linear(6, 3)))
    assert camlib.grad_cam(network, images, 0).layer == "f"


def pooled_twice() -> nn.Module:
    """The second pooling changes nothing, as VGG's does with pictures of its own size."""
    layers = {
        "act": nn.ReLU(),
        "pool": nn.MaxPool2d(2),
        "same": nn.AdaptiveAvgPool2d(32),
        "fc": nn.Linear(2048, 3),
    }
    return With(
        lambda n, x: n.fc(n.same(n.pool(n.act(n.conv(x)))).flatten(1)),
        conv=nn.Conv2d(1, 2, 3, padding=1),
        **layers,
    )


@pytest.mark.parametrize(
    ("network", "channels", "layer", "closed_form"),
    [
        (lambda: build("resnet10"), 3, "layer4", True),
        (lambda: build("vgg11"), 3, "features.19", False),
        (lambda: build("alexnet"), 3, "features.11", False),
        (lambda: build("mobilenet_v3_small"), 3, "features", False),
        (lambda: build("convnext_tiny"), 3, "features", False),
        (lambda: build("densenet121"), 3, "(the averaged features)", True),
        (lambda: build("squeezenet1_1"), 3, "classifier.2", True),
        (flatten_net, 1, "features", False),
        (pooled_twice, 1, "act", False),
        (lambda: camlib.networks.GapNet("maximum"), 1, "features", False),
    ],
)
def test_the_default_layer(
    network: Callable[[], nn.Module], channels: int, layer: str, closed_form: bool
) -> None:
    """The last activation, not what was pooled of it; behind LayerNorm heads a gradient is needed."""
    built, images = network(), random_pictures(1, channels, 96 if channels == 3 else 64)
    for _ in range(2):
        found = camlib.grad_cam(built, images, 1)
        assert (found.layer, found.closed_form) == (layer, closed_form)


def test_the_default_layer_follows_the_network() -> None:
    network, images = build("resnet10"), random_pictures(1)
    assert camlib.grad_cam(network, images, 1).closed_form is True
    network.fc = nn.Sequential(nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 10))
    found = camlib.grad_cam(network, images, 1)
    assert (found.layer, found.closed_form) == ("layer4", False)
    network.fc = nn.Linear(512, 10)
    assert camlib.grad_cam(network, images, 1).closed_form is True


def two_outputs(network: With, images: Tensor) -> dict[str, Tensor]:
    """Two heads, each of which reads feature maps of its own, one behind the other."""
    first = network.first(images)
    second = network.second(first)
    return {"aside": network.fc(first.amax((2, 3))), "main": network.fc(second.amax((2, 3)))}


@pytest.mark.parametrize("names", [["main", "aside", "main"], ["aside", "aside", "main", "aside"]])
def test_the_default_layer_follows_the_target(images: Tensor, names: list[str]) -> None:
    """Both layers count for the main score, only one for the other; the last that counts is taken."""
    network = seeded(
        lambda: With(
            two_outputs,
            first=nn.Conv2d(3, 6, 3),
            second=nn.Conv2d(6, 6, 3, padding=1),
            fc=nn.Linear(6, 3),
        )
    )
    found = [
        camlib.grad_cam(network, images, lambda out, name=name: out[name][:, 0]).layer
        for name in names
    ]
    assert found == [{"aside": "first", "main": "second"}[name] for name in names]


def deeper(network: With, images: Tensor) -> Tensor:
    """Run a block the more often the larger the picture is."""
    maps = images
    for _ in range(images.shape[-1] // 2):
        maps = network.block(maps).tanh()
    return network.fc(maps.amax((2, 3)))


def test_the_default_call_does_not_depend_on_earlier_sizes() -> None:
    def build_deeper() -> nn.Module:
        return seeded(lambda: With(deeper, block=nn.Conv2d(3, 3, 3, padding=1), fc=nn.Linear(3, 2)))

    network = build_deeper()
    for size, layer in ((4, "block (call 2)"), (8, "block (call 4)"), (4, "block (call 2)")):
        again = camlib.grad_cam(network, random_pictures(1, 3, size), 0)
        fresh = camlib.grad_cam(build_deeper(), random_pictures(1, 3, size), 0)
        assert again.layer == fresh.layer == layer
        torch.testing.assert_close(again.maps, fresh.maps)
