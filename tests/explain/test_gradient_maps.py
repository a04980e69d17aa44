"""Grad-CAM and Grad-CAM++: by hand, against autograd, captum and the closed forms, in every form of call."""

from collections.abc import Callable

import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

import camlib
from tests.explain.networks import (
    TwoByTwo,
    With,
    build,
    flatten_net,
    random_pictures,
    small,
    tiny_transformer,
)

BOTH = pytest.mark.parametrize("method", [camlib.grad_cam, camlib.grad_cam_plus_plus])
PICTURE = torch.tensor([[[[1.0, -2.0], [3.0, 4.0]]]])


def gap_to(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def by_autograd(network: nn.Module, layer: str, images: Tensor, classes: list[int]) -> Tensor:
    """Grad-CAM with nothing but hooks and autograd.grad, one class after the other."""
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> Tensor:
        kept.append(output)
        return output.clone()

    handle = network.get_submodule(layer).register_forward_hook(keep)
    logits = network(images.requires_grad_())
    handle.remove()
    (features,) = kept
    maps = []
    for category in classes:
        (gradient,) = torch.autograd.grad(logits[:, category].sum(), features, retain_graph=True)
        weights = gradient.mean((2, 3), keepdim=True)
        maps.append((weights * features).sum(1).detach())
    return torch.stack(maps, 1)


def test_by_hand() -> None:
    """Behind the ReLU: f1 = [1 0; 3 4], f2 = [2 0; 6 8]; the gradients of class 0 are u and v.

    u = [1 2; 0 1] has the mean 1, v = [0 1; -1 0] the mean 0: the map is f1.
    Score: u·f1 = 1 + 4 = 5, v·f2 = -6, together -1.
    """
    found = camlib.grad_cam(TwoByTwo(), PICTURE, 0, "act")
    assert found.maps.tolist() == [[[[1.0, 0.0], [3.0, 4.0]]]]
    assert found.scores.tolist() == [[-1.0]]
    assert found.layer == "act"
    assert found.closed_form is False


def test_plus_plus_by_hand() -> None:
    """The sums are 1 + 3 + 4 = 8 and 16.

    w1 = 1/(2 + 8) + 2/(2 + 16) + 0 + 1/(2 + 8) = 1/5 + 1/9 = 14/45; w2 = 1/(2 + 16) = 1/18.
    Map: f1·14/45 + f2/18 = f1·(14/45 + 1/9) = f1·19/45, for f2 is twice f1.
    """
    found = camlib.grad_cam_plus_plus(TwoByTwo(), PICTURE, 0, "act")
    expected = 19 / 45 * torch.tensor([[[[1.0, 0.0], [3.0, 4.0]]]])
    torch.testing.assert_close(found.maps, expected)


def test_an_activation_in_place_behind_the_layer_changes_nothing_of_it() -> None:
    """In front of the ReLU the maps still hold -1 and -2, and no gradient passes there.

    The picture is x = [-1 2; 3 4]. u = [0 2; 0 1] has the mean 3/4, v = [0 1; -1 0] the mean 0: the
    map is 3/4·x, with -3/4 at its first place.
    """
    picture = torch.tensor([[[[-1.0, 2.0], [3.0, 4.0]]]])
    found = camlib.grad_cam(TwoByTwo(), picture, 0, "features")
    assert found.maps.tolist() == [[[[-0.75, 1.5], [2.25, 3.0]]]]


GAP_NETWORKS = ["resnet18", "densenet121", "squeezenet1_1", "swin_t", "mobilenet_v2"]


@pytest.mark.parametrize("name", GAP_NETWORKS)
def test_on_gap_networks_it_is_cam_divided_by_the_number_of_places(name: str) -> None:
    network, images = build(name), random_pictures(2, side=96)
    cam = camlib.class_activation_maps(network, images)
    for _ in range(2):  # the second call remembers what the first one found
        found = camlib.grad_cam(network, images, None)
        assert found.closed_form is True
        places = cam.maps[0, 0].numel()
        assert gap_to(found.maps * places, cam.maps) <= 1e-7
        assert torch.equal(found.scores, cam.logits)


def test_the_closed_forms_equal_the_gradients_at_the_same_layer() -> None:
    network, images = build("resnet18").double(), random_pictures(2).double()
    for method in (camlib.grad_cam, camlib.grad_cam_plus_plus):
        closed = method(network, images, [3, 5])
        open_form = method(network, images, [3, 5], closed.layer)
        assert (closed.layer, closed.closed_form, open_form.closed_form) == ("layer4", True, False)
        assert gap_to(closed.maps, open_form.maps) <= 1e-13
    by_hand = by_autograd(network, "layer4", images, [3, 5])
    assert gap_to(camlib.grad_cam(network, images, [3, 5]).maps, by_hand) <= 1e-13


def test_the_closed_form_of_plus_plus_needs_the_head_alone() -> None:
    network, images = build("resnet18").double(), random_pictures(2).double()
    head = camlib.find_head(network, images)
    pooled = camlib.global_average_pool(head.features)
    maps = camlib.grad_cam_plus_plus(network, images, None).maps
    for category in (0, 999):
        row = head.weight[category]
        weights = row.clamp(min=0) / (2 + row * pooled)
        expected = (weights[:, :, None, None] * head.features).sum(1)
        assert gap_to(maps[:, category], expected) <= 1e-14


@pytest.mark.parametrize(
    ("network", "layer", "side", "channels"),
    [
        (lambda: build("resnet18"), "layer4", 64, 3),
        (lambda: build("resnet18"), "layer2", 64, 3),
        (lambda: build("vgg11"), "features.19", 64, 3),
        (lambda: build("vgg11"), "features.18", 64, 3),
        (flatten_net, "features", 64, 1),
        (flatten_net, "features.3", 64, 1),
        (lambda: build("convnext_tiny"), "features", 64, 3),
    ],
)
def test_agrees_with_captum(
    network: Callable[[], nn.Module], layer: str, side: int, channels: int
) -> None:
    """Once in float32, to 1e-6, and once in float64, as finely as that can be."""
    built, images = network(), random_pictures(2, channels, side)
    for tolerance in (1e-6, 1e-12):
        oracle = LayerGradCam(built, built.get_submodule(layer))
        expected = [oracle.attribute(images, target=c, relu_attributions=False) for c in (1, 7)]
        found = camlib.grad_cam(built, images, [1, 7], layer)
        assert (found.maps - torch.cat(expected, 1).detach()).abs().max() <= tolerance
        built, images = built.double(), images.double()


@pytest.mark.parametrize("name", ["resnet18", "vgg11"])
def test_the_default_layer_agrees_with_captum(name: str) -> None:
    network, images = build(name), random_pictures(2)
    found = camlib.grad_cam(network, images, [1, 7])
    oracle = LayerGradCam(network, network.get_submodule(found.layer))
    expected = [oracle.attribute(images, target=c, relu_attributions=False) for c in (1, 7)]
    assert (found.maps - torch.cat(expected, 1).detach()).abs().max() <= 1e-6


def slow_plus_plus(gradients: Tensor, features: Tensor) -> Tensor:
    """Loop over equation 19 for one picture, with squares and cubes as printed."""
    total_map = torch.zeros(features.shape[1:], dtype=torch.float64)
    for gradient, feature in zip(gradients, features, strict=True):
        total, weight = float(feature.sum()), 0.0
        for g in gradient.flatten().tolist():
            if g > 0:
                weight += g**2 / (2 * g**2 + total * g**3) * g
        total_map += weight * feature
    return total_map


@pytest.mark.parametrize(
    ("network", "layer", "channels"),
    [
        (lambda: build("resnet18"), "layer4", 3),
        (lambda: build("resnet18"), "layer3", 3),
        (lambda: build("vgg11"), "features.19", 3),
        (flatten_net, "features", 1),
    ],
)
def test_plus_plus_agrees_with_a_slow_loop(
    network: Callable[[], nn.Module], layer: str, channels: int
) -> None:
    built, images = network().double(), random_pictures(1, channels).double()
    maps = camlib.grad_cam_plus_plus(built, images, [1, 7], layer).maps
    kept: list[Tensor] = []
    module = built.get_submodule(layer)
    handle = module.register_forward_hook(lambda _, __, output: kept.append(output))
    logits = built(images)
    handle.remove()
    for row, category in enumerate((1, 7)):
        (gradient,) = torch.autograd.grad(logits[0, category], kept[0], retain_graph=True)
        expected = slow_plus_plus(gradient[0], kept[0][0].detach())
        assert (maps[0, row] - expected).abs().max() <= 1e-9 * max(1, expected.abs().max())


# ------------------------------------------------------------------ targets


@BOTH
@pytest.mark.parametrize("layer", [None, "layer3"])
def test_the_forms_of_a_target(
    method: Callable[..., camlib.GradientMaps], layer: str | None
) -> None:
    network, images = build("resnet18"), random_pictures(2)
    every = method(network, images, [4, 9, 2], layer)
    assert every.maps.shape[:2] == every.scores.shape == (2, 3)
    close = {"rtol": 1e-3, "atol": 1e-6 * float(every.maps.abs().max())}

    def same(target: object, expected: Tensor) -> None:
        torch.testing.assert_close(method(network, images, target, layer).maps, expected, **close)

    same(9, every.maps[:, 1:2])
    same(torch.tensor(9), every.maps[:, 1:2])
    same((4, 9), every.maps[:, :2])
    same(torch.tensor([4, 9]), torch.stack([every.maps[0, :1], every.maps[1, 1:2]]))
    pairs = torch.stack([every.maps[0, [0, 1]], every.maps[1, [1, 2]]])
    same(torch.tensor([[4, 9], [9, 2]]), pairs)
    same(torch.tensor([[4, 9], [9, 2]]).numpy(), pairs)
    same(lambda logits: logits[:, 9], every.maps[:, 1:2])


@BOTH
def test_any_function_of_the_output(method: Callable[..., camlib.GradientMaps]) -> None:
    """On a GAP network the closed form serves it too: the logits' slopes times the weight."""
    network, images = build("resnet18").double(), random_pictures(2).double()

    def confidence(logits: Tensor) -> Tensor:
        return logits.log_softmax(1)[:, 3] - logits[:, 5]

    closed = method(network, images, confidence)
    by_gradients = method(network, images, confidence, "layer4")
    assert closed.closed_form is True
    assert gap_to(closed.maps, by_gradients.maps) <= 1e-12
    expected = confidence(network(images)).detach()[:, None]
    torch.testing.assert_close(closed.scores, expected)
    torch.testing.assert_close(by_gradients.scores, expected)


@pytest.mark.parametrize("layer", [None, "features", "conv"])
def test_a_function_may_return_one_number_for_one_picture(layer: str | None) -> None:
    network = small(lambda self, images: {"out": self.fc(self.conv(images).relu().flatten(1))})
    layer = "conv" if layer == "features" else layer
    found = camlib.grad_cam(network, random_pictures(1, 1, 4), lambda out: out["out"][0, 2], layer)
    assert found.maps.shape == (1, 1, 4, 4)
    assert found.layer == "conv"


def test_all_classes_are_cut_into_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    network, images = flatten_net(), random_pictures(3, 1)
    expected = camlib.grad_cam_plus_plus(network, images, None).maps
    assert expected.shape == (3, 10, 16, 16)
    for numbers in (1, 300_000):  # one class at a time, and three
        monkeypatch.setattr("camlib.explain.backward._NUMBERS", numbers)
        found = camlib.grad_cam_plus_plus(network, images, None).maps
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-9)


class OneByOne(torch.autograd.Function):
    """Doubles, in a backward pass that cannot be batched."""

    @staticmethod
    def forward(context: object, tensor: Tensor) -> Tensor:
        return 2 * tensor

    @staticmethod
    def backward(context: object, gradient: Tensor) -> Tensor:
        return 2 * torch.tensor(gradient.numpy())


def test_calls_that_cannot_be_batched_are_differentiated_one_by_one() -> None:
    plain = small(lambda self, images: self.fc(2 * self.conv(images).flatten(1)))
    own = small(lambda self, images: self.fc(OneByOne.apply(self.conv(images)).flatten(1)))
    images = random_pictures(2, 1, 4)
    expected = camlib.grad_cam(plain, images, [0, 1, 2], "conv").maps
    torch.testing.assert_close(camlib.grad_cam(own, images, [0, 1, 2], "conv").maps, expected)


# ------------------------------------------------------------------ layers


@BOTH
def test_several_layers_in_one_run(method: Callable[..., tuple[camlib.GradientMaps, ...]]) -> None:
    """By name or itself, in any order, one inside the other, before and behind calls in place."""
    network, images = build("resnet18"), random_pictures(2)
    runs: list[int] = []
    handle = network.conv1.register_forward_hook(lambda *_: runs.append(1))
    layers = ["layer4", network.layer2, "layer2.1.bn2", "bn1", "layer4.1"]
    found = method(network, images, [1, 2], layers)
    assert len(runs) == 1
    handle.remove()
    names = ["layer4", "layer2", "layer2.1.bn2", "bn1", "layer4.1"]
    assert [one.layer for one in found] == names
    for one, name in zip(found, names, strict=True):
        alone = method(network, images, [1, 2], name)
        assert gap_to(one.maps, alone.maps) <= 1e-5


def test_a_list_of_one_layer_gives_a_tuple_of_one() -> None:
    (found,) = camlib.grad_cam(build("resnet18"), random_pictures(1), 3, ["layer3"])
    assert found.layer == "layer3"


@pytest.mark.parametrize(
    ("name", "layer", "closed_form"),
    [
        ("resnet18", "layer4", True),
        ("vgg11", "features.19", False),
        ("alexnet", "features.11", False),
        ("mobilenet_v3_small", "features", False),
        ("convnext_tiny", "features", False),
        ("densenet121", "(the averaged features)", True),
        ("squeezenet1_1", "classifier.2", True),
    ],
)
def test_the_default_layer(name: str, layer: str, closed_form: bool) -> None:
    """The last activation, not what was pooled of it; behind LayerNorm heads a gradient is needed."""
    network, images = build(name), random_pictures(1, side=96)
    for _ in range(2):
        found = camlib.grad_cam(network, images, 1)
        assert (found.layer, found.closed_form) == (layer, closed_form)


def test_the_default_layer_of_the_books_networks() -> None:
    assert camlib.grad_cam(flatten_net(), random_pictures(1, 1), 1).layer == "features"
    maximum = camlib.networks.GapNet("maximum")
    assert camlib.grad_cam(maximum, random_pictures(1, 1), 1).layer == "features"


def test_the_default_layer_follows_the_network() -> None:
    network, images = build("resnet18"), random_pictures(1)
    assert camlib.grad_cam(network, images, 1).closed_form is True
    network.fc = nn.Sequential(nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 10))
    found = camlib.grad_cam(network, images, 1)
    assert (found.layer, found.closed_form) == ("layer4", False)
    network.fc = nn.Linear(512, 10)
    assert camlib.grad_cam(network, images, 1).closed_form is True


def two_heads(self: With, images: Tensor) -> dict[str, Tensor]:
    first = self.conv(images)
    return {"first": self.fc(first.flatten(1)), "second": self.other(images).amax((1, 2, 3))}


def test_the_default_layer_follows_the_target() -> None:
    network = small(two_heads)
    network.add_module("other", nn.Conv2d(1, 2, 3))
    images = random_pictures(2, 1, 4)
    found = [
        camlib.grad_cam(network, images, target).layer
        for target in (lambda out: out["first"][:, 0], lambda out: out["second"])
        for _ in range(2)
    ]
    assert found == ["conv", "conv", "other", "other"]


def one_activation_for_all(self: With, images: Tensor) -> Tensor:
    return self.fc(self.act(self.second(self.act(self.conv(images)))).flatten(1))


def test_the_default_may_be_one_of_a_layers_calls() -> None:
    network = small(one_activation_for_all)
    network.add_module("second", nn.Conv2d(4, 4, 1))
    images = random_pictures(2, 1, 4)
    found = camlib.grad_cam(network, images, [0, 1])
    assert found.layer == "act (call 2)"
    separate = small(lambda self, images: self.fc(self.last(one_to_act(self, images)).flatten(1)))
    separate.add_module("second", network.second)
    separate.add_module("last", nn.ReLU())
    torch.testing.assert_close(found.maps, camlib.grad_cam(separate, images, [0, 1], "last").maps)


def one_to_act(self: With, images: Tensor) -> Tensor:
    return self.second(self.act(self.conv(images)))


def test_channels_last_layers_and_token_sequences_are_reshaped() -> None:
    network, images = build("swin_t"), random_pictures(2, side=96)
    found = camlib.grad_cam(
        network, images, [1, 2], "norm", reshape=lambda maps: maps.permute(0, 3, 1, 2)
    )
    assert gap_to(found.maps, camlib.grad_cam(network, images, [1, 2], "permute").maps) <= 1e-5


def test_a_transformers_patches() -> None:
    """Of the class token the gradient at the patches is what its attention makes of it."""
    found = camlib.grad_cam(
        tiny_transformer(),
        random_pictures(2, side=32),
        [1, 2],
        "encoder.layers.encoder_layer_1.ln_1",
        reshape=lambda tokens: tokens[:, 1:].transpose(1, 2).unflatten(2, (4, 4)),
    )
    assert found.maps.shape == (2, 2, 4, 4)
    assert found.maps.abs().max() > 0


class TwoOutputs(nn.Module):
    """Two heads, each of which reads feature maps of its own."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.aside, self.main = nn.Linear(48, 2), nn.Linear(48, 2)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        first = self.first(images).tanh()
        second = self.second(first).tanh()
        return {"aside": self.aside(first.flatten(1)), "main": self.main(second.flatten(1))}


def test_the_default_layer_does_not_depend_on_earlier_targets() -> None:
    """Both layers count for the main score, only one for the other; the last that counts is taken."""
    images = random_pictures(2, 1, 4)

    def layers(network: nn.Module, *names: str) -> list[str]:
        return [
            camlib.grad_cam(network, images, lambda out, name=name: out[name][:, 0]).layer
            for name in names
        ]

    assert layers(TwoOutputs(), "main", "aside", "main") == ["second", "first", "second"]
    assert layers(TwoOutputs(), "aside", "main", "aside") == ["first", "second", "first"]


class Deeper(nn.Module):
    """Runs its block the more often the larger the picture is."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.block = nn.Conv2d(1, 3, 1), nn.Conv2d(3, 3, 3, padding=1)
        self.fc = nn.Linear(3, 2)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.stem(images)
        for _ in range(images.shape[-1] // 2):
            maps = self.block(maps).tanh()
        return self.fc(maps.amax((2, 3)))


def test_the_default_call_does_not_depend_on_earlier_sizes() -> None:
    sizes = (4, 8, 4)
    fresh = [camlib.grad_cam(Deeper(), random_pictures(1, 1, size), 0) for size in sizes]
    network = Deeper()
    again = [camlib.grad_cam(network, random_pictures(1, 1, size), 0) for size in sizes]
    assert [one.layer for one in again] == [one.layer for one in fresh]
    assert len({one.layer for one in fresh}) == 2
    for one, other in zip(again, fresh, strict=True):
        torch.testing.assert_close(one.maps, other.maps)
