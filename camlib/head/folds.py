"""Fold the calls between the pooled vector and the logits into one affine map.

Normalisers (``norms``; ``held`` knows those written by hand), choices among the values (``picking``)
and einsum (``contraction``) have modules of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.head.affine import Affine, NotAffineError, gain, matrix, shift, unchanged
from camlib.head.calls import Call, tensors_among
from camlib.head.contraction import einsum
from camlib.head.norms import cosine_similarity, normalize, rms_norm
from camlib.head.picking import PICKS, picked

# An activation is no part of a linear head, even on a picture where it happens to change nothing.
_NAMES = """
    relu relu6 hardtanh leaky_relu prelu rrelu elu selu celu gelu silu mish hardswish hardsigmoid
    sigmoid tanh softplus softsign hardshrink softshrink tanhshrink threshold softmax log_softmax
    softmin logsigmoid clamp clip clamp_min clamp_max maximum minimum fmax fmin abs sqrt square pow
    where normalize
"""
ACTIVATIONS = frozenset(_NAMES.split())


def as_affine(calls: Sequence[Call], like: Tensor) -> Affine:
    """Fold calls in their order; raise :class:`NotAffineError` at the first that is not affine."""
    affine = unchanged(like)
    for call in calls:
        affine = then(affine, call)
    return affine


def then(before: Affine, call: Call) -> Affine:
    """Append one call to an affine map."""
    name = call.name.strip("_")  # "mul" for mul_ and __mul__
    if sum(t is call.source for t in tensors_among(call.args, call.kwargs)) > 1:
        raise NotAffineError  # times itself
    fold = _FOLDS.get(name)
    if fold is not None:
        after = fold(before, call)
        return after if call.held is None else replace(after, held=True)
    # Flatten, squeeze, permute, dropout in evaluation mode: whatever leaves each value in its place.
    if name in ACTIVATIONS or not call.keeps_values:
        raise NotAffineError
    return before


def _linear(before: Affine, call: Call) -> Affine:
    return _matrix(before, call, call.argument(1, "weight"), call.argument(2, "bias"))


def _convolution(before: Affine, call: Call) -> Affine:
    weight = call.argument(1, "weight")
    if weight.shape[2:].numel() != 1:
        raise NotAffineError
    groups = weight.flatten(1).chunk(call.argument(6, "groups", 1))
    joined = groups[0]
    if len(groups) > 1:
        joined = torch.block_diag(*groups)  # type: ignore[no-untyped-call] # torch gives no types
    return _matrix(before, call, joined, call.argument(2, "bias"))


def _inner_product(before: Affine, call: Call) -> Affine:
    return _matrix(before, call, call.argument(1, "other"), None)


def _product(before: Affine, call: Call) -> Affine:
    weight = call.argument(1, "mat2", call.kwargs.get("other"))
    if weight is call.source or weight.ndim != 2:
        raise NotAffineError
    return _matrix(before, call, weight.T, None)


def _product_and_sum(before: Affine, call: Call) -> Affine:
    bias, weight = call.argument(0, "input"), call.argument(2, "mat2")
    if call.argument(1, "mat1") is not call.source or call.kwargs.keys() & {"alpha", "beta"}:
        raise NotAffineError
    return _matrix(before, call, weight.T, bias)


def _matrix(before: Affine, call: Call, weight: Tensor, bias: Tensor | None) -> Affine:
    whole = weight.ndim == 2 and weight.shape[1] == call.source.shape[1:].numel()
    if not whole or (bias is not None and bias.ndim != 1):
        raise NotAffineError  # it reads something else than the whole vector
    return matrix(before, weight, bias)


def _layer_norm(before: Affine, call: Call) -> Affine:
    """With the statistics held at the pooled vector the normaliser is affine, and exact there."""
    source = call.source.flatten(1).to(before.exact)
    if math.prod(call.argument(1, "normalized_shape")) != source.shape[1]:
        raise NotAffineError
    mean = source.mean(1, keepdim=True)
    spread = (source.var(1, correction=0, keepdim=True) + call.argument(4, "eps", 1e-5)).rsqrt()
    normal = replace(gain(shift(before, -mean), spread), held=True)
    by, bias = call.argument(2, "weight"), call.argument(3, "bias")
    normal = normal if by is None else gain(normal, by.flatten())
    return shift(normal, None if bias is None else bias.flatten())


def _group_norm(before: Affine, call: Call) -> Affine:
    """One group is a LayerNorm over the channels, with the same arguments in the same places."""
    if call.argument(1, "num_groups") != 1:
        raise NotAffineError
    shape = call.source.shape[1:]
    return _layer_norm(before, replace(call, args=(call.source, shape, *call.args[2:])))


def _batch_norm(before: Affine, call: Call) -> Affine:
    names = ["running_mean", "running_var", "weight", "bias"]
    if call.function is torch.batch_norm:  # the same four, in another order
        names = ["weight", "bias", "running_mean", "running_var"]
    given = {name: call.argument(place, name) for place, name in enumerate(names, start=1)}
    mean, variance = given["running_mean"], given["running_var"]
    if mean is None or call.argument(5, "training", False) or len(mean) != call.source[0].numel():
        raise NotAffineError
    spread = (variance.to(before.exact) + call.argument(7, "eps", 1e-5)).rsqrt()
    by = spread if given["weight"] is None else given["weight"] * spread
    return shift(gain(shift(before, -mean), by), given["bias"])


def _add(before: Affine, call: Call) -> Affine:
    return shift(before, _constant(call))


def _subtract(before: Affine, call: Call) -> Affine:
    if call.argument(1, "other") is call.source:
        raise NotAffineError
    return shift(before, -_constant(call))


def _multiply(before: Affine, call: Call) -> Affine:
    return gain(before, _constant(call))


def _divide(before: Affine, call: Call) -> Affine:
    if call.argument(1, "other") is call.source:
        raise NotAffineError
    return gain(before, 1 / _constant(call))


def _constant(call: Call) -> Float[Tensor, " c"] | Float[Tensor, "n 1"]:
    """Return the other operand: a number for each channel, for all of them, or for each picture."""
    first, second = call.argument(0, "input"), call.argument(1, "other")
    value = second if first is call.source else first
    one = call.source[:1]
    exact = torch.promote_types(one.dtype, torch.float32)
    if call.kwargs.keys() & {"alpha", "rounding_mode"} or not isinstance(
        value, (int, float, Tensor)
    ):
        raise NotAffineError
    if call.held is not None:
        return call.held.reshape(-1, 1).to(exact)
    number = torch.as_tensor(value, dtype=exact, device=one.device)
    if number.numel() == 1:
        return number.reshape(1)
    try:
        return number.expand(one.shape).flatten()
    except RuntimeError:  # a number of its own for each picture
        raise NotAffineError from None


_FOLDS: dict[str, Callable[[Affine, Call], Affine]] = {
    "linear": _linear,
    "conv1d": _convolution,
    "conv2d": _convolution,
    "conv3d": _convolution,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "rms_norm": rms_norm,
    "normalize": normalize,
    "cosine_similarity": cosine_similarity,
    "batch_norm": _batch_norm,
    "matmul": _product,
    "mm": _product,
    "addmm": _product_and_sum,
    "inner": _inner_product,
    "einsum": einsum,
    "add": _add,
    "sub": _subtract,
    "subtract": _subtract,
    "mul": _multiply,
    "multiply": _multiply,
    "div": _divide,
    "divide": _divide,
    "true_divide": _divide,
    **dict.fromkeys(PICKS, picked),
}
