"""Recognise a global average by its numbers, however the network wrote it."""

from __future__ import annotations

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

# Calls that pick values: equal to the average only on features that are the same everywhere.
_PICKS = ("max", "min", "median", "__getitem__", "select", "split", "chunk", "unbind")


@cache
def picks(name: str) -> bool:
    """Say whether a call of this name picks some of the values."""
    return any(pick in name for pick in _PICKS)


def averaged_features(name: str, source: Tensor, result: Tensor) -> Float[Tensor, "n k h w"] | None:
    """Return ``source`` as (n, k, h, w) if ``result`` is its average over all places, else None."""
    if source.ndim != 4 or result.ndim < 2 or len(source) != len(result) or picks(name):
        return None
    if not (source.is_floating_point() and result.is_floating_point()):
        return None
    channels = result.numel() // len(result)
    # channels first, as torch has it; channels last, as some networks compute
    for axis in (1, 3):
        if source.shape[axis] != channels:
            continue
        features = source if axis == 1 else source.movedim(3, 1)
        one_cell = features.shape[2:] == (1, 1)
        if one_cell and not any(word in name for word in ("pool", "mean", "sum")):
            continue  # one cell always equals its average: here only the name tells
        if _is_average(result.flatten(1), features):
            return features
    return None


def _is_average(vector: Float[Tensor, "n k"], features: Float[Tensor, "n k h w"]) -> bool:
    """Compare each average with its own rounding error, so that no other pooling passes for one."""
    exact = features.to(torch.promote_types(features.dtype, torch.float32))
    mean = exact.mean(dim=(2, 3))
    gap = (vector.to(exact) - mean).abs()
    coarse = max(torch.finfo(vector.dtype).eps, torch.finfo(features.dtype).eps)
    fine = torch.finfo(exact.dtype).eps
    if coarse == fine and gap.max() <= 16 * fine * mean.abs().max():
        return True  # the usual case, without a second look at the features
    # A 16-bit average is added up in 32 bits and then rounded, twice if it was taken in two steps.
    rounding = 2 * coarse + fine * (16 + features[0, 0].numel())
    return bool((gap <= rounding * exact.abs().mean(dim=(2, 3))).all())
