"""The networks and batches on which everything is timed, the bare forward pass, and what camlib adds.

Each function of a task makes one callable to be timed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision import models

import camlib
from camlib import networks, photos, plotting, scaling

Run = Callable[[], Tensor]
CAM_READY = ("efficientnet_lite0", "resnet50")
# How each network is built, and two modules of it that other libraries must be told: the last one with
# feature maps, and the linear layer that reads their averages. VGG-16 flattens its features: no CAM.
SUBJECTS: dict[str, tuple[Callable[[], nn.Module], str, str | None]] = {
    "efficientnet_lite0": (networks.efficientnet_lite0, "features", "classifier.1"),
    "resnet50": (partial(models.resnet50, weights=None), "layer4", "fc"),
    "vgg16": (partial(models.vgg16, weights=None), "features.29", None),
}


@dataclass(frozen=True)
class Task:
    """A network in evaluation mode, a batch for it, and the ten classes whose maps are wanted, best first.

    ``linear`` is None where there is no CAM; ``total`` is how many classes the network tells apart.
    """

    network: nn.Module
    features: nn.Module
    linear: nn.Module | None
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


def task(name: str, batch: int) -> Task:
    """Build a network, make a batch of the book's photographs, and choose the first one's best classes.

    Random weights are always the same: speed needs no training.
    """
    build, features, linear = SUBJECTS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build().eval()
    names = photos.names()
    images = networks.preprocess(
        [photos.load(names[number % len(names)]) for number in range(batch)]
    )
    with torch.no_grad():
        logits = network(images)[0]
    layers = (network.get_submodule(layer) if layer else None for layer in (features, linear))
    return Task(network, *layers, images, tuple(logits.topk(10).indices.tolist()), len(logits))


def bare(task: Task, layout: torch.memory_format | None = None) -> Run:
    """Run the network alone, without gradients: logits (n, c).

    With a ``layout`` the images are laid out in memory each time. camlib may choose a layout too; what
    it then gains is the layout's, not its own.
    """

    def run() -> Tensor:
        with torch.no_grad():
            images = task.images if layout is None else task.images.contiguous(memory_format=layout)
            return task.network(images)

    return run


def all_maps(task: Task) -> Run:
    """Compute the raw maps of all classes: (n, c, h, w)."""
    return lambda: camlib.class_activation_maps(task.network, task.images).maps


def one_overlaid(task: Task) -> Run:
    """Compute the best class's map and lay it over each picture: (n, H, W, 3) in [0, 1]."""
    height, width = task.images.shape[-2:]
    pictures = networks.to_picture(task.images)

    def run() -> Tensor:
        cam = camlib.class_activation_maps(task.network, task.images, task.classes[:1])
        maps = scaling.signed(camlib.upsample(cam.maps, (height, width)))[:, 0]
        return torch.from_numpy(np.stack(list(map(plotting.overlay, pictures, maps))))

    return run


def at_picture_size(task: Task, count: int) -> Run:
    """Compute the best ``count`` classes' positive maps, at the size: (n, count, H, W) in [0, 1]."""
    height, width = task.images.shape[-2:]

    def run() -> Tensor:
        cam = camlib.class_activation_maps(task.network, task.images, task.classes[:count])
        return camlib.upsample(scaling.positive(cam.maps), (height, width))

    return run


def gradient_maps(task: Task, count: int, method: Callable[..., Any] = camlib.grad_cam) -> Run:
    """Compute the raw Grad-CAM, or Grad-CAM++, of the best ``count`` classes: (n, count, h, w)."""
    classes = None if count == task.total else task.best(count)  # None: all
    return lambda: method(task.network, task.images, classes).maps


def forward_backward(task: Task) -> Run:
    """Run the network once, and back to the layer for the best class: gradients (n, k, h, w).

    No method that needs a gradient can do with less. In front of the layer nothing is recorded.
    """

    def run() -> Tensor:
        kept: list[Tensor] = []

        def record(_: nn.Module, __: Any, output: Tensor) -> Tensor:
            torch.set_grad_enabled(True)
            kept.append(output.detach().requires_grad_())
            return kept[0]

        handle = task.features.register_forward_hook(record)
        with torch.no_grad():
            logits = task.network(task.images)
        handle.remove()
        with torch.enable_grad():
            score = logits[:, task.classes[0]].sum()
        return torch.autograd.grad(score, kept[0])[0]

    return run
