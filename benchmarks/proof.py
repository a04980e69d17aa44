"""Before anything is timed: all contestants compute the maps that they are timed for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from benchmarks import goals
from benchmarks.subjects import Task
from camlib import ClassActivationMaps, class_activation_maps, networks, plotting, scaling, upsample

TOLERANCE = 1e-3  # of the largest value; libraries add different small numbers before they divide


def check(task: Task, results: Mapping[str, Tensor]) -> None:
    """Compare what each contestant returned with what its name promises.

    Raises
    ------
    ValueError
        If a contestant computes something else; the message names it.
    """
    cam = class_activation_maps(task.subject.network, task.images)
    for name, got in results.items():
        wanted = EXPECTED[name](task, cam)
        if got.shape != wanted.shape:
            raise ValueError(
                f"{name}: expected shape {tuple(wanted.shape)}, got {tuple(got.shape)}. "
                "It is not used as its documentation says; compare the installed version."
            )
        gap = float((normal(got) - normal(wanted)).abs().max())
        if not gap <= TOLERANCE:
            raise ValueError(
                f"{name}: expected the same values as camlib within {TOLERANCE}, got a gap of "
                f"{gap:.2g}. It computes something else and must not be compared."
            )


def normal(values: Tensor) -> Tensor:
    """Divide by the largest magnitude, in double precision."""
    double = values.double()
    return double / double.abs().max().clamp(min=torch.finfo(torch.float64).tiny)


def _raw(task: Task, cam: ClassActivationMaps, count: int) -> Tensor:
    return cam.maps[:, list(task.classes[:count])]


def _overlaid(task: Task, cam: ClassActivationMaps) -> Tensor:
    """Write the overlay out once more: colour at full strength, opacity 0.7 |value|."""
    pictures = torch.from_numpy(networks.to_picture(task.images))
    maps = upsample(_raw(task, cam, 1), pictures.shape[1:3])[:, 0]
    maps = scaling.signed(maps)[..., None]
    against, favour = (torch.tensor(plotting.EVIDENCE(end)[:3]) for end in (0.0, 1.0))
    alpha = 0.7 * maps.abs()
    return (1 - alpha) * pictures + alpha * torch.where(maps < 0, against, favour)


def _at_picture_size(task: Task, cam: ClassActivationMaps, count: int) -> Tensor:
    return upsample(scaling.positive(_raw(task, cam, count)), task.images.shape[-2:])


def _stretched_twice(task: Task, cam: ClassActivationMaps, count: int) -> Tensor:
    """Like pytorch-grad-cam: positive part, stretched to [0, 1] before upsampling and after."""
    small = scaling.min_max(_raw(task, cam, count).relu())
    return scaling.min_max(upsample(small, task.images.shape[-2:]))


EXPECTED: dict[str, Callable[[Task, ClassActivationMaps], Tensor]] = {
    goals.BARE: lambda task, cam: cam.logits,
    goals.BARE_LAST: lambda task, cam: cam.logits,
    goals.ALL: lambda task, cam: cam.maps,
    goals.SHOWN: _overlaid,
    goals.TORCH_CAM: lambda task, cam: scaling.min_max(_raw(task, cam, 1)[:, 0]),
    goals.ONE: lambda task, cam: _at_picture_size(task, cam, 1),
    goals.TEN: lambda task, cam: _at_picture_size(task, cam, 10),
    goals.GRAD_CAM_ONE: lambda task, cam: _stretched_twice(task, cam, 1),
    goals.GRAD_CAM_TEN: lambda task, cam: _stretched_twice(task, cam, 10),
}
