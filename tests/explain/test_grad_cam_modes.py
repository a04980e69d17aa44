"""Grad-CAM in every mode a network can be in, and without a trace."""

import gc
import warnings
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

import camlib
from tests.explain.networks import (
    With,
    build,
    flatten_net,
    random_pictures,
    small,
    state_of,
    unchanged,
)

# A network with a closed form, and two layers for which a gradient is needed.
CASES = pytest.mark.parametrize(
    ("name", "layer"), [("resnet18", None), ("resnet18", "layer3"), ("mobilenet_v3_small", None)]
)
PICTURES = random_pictures(2, 1, 4)


def assert_same(found: Tensor, expected: Tensor, tolerance: float = 1e-4) -> None:
    assert (found - expected).abs().max() <= tolerance * expected.abs().max()


@CASES
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_gradient_modes_around_the_call(
    name: str, layer: str | None, mode: Callable[[], torch.no_grad]
) -> None:
    network, images = build(name), random_pictures(2)
    expected = camlib.grad_cam(network, images, [1, 2], layer).maps
    with mode():
        found = camlib.grad_cam(network, images, [1, 2], layer)
        made_here = camlib.grad_cam(network, random_pictures(2) + 0, [1, 2], layer)
    assert_same(found.maps, expected)
    assert_same(made_here.maps, expected)
    assert not found.maps.is_inference()


@CASES
@pytest.mark.parametrize("change", ["frozen", "training", "bfloat16", "compiled"])
def test_other_states_of_the_network(name: str, layer: str | None, change: str) -> None:
    """All weights frozen; in training but for a part; in mixed precision; compiled."""
    network, images = build(name), random_pictures(2)
    expected = camlib.grad_cam_plus_plus(network, images, [1, 2], layer).maps
    context, tolerance = nullcontext(), 1e-4
    if change == "frozen":
        network.requires_grad_(False)
    elif change == "training":
        network.train()
        next(network.children()).eval()
    elif change == "bfloat16":
        context, tolerance = torch.autocast("cpu", dtype=torch.bfloat16), 0.2
    else:
        network = torch.compile(network, backend="eager")
        layer = None if layer is None else f"_orig_mod.{layer}"
    for _ in range(2):
        with unchanged(network, images), context:
            found = camlib.grad_cam_plus_plus(network, images, [1, 2], layer).maps
        assert found.dtype == torch.float32
        assert_same(found, expected, tolerance)


@CASES
def test_nothing_is_left_behind(name: str, layer: str | None) -> None:
    network = build(name)
    for parameter in list(network.parameters())[:2]:
        parameter.requires_grad_(False)
    images = random_pictures(1).requires_grad_()
    for method in (camlib.grad_cam, camlib.grad_cam_plus_plus):
        with unchanged(network, images):
            found = method(network, images, [0, 1], layer)
        for tensor in (found.maps, found.scores):
            assert tensor.grad_fn is None
            assert not tensor.requires_grad


def test_gradients_that_the_reader_has_collected_stay() -> None:
    network = small(forward)
    network(PICTURES).sum().backward()
    with unchanged(network, PICTURES):
        camlib.grad_cam(network, PICTURES, [1, 2])


@pytest.mark.parametrize("where", ["network", "target"])
@pytest.mark.parametrize("layer", ["conv", None])
@pytest.mark.parametrize("grad", [True, False])
def test_nothing_is_left_behind_after_an_exception(
    where: str, layer: str | None, grad: bool
) -> None:
    def fail(_: object) -> Tensor:
        raise RuntimeError("out of order")

    call = (lambda self, images: fail(self.conv(images))) if where == "network" else forward
    network = small(call).train()
    with torch.set_grad_enabled(grad), unchanged(network, PICTURES):  # noqa: SIM117
        with pytest.raises(RuntimeError, match="out of order"):
            camlib.grad_cam(network, PICTURES, fail, layer)


def forward(self: With, images: Tensor) -> Tensor:
    return self.fc(self.act(self.conv(images)).flatten(1))


def tensors_alive() -> int:
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some objects of torch warn when they are looked at
        return sum(isinstance(thing, Tensor) for thing in gc.get_objects())


@CASES
def test_repeated_calls_keep_no_tensor_and_no_network(name: str, layer: str | None) -> None:
    network, images = build(name), random_pictures(1)
    camlib.grad_cam(network, images, [1, 2], layer)
    before = tensors_alive()
    for _ in range(3):
        camlib.grad_cam(network, images, [1, 2], layer)
    assert tensors_alive() == before
    gone = weakref.ref(network)
    del network
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("layer", ["layer3", "layer4", None])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype: torch.dtype, layer: str | None) -> None:
    expected = camlib.grad_cam(build("resnet18"), random_pictures(2), [1, 2], layer).maps
    network = build("resnet18").to(dtype)
    found = camlib.grad_cam(network, random_pictures(2).to(dtype), [1, 2], layer)
    assert found.maps.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert_same(found.maps.float(), expected, 1e-4 if dtype == torch.float64 else 0.1)


def test_training_goes_on_in_the_same_mixed_precision() -> None:
    """What is cast without a graph must not be handed to a step of training afterwards."""
    network, images = flatten_net(), random_pictures(2, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        camlib.grad_cam(network, images, 1)
        network(images).float().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


class Frozen(nn.Module):
    """Runs its convolutions without gradients, and only its head with them."""

    def __init__(self, mode: Callable[[], torch.no_grad]) -> None:
        super().__init__()
        self.inner = small(forward)
        self.mode = mode

    def forward(self, images: Tensor) -> Tensor:
        with self.mode():
            features = self.inner.act(self.inner.conv(images))
        return self.inner.fc(features.flatten(1))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("layer", ["inner.act", None])
def test_a_backbone_that_runs_without_gradients(
    mode: Callable[[], torch.no_grad], layer: str | None
) -> None:
    network = Frozen(mode).eval()
    expected = camlib.grad_cam(network.inner, PICTURES, [0, 1], "act").maps
    assert_same(camlib.grad_cam(network, PICTURES, [0, 1], layer).maps, expected)


@pytest.mark.parametrize(
    "layers", [["inner.act"], ["inner.act", "inner.conv"], ["inner.act", "inner.fc.0"]]
)
def test_a_recording_that_ends_too_early_is_made_again(layers: list[str]) -> None:
    """A frozen backbone under a skip, and a head that switches gradients on for itself."""

    class Skipped(Frozen):
        def forward(self, images: Tensor) -> Tensor:
            with self.mode():
                features = self.inner.act(self.inner.conv(images))
            slopes = features.sigmoid()  # not recorded any more, unless gradients are on
            return self.head(features, slopes)

        @torch.enable_grad()
        def head(self, features: Tensor, slopes: Tensor) -> Tensor:
            return self.inner.fc((features + slopes).flatten(1))

    always = Skipped(torch.enable_grad).eval()
    expected = camlib.grad_cam(always, PICTURES, [0, 1], "inner.act").maps
    network = Skipped(torch.no_grad).eval()
    network.inner.fc = nn.Sequential(nn.Unflatten(1, (-1, 4, 4)), nn.Flatten(), network.inner.fc)
    assert_same(camlib.grad_cam(network, PICTURES, [0, 1], layers)[0].maps, expected)


def skip(self: With, images: Tensor) -> Tensor:
    """Read the layer's input again, which a layer in place has overwritten by its output."""
    before = self.conv(images)
    after = self.act(before)
    return self.fc(((before if self.act.inplace else after) + after.pow(2)).flatten(1))


def statement(self: With, images: Tensor) -> Tensor:
    """Drop what a layer in place returns."""
    before = self.conv(images)
    after = self.act(before)
    return self.fc((before if self.act.inplace else after).flatten(1))


@pytest.mark.parametrize(
    ("call", "layers"),
    [(forward, ["act", "conv"]), (skip, ["act"]), (statement, ["act"])],
)
def test_a_layer_in_place_and_what_it_overwrites(
    call: Callable[[With, Tensor], Tensor], layers: list[str]
) -> None:
    """ReLU in place gives the maps of a ReLU that is not: its output, and its input as it was before."""
    apart, in_place = small(call), small(call)
    in_place.act = nn.ReLU(inplace=True)
    together = camlib.grad_cam(in_place, PICTURES, [0, 1, 2], layers)
    for layer, found in zip(layers, together, strict=True):
        expected = camlib.grad_cam(apart, PICTURES, [0, 1, 2], layer).maps
        assert_same(found.maps, expected)
        assert_same(camlib.grad_cam(in_place, PICTURES, [0, 1, 2], layer).maps, expected)
    default = camlib.grad_cam(in_place, PICTURES, [0, 1, 2]).maps
    assert_same(default, camlib.grad_cam(apart, PICTURES, [0, 1, 2]).maps)


def test_a_network_that_views_its_features() -> None:
    """The channels-last layout, in which convolutions are faster, does not allow that."""
    views = small(lambda self, images: self.fc(self.conv(images).view(len(images), -1)))
    flat = small(lambda self, images: self.fc(self.conv(images).flatten(1)))
    expected = camlib.grad_cam(flat, PICTURES, [0, 1]).maps
    assert_same(camlib.grad_cam(views, PICTURES, [0, 1]).maps, expected)


def test_threads_do_not_disturb_each_other() -> None:
    network, images = build("resnet18"), random_pictures(2, side=32)
    expected = camlib.grad_cam(network, images, [1, 2], "layer3").maps
    before = state_of(network)

    def explain(index: int) -> None:
        for _ in range(5):
            if index % 2:
                with torch.no_grad():
                    network(images)
            else:
                assert_same(camlib.grad_cam(network, images, [1, 2], "layer3").maps, expected)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(explain, range(4)))
    assert state_of(network) == before


@CASES
def test_a_picture_does_not_depend_on_its_batch_mates(name: str, layer: str | None) -> None:
    network, images = build(name), random_pictures(3)
    each = torch.tensor([[4, 7], [1, 2], [2, 1]])
    together = camlib.grad_cam_plus_plus(network, images, each, layer).maps
    for row in range(3):
        alone = camlib.grad_cam_plus_plus(network, images[row : row + 1], each[row].tolist(), layer)
        assert_same(alone.maps, together[row : row + 1])
