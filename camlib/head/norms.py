"""Normalisers of the pooled vector: affine, and exact, with their statistics held."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.head.affine import Affine, NotAffineError, gain, matrix
from camlib.head.calls import Call


def rms_norm(before: Affine, call: Call) -> Affine:
    """g·v / sqrt(mean(v²) + eps), where the root is held."""
    vector = _whole_vector(before, call)
    if math.prod(call.argument(1, "normalized_shape")) != vector.shape[1]:
        raise NotAffineError
    eps, weight = call.argument(3, "eps"), call.argument(2, "weight")
    if eps is None:  # as torch fills it in
        eps = torch.finfo(call.source.dtype).eps
    normal = _held(before, (vector.square().mean(1, keepdim=True) + eps).rsqrt())
    return normal if weight is None else gain(normal, weight.flatten())


def normalize(before: Affine, call: Call) -> Affine:
    """v / max(|v|, eps), where the norm is held."""
    axis = call.argument(2, "dim", 1)
    vector = _whole_vector(before, call)
    if axis in (0, -call.source.ndim) or call.source.shape[axis] != vector.shape[1]:
        raise NotAffineError
    norm = vector.norm(call.argument(1, "p", 2.0), dim=1, keepdim=True)
    return _held(before, 1 / norm.clamp_min(call.argument(3, "eps", 1e-12)))


def cosine_similarity(before: Affine, call: Call) -> Affine:
    """v·w / (|v| |w|) for v of shape (n, 1, k) and the classes' w of shape (c, k), |v| held."""
    first, second = call.argument(0, "x1"), call.argument(1, "x2")
    weight, eps = (second if first is call.source else first), call.argument(3, "eps", 1e-8)
    vector = _whole_vector(before, call)
    along_channels = call.argument(2, "dim", 1) in (2, -1) and call.source.ndim == 3
    if not along_channels or weight.shape[-1] != vector.shape[1] or weight.shape[:-2].numel() != 1:
        raise NotAffineError
    rows = weight.reshape(-1, vector.shape[1])
    rows = rows / rows.norm(dim=1, keepdim=True).clamp_min(eps)
    return _held(matrix(before, rows, None), 1 / vector.norm(dim=1, keepdim=True).clamp_min(eps))


def _whole_vector(before: Affine, call: Call) -> Float[Tensor, "n k"]:
    return call.source.flatten(1).to(before.exact)


def _held(before: Affine, by: Float[Tensor, "n 1"]) -> Affine:
    return replace(gain(before, by), held=True)
