"""Format values for readers: tensors as PyTorch prints them, large ones by their shape."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import torch
from torch import Tensor

MAX_VALUES = 32
MAX_CHARACTERS = 400
_DEFAULT_DTYPES = (torch.float32, torch.int64, torch.bool)  # not named


def format_value(value: Any) -> str:
    """Return a short text for a value; its type if its ``repr`` fails."""
    try:
        return _format(value)
    except Exception:
        return f"a value of type {type(value).__name__}"


def _format(value: Any) -> str:
    if isinstance(value, Tensor):
        return _format_tensor("tensor(", value)
    if isinstance(value, np.ndarray):
        return _format_tensor("array(", torch.from_numpy(value))
    if (
        isinstance(value, (list, tuple))
        and type(value) in (list, tuple)
        and len(value) <= MAX_VALUES
    ):
        inside = ", ".join(map(format_value, value)) + "," * (
            type(value) is tuple and len(value) == 1
        )
        return shorten(f"[{inside}]" if isinstance(value, list) else f"({inside})")
    if type(value) is dict and len(value) <= MAX_VALUES:
        return shorten(
            "{" + ", ".join(f"{key!r}: {format_value(one)}" for key, one in value.items()) + "}"
        )
    if isinstance(value, float):
        return f"{value:.6g}"
    return shorten(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value)))


def shorten(text: str) -> str:
    """Cut a text after ``MAX_CHARACTERS``."""
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 3] + "..."


def _format_tensor(head: str, tensor: Tensor) -> str:
    if tensor.numel() > MAX_VALUES:
        return f"{head}...) of shape {tuple(tensor.shape)}"
    values, places = tensor.detach().cpu(), 0
    if values.is_floating_point():
        values, places = values.double(), _decimals(values)
        values = values.round(decimals=places) + 0.0  # + 0.0: no -0.
    text = np.array2string(
        values.numpy(),
        max_line_width=72,
        precision=places,
        suppress_small=True,
        separator=", ",
        prefix=head,
    )
    text = re.sub(r"\n\n+", "\n", text)  # no empty lines between maps
    text += f", size={tuple(tensor.shape)}" if tensor.numel() == 0 else ""
    text += f", dtype={tensor.dtype}" if tensor.dtype not in _DEFAULT_DTYPES else ""
    return f"{head}{text})"


def _decimals(values: Tensor) -> int:
    """Return the number of decimals that gives six digits to the largest value."""
    finite = values[values.isfinite()].abs()
    largest = float(finite.max()) if finite.numel() else 0.0
    return max(0, 5 - math.floor(math.log10(largest))) if largest else 0
