"""Sequences of tokens: what to say where there are no rows and columns."""

from __future__ import annotations

from math import isqrt


def cure_for_sequence(tokens: int) -> str:
    """Say how a sequence's tokens become feature maps."""
    skip, side = 0, isqrt(tokens)
    if side**2 != tokens and isqrt(tokens - 1) ** 2 == tokens - 1:
        skip, side = 1, isqrt(tokens - 1)  # a class token stands in front of a square
    size = f"({side}, {side})" if side**2 + skip == tokens else "(h, w)"
    part = "[:, 1:]" if skip else ""
    return (
        f"A sequence of {tokens} tokens has no rows and columns: say which it stands for, for example "
        f"reshape=lambda tokens: tokens{part}.transpose(1, 2).unflatten(2, {size})."
    )
