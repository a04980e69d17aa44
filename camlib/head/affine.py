"""Fold what stands between the pooled vector and the logits into one affine map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.head.watch import Call

# An activation is no part of a linear head, even on a picture where it happens to change nothing.
ACTIVATIONS = frozenset(
    [
        "relu",
        "relu_",
        "relu6",
        "hardtanh",
        "hardtanh_",
        "leaky_relu",
        "prelu",
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "mish",
        "hardswish",
        "hardsigmoid",
        "sigmoid",
        "tanh",
        "softplus",
        "softmax",
        "log_softmax",
        "logsigmoid",
        "clamp",
        "clamp_",
        "abs",
    ]
)


class NotAffineError(Exception):
    """A call is not affine; caught inside the package and turned into a refusal."""


@dataclass(frozen=True)
class Affine:
    """vector = scale · (weight @ pooled) + offset, where a weight of None is the identity.

    A weight of one axis is a diagonal matrix.
    """

    weight: Float[Tensor, "c k"] | Float[Tensor, " k"] | None
    scale: Float[Tensor, "n 1"]
    offset: Float[Tensor, "n c"]


def unchanged(like: Tensor) -> Affine:
    """Return the affine map that changes nothing, in the dtype and on the device of ``like``."""
    return Affine(None, like.new_ones(1, 1), like.new_zeros(1, 1))


def as_affine(calls: Sequence[Call], like: Tensor) -> Affine:
    """Fold calls in their order; raise :class:`NotAffineError` at the first that is not affine."""
    affine = unchanged(like)
    for call in calls:
        affine = then(affine, call)
    return affine


def then(before: Affine, call: Call) -> Affine:
    """Append one call to an affine map."""
    if call.name in _FOLDS:
        return _FOLDS[call.name](before, call)
    # Flatten, squeeze, permute, dropout in evaluation mode: whatever leaves each value in its place.
    if call.name in ACTIVATIONS or not call.keeps_values:
        raise NotAffineError
    return before


def _linear(before: Affine, call: Call) -> Affine:
    return _matrix(before, call.argument(1, "weight"), call.argument(2, "bias"))


def _convolution(before: Affine, call: Call) -> Affine:
    weight = call.argument(1, "weight")
    if weight.shape[2:] != (1, 1) or call.argument(6, "groups", 1) != 1:
        raise NotAffineError
    return _matrix(before, weight.flatten(1), call.argument(2, "bias"))


def _matrix(before: Affine, weight: Tensor, bias: Tensor | None) -> Affine:
    """W(s·(V @ p) + o) + b = s·(WV @ p) + (W @ o + b)."""
    combined, offset = weight, before.offset
    if before.weight is not None:
        inner = before.weight.to(weight)
        combined = weight * inner if inner.ndim == 1 else weight @ inner
        offset = offset.to(weight).expand(-1, weight.shape[1]) @ weight.T
    return replace(before, weight=combined, offset=offset if bias is None else offset + bias)


def _layer_norm(before: Affine, call: Call) -> Affine:
    """With the statistics held at the pooled vector the normaliser is affine, and exact there."""
    source = call.argument(0, "input").flatten(1)
    source = source.to(torch.promote_types(source.dtype, torch.float32))
    if tuple(call.argument(1, "normalized_shape")) != source.shape[1:]:
        raise NotAffineError
    mean = source.mean(1, keepdim=True)
    spread = (source.var(1, correction=0, keepdim=True) + call.argument(4, "eps", 1e-5)).rsqrt()
    normal = replace(before, scale=before.scale * spread, offset=(before.offset - mean) * spread)
    return _per_channel(normal, source, call.argument(2, "weight"), call.argument(3, "bias"))


def _batch_norm(before: Affine, call: Call) -> Affine:
    mean, variance = call.argument(1, "running_mean"), call.argument(2, "running_var")
    if mean is None or call.argument(5, "training", False):
        raise NotAffineError
    gain, bias = call.argument(3, "weight"), call.argument(4, "bias")
    spread = (variance + call.argument(7, "eps", 1e-5)).rsqrt()
    normal = replace(before, offset=before.offset - mean)
    source = call.argument(0, "input").flatten(1)
    return _per_channel(normal, source, spread if gain is None else gain * spread, bias)


def _per_channel(
    before: Affine, source: Tensor, gain: Tensor | None, bias: Tensor | None
) -> Affine:
    """Diagonal gain: g·(s·(V @ p) + o) + b = s·(gV @ p) + (g·o + b)."""
    gain = torch.ones_like(source[0]) if gain is None else gain
    inner = before.weight
    if inner is not None:
        inner = inner * (gain if inner.ndim == 1 else gain[:, None])
    offset = before.offset * gain
    return Affine(
        gain if inner is None else inner, before.scale, offset if bias is None else offset + bias
    )


_FOLDS: dict[str, Callable[[Affine, Call], Affine]] = {
    "linear": _linear,
    "conv2d": _convolution,
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
}
