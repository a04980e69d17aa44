"""Calls that choose some of a vector's values, or put them in another order."""

from __future__ import annotations

import torch

from camlib.head.affine import Affine, NotAffineError, pick
from camlib.head.calls import Call

PICKS = (
    "getitem",
    "narrow",
    "select",
    "index_select",
    "split",
    "chunk",
    "tensor_split",
    "unbind",
    "flip",
    "roll",
)


def picked(before: Affine, call: Call) -> Affine:
    """Let the call choose among the values' numbers, and see which it takes."""
    if call.keeps_values:
        return before
    source = call.source
    if not call.args or call.args[0] is not source:
        raise NotAffineError
    n, k = len(source), source[0].numel()
    numbers = torch.arange(n * k, device=source.device)
    chosen = call.function(numbers.view(source.shape), *call.args[1:], **call.kwargs)
    if chosen.ndim == 0 or len(chosen) != n:
        raise NotAffineError  # some of the pictures
    places = chosen.reshape(n, -1) - numbers[::k, None]
    if (places != places[0]).any() or (places[0] >= k).any():
        raise NotAffineError  # another place for each picture, or another picture's value
    return pick(before, places[0], among=k)
