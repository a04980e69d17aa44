"""Values as a reader sees them: tensors as PyTorch prints them, small ones whole."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import torch
from torch import Tensor

MOST = 32  # values: what the eye takes in
LENGTH = 400  # characters
_USUAL = (torch.float32, torch.int64, torch.bool)  # not worth naming


def shown(value: Any) -> str:
    """Write a value out; a large one by its shape, and one that refuses by its type."""
    try:
        return _shown(value)
    except Exception:
        return f"a value of type {type(value).__name__}"


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        return _written("tensor(", value)
    if isinstance(value, np.ndarray):
        return _written("array(", torch.from_numpy(value))
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple) and len(value) <= MOST:
        inside = ", ".join(map(shown, value)) + "," * (type(value) is tuple and len(value) == 1)
        return cut(f"[{inside}]" if isinstance(value, list) else f"({inside})")
    if type(value) is dict and len(value) <= MOST:
        return cut("{" + ", ".join(f"{key!r}: {shown(one)}" for key, one in value.items()) + "}")
    if isinstance(value, float):
        return f"{value:.6g}"
    return cut(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value)))


def cut(text: str) -> str:
    """Shorten a text that fills the screen."""
    return text if len(text) <= LENGTH else text[: LENGTH - 3] + "..."


def _written(head: str, tensor: Tensor) -> str:
    if tensor.numel() > MOST:
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
    text = re.sub(r"\n\n+", "\n", text)  # between the maps: brackets are enough
    text += f", size={tuple(tensor.shape)}" if tensor.numel() == 0 else ""
    text += f", dtype={tensor.dtype}" if tensor.dtype not in _USUAL else ""
    return f"{head}{text})"


def _decimals(values: Tensor) -> int:
    """As many as tell apart what counts as different: six digits of the largest value."""
    finite = values[values.isfinite()].abs()
    largest = float(finite.max()) if finite.numel() else 0.0
    return max(0, 5 - math.floor(math.log10(largest))) if largest else 0
