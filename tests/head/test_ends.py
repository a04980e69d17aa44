"""The quick way to a plain head: it is taken, leaves nothing behind, and is left when it misleads."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from threading import Thread

import pytest
import torch
from torch import Tensor, nn

import camlib
from camlib.head import find, runs
from camlib.head.ends import Ends

K, C = 5, 4
Change = Callable[["Plain", Tensor], Tensor]


def same(network: Plain, tensor: Tensor) -> Tensor:
    return tensor


class Plain(nn.Module):
    """Torch's own pooling module and linear layer, with a place for changes before, between, behind."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, K, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5, inplace=True)
        self.fc = nn.Linear(K, C)
        self.before = self.between = self.behind = same

    def forward(self, images: Tensor) -> Tensor:
        features = self.before(self, self.conv(images))
        vector = self.dropout(self.pool(features).flatten(1))
        return self.behind(self, self.fc(self.between(self, vector)))


@pytest.fixture
def network() -> Plain:
    """A network that has been explained once, so that its two modules are remembered."""
    network = Plain()
    camlib.find_head(network, pictures())
    assert remembered(network) == [network.pool, network.fc]
    return network


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """The networks that had to be watched in full, call by call."""
    seen: list[nn.Module] = []

    def run(network: nn.Module, images: Tensor) -> runs.Run:
        seen.append(network)
        return runs.run_watched(network, images)

    monkeypatch.setattr(find, "run_watched", run)
    return seen


def pictures(n: int = 2, size: int = 6) -> Tensor:
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(1))


def remembered(network: nn.Module) -> list[nn.Module | None]:
    memory = runs._MEMORIES.get(network)
    return [] if memory is None else [reference() for reference in memory.modules]


def assert_right(network: Plain, images: Tensor) -> None:
    """Compare with the definition, written out with the network's own parts."""
    cam = camlib.class_activation_maps(network, images)
    with torch.no_grad():
        features = network.before(network, network.conv(images))
        expected = torch.einsum("nkhw,ck->nchw", features, network.fc.weight)
    torch.testing.assert_close(cam.maps, expected)
    torch.testing.assert_close(cam.logits, network.eval()(images).detach())
    torch.testing.assert_close(cam.maps.mean((2, 3)) + cam.offset, cam.logits)


@pytest.mark.parametrize(("n", "size"), [(2, 6), (1, 6), (3, 9)])
def test_a_plain_head_is_read_without_watching(
    network: Plain, watched: list[nn.Module], n: int, size: int
) -> None:
    assert_right(network, pictures(n, size))
    assert watched == []


def test_nothing_intercepts_the_calls_of_a_plain_network(network: Plain) -> None:
    depths = []

    def count(_: Plain, tensor: Tensor) -> Tensor:
        depths.append(len(torch.overrides._get_current_function_mode_stack()))
        return tensor

    network.before = network.between = network.behind = count
    camlib.find_head(network, pictures())
    assert depths == [0, 0, 0]


def test_the_quick_reading_equals_the_watched_one() -> None:
    network = Plain()
    first, second = (camlib.find_head(network, pictures()) for _ in range(2))
    for name in ("features", "weight", "scale", "offset", "logits", "rounding"):
        one, other = (torch.as_tensor(getattr(head, name)) for head in (first, second))
        assert torch.equal(one, other), name


def test_the_offset_is_no_view_of_the_bias(network: Plain) -> None:
    head = camlib.find_head(network, pictures())
    before = head.offset.clone()
    with torch.no_grad():
        network.fc.bias.add_(1)
    assert torch.equal(head.offset, before)


def double_weights(network: Plain) -> None:
    with torch.no_grad():
        network.fc.weight.mul_(2)
        network.fc.bias.add_(1)


def replace_linear(network: Plain) -> None:
    network.fc = nn.Linear(K, C + 2)


def replace_weight(network: Plain) -> None:
    network.fc.weight = nn.Parameter(torch.randn(C, K))


def replace_pooling(network: Plain) -> None:
    network.pool = nn.AvgPool2d(6)


def flip_features(network: Plain) -> None:
    """Each average stays what it was: only the places would be wrong."""
    network.before = lambda n, features: features.flip(3)


def rectify_features(network: Plain) -> None:
    network.before = lambda n, features: features.relu()


def flip_inside_the_pooling(network: Plain) -> None:
    network.before = lambda n, features: features.flip(3)
    network.pool.forward = lambda features: features.flip(3).mean((2, 3), keepdim=True)  # type: ignore[method-assign]


def pool_twice(network: Plain) -> None:
    network.before = lambda n, features: features * n.pool(features).sigmoid()


CHANGES = [
    double_weights,
    replace_linear,
    replace_weight,
    replace_pooling,
    flip_features,
    rectify_features,
    pool_twice,
]


@pytest.mark.parametrize("change", CHANGES)
def test_follows_a_network_that_changed(network: Plain, change: Callable[[Plain], None]) -> None:
    change(network)
    for _ in range(2):
        assert_right(network, pictures())


def test_a_pooling_module_with_a_forward_of_its_own_is_watched(network: Plain) -> None:
    """It turns the features over twice, once before the pooling and once within: as if never."""
    flip_inside_the_pooling(network)
    head = camlib.find_head(network, pictures())
    with torch.no_grad():
        torch.testing.assert_close(head.features, network.conv(pictures()))


def without_the_first(network: Plain, vector: Tensor) -> Tensor:
    vector[:, 0] = 0
    return vector


REFUSED: dict[str, dict[str, Change]] = {
    "an activation that changes nothing": {
        "before": lambda n, features: features.square(),
        "between": lambda n, vector: vector.relu(),
    },
    "an activation in place": {
        "before": lambda n, features: features.square(),
        "between": lambda n, vector: vector.relu_(),
    },
    "a channel left out": {"between": without_the_first},
    "an activation behind the linear layer": {"behind": lambda n, logits: logits.tanh()},
    "an activation in place behind it": {"behind": lambda n, logits: logits.relu_()},
    "two vectors joined": {"between": lambda n, vector: vector + n.conv(pictures())[:, :, 0, 0]},
}


@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize("name", REFUSED)
def test_refuses_a_network_that_is_no_longer_plain(
    network: Plain, name: str, inference: bool
) -> None:
    """Inference mode counts no writing in place, so that there only watching can tell."""
    for place, change in REFUSED[name].items():
        setattr(network, place, change)
    for _ in range(2):
        with torch.inference_mode(inference), pytest.raises(camlib.NotCAMReadyError):
            camlib.find_head(network, pictures())
        assert remembered(network) == []


def test_features_written_to_after_the_pooling_are_refused(network: Plain) -> None:
    kept = []

    def keep(_: Plain, features: Tensor) -> Tensor:
        kept.append(features)
        return features

    def turn_over(_: Plain, logits: Tensor) -> Tensor:
        kept[-1].copy_(kept[-1].flip(3))
        return logits

    network.before, network.behind = keep, turn_over
    with pytest.raises(camlib.NotCAMReadyError, match="written to in place afterwards"):
        camlib.find_head(network, pictures())


def test_a_weight_computed_from_the_picture_is_refused(network: Plain) -> None:
    def compute(module: nn.Module, args: tuple[Tensor]) -> None:
        del module.weight
        module.weight = weight * args[0].std()

    weight = network.fc.weight.detach()
    network.fc.register_forward_pre_hook(compute)
    with pytest.raises(camlib.NotCAMReadyError, match="joins several tensors"):
        camlib.find_head(network, pictures())


def test_a_hook_of_its_own_that_changes_the_logits_is_seen(network: Plain) -> None:
    network.fc.register_forward_hook(lambda module, args, logits: 3 * logits)
    head = camlib.find_head(network, pictures())
    torch.testing.assert_close(head.scale, torch.full((2, 1), 3.0))
    network.fc.register_forward_hook(lambda module, args, logits: logits.relu())
    with pytest.raises(camlib.NotCAMReadyError, match="not linear"):
        camlib.find_head(network, pictures())


def test_a_network_that_no_longer_answers_in_logits_is_named(network: Plain) -> None:
    network.behind = lambda n, logits: {"out": logits}  # type: ignore[assignment, return-value]
    with pytest.raises(ValueError, match="network: expected an output of shape"):
        camlib.find_head(network, pictures())


def test_other_precisions_are_read_quickly_too(network: Plain, watched: list[nn.Module]) -> None:
    network.double()
    assert camlib.find_head(network, pictures().double()).offset.dtype == torch.float64
    network.bfloat16()
    cam = camlib.class_activation_maps(network, pictures().bfloat16())
    assert cam.maps.dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        network.float()
        assert camlib.find_head(network, pictures()).rounding == torch.finfo(torch.bfloat16).eps
    assert watched == []


def hooks(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in network.modules())


def test_no_hook_stays_behind(network: Plain) -> None:
    camlib.find_head(network, pictures())
    assert hooks(network) == 0


@pytest.mark.parametrize("place", ["before", "between", "behind"])
def test_no_hook_stays_behind_after_an_exception(network: Plain, place: str) -> None:
    def fail(_: Plain, tensor: Tensor) -> Tensor:
        raise RuntimeError("out of order")

    setattr(network, place, fail)
    with pytest.raises(RuntimeError, match="out of order"):
        camlib.find_head(network, pictures())
    assert hooks(network) == 0


def test_a_linear_layer_used_twice_is_read_by_its_last_use(network: Plain) -> None:
    def throw_away(_: Plain, vector: Tensor) -> Tensor:
        network.fc(vector.square())
        return vector

    network.between = throw_away
    assert_right(network, pictures())


def test_a_functional_pooling_is_still_watched() -> None:
    class Functional(Plain):
        def forward(self, images: Tensor) -> Tensor:
            return self.fc(self.conv(images).mean((2, 3)))

    network = Functional()
    for _ in range(2):
        assert_right(network, pictures())
        assert remembered(network) == [network.conv]


def test_a_call_from_another_thread_is_not_noted(network: Plain) -> None:
    ends = Ends()
    with ends.noting(network.modules()):
        other = Thread(target=network, args=(pictures(),))
        other.start()
        other.join()
    assert ends.modules == ()


def test_memory_keeps_neither_networks_nor_layers_alive() -> None:
    network = Plain()
    camlib.find_head(network, pictures())
    linear = weakref.ref(network.fc)
    network.fc = nn.Linear(K, C)
    assert linear() is None
    camlib.find_head(network, pictures())
    gone = weakref.ref(network)
    del network
    assert gone() is None
