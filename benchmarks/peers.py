"""Other libraries, each used as its own documentation does, and to its advantage.

Both are told the layers, so that they need not search, and keep their object from call to call.
"""

from __future__ import annotations

import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor
from torchcam.methods import CAM

from benchmarks.contestants import Run
from benchmarks.subjects import Task


def torch_cam(task: Task) -> Run:
    """Compute the best class's map with torch-cam: (n, h, w), stretched to [0, 1]."""
    subject = task.subject
    extractor = CAM(subject.network, subject.features, subject.linear)

    def run() -> Tensor:
        with torch.inference_mode():
            subject.network(task.images)
            (maps,) = extractor(task.classes[0])
        return maps

    return run


def grad_cam(task: Task, count: int) -> Run:
    """Compute the best ``count`` classes' maps with pytorch-grad-cam: (n, count, H, W) in [0, 1].

    It explains one class of each picture a call. (A batch that holds each picture once per class
    does the same and takes as long.)
    """
    extractor = GradCAM(task.subject.network, [task.subject.features])
    targets = [[ClassifierOutputTarget(index)] * len(task.images) for index in task.classes[:count]]

    def run() -> Tensor:
        maps = [torch.from_numpy(extractor(task.images, target)) for target in targets]
        return torch.stack(maps, dim=1)

    return run
