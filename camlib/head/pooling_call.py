"""Recognise a global average by its numbers, however the network wrote it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def averaged_features(name: str, source: Tensor, result: Tensor) -> Float[Tensor, "n k h w"] | None:
    """Return ``source`` as (n, k, h, w) if ``result`` is its average over all places, else None."""
    if source.ndim != 4 or not source.is_floating_point():
        return None
    vector = result.flatten(1)
    # channels first, as torch has it; channels last, as some networks compute
    for features in (source, source.movedim(3, 1)):
        if features.shape[:2] != vector.shape:
            continue
        if features.shape[2:] == (1, 1) and not ("pool" in name or "mean" in name):
            continue  # one cell always equals its average: here only the name tells
        if nearly_equal(vector, features.mean(dim=(2, 3))):
            return features
    return None


def nearly_equal(first: Tensor, second: Tensor) -> bool:
    """Compare up to the rounding of the coarser dtype, relative to the largest magnitude."""
    epsilon = max(torch.finfo(first.dtype).eps, torch.finfo(second.dtype).eps)
    gap = (first.float() - second.float()).abs().max()
    return bool(gap <= 16 * epsilon * second.float().abs().max())
