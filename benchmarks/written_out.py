"""Grad-CAM and Grad-CAM++ once more, equation by equation: what the contestants are held against."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.subjects import Task

Weigh = Callable[[Tensor, Tensor], Tensor]


def maps(task: Task, count: int, weigh: Weigh) -> Tensor:
    """Weigh the feature maps for the best ``count`` classes, one after the other: (n, count, h, w)."""
    features, logits = run(task)
    made = []
    for index in task.best(count):
        (slopes,) = torch.autograd.grad(logits[:, index].sum(), features, retain_graph=True)
        values = features.detach().double()
        weights = weigh(slopes.double(), values)
        made.append((weights[:, :, None, None] * values).sum(dim=1))
    return torch.stack(made, dim=1)


def grad_cam(slopes: Tensor, _: Tensor) -> Tensor:
    """Selvaraju et al. 2017, equation 1."""
    return slopes.mean(dim=(2, 3))


def plus_plus(slopes: Tensor, features: Tensor, epsilon: float = 0.0) -> Tensor:
    """Chattopadhay et al. 2018, equation 19; ``epsilon`` is what some add to its denominator."""
    total = features.sum(dim=(2, 3), keepdim=True)
    alphas = slopes**2 / (2 * slopes**2 + slopes**3 * total + epsilon)
    return (torch.where(slopes == 0, 0.0, alphas) * slopes.relu()).sum(dim=(2, 3))


def run(task: Task) -> tuple[Tensor, Tensor]:
    """Return the features and the logits; the features are a copy that no later call writes on."""
    kept: list[Tensor] = []

    def keep(_: object, __: object, output: Tensor) -> Tensor:
        kept.append(output.clone())
        return kept[0].clone()

    handle = task.subject.features.register_forward_hook(keep)
    try:
        logits = task.subject.network(task.images)
    finally:
        handle.remove()
    return kept[0], logits
