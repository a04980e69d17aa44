"""What is timed: the bare forward pass, camlib, and the same work done by other libraries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision import models

import camlib
from benchmarks.timing import Contestants
from camlib import networks, photos, plotting, scaling

BARE = "bare forward pass"
ALL = "camlib: all 1000 maps"
SHOWN = "camlib: 1 map upsampled and overlaid"
ONE = "camlib: 1 map at picture size"
TEN = "camlib: 10 maps at picture size"
TORCH_CAM = "torch-cam: CAM, 1 map"
GRAD_CAM_ONE = "pytorch-grad-cam: Grad-CAM, 1 map"
GRAD_CAM_TEN = "pytorch-grad-cam: Grad-CAM, 10 maps"


@dataclass(frozen=True)
class Subject:
    """A network in evaluation mode, and the two modules of it that other libraries must be told."""

    network: nn.Module
    features: nn.Module
    linear: nn.Linear


@dataclass(frozen=True)
class Task:
    """One batch, shape (n, 3, H, W), and the ten classes whose maps are wanted, best first."""

    subject: Subject
    images: Tensor
    classes: Sequence[int]


def efficientnet_lite0() -> Subject:
    """Return the book's network."""
    network = networks.efficientnet_lite0()
    return Subject(network, network.features, network.classifier[1])


def resnet50() -> Subject:
    """Return ResNet-50 with random weights, always the same: its speed needs no training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = models.resnet50(weights=None).eval()
    return Subject(network, network.layer4, network.fc)


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "efficientnet_lite0": efficientnet_lite0,
    "resnet50": resnet50,
}


def prepare(subject: Subject, batch: int) -> Task:
    """Make a batch of the book's photographs, and choose the first one's ten highest classes."""
    names = photos.names()
    pictures = [photos.load(names[number % len(names)]) for number in range(batch)]
    images = networks.preprocess(pictures)
    with torch.no_grad():
        best = subject.network(images)[0].topk(10).indices.tolist()
    return Task(subject, images, best)


def cheap(task: Task) -> Contestants:
    """Return the contestants that need no gradient: a few times the bare pass at most."""
    from benchmarks import peers

    network, images, first = task.subject.network, task.images, task.classes[:1]
    height_width = tuple(images.shape[-2:])
    pictures = networks.to_picture(images)

    def overlaid() -> object:
        cam = camlib.class_activation_maps(network, images, first)
        shown = scaling.signed(camlib.upsample(cam.maps, height_width))
        return [
            plotting.overlay(picture, map)
            for picture, map in zip(pictures, shown[:, 0], strict=True)
        ]

    return {
        BARE: bare(task),
        ALL: lambda: camlib.class_activation_maps(network, images).maps,
        SHOWN: overlaid,
        TORCH_CAM: peers.torch_cam(task, task.classes[0]),
    }


def costly(task: Task) -> Contestants:
    """Return Grad-CAM, and camlib doing what it does: maps in [0, 1] at the pictures' size."""
    from benchmarks import peers

    return {
        BARE: bare(task),
        ONE: at_picture_size(task, task.classes[:1]),
        TEN: at_picture_size(task, task.classes),
        GRAD_CAM_ONE: peers.grad_cam(task, task.classes[:1]),
        GRAD_CAM_TEN: peers.grad_cam(task, task.classes),
    }


def bare(task: Task) -> Callable[[], Tensor]:
    """Return the forward pass alone, without gradients."""

    def run() -> Tensor:
        with torch.no_grad():
            return task.subject.network(task.images)

    return run


def at_picture_size(task: Task, classes: Sequence[int]) -> Callable[[], Tensor]:
    """Return camlib's maps of these classes, upsampled and scaled: (n, c, H, W) in [0, 1]."""
    height_width = tuple(task.images.shape[-2:])

    def run() -> Tensor:
        cam = camlib.class_activation_maps(task.subject.network, task.images, classes)
        return camlib.upsample(scaling.positive(cam.maps), height_width)

    return run
