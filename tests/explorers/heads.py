"""Heads whose sums are known, for the explorer of the weighted sum."""

import torch

import camlib


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


def weight_of(head: camlib.Head) -> torch.Tensor:
    """The weights of the one picture, shape (c, k)."""
    return head.weight[0] if head.weight.ndim == 3 else head.weight


def logits_with(head: camlib.Head, loads: dict[int, float]) -> torch.Tensor:
    """All logits when some channels' weights are multiplied: camlib's own sum, pooled afterwards."""
    return maps_with(head, loads).mean((1, 2)) + head.offset[0]


def maps_with(head: camlib.Head, loads: dict[int, float]) -> torch.Tensor:
    """All maps when some channels' weights are multiplied."""
    weight = weight_of(head).clone()
    for channel, load in loads.items():
        weight[:, channel] *= load
    return camlib.weighted_sum(head.features, weight)[0]


def contributions(head: camlib.Head) -> torch.Tensor:
    """What each channel adds to each class's logit, shape (c, k)."""
    return weight_of(head) * camlib.global_average_pool(head.features)


def shown(head: camlib.Head, classes: list[int], channels: int) -> list[int]:
    """The channels that count most for one of the classes, by a slow loop."""
    found = set()
    for row in contributions(head)[classes]:
        found |= set(sorted(range(len(row)), key=lambda k: -abs(float(row[k])))[:channels])
    return sorted(found)
