"""The networks and the batches on which everything is timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision import models

from camlib import networks, photos


@dataclass(frozen=True)
class Subject:
    """A network in evaluation mode, and the two modules of it that other libraries must be told.

    ``linear`` is None where no linear layer reads averaged features: there is no CAM.
    """

    network: nn.Module
    features: nn.Module
    linear: nn.Module | None


@dataclass(frozen=True)
class Task:
    """A subject, a batch for it, and the ten classes whose maps are wanted, best first.

    ``total`` is how many classes the network tells apart.
    """

    subject: Subject
    images: Float[Tensor, "n 3 H W"]
    classes: tuple[int, ...]
    total: int

    def best(self, count: int) -> tuple[int, ...]:
        """Return so many classes: the best ones first, then the others by their number.

        All of them come in their own order, as a library returns them that is asked for all.
        """
        if count == self.total:
            return tuple(range(count))
        others = (index for index in range(count) if index not in self.classes)
        return (*self.classes, *others)[:count]


def efficientnet_lite0() -> Subject:
    """Build the book's network."""
    network = networks.efficientnet_lite0()
    return _subject(network, "features", "classifier.1")


def resnet50() -> Subject:
    """Build ResNet-50 with random weights, always the same ones: its speed needs no training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = models.resnet50(weights=None).eval()
    return _subject(network, "layer4", "fc")


def vgg16() -> Subject:
    """Build VGG-16, which flattens its features and has no CAM; random weights, always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = models.vgg16(weights=None).eval()
    return _subject(network, "features.29", None)


def _subject(network: nn.Module, features: str, linear: str | None) -> Subject:
    last = None if linear is None else network.get_submodule(linear)
    return Subject(network, network.get_submodule(features), last)


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "efficientnet_lite0": efficientnet_lite0,
    "resnet50": resnet50,
    "vgg16": vgg16,
}

CAM_READY = ("efficientnet_lite0", "resnet50")


def task(subject: Subject, batch: int) -> Task:
    """Make a batch of the book's photographs and choose the ten highest classes of the first."""
    names = photos.names()
    pictures = [photos.load(names[number % len(names)]) for number in range(batch)]
    images = networks.preprocess(pictures)
    with torch.no_grad():
        logits = subject.network(images)[0]
    return Task(subject, images, tuple(logits.topk(10).indices.tolist()), len(logits))
