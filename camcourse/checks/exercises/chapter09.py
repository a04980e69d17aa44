"""Chapter 9: Grad-CAM's weights, its map, and a target that asks for a difference."""

from __future__ import annotations

import torch
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise
from camlib.gradients import grad_cam_weights, weighted_maps


def _gradients() -> Cases:
    two = torch.tensor([[[[3.0, -1], [1, 1]], [[0, 0], [0, -2]]]])
    row = torch.tensor([[[[8.0, 0, -2, 4]]], [[[1, 1, 1, 1]]]])
    return {
        "two feature maps of 2 × 2 cells": (two,),
        "two pictures, one feature map each, cells in one row": (row,),
        "maps that are wider than high": (torch.arange(-6.0, 6).reshape(1, 2, 2, 3) ** 3,),
    }


def _where_not_zero(gradients: Tensor) -> Tensor:
    return gradients.sum((-2, -1)) / (gradients != 0).sum((-2, -1)).clamp(min=1)


def grad_cam_map(features: Tensor, gradients: Tensor) -> Tensor:
    """Add up the feature maps, each multiplied by the mean of its gradient."""
    return weighted_maps(features, grad_cam_weights(gradients)[:, None])[:, 0]


def _pairs() -> Cases:
    features = torch.tensor([[[[4.0, 2], [0, 2]], [[0, 1], [8, 3]]]])
    slopes = torch.tensor([[[[3.0, -1], [1, 0]], [[0, 1], [-2, 0]]]])
    batch = torch.arange(12.0).reshape(2, 2, 1, 3)
    return {
        "the two feature maps of the text, gradients that differ by place": (features, slopes),
        "two pictures, each with weights of its own": (batch, (batch - 5) ** 2 - 10),
        "features with negative values": (features - 3, slopes * 2),
    }


def _weighted(weights: Tensor, features: Tensor) -> Tensor:
    """Multiply each feature map by its weight, and keep the channels apart."""
    return weights[..., None, None] * features


def _cut_each(features: Tensor, gradients: Tensor) -> Tensor:
    return _weighted(grad_cam_weights(gradients), features).relu().sum(1)


def _weights_of_all(features: Tensor, gradients: Tensor) -> Tensor:
    return _weighted(gradients.mean((0, 2, 3)), features).sum(1)


def logit_difference(logits: Tensor, a: int, b: int) -> Tensor:
    """Subtract one class's logit from another's, for each picture."""
    return logits[:, a] - logits[:, b]


def _logits() -> Cases:
    two = torch.tensor([[5.0, 2.0, 9.0], [1.0, 8.0, 4.0]])
    return {
        "two pictures of three classes": (two, 0, 1),
        "the classes the other way round": (two, 2, 0),
        "a single picture": (torch.tensor([[0.5, -1.5, 0.25, 3.0]]), 3, 1),
    }


EXERCISES = (
    Exercise(
        "grad_cam_weights",
        grad_cam_weights,
        _gradients,
        {
            "you added the gradients up; Grad-CAM takes their mean over the places of a map.": (
                lambda gradients: gradients.sum((-2, -1))
            ),
            "you averaged over the feature maps. Each of them gets a weight: the mean goes over "
            "the last two axes.": lambda gradients: gradients.mean(1),
            "you averaged over the pictures of the batch as well; each picture has gradients of "
            "its own.": lambda gradients: gradients.mean((0, 2, 3)),
            "you dropped the negative gradients. They speak against the class and belong to the "
            "mean; without them it is nearly Grad-CAM++.": (
                lambda gradients: gradients.relu().mean((-2, -1))
            ),
            "you averaged magnitudes (abs). A gradient's sign says whether the map speaks for "
            "the class or against it.": lambda gradients: gradients.abs().mean((-2, -1)),
            "you took the largest gradient; Grad-CAM takes the mean.": (
                lambda gradients: gradients.amax((-2, -1))
            ),
            "you averaged over the places with a gradient alone. Those with 0 count as well: "
            "divide by h · w.": _where_not_zero,
            "you kept the two axes with one cell each (keepdim); drop them.": (
                lambda gradients: gradients.mean((-2, -1), keepdim=True)
            ),
        },
    ),
    Exercise(
        "grad_cam_map",
        grad_cam_map,
        _pairs,
        {
            "you multiplied gradients and features place by place. That is HiResCAM; Grad-CAM "
            "averages the gradients first.": (
                lambda features, gradients: (gradients * features).sum(1)
            ),
            "you cut the map at zero. The raw map is wanted, with the evidence against the class.": (
                lambda features, gradients: grad_cam_map(features, gradients).relu()
            ),
            "you cut each weighted feature map at zero before the sum. Then nothing can speak "
            "against the class; a ReLU comes after the sum, if at all.": _cut_each,
            "you added the gradients up for the weights; take their mean.": (
                lambda features, gradients: _weighted(gradients.sum((2, 3)), features).sum(1)
            ),
            "you dropped the negative gradients before the mean; they belong to it.": (
                lambda features, gradients: grad_cam_map(features, gradients.relu())
            ),
            "you dropped the weights' signs (abs): channels that speak against the class are "
            "subtracted.": (
                lambda features, gradients: _weighted(
                    grad_cam_weights(gradients).abs(), features
                ).sum(1)
            ),
            "you exchanged the two: the weights come from the gradients, the maps are the "
            "features.": lambda features, gradients: grad_cam_map(gradients, features),
            "you averaged over the channels; the weighted feature maps are added up.": (
                lambda features, gradients: _weighted(grad_cam_weights(gradients), features).mean(1)
            ),
            "you weighed the feature maps and did not add them up: sum over the channels.": (
                lambda features, gradients: _weighted(grad_cam_weights(gradients), features)
            ),
            "you gave all pictures the same weights, the batch's mean; each has its own.": _weights_of_all,
        },
    ),
    Exercise(
        "logit_difference",
        logit_difference,
        _logits,
        {
            "you subtracted two pictures. The first axis counts pictures, the second classes: "
            "logits[:, a].": lambda logits, a, b: logits[a] - logits[b],
            "you subtracted the other way round; what speaks for a counts positively.": (
                lambda logits, a, b: logit_difference(logits, b, a)
            ),
            "you subtracted probabilities (softmax). Subtract the logits themselves.": (
                lambda logits, a, b: logit_difference(logits.softmax(1), a, b)
            ),
            "you subtracted probabilities (sigmoid). Subtract the logits themselves.": (
                lambda logits, a, b: logit_difference(logits.sigmoid(), a, b)
            ),
            "you dropped the sign (abs): it says which of the two classes leads.": (
                lambda logits, a, b: logit_difference(logits, a, b).abs()
            ),
            "you kept the axis of the classes; one number for each picture is wanted.": (
                lambda logits, a, b: logits[:, [a]] - logits[:, [b]]
            ),
            "you added up over the pictures; each keeps its own difference.": (
                lambda logits, a, b: logit_difference(logits, a, b).sum()
            ),
        },
    ),
)
