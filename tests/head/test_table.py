"""Many heads: exact maps, exact maps with the spread held, or a refusal that says why."""

import contextlib
import re
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import camlib
from tests.head.heads import AFFINE, EPS, HELD, PLACES, REFUSED, Head, K, Net, kind_of, mean


def images_for(kind: str, n: int, seed: int = 11) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, *PLACES[kind], generator=generator, dtype=torch.float64)


def network_of(name: str) -> Net:
    head = AFFINE.get(name) or {**HELD, **REFUSED}[name][0]
    return Net(head, kind_of(name))


def average(network: Net, features: Tensor) -> Tensor:
    return network.channels_first(features).flatten(2).mean(2)


def grad_cam(network: Net, features: Tensor, scores: Tensor) -> Tensor:
    """Return Grad-CAM without its ReLU, (n, c, places): the average gradient weighs each feature map."""
    maps = []
    for c in range(scores.shape[1]):
        (slope,) = torch.autograd.grad(scores[:, c].sum(), features, retain_graph=True)
        weights = average(network, slope)[:, :, None]
        maps.append((weights * network.channels_first(features).flatten(2)).sum(1))
    return torch.stack(maps, 1).detach()


def assert_near(found: Tensor, expected: Tensor, relative: float) -> None:
    """Compare with a tolerance relative to the largest value."""
    assert found.shape == expected.shape
    gap, largest = (found - expected).abs().max(), expected.abs().max()
    assert gap <= relative * largest, f"a gap of {gap:.3g}, where the largest is {largest:.3g}"


def assert_explains(
    cam: camlib.ClassActivationMaps, network: Net, features: Tensor, scores: Tensor, zero: Tensor
) -> None:
    """The maps are Grad-CAM's times the places, and with the offset, the head at zero, the scores."""
    n, c = scores.shape
    assert cam.maps.shape == (n, c, *PLACES[network.kind])
    assert cam.maps.dtype == torch.float64
    maps = cam.maps.flatten(2)
    assert_near(maps, maps.shape[2] * grad_cam(network, features, scores), 1e-5)
    assert_near(cam.logits, scores.detach(), 1e-6)
    assert_near(maps.mean(2) + cam.offset, scores.detach(), 1e-6)
    zero = zero.detach().reshape(n, c)
    torch.testing.assert_close(cam.offset, zero, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", AFFINE)
def test_affine_heads_have_exact_maps(name: str, n: int) -> None:
    """The second call, with other pictures, looks where the first has found the head."""
    network = network_of(name)
    for seed in (11, 12):
        images = images_for(network.kind, n, seed)
        cam = camlib.class_activation_maps(network, images)
        assert cam.held == ()
        features = network.trunk(images).detach().requires_grad_()
        scores = network.of_features(features).reshape(n, -1)
        zero = network.of_features(torch.zeros_like(features))
        assert_explains(cam, network, features, scores, zero)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", HELD)
def test_heads_with_a_spread_have_the_maps_of_their_twin(name: str, n: int) -> None:
    """The twin is the same head, written with the spreads of the pictures' own averages."""
    network, (_, twin) = network_of(name), HELD[name]
    for seed in (11, 12):
        images = images_for(network.kind, n, seed)
        cam = camlib.class_activation_maps(network, images)
        assert cam.held
        assert all(isinstance(layer, str) and layer for layer in cam.held)
        features = network.trunk(images).detach().requires_grad_()
        own = average(network, features).detach()
        scores = twin(network, average(network, features), own)
        with torch.no_grad():
            assert_near(scores, network(images), 1e-6)  # the twin is right
        zero = twin(network, torch.zeros_like(own), own).expand(n, -1)
        assert_explains(cam, network, features, scores, zero)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", REFUSED)
def test_other_heads_are_refused_with_the_reason(name: str, n: int) -> None:
    """Heads that mix pictures also after a single picture, for which they may be affine."""
    network, words = network_of(name), REFUSED[name][1]
    if n == 1 and name.startswith("together"):
        with contextlib.suppress(ValueError):
            camlib.class_activation_maps(network, images_for(network.kind, 1))
        n = 2
    for seed in (11, 12):
        with pytest.raises(camlib.NotCAMReadyError) as caught:
            camlib.class_activation_maps(network, images_for(network.kind, n, seed))
        assert re.search(words, str(caught.value))
        assert ("out of forward" in str(caught.value)) == ("out of forward" in words)


@pytest.mark.parametrize(
    ("name", "function"),
    [("relu", torch.relu), ("abs", torch.abs), ("hardtanh", nn.Hardtanh(-0.5, 50))],
    ids=["relu", "abs", "hardtanh"],
)
def test_a_bend_in_a_single_logit_is_found_in_whatever_direction(name: str, function: Head) -> None:
    """With one picture and one logit, few numbers show the bend: it has to be met all the same."""
    network = Net(lambda n, f: n.score(mean(f)) + function(mean(f) @ n.gain[:, None]))
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        network.gain.data.normal_(generator=generator)
        with pytest.raises(camlib.NotCAMReadyError, match=rf"{name}\b.* stands behind"):
            camlib.class_activation_maps(network, images_for("picture", 1))


# ------------------------------------------------------------------ other precisions


def norm_in_float32(n: Net, f: Tensor) -> Tensor:
    """RMSNorm as language models write it."""
    wide = mean(f).to(torch.float32)
    wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPS)
    return n.fc(n.rms_norm.weight * wide.to(f.dtype))


PRECISIONS: dict[str, Head] = {
    "logits.float()": lambda n, f: n.fc(mean(f)).float(),
    "logits.type(float32)": lambda n, f: n.fc(mean(f)).type(torch.float32),
    "logits.double()": lambda n, f: n.fc(mean(f)).double(),
    "features.float()": lambda n, f: n.fc(mean(f.float()).to(f.dtype)),
    "layer norm of vector.float()": lambda n, f: n.fc(
        F.layer_norm(mean(f).float(), (K,)).type_as(f)
    ),
    "norm in float32": norm_in_float32,
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", PRECISIONS)
def test_conversions_between_precisions_are_no_obstacle(name: str, dtype: torch.dtype) -> None:
    network = Net(PRECISIONS[name]).to(dtype)
    exact = Net(PRECISIONS[name])  # with the same weights
    relative = 1e-5 if dtype == torch.float32 else 3e-2
    for n in (1, 3):
        images = images_for("picture", n).to(dtype)
        cam = camlib.class_activation_maps(network, images)
        with torch.no_grad():
            logits = network(images)
        assert_near(cam.logits.double(), logits.double(), relative)
        assert_near((cam.maps.mean((2, 3)) + cam.offset).double(), logits.double(), relative)
        assert bool(cam.held) == ("norm" in name)
        if not cam.held:
            features = exact.trunk(images.double())
            expected = 35 * grad_cam(exact, features, exact.of_features(features))
            assert_near(cam.maps.flatten(2).double(), expected, relative)


# ------------------------------------------------------------------ features that are changed first


def excited(n: Net, f: Tensor) -> Tensor:
    n.weighted = f * n.gate(mean(f)).sigmoid()[:, :, None, None]
    return n.fc(n.weighted.mean((2, 3)))


def weighted_by_place(n: Net, f: Tensor) -> Tensor:
    n.weighted = f * n.place_weights
    return n.fc(n.weighted.sum((2, 3)))


def of_mean_zero(n: Net, f: Tensor) -> Tensor:
    n.weighted = F.instance_norm(f)
    return n.fc(n.weighted.mean((2, 3)))


def maps_of_logits(n: Net, f: Tensor) -> Tensor:
    """As SqueezeNet ends: the last activation is averaged, and no layer follows."""
    n.weighted = n.one_by_one(f).relu()
    return n.weighted.mean((2, 3))


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("head", [excited, weighted_by_place, of_mean_zero, maps_of_logits])
def test_features_that_are_changed_and_then_averaged_are_the_maps_features(
    head: Head, n: int
) -> None:
    network = Net(head)
    for seed in (11, 12):
        images = images_for("picture", n, seed)
        cam = camlib.class_activation_maps(network, images)
        assert cam.held == ()
        scores = network(images)
        zero = scores - cam.maps.mean((2, 3))
        assert_explains(cam, network, network.weighted, scores, zero)


# ------------------------------------------------------------------ nothing is left behind


def state_of(network: Net) -> dict[str, object]:
    hooks = [
        len(value)
        for module in network.modules()
        for key, value in vars(module).items()
        if "hooks" in key and isinstance(value, OrderedDict)
    ]
    return {
        "modes": [module.training for module in network.modules()],
        "hooks": sum(hooks),
        "gradients": [(one.requires_grad, one.grad) for one in network.parameters()],
        "addresses": [(name, one.data_ptr()) for name, one in network.state_dict().items()],
        "versions": [one._version for one in (*network.parameters(), *network.buffers())],
        "threads": torch.get_num_threads(),
        "gradient mode": torch.is_grad_enabled(),
        "default type": torch.get_default_dtype(),
    }


@pytest.mark.parametrize(
    "name",
    [
        "pooling module",
        "several dropouts added up",
        "batch norm with places",
        "written by slices",
        "tokens: average, then two layers",
        "group norm, two groups",
        "hidden layer with tanh",
        "together: batch statistics",
        "times a number read out",
    ],
)
def test_the_network_and_torch_are_left_as_they_were(name: str) -> None:
    network = network_of(name)
    network.dropout.train()  # each module has a mode of its own
    network.batch_norm.train()
    network.on_maps.train()
    network.trunk.register_forward_hook(lambda module, args, result: None)
    numbers = {key: value.clone() for key, value in network.state_dict().items()}
    before, random = state_of(network), torch.get_rng_state()
    images = images_for(network.kind, 3)
    given = images.clone()
    for _ in range(2):
        try:
            camlib.class_activation_maps(network, images)
        except camlib.NotCAMReadyError:
            assert name in REFUSED
        assert state_of(network) == before
        assert torch.equal(torch.get_rng_state(), random)
        assert torch.equal(images, given)
        now = network.state_dict()
        assert list(now) == list(numbers)
        assert all(torch.equal(now[key], value) for key, value in numbers.items())
