"""The bare forward pass, and what camlib adds to it. Each function makes one callable to be timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import camlib
from benchmarks.subjects import Task
from camlib import networks, plotting, scaling

Run = Callable[[], Tensor]


def bare(task: Task) -> Run:
    """Run the network alone, without gradients: logits (n, c)."""

    def run() -> Tensor:
        with torch.no_grad():
            return task.subject.network(task.images)

    return run


def bare_channels_last(task: Task) -> Run:
    """Run the network alone on images that are laid out anew each time: logits (n, c).

    camlib may choose this layout too; what it then gains is the layout's, not its own.
    """

    def run() -> Tensor:
        with torch.no_grad():
            images = task.images.contiguous(memory_format=torch.channels_last)
            return task.subject.network(images)

    return run


def all_maps(task: Task) -> Run:
    """Compute the raw maps of all classes: (n, c, h, w)."""
    return lambda: camlib.class_activation_maps(task.subject.network, task.images).maps


def one_overlaid(task: Task) -> Run:
    """Compute the best class's map and lay it over each picture: (n, H, W, 3) in [0, 1]."""
    height, width = task.images.shape[-2:]
    pictures = networks.to_picture(task.images)

    def run() -> Tensor:
        cam = camlib.class_activation_maps(task.subject.network, task.images, task.classes[:1])
        maps = scaling.signed(camlib.upsample(cam.maps, (height, width)))[:, 0]
        overlays = [
            plotting.overlay(picture, map) for picture, map in zip(pictures, maps, strict=True)
        ]
        return torch.from_numpy(np.stack(overlays))

    return run


def at_picture_size(task: Task, count: int) -> Run:
    """Compute the best ``count`` classes' positive maps, at the size: (n, count, H, W) in [0, 1]."""
    height, width = task.images.shape[-2:]
    classes = task.classes[:count]

    def run() -> Tensor:
        cam = camlib.class_activation_maps(task.subject.network, task.images, classes)
        return camlib.upsample(scaling.positive(cam.maps), (height, width))

    return run


def grad_cam(task: Task, count: int) -> Run:
    """Compute the raw Grad-CAM of the best ``count`` classes: (n, count, h, w)."""
    classes = None if count == task.total else task.best(count)  # None: all
    return lambda: camlib.grad_cam(task.subject.network, task.images, classes).maps


def grad_cam_plus_plus(task: Task, count: int) -> Run:
    """Compute the raw Grad-CAM++ of the best ``count`` classes: (n, count, h, w)."""
    classes = None if count == task.total else task.best(count)  # None: all
    return lambda: camlib.grad_cam_plus_plus(task.subject.network, task.images, classes).maps


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

        handle = task.subject.features.register_forward_hook(record)
        with torch.no_grad():
            logits = task.subject.network(task.images)
        handle.remove()
        with torch.enable_grad():
            score = logits[:, task.classes[0]].sum()
        return torch.autograd.grad(score, kept[0])[0]

    return run
