"""Chapter 12: an affine step after an affine step is one: normalisation folded, layers merged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise

Layer = tuple[Tensor, Tensor]  # weight and bias


def fold_batch_norm(
    weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor, gamma: Tensor, beta: Tensor, eps: float
) -> Layer:
    """Make one linear layer of a batch normalisation and the linear layer behind it."""
    scale = gamma / (var + eps).sqrt()
    return weight * scale, bias + weight @ (beta - mean * scale)


def _heads() -> Cases:
    def numbers(*values: float) -> Tensor:
        return torch.tensor(values, dtype=torch.float32)

    # var + eps is 2.25 and 9, so that the roots can be taken in the head.
    norm = numbers(2, -1), numbers(2, 8.75), numbers(3, 6), numbers(1, -2), 0.25
    rows = torch.tensor([[1.0, 2], [-1, 0.5], [3, -4]])
    one = numbers(2), numbers(4), numbers(3), numbers(1), 0.0
    return {
        "the network of the exercise with a pencil": (numbers(5)[None], numbers(-1), *one),
        "two channels, two classes": (rows[:2], numbers(0.5, -1), *norm),
        "two channels, three classes": (rows, numbers(0, 2, -3), *norm),
    }


def _scaled_by(scale: Callable[[Tensor, float], Tensor]) -> Callable[..., Layer]:
    """Fold with another idea of what the normalisation divides by."""

    def fold(w: Tensor, b: Tensor, mean: Tensor, var: Tensor, *rest: Tensor) -> Layer:
        gamma, beta, eps = rest
        factor = gamma / scale(var, float(eps))
        return w * factor, b + w @ (beta - mean * factor)

    return fold


def _shifted_by(shift: Callable[..., Tensor]) -> Callable[..., Layer]:
    """Fold with the right weight and another bias."""

    def fold(w: Tensor, b: Tensor, mean: Tensor, var: Tensor, *rest: Tensor) -> Layer:
        gamma, beta, eps = rest
        scale = gamma / (var + eps).sqrt()
        return w * scale, shift(w, b, mean, scale, beta)

    return fold


def _wrong_way(w: Tensor, b: Tensor, mean: Tensor, var: Tensor, *rest: Tensor) -> Layer:
    """As if the linear layer came first, as a convolution does."""
    gamma, beta, eps = rest
    scale = gamma / (var + eps).sqrt()
    return w * scale[:, None], (b - mean) * scale + beta


def _rows_scaled(w: Tensor, b: Tensor, mean: Tensor, var: Tensor, *rest: Tensor) -> Layer:
    gamma, beta, eps = rest
    scale = gamma / (var + eps).sqrt()
    return w * scale[:, None], b + w @ (beta - mean * scale)


def _without_gamma(w: Tensor, b: Tensor, mean: Tensor, var: Tensor, *rest: Tensor) -> Layer:
    _, beta, eps = rest
    scale = 1 / (var + eps).sqrt()
    return w * scale, b + w @ (beta - mean * scale)


def merge_linear_layers(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    """Make one linear layer of two: first w1 and b1, then w2 and b2."""
    return w2 @ w1, w2 @ b1 + b2


def _layers() -> Cases:
    def layer(*rows: list[float]) -> Tensor:
        return torch.tensor(rows)

    number = layer([2.0]), torch.tensor([3.0]), layer([4.0]), torch.tensor([1.0])
    square = layer([1.0, 2.0], [0.0, 1.0]), layer([3.0, 0.0], [1.0, -1.0])
    wide = layer([1.0, 0.0, 2.0], [-1.0, 3.0, 0.5]), layer([2.0, 1.0], [0.0, -1.0])
    left, right = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 4.0])
    tall = torch.cat([wide[1], layer([1.0, 1.0], [4.0, -2.0])])
    return {
        "one number in, one out": number,
        "two numbers all the way": (square[0], left, square[1], right),
        "three numbers, then two, then four": (wide[0], left, tall, torch.ones(4)),
    }


FOLD = Exercise(
    "fold_batch_norm",
    fold_batch_norm,
    _heads,
    {
        "you divided by the variance; a normalisation divides by its root.": _scaled_by(
            lambda var, eps: var + eps
        ),
        "you forgot eps: it is added to the variance.": _scaled_by(lambda var, eps: var.sqrt()),
        "you added eps to the root; it is added to the variance, under the root.": _scaled_by(
            lambda var, eps: var.sqrt() + eps
        ),
        "you folded as if the linear layer came first, as it is done for a convolution. Here "
        "the normalisation comes first.": _wrong_way,
        "you scaled the rows of weight. A row belongs to a class; the normalisation acts on the "
        "channels, which are the columns.": _rows_scaled,
        "you left gamma out: it multiplies what has been normalised.": _without_gamma,
        "you left the mean out of the bias. It is taken away from every picture alike, so it "
        "becomes a part of the bias.": _shifted_by(lambda w, b, mean, scale, beta: b + w @ beta),
        "you took the mean away as it is. It is scaled first, as everything that goes through "
        "the normalisation.": _shifted_by(lambda w, b, mean, scale, beta: b + w @ (beta - mean)),
        "you added the mean's part; the normalisation takes the mean away.": _shifted_by(
            lambda w, b, mean, scale, beta: b + w @ (beta + mean * scale)
        ),
        "you added the normalisation's shift to the bias as it is. It goes through the linear "
        "layer first: multiply it by weight.": _shifted_by(
            lambda w, b, mean, scale, beta: b + beta - mean * scale
        ),
        "you lost the linear layer's own bias.": _shifted_by(
            lambda w, b, mean, scale, beta: w @ (beta - mean * scale)
        ),
    },
)

MERGE = Exercise(
    "merge_linear_layers",
    merge_linear_layers,
    _layers,
    {
        "you multiplied the matrices in the order in which the layers come. What comes first "
        "stands on the right: w2 @ w1.": lambda w1, b1, w2, b2: (w1 @ w2, w2 @ b1 + b2),
        "you merged them the other way round: w1 and b1 come first.": (
            lambda w1, b1, w2, b2: merge_linear_layers(w2, b2, w1, b1)
        ),
        "you added the two biases. The first one goes through the second layer: w2 @ b1 + b2.": (
            lambda w1, b1, w2, b2: (w2 @ w1, b1 + b2)
        ),
        "you lost the first bias. It goes through the second layer: w2 @ b1 + b2.": (
            lambda w1, b1, w2, b2: (w2 @ w1, b2)
        ),
        "you lost the second bias; it is added at the end.": (
            lambda w1, b1, w2, b2: (w2 @ w1, w2 @ b1)
        ),
        "you added the weights. One layer after the other is a product: w2 @ w1.": (
            lambda w1, b1, w2, b2: (w1 + w2, w2 @ b1 + b2)
        ),
        "you multiplied number by number (*). One layer after the other is a matrix product (@).": (
            lambda w1, b1, w2, b2: (w2 * w1, w2 @ b1 + b2)
        ),
    },
)

EXERCISES = (FOLD, MERGE)
