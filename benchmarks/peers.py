"""Other libraries, each used as its own documentation does, and to its advantage.

All are told the layers, so that they need not search, and keep their object from call to call.

The Grad-CAM++ of torch-cam is left out: its values are not those of equation 19, and proof refuses it.
"""

from __future__ import annotations

import torch
from captum.attr import LayerGradCam
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus
from pytorch_grad_cam.base_cam import BaseCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor
from torchcam.methods import CAM
from torchcam.methods import GradCAM as TorchCamGradCAM

from benchmarks.contestants import Run, Task

__all__ = ["GradCAMPlusPlus", "captum", "grad_cam", "torch_cam", "torch_cam_grad_cam"]


def torch_cam(task: Task) -> Run:
    """Compute the best class's map with torch-cam: (n, h, w), stretched to [0, 1]."""
    extractor = CAM(task.network, task.features, task.linear)

    def run() -> Tensor:
        with torch.inference_mode():
            task.network(task.images)
            (maps,) = extractor(task.classes[0])
        return maps

    return run


def grad_cam(task: Task, count: int, method: type[BaseCAM] = GradCAM) -> Run:
    """Compute the best ``count`` classes' maps with pytorch-grad-cam: (n, count, H, W) in [0, 1].

    It explains one class of each picture a call. (A batch that holds each picture once per class
    does the same and takes as long.)
    """
    extractor = method(task.network, [task.features])
    targets = [[ClassifierOutputTarget(index)] * len(task.images) for index in task.best(count)]
    return lambda: torch.stack(
        [torch.from_numpy(extractor(task.images, target)) for target in targets], dim=1
    )


def torch_cam_grad_cam(task: Task, count: int) -> Run:
    """Compute Grad-CAM with torch-cam: (n, count, h, w), positive part, stretched to [0, 1].

    The network runs once; each class then takes a backward pass of its own, as far as the layer.
    """
    extractor = TorchCamGradCAM(task.network, task.features)
    classes = task.best(count)

    def run() -> Tensor:
        scores = task.network(task.images)
        return torch.stack(
            [extractor(index, scores, retain_graph=index != classes[-1])[0] for index in classes],
            dim=1,
        )

    return run


def captum(task: Task, count: int) -> Run:
    """Compute the raw Grad-CAM with captum, one class a call: (n, count, h, w)."""
    extractor = LayerGradCam(task.network, task.features)
    classes = task.best(count)
    return lambda: torch.cat(
        [extractor.attribute(task.images, target=index).detach() for index in classes], dim=1
    )
