"""Before anything is timed: all contestants compute the maps that they are timed for.

Grad-CAM and Grad-CAM++ stand here once more, equation by equation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from benchmarks import goals
from benchmarks.contestants import Task
from camlib import class_activation_maps, networks, plotting, scaling, upsample

Weigh = Callable[[Tensor, Tensor], Tensor]
TOLERANCE = 1e-3  # of the largest value; libraries add different small numbers before they divide


def check(task: Task, results: Mapping[str, Tensor]) -> None:
    """Compare what each contestant returned with what its name promises.

    Raises
    ------
    ValueError
        If a contestant computes something else; the message names it.
    """
    for name, got in results.items():
        wanted = EXPECTED[name](task)
        if got.shape != wanted.shape:
            raise ValueError(
                f"{name}: expected shape {tuple(wanted.shape)}, got {tuple(got.shape)}. "
                "It is not used as its documentation says; compare the installed version."
            )
        gap = float((normal(got) - normal(wanted)).abs().max())
        if not gap <= TOLERANCE:
            raise ValueError(
                f"{name}: expected the values that its name promises within {TOLERANCE}, got a gap of "
                f"{gap:.2g}. It computes something else and must not be compared."
            )


def normal(values: Tensor) -> Tensor:
    """Divide by the largest magnitude, in double precision."""
    double = values.double()
    return double / double.abs().max().clamp(min=torch.finfo(torch.float64).tiny)


def grad_cam(slopes: Tensor, _: Tensor) -> Tensor:
    """Selvaraju et al. 2017, equation 1."""
    return slopes.mean(dim=(2, 3))


def plus_plus(slopes: Tensor, features: Tensor, epsilon: float = 0.0) -> Tensor:
    """Chattopadhay et al. 2018, equation 19; ``epsilon`` is what some add to its denominator."""
    total = features.sum(dim=(2, 3), keepdim=True)
    alphas = slopes**2 / (2 * slopes**2 + slopes**3 * total + epsilon)
    return (torch.where(slopes == 0, 0.0, alphas) * slopes.relu()).sum(dim=(2, 3))


def _run(task: Task) -> tuple[Tensor, Tensor]:
    """Return the features and the logits; the features are a copy that no later call writes on."""
    kept: list[Tensor] = []

    def keep(_: object, __: object, output: Tensor) -> Tensor:
        kept.append(output.clone())
        return kept[0].clone()

    handle = task.features.register_forward_hook(keep)
    try:
        logits = task.network(task.images)
    finally:
        handle.remove()
    return kept[0], logits


def _weighted(task: Task, count: int, weigh: Weigh) -> Tensor:
    """Weigh the feature maps for the best ``count`` classes, one after the other: (n, count, h, w)."""
    features, logits = _run(task)
    values = features.detach().double()
    made = []
    for index in task.best(count):
        (slopes,) = torch.autograd.grad(logits[:, index].sum(), features, retain_graph=True)
        weights = weigh(slopes.double(), values)
        made.append((weights[:, :, None, None] * values).sum(dim=1))
    return torch.stack(made, dim=1)


def _stretched(task: Task, count: int) -> Tensor:
    """Like torch-cam: positive part, stretched to [0, 1]."""
    return scaling.min_max(_weighted(task, count, grad_cam).relu())


def _stretched_twice(task: Task, count: int, weigh: Weigh) -> Tensor:
    """Like pytorch-grad-cam: positive part, stretched to [0, 1] before upsampling and after."""
    small = scaling.min_max(_weighted(task, count, weigh).relu())
    return scaling.min_max(upsample(small, task.images.shape[-2:]))


def _raw(task: Task, count: int | None) -> Tensor:
    return class_activation_maps(task.network, task.images, task.classes[:count]).maps


def _logits(task: Task) -> Tensor:
    with torch.no_grad():
        return task.network(task.images)


def _overlaid(task: Task) -> Tensor:
    """Write the overlay out once more: colour at full strength, opacity 0.7 |value|."""
    pictures = torch.from_numpy(networks.to_picture(task.images))
    maps = scaling.signed(upsample(_raw(task, 1), pictures.shape[1:3]))[:, 0, ..., None]
    against, favour = (torch.tensor(plotting.EVIDENCE(end)[:3]) for end in (0.0, 1.0))
    alpha = 0.7 * maps.abs()
    return (1 - alpha) * pictures + alpha * torch.where(maps < 0, against, favour)


def _at_picture_size(task: Task, count: int) -> Tensor:
    return upsample(scaling.positive(_raw(task, count)), task.images.shape[-2:])


def _slopes(task: Task) -> Tensor:
    """Let autograd record the whole network, and differentiate the best class's logit."""
    features, logits = _run(task)
    return torch.autograd.grad(logits[:, task.classes[0]].sum(), features)[0]


# pytorch-grad-cam adds this to the denominator of equation 19, where it is not small.
_SHIFTED = partial(plus_plus, epsilon=1e-6)
# What each library's maps of so many classes are.
_OF_GRADIENTS: dict[tuple[str, str], Callable[[Task, int], Tensor]] = {
    ("camlib", goals.GRAD_CAM): partial(_weighted, weigh=grad_cam),
    ("camlib", goals.PLUS_PLUS): partial(_weighted, weigh=plus_plus),
    ("captum", goals.GRAD_CAM): partial(_weighted, weigh=grad_cam),
    ("torch-cam", goals.GRAD_CAM): _stretched,
    ("pytorch-grad-cam", goals.GRAD_CAM): partial(_stretched_twice, weigh=grad_cam),
    ("pytorch-grad-cam", goals.PLUS_PLUS): partial(_stretched_twice, weigh=_SHIFTED),
}
EXPECTED: dict[str, Callable[[Task], Tensor]] = {
    goals.BARE: _logits,
    goals.BARE_LAST: _logits,
    goals.ALL: lambda task: class_activation_maps(task.network, task.images).maps,
    goals.SHOWN: _overlaid,
    goals.TORCH_CAM: lambda task: scaling.min_max(_raw(task, 1)[:, 0]),
    goals.ONE: partial(_at_picture_size, count=1),
    goals.TEN: partial(_at_picture_size, count=10),
    goals.FORWARD_BACKWARD: _slopes,
    **{
        goals.gradient_maps(library, method, count): partial(expected, count=count)
        for (library, method), expected in _OF_GRADIENTS.items()
        for count in (1, 10, 1000)
    },
}
