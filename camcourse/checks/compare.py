"""Compare an answer with the expected one and say how they differ."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from camlib.errors import describe

NOTHING = "Nothing came back. Does the function end with return?"


def difference(answer: Any, expected: Any, tolerance: float) -> str | None:
    """Say in one sentence how ``answer`` differs from ``expected``, or return None if it does not.

    Python numbers, numpy numbers and tensors without axes are the same, and so are lists and tuples.
    """
    if answer is None and expected is not None:
        return NOTHING
    return _difference(answer, expected, tolerance)


def _difference(answer: Any, expected: Any, tolerance: float) -> str | None:
    if expected is None:
        return None if answer is None else f"Expected None, got {_described(answer)}."
    if isinstance(expected, Tensor):
        return _tensors(answer, expected, tolerance)
    if isinstance(expected, np.ndarray):
        answer = torch.from_numpy(answer) if isinstance(answer, np.ndarray) else answer
        return _tensors(answer, torch.from_numpy(expected), tolerance)
    if isinstance(expected, dict):
        return _mappings(answer, expected, tolerance)
    if isinstance(expected, (tuple, list)):
        return _sequences(answer, expected, tolerance)
    if isinstance(expected, (bool, int, float)):
        return _numbers(answer, expected, tolerance)
    return None if type(answer) is type(expected) and answer == expected else "The value is wrong."


def _described(value: Any) -> str:
    text = "None" if value is None else describe(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _tensors(answer: Any, expected: Tensor, tolerance: float) -> str | None:
    if isinstance(answer, (bool, int, float)) and expected.ndim == 0:
        return _numbers(answer, expected.item(), tolerance)
    if not isinstance(answer, Tensor):
        return f"Expected a tensor, got {_described(answer)}."
    if answer.shape != expected.shape:
        return f"The shape should be {tuple(expected.shape)}; it is {tuple(answer.shape)}."
    if _kind(answer.dtype) != _kind(expected.dtype):
        names = [str(dtype).removeprefix("torch.") for dtype in (expected.dtype, answer.dtype)]
        return "The dtype should be like {}; it is {}.".format(*names)
    answer, expected = answer.detach().cpu().double(), expected.detach().cpu().double()
    if _close(answer, expected, tolerance):
        return None
    if not answer.isfinite().all():
        return "There are values that are not finite (NaN or infinity)."
    if _close(-answer, expected, tolerance):
        return "All signs are flipped."
    return _factor(answer, expected, tolerance) or "The shape is right, the values are not."


def _kind(dtype: torch.dtype) -> str:
    if dtype.is_floating_point:
        return "real"
    return "complex" if dtype.is_complex else "bool" if dtype == torch.bool else "integer"


def _close(answer: Tensor, expected: Tensor, tolerance: float) -> bool:
    if expected.numel() == 0:
        return True
    same = answer.isnan() & expected.isnan()  # wrong functions of an exercise may return NaN
    error = (answer - expected).masked_fill(same, 0.0).abs().max().item()
    return error <= tolerance * (expected.masked_fill(same, 0.0).abs().max().item() or 1.0)


def _factor(answer: Tensor, expected: Tensor, tolerance: float) -> str | None:
    """A common factor is a strong hint: a sum instead of a mean, or a wrong unit."""
    length = (answer * answer).sum().item()
    factor = (answer * expected).sum().item() / length if length else 0.0
    worth_saying = f"{factor:.4g}" not in ("0", "1") and expected.count_nonzero() > 1
    if worth_saying and _close(answer * factor, expected, tolerance):
        return f"All values are off by one factor: they should be {factor:.4g} times as large."
    return None


def _numbers(answer: Any, expected: float, tolerance: float) -> str | None:
    value = answer.item() if getattr(answer, "shape", None) == () else answer
    if not isinstance(value, (bool, int, float)):
        return f"Expected a single number, got {_described(answer)}."
    if isinstance(expected, bool):
        return None if value == expected else "The truth value is wrong."
    if isinstance(value, float) and not math.isfinite(value):
        return f"The number is not finite: {value}."
    margin = 0.0 if isinstance(expected, int) else tolerance * (abs(expected) or 1.0)
    return None if abs(value - expected) <= margin else "The number is wrong."


def _sequences(answer: Any, expected: Any, tolerance: float) -> str | None:
    if isinstance(answer, (Tensor, np.ndarray)) and answer.ndim:
        answer = answer.tolist()
    if not isinstance(answer, (tuple, list)):
        return f"Expected {len(expected)} values in a tuple or list, got {_described(answer)}."
    if len(answer) != len(expected):
        return f"There should be {len(expected)} values; there are {len(answer)}."
    for place, (one, other) in enumerate(zip(answer, expected, strict=True), 1):
        if words := _difference(one, other, tolerance):
            return f"Value {place} of {len(expected)}: {words}"
    return None


def _mappings(answer: Any, expected: dict[Any, Any], tolerance: float) -> str | None:
    if not isinstance(answer, dict):
        return f"Expected a dict, got {_described(answer)}."
    if answer.keys() != expected.keys():
        return f"The keys should be {list(expected)}; they are {list(answer)}."
    for key, other in expected.items():
        if words := _difference(answer[key], other, tolerance):
            return f"At {key!r}: {words}"
    return None
