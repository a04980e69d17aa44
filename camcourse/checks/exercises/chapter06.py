"""Chapter 6: change the structure and retrain."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from camcourse.checks.exercise import Cases, Exercise


class SmallNet(nn.Module):
    """Two maps, the picture and its double, their maxima, one linear layer."""

    def __init__(self, weight: list[list[float]], bias: list[float], normalised: bool = False):
        super().__init__()
        convolution = nn.Conv2d(1, 2, 1, bias=False)
        convolution.weight.data = torch.tensor([1.0, 2.0]).reshape(2, 1, 1, 1)
        between = [nn.BatchNorm2d(2)] if normalised else []
        self.features = nn.Sequential(convolution, *between, nn.ReLU())
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.classifier = nn.Linear(2, len(bias))
        self.classifier.weight.data = torch.tensor(weight)
        self.classifier.bias.data = torch.tensor(bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        return self.classifier(self.pool(self.features(images)).flatten(1))


def _networks() -> Cases:
    one = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])
    two = torch.tensor([[[[1.0, -2.0, 4.0]]], [[[0.0, 3.0, -1.0]]]])
    awake = SmallNet([[1.0, 1.0], [0.0, -1.0]], [0.0, 1.0], normalised=True).train()
    return {
        "maps that are the picture and its double; weights 1 and −1, bias 0.5": (
            SmallNet([[1.0, -1.0]], [0.5]).eval(),
            one,
        ),
        "two pictures, two classes, a ReLU that has something to do": (
            SmallNet([[2.0, 0.0], [1.0, -1.0]], [1.0, -1.0]).eval(),
            two,
        ),
        "a network that comes in training mode": (awake, two),
    }


def _maps(network: nn.Module, images: Tensor, *, asleep: bool = True) -> tuple[nn.Linear, Tensor]:
    copied = deepcopy(network)
    copied.train(network.training and not asleep)
    head = copied.classifier
    assert isinstance(head, nn.Linear)
    return head, copied.features(images).detach()  # type: ignore[operator]


def _averaged(network: nn.Module, images: Tensor, *, asleep: bool = True) -> Tensor:
    head, maps = _maps(network, images, asleep=asleep)
    return head(maps.mean((2, 3))).detach()


def _summed(network: nn.Module, images: Tensor) -> Tensor:
    head, maps = _maps(network, images)
    return head(maps.sum((2, 3))).detach()


def _unbiased(network: nn.Module, images: Tensor) -> Tensor:
    head, maps = _maps(network, images)
    return maps.mean((2, 3)) @ head.weight.detach().T


AVERAGED = Exercise(
    "averaged_logits",
    lambda network, images: _averaged(network, images),
    _networks,
    {
        "you ran the network as it is, with its maximum; take the mean of each of its feature "
        "maps, and give the means to its classifier.": (
            lambda network, images: network.eval()(images).detach()
        ),
        "the network came in training mode and ran in it, so batch normalisation used the mean "
        "of the batch; run a copy in evaluation mode.": (
            lambda network, images: _averaged(network, images, asleep=False)
        ),
        "you added the cells up; take their mean.": _summed,
        "you left the bias out; the logit has it, whatever the pooling.": _unbiased,
        "you averaged over the pictures as well; each has its own logits.": (
            lambda network, images: _averaged(network, images).mean(0, keepdim=True)
        ),
        "you returned probabilities; the logits come before the sigmoid.": (
            lambda network, images: _averaged(network, images).sigmoid()
        ),
    },
)

EXERCISES = (AVERAGED,)
