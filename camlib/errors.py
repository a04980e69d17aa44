"""Layer 0: the package's own exception, and checks of arguments that all parts of it share.

Each check raises ``TypeError`` or ``ValueError`` with four parts: which argument, what was
expected, what it got, and what to do about it. Checks of networks and images are in ``inputs``.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterable
from numbers import Integral

import torch
from torch import Tensor

# What messages call one, two and three axes of places.
PLACES = ("length", "h, w", "d, h, w")


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
    """Return ``value`` if it is a floating-point tensor with the named axes, none of them empty.

    A star before the last name, as in "n k *places", stands for one axis or more.
    """
    tensor = check_floating(name, value)
    wanted = axes.split()
    more = wanted[-1].startswith("*")
    if tensor.ndim < len(wanted) or (tensor.ndim > len(wanted) and not more):
        advice = ""
        if tensor.ndim == len(wanted) - 1:
            advice = f" If the first axis ({wanted[0]}) is missing, add it: {name}[None]."
        raise ValueError(
            f"{name}: expected {'at least ' if more else ''}{len(wanted)} axes ({', '.join(wanted)}), "
            f"got {describe(tensor)}.{advice}"
        )
    for index, length in enumerate(tensor.shape):
        if length == 0:
            raise ValueError(
                f"{name}: axis {wanted[min(index, len(wanted) - 1)]} is empty, got {describe(tensor)}. "
                f"Pass at least one element along every axis ({', '.join(wanted)})."
            )
    return tensor


def check_places(
    name: str, value: object, places: int, advice: str, before: str = ""
) -> tuple[Tensor, tuple[int, ...]]:
    """Return ``value``, a floating-point tensor, and the last ``places`` axes, counted from the end.

    ``before`` names one more axis that is needed in front of them, as "k, ".
    """
    whole = isinstance(places, int) and not isinstance(places, bool)
    if not whole or not 1 <= places <= 3:
        raise (ValueError if whole else TypeError)(
            f"places: expected 1, 2 or 3, got {places!r}. Pass how many axes of places {name} ends "
            "in: 1 for signals and tokens, 2 for pictures, 3 for volumes."
        )
    tensor = check_floating(name, value)
    if tensor.ndim < places + bool(before) or tensor.numel() == 0:
        raise ValueError(
            f"{name}: expected shape (..., {before}{PLACES[places - 1]}) with at least one cell, got "
            f"{describe(tensor)}. {advice}"
        )
    return tensor, tuple(range(-places, 0))


def check_finite(name: str, tensor: Tensor, advice: str) -> tuple[float, float]:
    """Return the smallest and the largest value; raise ``ValueError`` for NaN or infinity."""
    low, high = (float(bound) for bound in torch.aminmax(tensor.detach()))  # NaN passes through
    if not (math.isfinite(low) and math.isfinite(high)):
        bad = int((~torch.isfinite(tensor)).sum())
        raise ValueError(
            f"{name}: expected finite numbers, got NaN or infinity in {bad} of {tensor.numel()} "
            f"elements. {advice}"
        )
    return low, high


def warn(message: str) -> None:
    """Warn of a guess about the user's data, at the line of the user's that called the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("camlib."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level + 1)


def check_whole(
    name: str, value: object, low: int, high: int | None = None, advice: str = ""
) -> int:
    """Return ``value`` if it is a whole number in the range, ends included; else raise ``ValueError``."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        number = int(value)  # numpy's whole numbers become Python's
        if low <= number and (high is None or number <= high):
            return number
    wanted = f"of at least {low}" if high is None else f"from {low} to {high}"
    raise ValueError(f"{name}: expected a whole number {wanted}, got {value!r}. {advice}".rstrip())


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise ``ValueError`` if ``value`` is none of the choices; the first one is proposed."""
    known = tuple(choices)
    if value not in known:
        listed = ", ".join(f'"{choice}"' for choice in known)
        raise ValueError(
            f'{name}: expected one of {listed}, got {value!r}. Start with "{known[0]}".'
        )


def check_maps(name: str, value: object, axes: str = "n h w") -> Tensor:
    """Return ``value`` if it is maps with these axes and finite numbers, else raise."""
    maps = check_axes(name, value, axes)
    check_finite(name, maps, "Look where they come from: a healthy network has none.")
    return maps
