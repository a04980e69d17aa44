"""Outputs with the channels at the end: what to say where it is not known how the places lie."""

from __future__ import annotations

from math import isqrt

from torch import Tensor


def reshaping(output: Tensor) -> str:
    """Say how an output (n, tokens, k) or (n, h, w, k) becomes feature maps."""
    if output.ndim == 4:
        return "pass reshape=lambda maps: maps.permute(0, 3, 1, 2)."
    tokens = output.shape[1]
    part, side = "", isqrt(tokens)
    if side**2 != tokens and isqrt(tokens - 1) ** 2 == tokens - 1:
        part, side = "[:, 1:]", isqrt(tokens - 1)  # a class token stands in front of a square
    size = f"({side}, {side})" if part or side**2 == tokens else "(h, w)"
    return f"pass reshape=lambda tokens: tokens{part}.transpose(1, 2).unflatten(2, {size})."
