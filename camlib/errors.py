"""Layer 0: the package's own exception, and the checks that stand at every door.

Each check raises ``TypeError`` or ``ValueError`` with four parts: which argument, what was
expected, what came, and what to do about it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


class NotCAMReadyError(ValueError):
    """The network's head has no exact class activation map; the message names the layer in the way."""


def describe(value: object) -> str:
    """Say in a few words what ``value`` is: shape and dtype for arrays, the type for the rest."""
    shape = getattr(value, "shape", None)
    if shape is None:
        return (
            f"{type(value).__name__} {value!r}"
            if isinstance(value, (int, float, str))
            else type(value).__name__
        )
    dtype = str(getattr(value, "dtype", "unknown")).removeprefix("torch.")
    return f"{type(value).__name__} of shape {tuple(shape)} and dtype {dtype}"


def check_floating(name: str, value: object) -> Tensor:
    """Return ``value`` if it is a floating-point tensor, else raise ``TypeError``."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{name}: expected a torch.Tensor, got {describe(value)}. "
            f"Convert it first, for example with torch.as_tensor({name})."
        )
    if not value.is_floating_point():
        raise TypeError(
            f"{name}: expected a floating-point tensor, got {describe(value)}. "
            f"Convert it first, for example with {name}.float()."
        )
    return value


def check_axes(name: str, value: object, axes: str) -> Tensor:
    """Return ``value`` if it is a floating-point tensor with the named axes, none of them empty."""
    tensor = check_floating(name, value)
    wanted = axes.split()
    if tensor.ndim != len(wanted):
        cure = ""
        if tensor.ndim == len(wanted) - 1:
            cure = f" If the first axis ({wanted[0]}) is missing, add it: {name}[None]."
        raise ValueError(
            f"{name}: expected {len(wanted)} axes ({', '.join(wanted)}), got {describe(tensor)}.{cure}"
        )
    for axis, length in zip(wanted, tensor.shape, strict=True):
        if length == 0:
            raise ValueError(
                f"{name}: axis {axis} is empty, got {describe(tensor)}. "
                f"Pass at least one element along every axis ({', '.join(wanted)})."
            )
    return tensor


def check_finite(name: str, tensor: Tensor, cure: str) -> tuple[float, float]:
    """Return the smallest and the largest value; raise ``ValueError`` for NaN or infinity."""
    low, high = (float(bound) for bound in torch.aminmax(tensor.detach()))  # NaN passes through
    if not (math.isfinite(low) and math.isfinite(high)):
        bad = int((~torch.isfinite(tensor)).sum())
        raise ValueError(
            f"{name}: expected finite numbers, got NaN or infinity in {bad} of {tensor.numel()} "
            f"elements. {cure}"
        )
    return low, high
