"""Answers to "CAM from scratch" by function: wrong ones, with what is wrong, and right ones of other forms."""

import functools

import torch
from torch import nn
from torch.nn import functional as F

from camlib import networks


@functools.cache
def _network() -> nn.Module:
    return networks.efficientnet_lite0()


def _one(maps: torch.Tensor) -> torch.Tensor:
    return maps.clamp(min=0)


def _features(images: torch.Tensor, layers: slice = slice(None)) -> torch.Tensor:
    with torch.no_grad():
        return _network().features[layers](images)


def _weight() -> torch.Tensor:
    return _network().classifier[-1].weight.detach()


def _bias() -> torch.Tensor:
    return _network().classifier[-1].bias.detach()


def _training_mode(images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return networks.efficientnet_lite0().train().features(images)


def _maps(features: torch.Tensor, weight: torch.Tensor, classes: list[int]) -> torch.Tensor:
    return torch.einsum("nkhw,ck->nchw", features, weight[classes])


def _scaled(features: torch.Tensor, weight: torch.Tensor, classes: list[int]) -> torch.Tensor:
    maps = _maps(features, weight, classes)
    return maps / maps.abs().amax((2, 3), keepdim=True)


def _ranked(features: torch.Tensor, weight: torch.Tensor, count: int, by: torch.Tensor) -> tuple:
    best = by.topk(count).indices
    return best, (weight * features.mean((1, 2)))[best]


def _shares(length: int, cells: int, clamp: bool = True, half: float = 0.5) -> torch.Tensor:
    places = (torch.arange(length) + half) * cells / length - half
    return places.clamp(0, cells - 1) if clamp else places


def _at(row: torch.Tensor, places: torch.Tensor, wrap: bool = False) -> torch.Tensor:
    before = places.floor().long() if wrap else places.long()
    after = (before + 1).clamp(max=len(row) - 1)
    share = places - before
    return (1 - share) * row[before] + share * row[after]


def _linear(row: torch.Tensor, length: int, **how: object) -> torch.Tensor:
    return F.interpolate(row[None, None], size=length, **how)[0, 0]


def _enlarged(map: torch.Tensor, size: tuple[int, int], **how: object) -> torch.Tensor:
    return F.interpolate(map[None, None], size=size, **how)[0, 0]


def _cell(map: torch.Tensor) -> tuple[int, int]:
    return divmod(int(map.argmax()), map.shape[1])


def _centre(size: tuple[int, int], map: torch.Tensor, cell: tuple[int, int]) -> tuple[float, float]:
    (row, column), (h, w) = cell, map.shape
    return (column + 0.5) * size[1] / w - 0.5, (row + 0.5) * size[0] / h - 0.5


def _explained(
    images: torch.Tensor, classes: list[int], size: object, **how: object
) -> torch.Tensor:
    maps = _maps(_features(images), _weight(), classes)
    return F.interpolate(maps, size=size, **(how or {"mode": "bilinear"}))


WRONG = {
    "last_feature_maps": {
        "one layer too early": lambda images: _features(images, slice(-1)),
        "pooled already": lambda images: _features(images).mean((2, 3)),
        "the first picture alone": lambda images: _features(images[:1]),
        "always the same picture": lambda images: _features(torch.zeros(1, 3, 224, 224)),
        "in training mode": _training_mode,
        "the logits": lambda images: _network()(images).detach(),
    },
    "global_average_pool": {
        "a sum": lambda maps: maps.sum((2, 3)),
        "the maximum": lambda maps: maps.amax((2, 3)),
        "over the channels": lambda maps: maps.mean(1),
        "over the pictures too": lambda maps: maps.mean((0, 2, 3)),
        "a ReLU before the mean": lambda maps: _one(maps).mean((2, 3)),
        "reshaped": lambda maps: maps.reshape(len(maps), -1, maps.shape[1]).mean(1),
    },
    "logits": {
        "no bias": lambda f, w, b: f.mean((2, 3)) @ w.T,
        "the bias in every channel": lambda f, w, b: f.mean((2, 3)) @ w.T + b * f.shape[1],
        "the bias in every cell": lambda f, w, b: f.mean((2, 3)) @ w.T + b * f[0, 0].numel(),
        "a sum for a mean": lambda f, w, b: f.sum((2, 3)) @ w.T + b,
        "softmax": lambda f, w, b: (f.mean((2, 3)) @ w.T + b).softmax(1),
        "the maximum": lambda f, w, b: f.amax((2, 3)) @ w.T + b,
    },
    "class_activation_maps": {
        "a ReLU": lambda f, w, c: _one(_maps(f, w, c)),
        "all classes": lambda f, w, c: torch.einsum("nkhw,ck->nchw", f, w),
        "in the order of their numbers": lambda f, w, c: _maps(f, w, sorted(c)),
        "each class once": lambda f, w, c: _maps(f, w, list(dict.fromkeys(c))),
        "each map scaled by itself": _scaled,
        "a mean over the channels": lambda f, w, c: _maps(f, w, c) / f.shape[1],
        "the first picture alone": lambda f, w, c: _maps(f[:1], w, c),
        "divided by the cells": lambda f, w, c: _maps(f, w, c) / f[0, 0].numel(),
        "the features changed": lambda f, w, c: _maps(f.mul_(1), w, c) + 0 * f.zero_().sum(),
    },
    "identity_gap": {
        "never a gap": lambda maps, bias, said: 0.0,
        "with its sign": lambda maps, bias, said: (maps.mean((2, 3)) + bias - said).max(),
        "the mean gap": lambda maps, bias, said: (maps.mean((2, 3)) + bias - said).abs().mean(),
        "gaps cancel": lambda maps, bias, said: (maps.mean((2, 3)) + bias - said).mean().abs(),
        "gaps of classes cancel": lambda maps, bias, said: (
            (maps.mean((2, 3)) + bias - said).sum(1).abs().max()
        ),
        "one mean for all": lambda maps, bias, said: (maps.mean() + bias - said).abs().max(),
        "no bias": lambda maps, bias, said: (maps.mean((2, 3)) - said).abs().max(),
        "a sum for a mean": lambda maps, bias, said: (maps.sum((2, 3)) + bias - said).abs().max(),
        "one gap for each class": lambda maps, bias, said: (
            (maps.mean((2, 3)) + bias - said).abs().amax(0)
        ),
    },
    "strongest_channels": {
        "by weight": lambda f, w, count: _ranked(f, w, count, w),
        "by loudness": lambda f, w, count: _ranked(f, w, count, f.mean((1, 2))),
        "by magnitude": lambda f, w, count: _ranked(f, w, count, (w * f.mean((1, 2))).abs()),
        "the weakest first": lambda f, w, count: _ranked(f, w, count, -w * f.mean((1, 2))),
        "by the maximum": lambda f, w, count: (w * f.amax((1, 2))).topk(count)[::-1],
        "points of a sum": lambda f, w, count: (w * f.sum((1, 2))).topk(count)[::-1],
        "points before channels": lambda f, w, count: (w * f.mean((1, 2))).topk(count),
    },
    "points_in": {
        "the region's mean": lambda map, region: map[region].mean(),
        "the region's sum": lambda map, region: map[region].sum(),
        "positive cells alone": lambda map, region: _one(map)[region].sum() / map.numel(),
        "outside": lambda map, region: map[~region].sum() / map.numel(),
    },
    "upsample_row": {
        "align_corners": lambda row, length: _linear(
            row, length, mode="linear", align_corners=True
        ),
        "nearest": lambda row, length: _linear(row, length, mode="nearest-exact"),
        "no half pixels": lambda row, length: _at(row, _shares(length, len(row), half=0.0)),
        "straight on beyond the ends": lambda row, length: _at(
            row, _shares(length, len(row), clamp=False).clamp(max=len(row) - 1)
        ),
        "round the corner": lambda row, length: _at(
            row, _shares(length, len(row), clamp=False).clamp(max=len(row) - 1), wrap=True
        ),
        "whole factors only": lambda row, length: _linear(
            row, len(row) * max(1, length // len(row)), mode="linear"
        ),
        "smoothed when shorter": lambda row, length: F.interpolate(
            row[None, None, None], (1, length), mode="bilinear", antialias=True
        )[0, 0, 0],
    },
    "upsample": {
        "the size turned": lambda map, size: _enlarged(map, size[::-1], mode="bilinear"),
        "the map turned": lambda map, size: _enlarged(map.T, size, mode="bilinear"),
        "align_corners": lambda map, size: _enlarged(
            map, size, mode="bilinear", align_corners=True
        ),
        "bicubic": lambda map, size: _enlarged(map, size, mode="bicubic"),
        "nearest": lambda map, size: _enlarged(map, size, mode="nearest"),
        "a square": lambda map, size: _enlarged(map, (size[0], size[0]), mode="bilinear"),
        "whole factors only": lambda map, size: _enlarged(
            map,
            (size[0] // len(map) * len(map), size[1] // map.shape[1] * map.shape[1]),
            mode="bilinear",
        ),
    },
    "strongest_place": {
        "y before x": lambda map, size: _centre(size, map, _cell(map))[::-1],
        "as many cells a row as rows": lambda map, size: _centre(
            size, map, divmod(int(map.argmax()), map.shape[0])
        ),
        "the cell": lambda map, size: _cell(map)[::-1],
        "its corner": lambda map, size: (
            _cell(map)[1] * size[1] / map.shape[1],
            _cell(map)[0] * size[0] / map.shape[0],
        ),
        "half a pixel off": lambda map, size: tuple(
            one + 0.5 for one in _centre(size, map, _cell(map))
        ),
        "the largest magnitude": lambda map, size: _centre(size, map, _cell(map.abs())),
        "align_corners": lambda map, size: (
            _cell(map)[1] * (size[1] - 1) / (map.shape[1] - 1),
            _cell(map)[0] * (size[0] - 1) / (map.shape[0] - 1),
        ),
        "whole pixels a cell": lambda map, size: (
            (_cell(map)[1] + 0.5) * (size[1] // map.shape[1]) - 0.5,
            (_cell(map)[0] + 0.5) * (size[0] // map.shape[0]) - 0.5,
        ),
    },
    "on_one_scale": {
        "each by itself": lambda maps: maps / maps.abs().amax((1, 2), keepdim=True),
        "min-max": lambda maps: (maps - maps.min()) / (maps.max() - maps.min()),
        "the highest value": lambda maps: maps / maps.max() if maps.any() else maps,
        "a small number added": lambda maps: maps / (maps.abs().max() + 1e-8),
        "NaN of nothing": lambda maps: maps / maps.abs().max(),
        "a ReLU": lambda maps: _one(maps) / maps.abs().max().clamp(min=1e-30),
        "in place": lambda maps: maps.div_(maps.abs().max()) if maps.any() else maps,
    },
    "explain": {
        "not enlarged": lambda images, classes: _maps(_features(images), _weight(), classes),
        "always 224": lambda images, classes: _explained(images, classes, 224),
        "32 pixels a cell": lambda images, classes: F.interpolate(
            _maps(_features(images), _weight(), classes), scale_factor=32, mode="bilinear"
        ),
        "align_corners": lambda images, classes: _explained(
            images, classes, images.shape[2:], mode="bilinear", align_corners=True
        ),
        "a ReLU": lambda images, classes: _one(_explained(images, classes, images.shape[2:])),
        "a square": lambda images, classes: _explained(images, classes, images.shape[2]),
        "the bias in every cell": lambda images, classes: (
            _explained(images, classes, images.shape[2:]) + _bias()[classes][:, None, None]
        ),
        "bicubic": lambda images, classes: _explained(
            images, classes, images.shape[2:], mode="bicubic"
        ),
        "the last class first": lambda images, classes: _explained(
            images, classes[::-1], images.shape[2:]
        ),
        "the first picture alone": lambda images, classes: _explained(
            images[:1], classes, images.shape[2:]
        ),
    },
}


def _by_hook(images: torch.Tensor) -> torch.Tensor:
    kept = []
    hook = _network().avgpool.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
    try:
        _network()(images)
    finally:
        hook.remove()
    return kept[0].detach()


def _cell_by_cell(features: torch.Tensor, weight: torch.Tensor, classes: list[int]) -> torch.Tensor:
    n, k, h, w = features.shape
    maps = torch.zeros(n, len(classes), h, w)
    for place, c in enumerate(classes):
        for channel in range(k):
            maps[:, place] += float(weight[c, channel]) * features[:, channel]
    return maps


def _sorted(features: torch.Tensor, weight: torch.Tensor, count: int) -> tuple[list, list]:
    points = [float(w) * float(f.mean()) for w, f in zip(weight, features, strict=True)]
    order = sorted(range(len(points)), key=points.__getitem__, reverse=True)[:count]
    return order, [points[k] for k in order]


def _pixel_by_pixel(row: torch.Tensor, length: int) -> torch.Tensor:
    """The function of chapter 4."""
    pixels = []
    for i in range(length):
        place = min(max((i + 0.5) * len(row) / length - 0.5, 0), len(row) - 1)
        before = int(place)
        after = min(before + 1, len(row) - 1)
        share = place - before
        pixels.append((1 - share) * row[before] + share * row[after])
    return torch.stack(pixels)


def _three_matrices(map: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    down, across = (
        torch.stack([_pixel_by_pixel(one, length) for one in torch.eye(cells)], 1)
        for cells, length in zip(map.shape, size, strict=True)
    )
    return down @ map @ across.T


ALSO_RIGHT = {
    "last_feature_maps": (_by_hook,),
    "global_average_pool": (
        lambda maps: maps.flatten(2).mean(2),
        lambda maps: torch.stack([one.mean((1, 2)) for one in maps]),
    ),
    "logits": (lambda f, w, b: torch.einsum("nkhw,ck->nc", f, w) / f[0, 0].numel() + b,),
    "class_activation_maps": (
        _cell_by_cell,
        lambda f, w, c: (f.movedim(1, -1) @ w[torch.tensor(c)].T).movedim(-1, 1),
    ),
    "identity_gap": (
        lambda maps, bias, said: (maps.flatten(2).mean(2) + bias - said).abs().max(),
        lambda maps, bias, said: max(
            abs(float(maps[i, c].mean() + bias[c] - said[i, c]))
            for i in range(len(maps))
            for c in range(len(bias))
        ),
    ),
    "strongest_channels": (_sorted,),
    "points_in": (
        lambda map, region: (map * region).mean(),
        lambda map, region: float(map.where(region, torch.zeros(())).mean()),
    ),
    "upsample_row": (_pixel_by_pixel,),
    "upsample": (_three_matrices,),
    "strongest_place": (
        lambda map, size: torch.tensor(_centre(size, map, _cell(map))),
        lambda map, size: [
            float((place + 0.5) * size[axis] / map.shape[axis] - 0.5)
            for axis, place in ((1, map.amax(0).argmax()), (0, map.amax(1).argmax()))
        ],
    ),
    "on_one_scale": (
        lambda maps: maps / max(float(maps.abs().max()), 1e-30),
        lambda maps: (maps / maps.abs().max()).nan_to_num(),
    ),
    "explain": (lambda images, classes: _explained(images, classes, images.shape[2:]),),
}
