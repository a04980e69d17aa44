"""Whether an answer is the expected one, and if not, in which respect it differs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from camlib.errors import describe


def difference(came: Any, expected: Any, tolerance: float) -> str | None:
    """Say in one sentence how ``came`` differs from ``expected``; None if it does not.

    Numbers may come as Python's, numpy's or tensors without axes, sequences as lists or tuples.
    """
    if came is None and expected is not None:
        return "Nothing came back. Does the function end with return?"
    return _difference(came, expected, tolerance)


def _difference(came: Any, expected: Any, tolerance: float) -> str | None:
    if expected is None:
        return None if came is None else f"None is wanted, not {_named(came)}."
    if isinstance(expected, Tensor):
        return _tensors(came, expected, tolerance)
    if isinstance(expected, np.ndarray):
        came = torch.from_numpy(came) if isinstance(came, np.ndarray) else came
        return _tensors(came, torch.from_numpy(expected), tolerance)
    if isinstance(expected, dict):
        return _mappings(came, expected, tolerance)
    if isinstance(expected, (tuple, list)):
        return _sequences(came, expected, tolerance)
    if isinstance(expected, (bool, int, float)):
        return _numbers(came, expected, tolerance)
    return None if type(came) is type(expected) and came == expected else "It is another one."


def _named(value: Any) -> str:
    text = "None" if value is None else describe(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _tensors(came: Any, expected: Tensor, tolerance: float) -> str | None:
    if isinstance(came, (bool, int, float)) and expected.ndim == 0:
        return _numbers(came, expected.item(), tolerance)
    if not isinstance(came, Tensor):
        return f"A tensor is wanted, not {_named(came)}."
    if came.shape != expected.shape:
        return f"The shape should be {tuple(expected.shape)}; it is {tuple(came.shape)}."
    if _kind(came.dtype) != _kind(expected.dtype):
        names = [str(dtype).removeprefix("torch.") for dtype in (expected.dtype, came.dtype)]
        return "The dtype should be like {}; it is {}.".format(*names)
    came, expected = came.detach().cpu().double(), expected.detach().cpu().double()
    if _close(came, expected, tolerance):
        return None
    if not came.isfinite().all():
        return "There are values that are not finite (NaN or infinity)."
    if _close(-came, expected, tolerance):
        return "All signs are turned round."
    return _factor(came, expected, tolerance) or "The shape is right, the values are not."


def _kind(dtype: torch.dtype) -> str:
    if dtype.is_floating_point:
        return "real"
    return "complex" if dtype.is_complex else "truth" if dtype == torch.bool else "whole"


def _close(came: Tensor, expected: Tensor, tolerance: float) -> bool:
    if expected.numel() == 0:
        return True
    same = came.isnan() & expected.isnan()  # a wrong function may answer so, too
    far = (came - expected).masked_fill(same, 0.0).abs().max().item()
    return far <= tolerance * (expected.masked_fill(same, 0.0).abs().max().item() or 1.0)


def _factor(came: Tensor, expected: Tensor, tolerance: float) -> str | None:
    """One factor between all values is worth saying: a sum taken for a mean, a unit forgotten."""
    length = (came * came).sum().item()
    factor = (came * expected).sum().item() / length if length else 0.0
    told = f"{factor:.4g}" not in ("0", "1") and expected.count_nonzero() > 1
    if told and _close(came * factor, expected, tolerance):
        return f"All values are off by one factor: they should be {factor:.4g} times as large."
    return None


def _numbers(came: Any, expected: float, tolerance: float) -> str | None:
    value = came.item() if getattr(came, "shape", None) == () else came
    if not isinstance(value, (bool, int, float)):
        return f"A single number is wanted, not {_named(came)}."
    if isinstance(expected, bool):
        return None if value == expected else "The answer is the other one."
    if isinstance(value, float) and not math.isfinite(value):
        return f"The number is not finite: {value}."
    margin = 0.0 if isinstance(expected, int) else tolerance * (abs(expected) or 1.0)
    return None if abs(value - expected) <= margin else "The number is another one."


def _sequences(came: Any, expected: Any, tolerance: float) -> str | None:
    if isinstance(came, (Tensor, np.ndarray)) and came.ndim:
        came = came.tolist()
    if not isinstance(came, (tuple, list)):
        return f"{len(expected)} values in a tuple or list are wanted, not {_named(came)}."
    if len(came) != len(expected):
        return f"There should be {len(expected)} values; there are {len(came)}."
    for place, (one, other) in enumerate(zip(came, expected, strict=True), 1):
        if words := _difference(one, other, tolerance):
            return f"Value {place} of {len(expected)}: {words}"
    return None


def _mappings(came: Any, expected: dict[Any, Any], tolerance: float) -> str | None:
    if not isinstance(came, dict):
        return f"A dict is wanted, not {_named(came)}."
    if came.keys() != expected.keys():
        return f"The keys should be {list(expected)}; they are {list(came)}."
    for key, other in expected.items():
        if words := _difference(came[key], other, tolerance):
            return f"At {key!r}: {words}"
    return None
