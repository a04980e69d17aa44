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
    """vector = scale · (weight @ pooled) + offset, computed in ``exact``: float32 or finer.

    None stands for what changes nothing: the identity, a factor of 1, an offset of 0. A weight of
    one axis is a diagonal matrix. ``held`` says that statistics of the pooled vector are among the
    numbers, so that they would change with it.
    """

    exact: torch.dtype
    weight: Float[Tensor, "c k"] | Float[Tensor, " k"] | None = None
    scale: Float[Tensor, "n 1"] | None = None
    offset: Float[Tensor, "n c"] | None = None
    held: bool = False


def unchanged(like: Tensor) -> Affine:
    """Return the affine map that changes nothing, for vectors of this dtype."""
    return Affine(torch.promote_types(like.dtype, torch.float32))


def matrix(before: Affine, weight: Float[Tensor, "c k"], bias: Tensor | None) -> Affine:
    """W(s·(V @ p) + o) + b = s·(WV @ p) + (W @ o + b)."""
    combined, offset = weight, before.offset
    if before.weight is not None or offset is not None:
        exact = torch.promote_types(weight.dtype, before.exact)
        wide = weight.to(exact)
        if offset is not None:
            offset = offset.to(exact).expand(-1, weight.shape[1]) @ wide.T
        if before.weight is not None:
            inner = before.weight.to(exact)
            combined = wide * inner if inner.ndim == 1 else wide @ inner
    return shift(Affine(before.exact, combined, before.scale, offset, before.held), bias)


def gain(before: Affine, by: Float[Tensor, " c"] | Float[Tensor, "n 1"]) -> Affine:
    """Diagonal gain: g·(s·(V @ p) + o) = s·(gV @ p) + g·o; one number a picture goes to the scale."""
    offset = None if before.offset is None else before.offset * by
    if by.ndim == 2 or by.numel() == 1:
        factor = by.reshape(-1, 1).to(before.exact, copy=True)
        scale = factor if before.scale is None else before.scale * factor
        return replace(before, scale=scale, offset=offset)
    inner = before.weight
    if inner is not None:
        by = inner * (by if inner.ndim == 1 else by[:, None])
    return replace(before, weight=by, offset=offset)


def shift(before: Affine, by: Tensor | None) -> Affine:
    """Add the same numbers to the vector of every picture, or one number a picture to all of it."""
    if by is None:
        return before
    if before.offset is not None:
        return replace(before, offset=before.offset + by)
    own = by.to(before.exact, copy=True)  # nobody can write into a layer's bias through it
    offset = own if by.ndim == 2 else own[None]
    return Affine(before.exact, before.weight, before.scale, offset, before.held)


def pick(before: Affine, places: Int[Tensor, " d"], among: int) -> Affine:
    """Keep some of so many rows: (s·(V @ p) + o)[places] = s·(V[places] @ p) + o[places]."""
    weight, offset = before.weight, before.offset
    if weight is None:
        weight = torch.eye(among, dtype=before.exact, device=places.device)
    elif weight.ndim == 1:
        weight = torch.diag(weight)
    if offset is not None and offset.shape[1] > 1:
        offset = offset[:, places]
    return replace(before, weight=weight[places], offset=offset)
