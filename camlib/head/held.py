"""Numbers that a network computes from the pooled vector itself, one for each picture.

A vector divided by its norm, or lessened by its mean, is an affine function of the pooled vector as
long as that number is held. A LayerNorm does the same in one call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

# What norms, means and spreads are made of. A gate (sigmoid) or a softmax (exp) is none of them.
_SUMS = "mean sum var std var_mean std_mean norm linalg_norm linalg_vector_norm"
_STEPS = """
    square pow sqrt rsqrt reciprocal abs add sub mul div clamp clamp_min clip maximum
    getitem unsqueeze view reshape expand to float detach
"""
_SUMMING = frozenset(_SUMS.split())
_ALLOWED = _SUMMING.union(_STEPS.split())


def is_number_beside(number: Tensor, vector: Tensor) -> bool:
    """Say whether ``number`` holds one value a picture, and ``vector`` several of them."""
    return number.ndim == vector.ndim and number.numel() == len(number) == len(vector) < (
        vector.numel()
    )


def make_a_statistic(names: Iterable[str]) -> bool:
    """Say whether calls of these names make a norm, a mean or a spread."""
    plain = {name.strip("_") for name in names}
    return not plain.isdisjoint(_SUMMING) and plain <= _ALLOWED


def vector_and_number(tensors: Sequence[Tensor]) -> tuple[Tensor, Tensor] | None:
    """Return which of two tensors is a vector and which the number beside it, None if neither."""
    if len(tensors) == 2:
        for vector, number in (tensors, tensors[::-1]):
            if is_number_beside(number, vector):
                return vector, number
    return None
