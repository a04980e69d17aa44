"""Explorers of things whose answers are known; any argument may be another one."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

import camlib
from camlib import explorers


def make_cam(
    count: int = 1000, rows: int = 7, columns: int = 7, classes: list[int] | None = None
) -> camlib.ClassActivationMaps:
    """Random maps that keep the identity; the last class's map is negative everywhere."""
    generator = torch.Generator().manual_seed(rows * columns)
    maps = 4 * torch.randn((1, count, rows, columns), generator=generator)
    maps[0, -1] = -maps[0, -1].abs() - 0.25
    offset = torch.randn((1, count), generator=generator)
    return camlib.ClassActivationMaps(
        maps=maps,
        logits=maps.mean((2, 3)) + offset,
        offset=offset,
        classes=torch.tensor(classes) if classes else torch.arange(count),
    )


def make_picture(height: int = 224, width: int = 224) -> np.ndarray:
    """A smooth picture, floats from 0 to 1."""
    down, across = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    return np.stack([down, across, 1 - down * across], axis=-1)


def make_names(count: int = 1000) -> list[str]:
    """Names with numbers in words' place, so that each is easy to search for."""
    return [f"thing {index:03d}" for index in range(count)]


# ------------------------------------------------------------------ one maker for each explorer


def make_class(**given: Any) -> explorers.ClassExplorer:
    """Ten classes of random maps."""
    arguments = {"image": make_picture(), "cam": make_cam(10), "class_names": make_names()}
    return explorers.ClassExplorer(**arguments | given)


MAP = make_cam(1).maps[0, 0]


def make_upsampling(**given: Any) -> explorers.UpsamplingExplorer:
    """One map of both signs."""
    arguments = {"image": make_picture(), "map": MAP, "class_name": "tiger cat"}
    return explorers.UpsamplingExplorer(**arguments | given)


# The fourth is negative everywhere, the last flat: they have no box.
BOX_MAPS = [*make_cam(4, 16, 16).maps[0], torch.full((16, 16), 2.0)]
BOXES = [(4, 4, 40, 30), (30, 10, 60, 60), (0, 0, 64, 64), (5, 5, 9, 9), (5, 5, 9, 9)]


def make_box(**given: Any) -> explorers.BoxExplorer:
    """Five pictures of 64×64 pixels under maps of 16×16 cells."""
    arguments = {
        "pictures": [np.roll(make_picture(64, 64), 7 * turn, axis=1) for turn in range(5)],
        "maps": BOX_MAPS,
        "boxes": BOXES,
        "names": [f"thing {index}" for index in range(5)],
    }
    return explorers.BoxExplorer(**arguments | given)


TWO = [[[1.0, 0, 2], [0, 9, 3], [1, 2, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 3]]]


def make_pooling(**given: Any) -> explorers.PoolingExplorer:
    """Two maps of 3×3 cells, values from 0 to 9."""
    return explorers.PoolingExplorer(**{"maps": TWO, "limits": (0, 9)} | given)


def make_frames(**given: Any) -> explorers.FrameExplorer:
    """Four depths of two subjects: each of eight frames is brighter than the one before."""
    arguments = {
        "frames": [np.full((120, 160, 3), 36 * i, np.uint8) for i in range(8)],
        "axes": {"Depth": ["input", "block 1", "block 2", "end"], "Subject": ["cat", "cup"]},
        "words": [f"Frame {i}." for i in range(8)],
    }
    return explorers.FrameExplorer(**arguments | given)


COMPARED = [7, 3, 9]


def make_maps() -> dict[str, dict[str, Tensor]]:
    """CAM, of the last layer alone; Grad-CAM, there CAM divided by h·w; Grad-CAM++, another map.

    Of the last class CAM's map is negative everywhere, Grad-CAM++'s positive.
    """
    last, early = make_cam(3).maps[0], make_cam(3, 14, 14).maps[0]
    return {
        "CAM": {"last": last},
        "Grad-CAM": {"early": early / 40, "last": last / 49},
        "Grad-CAM++": {"early": early.flip(0), "last": last.abs() / 3},
    }


def make_methods(**given: Any) -> explorers.MethodComparer:
    """Three methods, three classes, two layers."""
    arguments = {
        "image": make_picture(),
        "maps": make_maps(),
        "class_names": [f"thing {index}" for index in COMPARED],
        "classes": COMPARED,
    }
    return explorers.MethodComparer(**arguments | given)


def make_networks(**given: Any) -> explorers.MethodComparer:
    """Two networks' maps of the same three classes, on grids of their own, with logits of their own."""
    coarse, fine = make_maps()["CAM"]["last"], make_cam(3, 13, 13).maps[0]
    maps = {"coarse": {"last": coarse}, "fine": {"last": fine}}
    logits = {"fine": [1.0, 4.125, 2.0], "coarse": [5.0, -3.0, 2.0]}
    return make_methods(**{"maps": maps, "logits": logits} | given)


def make_head(
    channels: int = 60, count: int = 20, rows: int = 7, columns: int = 7, scale: float = 1.0
) -> camlib.Head:
    """Random features, some channels silent, and weights of both signs; the sum is exact."""
    generator = torch.Generator().manual_seed(channels + rows)
    features = torch.randn((1, channels, rows, columns), generator=generator).relu() * 3
    features[:, ::7] = 0
    weight = scale * torch.randn((count, channels), generator=generator) / 4
    offset = torch.randn((1, count), generator=generator)
    logits = features.mean((2, 3)) @ weight.T + offset
    if scale == 1:
        return camlib.Head(features, weight, offset, logits, 1e-7)
    return camlib.Head(features, weight[None], offset, logits, 1e-7, held=("norm",))


SUMMED = [3, 17, 8]


def make_sum(**given: Any) -> explorers.WeightedSumExplorer:
    """Three of twenty classes, five channels shown for each."""
    arguments = {"image": make_picture(), "head": make_head(), "class_names": make_names(20)}
    return explorers.WeightedSumExplorer(**arguments | {"classes": SUMMED, "channels": 5} | given)


def make_sum_by_hand(channels: int = 24) -> explorers.WeightedSumExplorer:
    """3·[4 2; 0 2] - [0 1; 8 3], bias 0.5: the map is [12 5; -8 3], the logit 6 - 3 + 0.5 = 3.5."""
    head = camlib.Head(
        features=torch.tensor([[[[4.0, 2.0], [0.0, 2.0]], [[0.0, 1.0], [8.0, 3.0]]]]),
        weight=torch.tensor([[3.0, -1.0]]),
        offset=torch.tensor([[0.5]]),
        logits=torch.tensor([[3.5]]),
        rounding=1e-7,
    )
    return make_sum(head=head, class_names=["by hand"], classes=[0], channels=channels)


MAKERS = {
    "box_explorer": make_box,
    "class_explorer": make_class,
    "frame_explorer": make_frames,
    "method_comparer": make_methods,
    "pooling_explorer": make_pooling,
    "upsampling_explorer": make_upsampling,
    "weighted_sum_explorer": make_sum,
}


# ------------------------------------------------------------------ the weighted sum, another way


def maps_with(head: camlib.Head, loads: dict[int, float]) -> Tensor:
    """All maps when some channels' weights are multiplied: camlib's own sum."""
    weight = (head.weight[0] if head.weight.ndim == 3 else head.weight).clone()
    for channel, load in loads.items():
        weight[:, channel] *= load
    return camlib.weighted_sum(head.features, weight)[0]


def logits_with(head: camlib.Head, loads: dict[int, float]) -> Tensor:
    """All logits when some channels' weights are multiplied, pooled after the sum."""
    return maps_with(head, loads).mean((1, 2)) + head.offset[0]


def contributions(head: camlib.Head) -> Tensor:
    """What each channel adds to each class's logit, shape (c, k)."""
    weight = head.weight[0] if head.weight.ndim == 3 else head.weight
    return weight * camlib.global_average_pool(head.features)


def shown(head: camlib.Head, classes: list[int], channels: int) -> list[int]:
    """The channels that count most for one of the classes, by a slow loop."""
    found = set()
    for row in contributions(head)[classes]:
        found |= set(sorted(range(len(row)), key=lambda k: -abs(float(row[k])))[:channels])
    return sorted(found)
