"""Before anything is timed: all contestants compute the maps that they are timed for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from benchmarks import goals, written_out
from benchmarks.subjects import Task
from camlib import class_activation_maps, networks, plotting, scaling, upsample

Expected = Callable[[Task], Tensor]

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


def _raw(task: Task, count: int) -> Tensor:
    classes = task.classes[:count]
    return class_activation_maps(task.subject.network, task.images, classes).maps


def _logits(task: Task) -> Tensor:
    with torch.no_grad():
        logits: Tensor = task.subject.network(task.images)
    return logits


def _overlaid(task: Task) -> Tensor:
    """Write the overlay out once more: colour at full strength, opacity 0.7 |value|."""
    pictures = torch.from_numpy(networks.to_picture(task.images))
    maps = upsample(_raw(task, 1), pictures.shape[1:3])[:, 0]
    maps = scaling.signed(maps)[..., None]
    against, favour = (torch.tensor(plotting.EVIDENCE(end)[:3]) for end in (0.0, 1.0))
    alpha = 0.7 * maps.abs()
    return (1 - alpha) * pictures + alpha * torch.where(maps < 0, against, favour)


def _at_picture_size(task: Task, count: int) -> Tensor:
    return upsample(scaling.positive(_raw(task, count)), task.images.shape[-2:])


def _slopes(task: Task) -> Tensor:
    """Let autograd record the whole network, and differentiate the best class's logit."""
    features, logits = written_out.run(task)
    return torch.autograd.grad(logits[:, task.classes[0]].sum(), features)[0]


def _stretched(task: Task, count: int) -> Tensor:
    """Like torch-cam: positive part, stretched to [0, 1]."""
    return scaling.min_max(written_out.maps(task, count, written_out.grad_cam).relu())


def _stretched_twice(task: Task, count: int, weigh: written_out.Weigh) -> Tensor:
    """Like pytorch-grad-cam: positive part, stretched to [0, 1] before upsampling and after."""
    small = scaling.min_max(written_out.maps(task, count, weigh).relu())
    return scaling.min_max(upsample(small, task.images.shape[-2:]))


def _of_gradients(count: int) -> dict[str, Expected]:
    """Say what each library's maps of so many classes are."""
    # pytorch-grad-cam adds this to the denominator of equation 19, where it is not small.
    shifted = partial(written_out.plus_plus, epsilon=1e-6)
    raw, plus_plus = written_out.grad_cam, written_out.plus_plus
    return {
        goals.gradient_maps("camlib", goals.GRAD_CAM, count): lambda task: written_out.maps(
            task, count, raw
        ),
        goals.gradient_maps("camlib", goals.PLUS_PLUS, count): lambda task: written_out.maps(
            task, count, plus_plus
        ),
        goals.gradient_maps("captum", goals.GRAD_CAM, count): lambda task: written_out.maps(
            task, count, raw
        ),
        goals.gradient_maps("torch-cam", goals.GRAD_CAM, count): lambda task: _stretched(
            task, count
        ),
        goals.gradient_maps("pytorch-grad-cam", goals.GRAD_CAM, count): lambda task: (
            _stretched_twice(task, count, raw)
        ),
        goals.gradient_maps("pytorch-grad-cam", goals.PLUS_PLUS, count): lambda task: (
            _stretched_twice(task, count, shifted)
        ),
    }


EXPECTED: dict[str, Expected] = {
    goals.BARE: _logits,
    goals.BARE_LAST: _logits,
    goals.ALL: lambda task: class_activation_maps(task.subject.network, task.images).maps,
    goals.SHOWN: _overlaid,
    goals.TORCH_CAM: lambda task: scaling.min_max(_raw(task, 1)[:, 0]),
    goals.ONE: lambda task: _at_picture_size(task, 1),
    goals.TEN: lambda task: _at_picture_size(task, 10),
    goals.FORWARD_BACKWARD: _slopes,
    **_of_gradients(1),
    **_of_gradients(10),
    **_of_gradients(1000),
}
