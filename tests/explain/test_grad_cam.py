"""Grad-CAM and Grad-CAM++: by hand, against autograd, captum, slow loops and the closed forms."""

from collections.abc import Callable

import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

import camlib
from tests.explain.networks import (
    TwoByTwo,
    build,
    flatten_net,
    random_pictures,
    small,
    tiny_transformer,
)

Method = Callable[..., camlib.GradientMaps]
BOTH = pytest.mark.parametrize("method", [camlib.grad_cam, camlib.grad_cam_plus_plus])
PICTURE = torch.tensor([[[[1.0, -2.0], [3.0, 4.0]]]])


def gap_to(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def by_autograd(
    network: nn.Module, layer: str, images: Tensor, classes: list[int]
) -> tuple[Tensor, list[Tensor]]:
    """Features and one gradient for each class, with nothing but a hook and autograd.grad."""
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> Tensor:
        kept.append(output)
        return output.clone()

    handle = network.get_submodule(layer).register_forward_hook(keep)
    logits = network(images)
    handle.remove()
    gradients = [
        torch.autograd.grad(logits[:, category].sum(), kept[0], retain_graph=True)[0]
        for category in classes
    ]
    return kept[0].detach(), gradients


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


# ------------------------------------------------------------------ closed forms


@pytest.mark.parametrize(
    "name", ["resnet18", "densenet121", "squeezenet1_1", "swin_t", "mobilenet_v2"]
)
def test_on_gap_networks_it_is_cam_divided_by_the_number_of_places(name: str) -> None:
    network, images = build(name), random_pictures(2, side=96)
    cam = camlib.class_activation_maps(network, images)
    for _ in range(2):  # the second call remembers what the first one found
        found = camlib.grad_cam(network, images, None)
        assert found.closed_form is True
        places = cam.maps[0, 0].numel()
        assert gap_to(found.maps * places, cam.maps) <= 1e-7
        assert torch.equal(found.scores, cam.logits)


@BOTH
def test_the_closed_forms_equal_the_gradients_at_the_same_layer(method: Method) -> None:
    """For classes, and for any function of the output: the logits' slopes times the weight."""
    network, images = build("resnet10").double(), random_pictures(2).double()

    def confidence(logits: Tensor) -> Tensor:
        return logits.log_softmax(1)[:, 3] - logits[:, 5]

    for target in ([3, 5], confidence):
        closed = method(network, images, target)
        by_gradients = method(network, images, target, closed.layer)
        assert (closed.layer, closed.closed_form) == ("layer4", True)
        assert by_gradients.closed_form is False
        assert gap_to(closed.maps, by_gradients.maps) <= 1e-12
        torch.testing.assert_close(closed.scores, by_gradients.scores)
    torch.testing.assert_close(closed.scores, confidence(network(images)).detach()[:, None])


def test_the_closed_form_of_plus_plus_needs_the_head_alone() -> None:
    network, images = build("resnet10").double(), random_pictures(2).double()
    head = camlib.find_head(network, images)
    pooled = camlib.global_average_pool(head.features)
    maps = camlib.grad_cam_plus_plus(network, images, None).maps
    for category in (0, 999):
        row = head.weight[category]
        weights = row.clamp(min=0) / (2 + row * pooled)
        expected = (weights[:, :, None, None] * head.features).sum(1)
        assert gap_to(maps[:, category], expected) <= 1e-14


# ------------------------------------------------------------------ oracles

ORACLES = pytest.mark.parametrize(
    ("network", "layer", "channels"),
    [
        (lambda: build("resnet10"), "layer4", 3),
        (lambda: build("resnet10"), "layer2", 3),
        (lambda: build("vgg11"), "features.19", 3),
        (lambda: build("alexnet"), "features.10", 3),
        (lambda: build("convnext_tiny"), "features", 3),
        (lambda: build("alexnet"), None, 3),
        (lambda: build("resnet10"), None, 3),
        (flatten_net, "features", 1),
        (flatten_net, "features.3", 1),
    ],
)


@ORACLES
def test_agrees_with_captum_and_autograd(
    network: Callable[[], nn.Module], layer: str | None, channels: int
) -> None:
    """Once in float32, to 1e-6, and once in float64, as finely as that can be."""
    built, images = network(), random_pictures(2, channels)
    for tolerance in (1e-6, 1e-12):
        found = camlib.grad_cam(built, images, [1, 7], layer)
        oracle = LayerGradCam(built, built.get_submodule(found.layer))
        expected = [oracle.attribute(images, target=c, relu_attributions=False) for c in (1, 7)]
        assert (found.maps - torch.cat(expected, 1).detach()).abs().max() <= tolerance
        features, gradients = by_autograd(built, found.layer, images, [1, 7])
        by_hand = [(g.mean((2, 3), keepdim=True) * features).sum(1) for g in gradients]
        assert (found.maps - torch.stack(by_hand, 1)).abs().max() <= tolerance
        built, images = built.double(), images.double()


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
        (lambda: build("resnet10"), "layer4", 3),
        (lambda: build("resnet10"), "layer3", 3),
        (lambda: build("vgg11"), "features.19", 3),
        (flatten_net, "features", 1),
    ],
)
def test_plus_plus_agrees_with_a_slow_loop(
    network: Callable[[], nn.Module], layer: str, channels: int
) -> None:
    built, images = network().double(), random_pictures(1, channels).double()
    maps = camlib.grad_cam_plus_plus(built, images, [1, 7], layer).maps
    features, gradients = by_autograd(built, layer, images, [1, 7])
    for row, gradient in enumerate(gradients):
        expected = slow_plus_plus(gradient[0], features[0])
        assert (maps[0, row] - expected).abs().max() <= 1e-9 * max(1, expected.abs().max())


# ------------------------------------------------------------------ targets


@BOTH
@pytest.mark.parametrize("layer", [None, "layer3"])
def test_the_forms_of_a_target(method: Method, layer: str | None) -> None:
    network, images = build("resnet10"), random_pictures(2)
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


@pytest.mark.parametrize("layer", [None, "conv"])
def test_a_function_may_return_one_number_for_one_picture(layer: str | None) -> None:
    network = small(lambda self, images: {"out": self.fc(self.conv(images).relu().flatten(1))})
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
    for target in ([0], [0, 1], [0, 1, 2]):
        expected = camlib.grad_cam(plain, images, target, "conv").maps
        torch.testing.assert_close(camlib.grad_cam(own, images, target, "conv").maps, expected)


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
        (alone,) = method(network, images, [1, 2], (name,))
        assert gap_to(one.maps, alone.maps) <= 1e-5


def test_channels_last_layers_are_reshaped() -> None:
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
