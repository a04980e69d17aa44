"""Whether an answer is the expected one, and if not, in which respect it differs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import Tensor

from camlib.errors import describe


def difference(came: Any, expected: Any, tolerance: float) -> str | None:
    """Say in one sentence how ``came`` differs from ``expected``; None if it does not.

    Numbers may come as Python's, numpy's or tensors without axes, sequences as lists or tuples.
    """
    if came is None:
        return "Nothing came back. Does the function end with return?"
    if isinstance(expected, Tensor):
        return _tensors(came, expected, tolerance)
    if isinstance(expected, dict):
        return _mappings(came, expected, tolerance)
    if isinstance(expected, (tuple, list)):
        return _sequences(came, expected, tolerance)
    if isinstance(expected, (bool, int, float)):
        return _numbers(came, expected, tolerance)
    return None if came == expected else "The answer is another one."


def _tensors(came: Any, expected: Tensor, tolerance: float) -> str | None:
    if isinstance(came, np.ndarray):
        return "A numpy array came back; a torch tensor is wanted."
    if not isinstance(came, Tensor):
        return f"A tensor is wanted, and {describe(came)} came back."
    if came.shape != expected.shape:
        return f"The shape should be {tuple(expected.shape)}; it is {tuple(came.shape)}."
    if came.dtype.is_floating_point != expected.dtype.is_floating_point:
        return f"The dtype should be like {expected.dtype}; it is {came.dtype}.".replace(
            "torch.", ""
        )
    came, expected = came.detach().double().cpu(), expected.detach().double().cpu()
    if not came.isfinite().all():
        return "There are values that are not finite (NaN or infinity)."
    if _close(came, expected, tolerance):
        return None
    if _close(-came, expected, tolerance):
        return "All signs are turned round."
    return _factor(came, expected, tolerance) or "The shape is right, the values are not."


def _close(came: Tensor, expected: Tensor, tolerance: float) -> bool:
    if expected.numel() == 0:
        return True
    largest = max(expected.abs().max().item(), 1e-12)
    return (came - expected).abs().max().item() <= tolerance * largest


def _factor(came: Tensor, expected: Tensor, tolerance: float) -> str | None:
    """One factor between all values is worth saying: a sum taken for a mean, a unit forgotten."""
    length = (came * came).sum().item()
    factor = (came * expected).sum().item() / length if length else 0.0
    if factor and _close(came * factor, expected, tolerance):
        return f"All values are off by one factor: they should be {factor:.4g} times as large."
    return None


def _numbers(came: Any, expected: float, tolerance: float) -> str | None:
    try:
        value = came.item() if hasattr(came, "item") else came
        number = float(value)
    except (TypeError, ValueError, RuntimeError):
        return f"A single number is wanted, and {describe(came)} came back."
    if isinstance(expected, bool):
        return None if value == expected else "The answer is the other one."
    if math.isclose(number, expected, rel_tol=tolerance, abs_tol=1e-12):
        return None
    return "The number is another one."


def _sequences(came: Any, expected: Any, tolerance: float) -> str | None:
    if isinstance(came, (Tensor, np.ndarray)):
        came = came.tolist()
    if not isinstance(came, (tuple, list)):
        return (
            f"{len(expected)} values in a tuple or list are wanted, and {describe(came)} came back."
        )
    if len(came) != len(expected):
        return f"There should be {len(expected)} values; there are {len(came)}."
    for place, (one, other) in enumerate(zip(came, expected, strict=True), 1):
        if words := difference(one, other, tolerance):
            return f"Value {place} of {len(expected)}: {words}"
    return None


def _mappings(came: Any, expected: dict[Any, Any], tolerance: float) -> str | None:
    if not isinstance(came, dict):
        return f"A dict is wanted, and {describe(came)} came back."
    if came.keys() != expected.keys():
        return f"The keys should be {list(expected)}; they are {list(came)}."
    for key, other in expected.items():
        if words := difference(came[key], other, tolerance):
            return f"At {key!r}: {words}"
    return None
