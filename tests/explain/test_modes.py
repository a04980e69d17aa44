"""Maps in every mode a network can be in, and without a trace: CAM, and Grad-CAM in all its ways."""

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

PICTURES = random_pictures(2, 1, 4)
Result = camlib.ClassActivationMaps | camlib.GradientMaps
WAYS: dict[str, tuple[str, Callable[[nn.Module, Tensor], Result]]] = {
    "cam": ("resnet10", lambda n, x: camlib.class_activation_maps(n, x, [1, 2])),
    "closed form": ("resnet10", lambda n, x: camlib.grad_cam_plus_plus(n, x, [1, 2])),
    "a layer": ("resnet10", lambda n, x: camlib.grad_cam(n, x, [1, 2], n.layer3)),
    "the last layer": ("resnet10", lambda n, x: camlib.grad_cam(n, x, [1, 2], n.layer4)),
    "an activation": ("mobilenet_v3_small", lambda n, x: camlib.grad_cam_plus_plus(n, x, [1, 2])),
}
ALL_WAYS = pytest.mark.parametrize("way", WAYS)


def assert_same(found: Tensor, expected: Tensor, tolerance: float = 1e-4) -> None:
    assert (found - expected).abs().max() <= tolerance * expected.abs().max()


@ALL_WAYS
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_gradient_modes_around_the_call(way: str, mode: Callable[[], torch.no_grad]) -> None:
    name, explain = WAYS[way]
    network, images = build(name), random_pictures(2)
    expected = explain(network, images).maps
    with mode():
        found = explain(network, images)
        made_here = explain(network, random_pictures(2) + 0)
    assert_same(found.maps, expected)
    assert_same(made_here.maps, expected)
    assert not found.maps.is_inference()


@ALL_WAYS
@pytest.mark.parametrize("change", ["frozen", "training", "bfloat16", "compiled", "channels last"])
def test_other_states_of_the_network(way: str, change: str) -> None:
    """All weights frozen; in training but for a part; in mixed precision; compiled; laid out otherwise."""
    name, explain = WAYS[way]
    network, images = build(name), random_pictures(2)
    expected = explain(network, images).maps
    context, tolerance = nullcontext(), 1e-4
    if change == "frozen":
        network.requires_grad_(False)
    elif change == "training":
        network.train()
        next(network.children()).eval()
    elif change == "bfloat16":
        context, tolerance = torch.autocast("cpu", dtype=torch.bfloat16), 0.2
    elif change == "compiled":
        network = torch.compile(network, backend="eager")
    else:
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    for _ in range(2):
        with unchanged(network, images), context:
            found = explain(network, images).maps
        assert found.dtype == torch.float32
        assert_same(found, expected, tolerance)


@pytest.mark.parametrize("way", ["cam", "closed form", "a layer", "the last layer"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(way: str, dtype: torch.dtype) -> None:
    name, explain = WAYS[way]
    expected = explain(build(name), random_pictures(2)).maps
    found = explain(build(name).to(dtype), random_pictures(2).to(dtype)).maps
    assert found.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert_same(found.float(), expected, 1e-4 if dtype == torch.float64 else 0.2)


@ALL_WAYS
def test_nothing_is_left_behind(way: str) -> None:
    """No graph, no gradient, no tensor, no network; the second call remembers the first."""
    name, explain = WAYS[way]
    network = build(name)
    for parameter in list(network.parameters())[:2]:
        parameter.requires_grad_(False)
    images = random_pictures(1).requires_grad_()
    for _ in range(2):
        with unchanged(network, images):
            found = explain(network, images)
        for value in vars(found).values():
            assert not isinstance(value, Tensor) or not value.requires_grad
    gone = weakref.ref(network)
    gc.freeze()  # what is there already need not be looked through again and again
    try:
        found = explain(network, images)
        before = tensors_alive()
        for _ in range(3):
            found = explain(network, images)
        assert tensors_alive() == before > 0
    finally:
        gc.unfreeze()
    del network, parameter
    gc.collect()
    assert gone() is None


def tensors_alive() -> int:
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some objects of torch warn when they are looked at
        return sum(isinstance(thing, Tensor) for thing in gc.get_objects())


@ALL_WAYS
def test_a_picture_does_not_depend_on_its_batch_mates(way: str) -> None:
    name, explain = WAYS[way]
    network, images = build(name), random_pictures(3)
    together = explain(network, images).maps
    for row in range(3):
        alone = explain(network, images[row : row + 1]).maps
        assert_same(alone, together[row : row + 1])


@pytest.mark.parametrize(
    ("way", "training"), [("cam", False), ("cam", True), ("a layer", False), ("a layer", True)]
)
def test_threads_do_not_disturb_each_other(way: str, training: bool) -> None:
    """Four threads explain one network, or just run it."""
    name, explain = WAYS[way]
    network, images = build(name), random_pictures(2, side=64)
    expected = explain(network, images).maps
    network.train(training)
    before = state_of(network)

    def work(index: int) -> int:
        for _ in range(5):
            if index % 2 and not training:
                with torch.no_grad():
                    network(images)
            else:
                assert_same(explain(network, images).maps, expected, 1e-3)
        return len(torch.overrides._get_current_function_mode_stack())

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [0, 0, 0, 0]
    assert state_of(network) == before


def forward(self: With, images: Tensor) -> Tensor:
    return self.fc(self.act(self.conv(images)).flatten(1))


def test_gradients_that_the_reader_has_collected_stay() -> None:
    network = small(forward)
    network(PICTURES).sum().backward()
    with unchanged(network, PICTURES):
        camlib.grad_cam(network, PICTURES, [1, 2])


@pytest.mark.parametrize("runs_before_failing", [0, 1, 2])
@pytest.mark.parametrize(
    "explain",
    [
        lambda n: camlib.class_activation_maps(n, PICTURES),
        lambda n: camlib.grad_cam(n, PICTURES, 1),
        lambda n: camlib.grad_cam(n, PICTURES, 1, "act"),
    ],
)
def test_nothing_is_left_behind_after_an_exception(
    explain: Callable[[nn.Module], Result], runs_before_failing: int
) -> None:
    """A network that raises in the middle of its forward, but not in its first runs."""
    runs: list[int] = []

    def fails(self: With, images: Tensor) -> Tensor:
        maps = self.act(self.conv(images))
        runs.append(1)
        if len(runs) > runs_before_failing:
            raise RuntimeError("out of order")
        return self.fc(maps.mean((2, 3)).repeat(1, 16))

    network = small(fails).train()

    def explain_often() -> None:
        for _ in range(4):
            explain(network)

    with unchanged(network, PICTURES), pytest.raises(RuntimeError, match="out of order"):
        explain_often()


@pytest.mark.parametrize("layer", ["conv", None])
@pytest.mark.parametrize("grad", [True, False])
def test_nothing_is_left_behind_after_an_exception_in_a_target(
    layer: str | None, grad: bool
) -> None:
    def fail(_: object) -> Tensor:
        raise RuntimeError("out of order")

    network = small(forward).train()
    with torch.set_grad_enabled(grad), unchanged(network, PICTURES):  # noqa: SIM117
        with pytest.raises(RuntimeError, match="out of order"):
            camlib.grad_cam(network, PICTURES, fail, layer)


def test_training_goes_on_in_the_same_mixed_precision() -> None:
    """What is cast without a graph must not be handed to a step of training afterwards."""
    network, images = flatten_net(), random_pictures(2, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        camlib.grad_cam(network, images, 1)
        network(images).float().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_pictures_of_inference_mode_may_be_read_again_behind_the_layer() -> None:
    network = small(lambda self, images: self.fc((self.act(self.conv(images)) * images).flatten(1)))
    expected = camlib.grad_cam(network, PICTURES, [0, 1], "act").maps
    with torch.inference_mode():
        images = PICTURES + 0
    assert_same(camlib.grad_cam(network, images, [0, 1], "act").maps, expected)


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

    def always(self: With, images: Tensor) -> Tensor:
        features = self.act(self.conv(images))
        return self.fc((features + features.sigmoid()).flatten(1))

    expected = camlib.grad_cam(small(always), PICTURES, [0, 1], "act").maps
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


def test_a_layer_that_returns_the_images_leaves_them_as_they_were() -> None:
    """Also where they are a view: neither a graph nor a write reaches the caller's tensor."""
    network = nn.Sequential(
        nn.Identity(), nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)
    )
    with torch.no_grad():
        images = torch.randn(3, 1, 4, 4)[1:]
    version = images._version
    found = camlib.grad_cam(network, images, 1, layer="0")
    leaf = images.clone().requires_grad_()
    (gradients,) = torch.autograd.grad(network(leaf)[:, 1].sum(), leaf)
    weights = gradients.mean((2, 3), keepdim=True)
    torch.testing.assert_close(found.maps[:, 0], (weights * images).sum(1))
    assert not images.requires_grad
    assert images._version == version
