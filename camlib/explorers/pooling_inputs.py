"""PoolingExplorer's door: maps that can be edited, and the range that their values keep to."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from camlib.errors import describe

# More are neither told apart in the page nor hit with a finger.
MOST_MAPS, MOST_CELLS = 30, 7
Maps = tuple[tuple[tuple[float, ...], ...], ...]


def checked_maps(maps: object) -> Float[np.ndarray, "k h w"]:
    """Return a copy of the maps that the reader starts from, or raise."""
    array = _array("maps", maps)
    if array.ndim != 3 or 0 in array.shape:
        raise ValueError(
            f"maps: expected shape (k, h, w), got {array.shape}. "
            "Pass the maps of one picture: features[0]."
        )
    count, rows, columns = array.shape
    if count > MOST_MAPS or max(rows, columns) > MOST_CELLS:
        raise ValueError(
            f"maps: expected at most {MOST_MAPS} maps of {MOST_CELLS}×{MOST_CELLS} cells, got "
            f"{count} of {rows}×{columns}. Pass some of them: features[0, :20]."
        )
    _check_finite("maps", array)
    return array


def checked_limits(limits: object, maps: Float[np.ndarray, "k h w"]) -> tuple[float, float]:
    """Return the (low, high) given, or whole numbers around zero and all values; else raise."""
    if limits is None:
        return float(min(0, math.floor(maps.min()))), float(max(1, math.ceil(maps.max())))
    if not isinstance(limits, (tuple, list)) or len(limits) != 2:
        raise TypeError(
            f"limits: expected a pair (low, high) or None, got {describe(limits)}. Pass (0, 9)."
        )
    low, high = (checked_number("limits", number) for number in limits)
    if not low < high:
        raise ValueError(f"limits: expected low < high, got ({low:g}, {high:g}). Pass (0, 9).")
    _check_range("maps", maps, (low, high))
    return low, high


def checked_step(step: object, limits: tuple[float, float]) -> float:
    """Return by how much one key press changes a cell, or raise."""
    size = checked_number("step", step)
    if not 0 < size <= limits[1] - limits[0]:
        raise ValueError(
            f"step: expected a number above 0 and at most {limits[1] - limits[0]:g}, the length "
            f"of limits, got {size:g}. Pass 1, or 0.1 for small values."
        )
    return size


def checked_values(value: object, shape: tuple[int, ...], limits: tuple[float, float]) -> Maps:
    """Return edited maps as nested tuples, which nobody changes unnoticed, or raise."""
    array = _array("values", value)
    if array.shape != shape:
        raise ValueError(
            f"values: expected shape {shape}, got {array.shape}. "
            "Make another explorer for maps of another shape."
        )
    _check_finite("values", array)
    _check_range("values", array, limits)
    return tuple(tuple(tuple(row) for row in one) for one in array.tolist())


def checked_brush(value: object, limits: tuple[float, float]) -> float:
    """Return the value that is painted with, or raise."""
    number = checked_number("brush", value)
    _check_range("brush", np.array(number), limits)
    return number


def checked_number(name: str, value: object) -> float:
    """Return a finite number as float, or raise."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {describe(value)}. Pass 1.0.")
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, got {float(value):g}. Pass 1.0.")
    return float(value)


def _array(name: str, value: Any) -> Float[np.ndarray, "*axes"]:
    """Return a copy of real numbers in float64, in which whole numbers and means stay what they are."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = value.double().numpy() if value.is_floating_point() else value.numpy()
    cure = "Pass a tensor, an array or nested lists of numbers, all rows equally long."
    try:
        array = np.array(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(
            f"{name}: expected one shape (k, h, w), got ragged lists. {cure}"
        ) from error
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected real numbers, got {describe(array)}. {cure}")
    return array.astype(np.float64)


def _check_finite(name: str, array: Float[np.ndarray, "*axes"]) -> None:
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name}: expected finite numbers, got NaN or infinity. "
            "Look for it with numpy.isfinite."
        )


def _check_range(name: str, array: Float[np.ndarray, "*axes"], limits: tuple[float, float]) -> None:
    if array.min() < limits[0] or array.max() > limits[1]:
        raise ValueError(
            f"{name}: expected numbers from {limits[0]:g} to {limits[1]:g}, got {array.min():g} to "
            f"{array.max():g}. Wider limits are an argument: PoolingExplorer(maps, limits=(0, 99))."
        )
