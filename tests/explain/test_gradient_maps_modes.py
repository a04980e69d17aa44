"""Grad-CAM in every mode a network can be in, and without a trace."""

import gc
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

import camlib
from tests.explain.networks import With, build, flatten_net, random_pictures, small

# A network with a closed form, and two layers for which a gradient is needed.
CASES = pytest.mark.parametrize(
    ("name", "layer"), [("resnet18", None), ("resnet18", "layer3"), ("vgg11", None)]
)


def state_of(network: nn.Module) -> object:
    """Everything a call must leave as it was, in a form that can be compared."""
    return [
        (
            name,
            module.training,
            len(module._forward_hooks),
            len(module._forward_pre_hooks),
            len(module._backward_hooks),
            sorted(module.__dict__),
        )
        for name, module in network.named_modules()
    ] + [
        (name, parameter.requires_grad, parameter.grad, parameter.sum().item())
        for name, parameter in network.named_parameters()
    ]


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
def test_frozen_parameters(name: str, layer: str | None) -> None:
    network, images = build(name), random_pictures(2)
    expected = camlib.grad_cam_plus_plus(network, images, [1, 2], layer).maps
    network.requires_grad_(False)
    before = state_of(network)
    assert_same(camlib.grad_cam_plus_plus(network, images, [1, 2], layer).maps, expected)
    assert state_of(network) == before


@CASES
def test_train_mode_is_left_for_the_call_alone(name: str, layer: str | None) -> None:
    network, images = build(name), random_pictures(3)
    expected = camlib.grad_cam(network, images, 1, layer).maps
    network.train()
    next(network.children()).eval()
    before = state_of(network)
    for _ in range(2):
        assert_same(camlib.grad_cam(network, images, 1, layer).maps, expected)
        assert state_of(network) == before
    alone = camlib.grad_cam(network, images[1:2], 1, layer).maps
    assert_same(alone, expected[1:2])


@CASES
def test_nothing_is_left_behind(name: str, layer: str | None) -> None:
    network = build(name)
    for parameter in list(network.parameters())[:2]:
        parameter.requires_grad_(False)
    images = random_pictures(1).requires_grad_()
    before, kept, random = state_of(network), images.detach().clone(), torch.get_rng_state()
    for method in (camlib.grad_cam, camlib.grad_cam_plus_plus):
        found = method(network, images, [0, 1], layer)
        for tensor in (found.maps, found.scores):
            assert tensor.grad_fn is None
            assert not tensor.requires_grad
    assert state_of(network) == before
    assert torch.equal(images, kept)
    assert images.grad is None
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.is_grad_enabled()


def test_gradients_that_the_reader_has_collected_stay() -> None:
    network, images = flatten_net(), random_pictures(2, 1)
    network(images).sum().backward()
    before = [parameter.grad.clone() for parameter in network.parameters()]
    camlib.grad_cam(network, images, [1, 2])
    for parameter, gradient in zip(network.parameters(), before, strict=True):
        assert torch.equal(parameter.grad, gradient)


@pytest.mark.parametrize("where", ["network", "target"])
@pytest.mark.parametrize("grad", [True, False])
def test_nothing_is_left_behind_after_an_exception(where: str, grad: bool) -> None:
    def fail(_: object) -> Tensor:
        raise RuntimeError("out of order")

    call = (lambda self, images: fail(self.conv(images))) if where == "network" else forward
    network = small(call).train()
    before = state_of(network)
    with torch.set_grad_enabled(grad):
        for layer in ("conv", None):
            with pytest.raises(RuntimeError, match="out of order"):
                camlib.grad_cam(network, random_pictures(1, 1, 4), fail, layer)
            assert torch.is_grad_enabled() is grad
    assert state_of(network) == before
    assert len(torch.overrides._get_current_function_mode_stack()) == 0


def forward(self: With, images: Tensor) -> Tensor:
    return self.fc(self.act(self.conv(images)).flatten(1))


def tensors_alive() -> int:
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some objects of torch warn when they are looked at
        return sum(isinstance(thing, Tensor) for thing in gc.get_objects())


@CASES
def test_repeated_calls_keep_no_tensor(name: str, layer: str | None) -> None:
    network, images = build(name), random_pictures(1)
    camlib.grad_cam(network, images, [1, 2], layer)
    before = tensors_alive()
    for _ in range(3):
        camlib.grad_cam(network, images, [1, 2], layer)
    assert tensors_alive() == before


def test_a_network_is_not_kept_alive() -> None:
    import weakref

    network = flatten_net()
    camlib.grad_cam(network, random_pictures(1, 1), 1)
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


@CASES
def test_mixed_precision(name: str, layer: str | None) -> None:
    network, images = build(name), random_pictures(2)
    expected = camlib.grad_cam(network, images, [1, 2], layer).maps
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = camlib.grad_cam(network, images, [1, 2], layer)
    assert found.maps.dtype == torch.float32
    assert_same(found.maps, expected, 0.1)


def test_training_goes_on_in_the_same_mixed_precision() -> None:
    """What is cast without a graph must not be handed to a step of training afterwards."""
    network, images = flatten_net(), random_pictures(2, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        camlib.grad_cam(network, images, 1)
        network(images).float().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@CASES
def test_compiled_networks_run_as_they_were_written(name: str, layer: str | None) -> None:
    network, images = build(name), random_pictures(1)
    expected = camlib.grad_cam(network, images, [1, 2], layer).maps
    compiled = torch.compile(network, backend="eager")
    layer = None if layer is None else f"_orig_mod.{layer}"
    for _ in range(2):
        assert_same(camlib.grad_cam(compiled, images, [1, 2], layer).maps, expected)


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
    network, images = Frozen(mode).eval(), random_pictures(2, 1, 4)
    expected = camlib.grad_cam(network.inner, images, [0, 1], "act").maps
    assert_same(camlib.grad_cam(network, images, [0, 1], layer).maps, expected)


def test_a_recording_that_ends_too_early_is_made_anew() -> None:
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

    images = random_pictures(2, 1, 4)
    expected = camlib.grad_cam(Skipped(torch.enable_grad).eval(), images, [0, 1], "inner.act").maps
    for layers in (["inner.act"], ["inner.act", "inner.conv"], ["inner.act", "inner.fc.0"]):
        network = Skipped(torch.no_grad).eval()
        network.inner.fc = nn.Sequential(
            nn.Unflatten(1, (-1, 4, 4)), nn.Flatten(), network.inner.fc
        )
        found = camlib.grad_cam(network, images, [0, 1], layers)
        assert_same(found[0].maps, expected)


def test_a_layer_in_place_and_what_it_overwrites() -> None:
    """ReLU in place, as a layer and behind one: its output, and its input as it was before."""
    apart, images = small(forward), random_pictures(2, 1, 4)
    in_place = small(forward)
    in_place.act = nn.ReLU(inplace=True)
    for layer in ("conv", "act"):
        expected = camlib.grad_cam(apart, images, [0, 1, 2], layer).maps
        assert_same(camlib.grad_cam(in_place, images, [0, 1, 2], layer).maps, expected)
    both = camlib.grad_cam(in_place, images, [0, 1, 2], ["act", "conv"])
    for found, layer in zip(both, ("act", "conv"), strict=True):
        assert_same(found.maps, camlib.grad_cam(apart, images, [0, 1, 2], layer).maps)


@pytest.mark.parametrize("layer", ["act", None])
def test_who_else_holds_what_a_layer_in_place_has_written_to(layer: str | None) -> None:
    """A skip from its input reads its output then, and so does a network that drops what it returns."""

    def skip(self: With, images: Tensor) -> Tensor:
        before = self.conv(images)
        after = self.act(before)
        before = after if not self.act.inplace else before
        return self.fc((before + after.pow(2)).flatten(1))

    def statement(self: With, images: Tensor) -> Tensor:
        before = self.conv(images)
        after = self.act(before)
        return self.fc((before if self.act.inplace else after).flatten(1))

    images = random_pictures(2, 1, 4)
    for forward_of in (skip, statement):
        apart, in_place = small(forward_of), small(forward_of)
        apart.act, in_place.act = nn.ReLU(), nn.ReLU(inplace=True)
        expected = camlib.grad_cam(apart, images, [0, 1, 2], layer).maps
        assert_same(camlib.grad_cam(in_place, images, [0, 1, 2], layer).maps, expected)


def test_a_network_that_views_its_features() -> None:
    """The channels-last layout, in which convolutions are faster, does not allow that."""
    views = small(lambda self, images: self.fc(self.conv(images).view(len(images), -1)))
    flat = small(lambda self, images: self.fc(self.conv(images).flatten(1)))
    images = random_pictures(2, 1, 4)
    expected = camlib.grad_cam(flat, images, [0, 1]).maps
    assert_same(camlib.grad_cam(views, images, [0, 1]).maps, expected)


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
