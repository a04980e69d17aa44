"""Modes, weights and flags are as before, also where a layer does more than set a flag."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import camlib
from camlib.running import evaluating


class Adapted(nn.Linear):
    """A low-rank adapter: evaluation mode adds it to the weight, training mode takes it off again."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.merged = True  # nothing to take off yet
        super().__init__(inputs, outputs)
        self.up, self.down = (
            nn.Parameter(torch.ones(outputs, 1)),
            nn.Parameter(torch.ones(1, inputs)),
        )
        self.merged = False

    def train(self, mode: bool = True) -> "Adapted":
        super().train(mode)
        if mode == self.merged and hasattr(self, "down"):
            self.weight.data += (-1 if mode else 1) * (self.up @ self.down).data
            self.merged = not mode
        return self

    def forward(self, vector: Tensor) -> Tensor:
        added = 0 if self.merged else (vector @ self.down.T) @ self.up.T
        return super().forward(vector) + added


class Freezing(nn.Conv2d):
    """Its weights are frozen whenever its mode is set, as backbones of detectors do."""

    def train(self, mode: bool = True) -> "Freezing":
        super().train(mode)
        return self.requires_grad_(False)


def network_with(convolution: type[nn.Conv2d], linear: type[nn.Linear]) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(convolution(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear(6, 5))


@pytest.fixture
def images() -> Tensor:
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def state(network: nn.Module) -> list[object]:
    weights = [weight.detach().clone() for weight in network.parameters()]
    flags = [weight.requires_grad for weight in network.parameters()]
    modes = [(module.training, getattr(module, "merged", None)) for module in network.modules()]
    return [weights, flags, modes]


def check_same(before: list[object], network: nn.Module) -> None:
    after = state(network)
    torch.testing.assert_close(after[0], before[0], atol=1e-6, rtol=0)
    assert after[1:] == before[1:]


MODES: dict[str, Callable[[nn.Sequential], object]] = {
    "all in training": lambda network: network.train(),
    "all in evaluation": lambda network: network.eval(),
    "the adapter alone in training": lambda network: network.eval()[3].train(),
    "all but the adapter in training": lambda network: network.train()[3].eval(),
}


@pytest.mark.parametrize("mode", MODES)
def test_an_adapter_is_put_back(images: Tensor, mode: str) -> None:
    """And the maps are exact, also if the weight is another one as soon as they are made."""
    network = network_with(nn.Conv2d, Adapted)
    MODES[mode](network)
    before = state(network)
    with torch.no_grad():
        said = network(images)
    for _ in range(2):
        cam = camlib.class_activation_maps(network, images)
        check_same(before, network)
        assert torch.allclose(cam.logits, said, atol=1e-5)
        assert torch.allclose(cam.maps.mean((2, 3)) + cam.offset, said, atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_what_the_reader_has_unfrozen_stays_so(images: Tensor, training: bool) -> None:
    network = network_with(Freezing, nn.Linear).train(training)
    network.requires_grad_(True)
    before = state(network)
    camlib.grad_cam(network, images, 0, "0")
    check_same(before, network)


@pytest.mark.parametrize("mode", MODES)
def test_put_back_after_an_exception(mode: str) -> None:
    network = network_with(Freezing, Adapted)
    MODES[mode](network)
    network.requires_grad_(True)
    before = state(network)

    def fail() -> None:
        with evaluating(network) as was_training:
            assert was_training is (mode != "all in evaluation")
            assert not any(module.training for module in network.modules())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    check_same(before, network)
