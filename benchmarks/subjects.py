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
    """A network in evaluation mode, and the two modules of it that other libraries must be told."""

    network: nn.Module
    features: nn.Module
    linear: nn.Module


@dataclass(frozen=True)
class Task:
    """A subject, a batch for it, and the ten classes whose maps are wanted, best first."""

    subject: Subject
    images: Float[Tensor, "n 3 H W"]
    classes: tuple[int, ...]


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


def _subject(network: nn.Module, features: str, linear: str) -> Subject:
    return Subject(network, network.get_submodule(features), network.get_submodule(linear))


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "efficientnet_lite0": efficientnet_lite0,
    "resnet50": resnet50,
}


def task(subject: Subject, batch: int) -> Task:
    """Make a batch of the book's photographs and choose the ten highest classes of the first."""
    names = photos.names()
    pictures = [photos.load(names[number % len(names)]) for number in range(batch)]
    images = networks.preprocess(pictures)
    with torch.no_grad():
        best = subject.network(images)[0].topk(10).indices
    return Task(subject, images, tuple(best.tolist()))
