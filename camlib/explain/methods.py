"""Grad-CAM and Grad-CAM++ as two ways to weigh feature maps, and what comes of either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from camlib.errors import check_finite
from camlib.gradients import (
    grad_cam_plus_plus_weights,
    grad_cam_weights,
    pooled_plus_plus_weights,
    weighted_maps,
)
from camlib.pooling import global_average_pool


@dataclass(frozen=True)
class GradientMaps:
    """One map for every picture and target, made by weighing a layer's feature maps.

    Attributes
    ----------
    maps
        Shape (n, t, h, w): raw, that is signed and unscaled; neither a ReLU nor any other step
        towards display has been taken.
    scores
        What is explained, shape (n, t): logits, or what the target function returned.
    layer
        The name of the layer whose feature maps were weighed.
    closed_form
        Whether the weights were read off the network's head, so that no gradient was computed.
    """

    maps: Float[Tensor, "n t h w"]
    scores: Float[Tensor, "n t"]
    layer: str
    closed_form: bool

    @property
    def has_positive(self) -> Bool[Tensor, "n t"]:
        """Say of each map whether any place speaks for its target, that is whether one is positive."""
        return (self.maps > 0).any(dim=(2, 3))


@dataclass(frozen=True)
class Method:
    """Two ways to the same map: from gradients, and from the weights of a linear score.

    ``weights`` takes gradients (t, n, k, h, w) and features (n, k, h, w); ``closed`` takes features,
    the linear weights (n, t, k) in two factors, and the class activation maps that they make.
    """

    weights: Callable[[Tensor, Tensor], Tensor]
    closed: Callable[[Tensor, tuple[Tensor, Tensor], Tensor], Tensor]


def _average(gradients: Tensor, _: Tensor) -> Tensor:
    return grad_cam_weights(gradients)


def _same_as_cam(_: Tensor, __: tuple[Tensor, Tensor], maps: Tensor) -> Tensor:
    """Divide CAM's maps by h·w: at each place the gradient is the weight divided by that."""
    return maps.div_(maps[0, 0].numel())  # made for this alone


def _plus_plus_pooled(features: Tensor, factors: tuple[Tensor, Tensor], _: Tensor) -> Tensor:
    weight, scale = factors
    pooled = global_average_pool(features)[:, None]  # (n, 1, k): the same for all targets
    # Most heads have no scale, and the weights of 1000 classes are millions of numbers.
    slopes = weight * scale if (scale != 1).any() else weight.expand(len(scale), -1, -1)
    return weighted_maps(features, pooled_plus_plus_weights(slopes, pooled))


GRAD_CAM = Method(_average, _same_as_cam)
GRAD_CAM_PLUS_PLUS = Method(grad_cam_plus_plus_weights, _plus_plus_pooled)


def check_gradients(numbers: Tensor) -> None:
    """Raise if gradients, or what was made of them, hold NaN or infinity."""
    cure = (
        "Look for the root or the norm of zero, 0/0, or an overflow of float16: "
        "torch.autograd.detect_anomaly() names the call."
    )
    check_finite("gradients", numbers, cure)
