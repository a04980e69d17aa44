"""Many heads: exact maps, exact maps with the spread held, or a refusal that says why."""

import contextlib
import re
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import camlib
from tests.head.heads import (
    AFFINE,
    EPS,
    HELD,
    KINDS,
    LEAVE_OUT,
    ONLY_TOGETHER,
    PLACES,
    REFUSED,
    Head,
    K,
    Net,
    channels_first,
    mean,
)


def images_for(kind: str, n: int, seed: int = 11) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, *PLACES[kind], generator=generator, dtype=torch.float64)


def network_of(name: str) -> Net:
    entry = {**AFFINE, **HELD, **REFUSED}[name]
    return Net(entry[0] if isinstance(entry, tuple) else entry, KINDS.get(name, "pictures"))


def scores_of(output: Tensor) -> Tensor:
    """Return logits (n, c), also where a network returns a single one (n,)."""
    return output if output.ndim > 1 else output[:, None]


def average(features: Tensor, kind: str) -> Tensor:
    return channels_first(features, kind).flatten(2).mean(2)


def grad_cam(features: Tensor, scores: Tensor, kind: str) -> Tensor:
    """Return Grad-CAM without its ReLU, (n, c, places): the average gradient weighs each feature map."""
    maps = []
    for c in range(scores.shape[1]):
        (slope,) = torch.autograd.grad(scores[:, c].sum(), features, retain_graph=True)
        weights = average(slope, kind)[:, :, None]
        maps.append((weights * channels_first(features, kind).flatten(2)).sum(1))
    return torch.stack(maps, 1).detach()


def assert_near(found: Tensor, expected: Tensor, relative: float) -> None:
    """Compare with a tolerance relative to the largest value."""
    assert found.shape == expected.shape
    gap, largest = (found - expected).abs().max(), expected.abs().max()
    assert gap <= relative * largest, f"a gap of {gap:.3g}, where the largest is {largest:.3g}"


def run_with_features(network: Net, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the output of the trunk and the logits, with a graph between them."""
    kept = []
    handle = network.trunk.register_forward_hook(lambda module, args, result: kept.append(result))
    scores = scores_of(network(images))
    handle.remove()
    return kept[0], scores


def run_with_changed_features(network: Net, images: Tensor, change: Tensor | None) -> Tensor:
    """Return the logits with something added to the features (n, k, places), or with zeros there."""

    def replace(module: nn.Module, args: tuple[Tensor, ...], result: Tensor) -> Tensor:
        if change is None:
            return torch.zeros_like(result)
        maps = channels_first(result, network.kind)
        maps = maps + change.unflatten(2, maps.shape[2:])
        return maps.movedim(1, -1) if network.kind == "tokens" else maps

    handle = network.trunk.register_forward_hook(replace)
    with torch.no_grad():
        scores = scores_of(network(images))
    handle.remove()
    return scores


# Pictures, the same again, others.
SEEDS = (11, 11, 12)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", AFFINE)
def test_affine_heads_have_exact_maps(name: str, n: int) -> None:
    network = network_of(name)
    kind = network.kind
    offsets = []
    for seed in SEEDS:
        images = images_for(kind, n, seed)
        cam = camlib.class_activation_maps(network, images)
        features, scores = run_with_features(network, images)
        assert cam.held == ()
        assert cam.maps.dtype == torch.float64
        assert cam.maps.shape == (n, scores.shape[1], *PLACES[kind])
        maps = cam.maps.flatten(2)
        places = maps.shape[2]
        assert_near(maps, places * grad_cam(features, scores, kind), 1e-5)
        assert_near(cam.logits, scores.detach(), 1e-6)
        assert_near(maps.mean(2) + cam.offset, scores.detach(), 1e-6)
        at_zero = run_with_changed_features(network, images, None)
        torch.testing.assert_close(cam.offset, at_zero, rtol=1e-5, atol=1e-8)
        offsets.append(cam.offset)
    rows = torch.cat(offsets)
    torch.testing.assert_close(rows, rows[:1].expand_as(rows), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", HELD)
def test_heads_with_a_spread_have_the_maps_of_their_twin(name: str, n: int) -> None:
    """The twin is the same head, written with the spreads of the pictures' own averages."""
    network = network_of(name)
    kind, (_, twin) = network.kind, HELD[name]
    for seed in SEEDS:
        images = images_for(kind, n, seed)
        cam = camlib.class_activation_maps(network, images)
        with torch.no_grad():
            expected = network(images)
        assert cam.held
        assert all(isinstance(layer, str) and layer for layer in cam.held)
        assert cam.maps.shape == (n, expected.shape[1], *PLACES[kind])
        features = network.trunk(images).detach().requires_grad_()
        own = average(features, kind).detach()
        scores = twin(network, average(features, kind), own)
        assert_near(scores.detach(), expected, 1e-6)  # the twin is right
        maps = cam.maps.flatten(2)
        places = maps.shape[2]
        assert_near(maps, places * grad_cam(features, scores, kind), 1e-5)
        assert_near(cam.logits, expected, 1e-6)
        assert_near(maps.mean(2) + cam.offset, expected, 1e-6)
        at_zero = twin(network, torch.zeros_like(own), own).detach().expand_as(cam.offset)
        torch.testing.assert_close(cam.offset, at_zero, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", REFUSED)
def test_other_heads_are_refused_with_the_reason(name: str, n: int) -> None:
    if n == 1 and name in ONLY_TOGETHER:
        return
    network = network_of(name)
    for seed in (11, 12):
        with pytest.raises(camlib.NotCAMReadyError) as caught:
            camlib.class_activation_maps(network, images_for(network.kind, n, seed))
        message = str(caught.value)
        assert re.search(REFUSED[name][1], message)
        if name in LEAVE_OUT:
            assert f"Leave the {LEAVE_OUT[name]} out of forward" in message
        else:
            assert "out of forward" not in message


@pytest.mark.parametrize("name", sorted(ONLY_TOGETHER))
def test_heads_that_mix_pictures_are_refused_also_after_one_picture_alone(name: str) -> None:
    network = network_of(name)
    with contextlib.suppress(ValueError):  # what one picture gives is another matter
        camlib.class_activation_maps(network, images_for(network.kind, 1))
    with pytest.raises(camlib.NotCAMReadyError):
        camlib.class_activation_maps(network, images_for(network.kind, 3))


@pytest.mark.parametrize(
    ("name", "function"),
    [("relu", torch.relu), ("abs", torch.abs), ("hardtanh", nn.Hardtanh(-0.5, 50))],
    ids=["relu", "abs", "hardtanh"],
)
def test_a_bend_in_a_single_logit_is_found_in_whatever_direction(name: str, function: Head) -> None:
    """With one picture and one logit, few numbers show the bend: it has to be met all the same."""

    def bent(n: Net, f: Tensor) -> Tensor:
        vector = mean(f)
        return n.score(vector) + function(vector @ n.gain[:, None])

    network = Net(bent)
    generator = torch.Generator().manual_seed(0)
    for _ in range(40):
        network.gain.data.normal_(generator=generator)
        with pytest.raises(camlib.NotCAMReadyError, match=rf"{name}\b.* stands behind"):
            camlib.class_activation_maps(network, images_for("pictures", 1))


# ------------------------------------------------------------------ nothing is silently wrong


def slopes_by_differences(scores_at: Head, features: Tensor, place: int) -> Tensor:
    """Return d logit / d feature at one place, (n, c, k): each feature a little larger and smaller."""
    small, columns = 1e-4, []
    for k in range(features.shape[1]):
        change = torch.zeros_like(features)
        change[:, k, place] = small
        columns.append((scores_at(change) - scores_at(-change)) / (2 * small))
    return torch.stack(columns, 2)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", [*AFFINE, *HELD, *REFUSED])
def test_if_there_is_a_map_it_says_what_each_place_adds(name: str, n: int) -> None:
    """M(p) = places · sum_k d logit / d f_k(p) · f_k(p), by finite differences."""
    network = network_of(name)
    kind = network.kind
    images = images_for(kind, n)
    try:
        cam = camlib.class_activation_maps(network, images)
    except ValueError:  # NotCAMReadyError is one; whether it is right is another test's business
        return
    with torch.no_grad():
        features = channels_first(network.trunk(images), kind).flatten(2)
    maps, places = cam.maps.flatten(2), features.shape[2]
    assert maps.shape == (n, maps.shape[1], places)

    def scores_at(change: Tensor) -> Tensor:
        if name not in HELD:
            return run_with_changed_features(network, images, change)
        own = features.mean(2)
        with torch.no_grad():
            return HELD[name][1](network, own + change.mean(2), own)

    for place in (0, places // 2, places - 1):
        slopes = slopes_by_differences(scores_at, features, place)
        expected = places * torch.einsum("nck,nk->nc", slopes, features[:, :, place])
        gap = (maps[:, :, place] - expected).abs().max()
        assert gap <= 1e-5 * maps.abs().max(), f"a gap of {gap:.3g} at place {place}"


# ------------------------------------------------------------------ other precisions


def norm_in_float32(n: Net, f: Tensor) -> Tensor:
    """RMSNorm as language models write it."""
    vector = mean(f)
    wide = vector.to(torch.float32)
    wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPS)
    return n.fc(n.rms_norm.weight * wide.to(vector.dtype))


PRECISIONS: dict[str, Head] = {
    "logits.float()": lambda n, f: n.fc(mean(f)).float(),
    "logits.to(float32)": lambda n, f: n.fc(mean(f)).to(torch.float32),
    "logits.type(float32)": lambda n, f: n.fc(mean(f)).type(torch.float32),
    "logits.double()": lambda n, f: n.fc(mean(f)).double(),
    "vector.float()": lambda n, f: n.fc(mean(f).float().to(f.dtype)),
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
    for n in (1, 3):
        images = images_for("pictures", n).to(dtype)
        cam = camlib.class_activation_maps(network, images)
        with torch.no_grad():
            logits = network(images)
        relative = 1e-5 if dtype == torch.float32 else 3e-2
        assert_near(cam.logits.double(), logits.double(), relative)
        assert_near((cam.maps.mean((2, 3)) + cam.offset).double(), logits.double(), relative)
        assert bool(cam.held) == ("norm" in name)
        if not cam.held:
            features, scores = run_with_features(exact, images.double())
            expected = 35 * grad_cam(features, scores, "pictures")
            assert_near(cam.maps.flatten(2).double(), expected, relative)


# ------------------------------------------------------------------ features that are weighted first


def excited(n: Net, f: Tensor) -> Tensor:
    n.weighted = f * n.gate(mean(f)).sigmoid()[:, :, None, None]
    return n.fc(n.weighted.mean((2, 3)))


def weighted_by_place(n: Net, f: Tensor) -> Tensor:
    n.weighted = f * n.place_weights
    return n.fc(n.weighted.sum((2, 3)))


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("head", [excited, weighted_by_place])
def test_features_that_are_weighted_and_then_averaged_are_the_maps_features(
    head: Head, n: int
) -> None:
    network = Net(head)
    for seed in SEEDS:
        images = images_for("pictures", n, seed)
        cam = camlib.class_activation_maps(network, images)
        scores = network(images)
        expected = 35 * grad_cam(network.weighted, scores, "pictures")
        assert_near(cam.maps.flatten(2), expected, 1e-5)
        assert_near(cam.maps.mean((2, 3)) + cam.offset, scores.detach(), 1e-6)
        assert cam.held == ()


# ------------------------------------------------------------------ nothing is left behind


def hooks_in(network: nn.Module) -> int:
    return sum(
        len(value)
        for module in network.modules()
        for key, value in vars(module).items()
        if "hooks" in key and isinstance(value, OrderedDict)
    )


def state_of(network: Net) -> dict[str, object]:
    return {
        "modes": [module.training for module in network.modules()],
        "hooks": hooks_in(network),
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
        "average and linear layer",
        "pooling module",
        "several dropouts added up",
        "batch norm with places",
        "written by slices",
        "averaged tokens",
        "a volume",
        "layer norm",
        "group norm, two groups",
        "two normalisers side by side",
        "cosine by hand",
        "hidden layer with tanh",
        "batch norm of this batch",
        "softmax at the end",
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
