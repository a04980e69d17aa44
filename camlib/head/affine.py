"""The affine map from the pooled vector to the logits, put together piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor


class NotAffineError(Exception):
    """A call is not affine; caught inside the package and turned into a refusal."""


@dataclass(frozen=True)
class Affine:
    """vector = scale · (weight @ pooled) + offset, where a weight of None is the identity.

    A weight of one axis is a diagonal matrix. ``held`` says that statistics of the pooled vector
    are among the numbers, so that they would change with it.
    """

    weight: Float[Tensor, "c k"] | Float[Tensor, " k"] | None
    scale: Float[Tensor, "n 1"]
    offset: Float[Tensor, "n c"]
    held: bool = False


def unchanged(like: Tensor) -> Affine:
    """Return the affine map that changes nothing, on the device of ``like``, in float32 or finer."""
    exact = torch.promote_types(like.dtype, torch.float32)
    return Affine(None, like.new_ones(1, 1, dtype=exact), like.new_zeros(1, 1, dtype=exact))


def matrix(before: Affine, weight: Float[Tensor, "c k"], bias: Tensor | None) -> Affine:
    """W(s·(V @ p) + o) + b = s·(WV @ p) + (W @ o + b)."""
    combined, offset = weight, before.offset
    if before.weight is not None or offset.any():
        exact = torch.promote_types(weight.dtype, offset.dtype)
        wide = weight.to(exact)
        offset = offset.to(exact).expand(-1, weight.shape[1]) @ wide.T
        if before.weight is not None:
            inner = before.weight.to(exact)
            combined = wide * inner if inner.ndim == 1 else wide @ inner
    return replace(before, weight=combined, offset=offset if bias is None else offset + bias)


def gain(before: Affine, by: Float[Tensor, " c"] | Float[Tensor, "n 1"]) -> Affine:
    """Diagonal gain: g·(s·(V @ p) + o) = s·(gV @ p) + g·o; one number a picture goes to the scale."""
    offset = before.offset * by
    if by.ndim == 2 or by.numel() == 1:
        return replace(before, scale=before.scale * by, offset=offset)
    inner = before.weight
    if inner is not None:
        by = inner * (by if inner.ndim == 1 else by[:, None])
    return replace(before, weight=by, offset=offset)


def shift(before: Affine, by: Tensor | None) -> Affine:
    """Add the same numbers to the vector of every picture, or one number a picture to all of it."""
    return before if by is None else replace(before, offset=before.offset + by)


def pick(before: Affine, places: Int[Tensor, " d"], among: int) -> Affine:
    """Keep some of so many rows: (s·(V @ p) + o)[places] = s·(V[places] @ p) + o[places]."""
    weight, offset = before.weight, before.offset
    if weight is None:
        weight = torch.eye(among, dtype=offset.dtype, device=offset.device)
    elif weight.ndim == 1:
        weight = torch.diag(weight)
    offset = offset if offset.shape[1] == 1 else offset[:, places]
    return replace(before, weight=weight[places], offset=offset)
