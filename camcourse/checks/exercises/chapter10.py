"""Chapter 10: Grad-CAM++'s weights, by equation 19 and where features are averaged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise
from camlib import gradients as formulas
from camlib.gradients import grad_cam_plus_plus_weights

PLACES = (-2, -1)


def _layers() -> Cases:
    table = torch.tensor([[[[4.0, 1], [0, -2]]]]), torch.tensor([[[[0.0, 1], [1, 0]]]])
    small = torch.tensor([[[[2e-3, -1e-3, 5e-4]]]]), torch.tensor([[[[30.0, 0, 20]]]])
    boots = torch.tensor([[[[1.0, 1], [1, 0]], [[0, 0], [0, 1]]]])
    batch = torch.arange(12.0).reshape(2, 2, 1, 3)
    return {
        "the table of the text, where one gradient is 0": table,
        "the two boots: two feature maps of one picture": (boots, boots),
        "two pictures, maps wider than high": (batch % 5 - 1, batch % 4),
        "gradients as small as real ones": small,
    }


def _damped(gradients: Tensor, total: Tensor, two: float = 2.0) -> Tensor:
    """Sum ReLU(g)/(2 + gΣ) over the places, without a case of its own for g ≤ 0."""
    positive = gradients.relu()
    below = torch.where(positive > 0, two + positive * total, 1.0)
    return (positive / below).sum(PLACES)


def _misplaced(gradients: Tensor, features: Tensor) -> Tensor:
    cubes = (gradients**3 * features).sum(PLACES, keepdim=True)
    alpha = torch.where(gradients == 0, 0.0, gradients**2 / (2 * gradients**2 + cubes))
    return (alpha * gradients.relu()).sum(PLACES)


def _with_epsilon(epsilon: float) -> Callable[..., Tensor]:
    def weights(gradients: Tensor, features: Tensor) -> Tensor:
        square, total = gradients**2, features.sum(PLACES, keepdim=True)
        alpha = square / (2 * square + gradients**3 * total + epsilon)
        return (alpha * gradients.relu()).sum(PLACES)

    return weights


def _signed(gradients: Tensor, features: Tensor) -> Tensor:
    below = 2 + gradients * features.sum(PLACES, keepdim=True)
    return (gradients / below).sum(PLACES)


def _mean_of_features(gradients: Tensor, features: Tensor) -> Tensor:
    return _damped(gradients, features.mean(PLACES, keepdim=True))


def _sum_of_all_channels(gradients: Tensor, features: Tensor) -> Tensor:
    return _damped(gradients, features.sum((1, 2, 3), keepdim=True))


def pooled_plus_plus_weights(weight: Tensor, pooled: Tensor, factor: float) -> Tensor:
    """Weigh each channel for a score of so many times the logit: the gradient has that factor."""
    return formulas.pooled_plus_plus_weights(factor * weight, pooled)


def _heads() -> Cases:
    pencil = torch.tensor([4.0, 4, -3]), torch.tensor([0.5, 50, 10])
    mixed = torch.tensor([2.0, -1, 0.5]), torch.tensor([1.0, 1, 4])
    return {
        "the three channels of the exercise with a pencil": (*pencil, 1.0),
        "a hundred times the logit": (*mixed, 100.0),
        "a tenth of the logit": (*mixed, 0.1),
    }


def _without_two(weight: Tensor, pooled: Tensor, factor: float) -> Tensor:
    return (weight > 0) / pooled


EXERCISES = (
    Exercise(
        "grad_cam_plus_plus_weights",
        grad_cam_plus_plus_weights,
        _layers,
        {
            "you let negative gradients count. Only ReLU(g) is weighed and added up.": _signed,
            "you put g³ under the sum. The sum runs over the features alone; g belongs to one "
            "place and stays outside.": _misplaced,
            "you left the 2 out of the denominator; the product rule brings it.": (
                lambda gradients, features: _damped(
                    gradients, features.sum(PLACES, keepdim=True), two=0.0
                )
            ),
            "you took the mean of the features; Σ is their sum over the places.": _mean_of_features,
            "you took the sum over all channels; each feature map has a Σ of its own.": _sum_of_all_channels,
            "you averaged over the places at the end; here the places are added up.": (
                lambda gradients, features: (
                    grad_cam_plus_plus_weights(gradients, features) / gradients[0, 0].numel()
                )
            ),
            "you left α out: these are sums of positive gradients.": (
                lambda gradients, features: gradients.relu().sum(PLACES)
            ),
            "these are the weights of Grad-CAM, plain means of the gradients.": (
                lambda gradients, features: gradients.mean(PLACES)
            ),
            "you divided 0 by 0 where the gradient is 0. Divide by g² first: 1/(2 + gΣ) has no "
            "such trouble.": _with_epsilon(0.0),
            "you added a small number to the denominator. It is not small beside g²: divide "
            "by g² first, and none is needed.": tuple(
                map(_with_epsilon, (1e-10, 1e-8, 1e-7, 1e-6, 1e-5))
            ),
        },
    ),
    Exercise(
        "pooled_plus_plus_weights",
        pooled_plus_plus_weights,
        _heads,
        {
            "you left the ReLU out: a channel with a negative weight gets the weight 0.": (
                lambda weight, pooled, factor: factor * weight / (2 + factor * weight * pooled)
            ),
            "you applied the ReLU to the whole fraction. Where 2 + wF is negative as well, a "
            "negative weight comes out positive: apply it to w.": (
                lambda weight, pooled, factor: (
                    factor * weight / (2 + factor * weight * pooled)
                ).relu()
            ),
            "you multiplied the weights of the plain logit by the factor. The gradient stands "
            "in the denominator, too, and has the factor there as well.": (
                lambda weight, pooled, factor: (
                    factor * formulas.pooled_plus_plus_weights(weight, pooled)
                )
            ),
            "you forgot the factor in the numerator; the gradient is factor · w / hw everywhere.": (
                lambda weight, pooled, factor: weight.relu() / (2 + factor * weight * pooled)
            ),
            "you left the factor out altogether.": (
                lambda weight, pooled, factor: formulas.pooled_plus_plus_weights(weight, pooled)
            ),
            "you left the 2 out of the denominator; without it the weight would cancel.": _without_two,
            "you multiplied by the pooled features once more: that is a channel's contribution "
            "to the map's mean, and not its weight.": (
                lambda weight, pooled, factor: (
                    pooled_plus_plus_weights(weight, pooled, factor) * pooled
                )
            ),
        },
    ),
)
