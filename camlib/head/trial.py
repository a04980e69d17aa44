"""Try a call on random vectors: does it treat them linearly?"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from camlib.head.calls import Call

# Activations differ from a line at different sizes: a hard tanh between -1 and 1 only.
_SIZES = (1.0, 10.0, 100.0)


def is_affine_by_trial(call: Call) -> bool:
    """Say whether the middle of two vectors always becomes the middle of what becomes of them."""
    source = call.source
    generator = torch.Generator().manual_seed(0)
    for size in _SIZES:
        ends = size * torch.randn(2, *source.shape, generator=generator, dtype=torch.float64)
        first, second = (end.to(source) for end in ends)
        middle = (first + second) / 2
        try:
            became = [_call_with(call, vector) for vector in (first, second, middle)]
        except (RuntimeError, TypeError, ValueError, IndexError):
            return False
        if not all(isinstance(tensor, Tensor) for tensor in became):
            return False
        if not torch.allclose((became[0] + became[1]) / 2, became[2], rtol=1e-2, atol=1e-2):
            return False
    return True


def _call_with(call: Call, vector: Tensor) -> Any:
    """Make the call with another vector in the source's place, and copies of all other tensors.

    It may write to them: batch normalisation in training mode does, to its running statistics.
    """
    args = [_instead(argument, call.source, vector) for argument in call.args]
    kwargs = {name: _instead(value, call.source, vector) for name, value in call.kwargs.items()}
    result = call.function(*args, **kwargs)
    return args[0] if result is None else result  # an assignment to an index


def _instead(argument: Any, source: Tensor, vector: Tensor) -> Any:
    if isinstance(argument, (list, tuple)):
        return type(argument)([_instead(item, source, vector) for item in argument])
    if argument is source:
        return vector
    return argument.clone() if isinstance(argument, Tensor) else argument
