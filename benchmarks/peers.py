"""The other libraries, each as its own documentation uses it.

Both are told the layers, so that they need not search, and keep their object from call to call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor
from torchcam.methods import CAM

from benchmarks.contestants import Task


def torch_cam(task: Task, index: int) -> Callable[[], Tensor]:
    """Return torch-cam's CAM of one class: (n, h, w), stretched to [0, 1]."""
    subject = task.subject
    extractor = CAM(subject.network, subject.features, subject.linear)

    def run() -> Tensor:
        with torch.inference_mode():
            subject.network(task.images)
            (maps,) = extractor(index)
        return maps

    return run


def grad_cam(task: Task, classes: Sequence[int]) -> Callable[[], Tensor]:
    """Return pytorch-grad-cam's Grad-CAM of some classes: (n, c, H, W) in [0, 1].

    The library explains one class per picture and call. A batch that holds each picture once per
    class would do too; it takes no less time.
    """
    grad_cam = GradCAM(task.subject.network, [task.subject.features])

    def run() -> Tensor:
        maps = [
            torch.from_numpy(
                grad_cam(task.images, [ClassifierOutputTarget(index)] * len(task.images))
            )
            for index in classes
        ]
        return torch.stack(maps, dim=1)

    return run
