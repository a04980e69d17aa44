"""Grad-CAM and Grad-CAM++ as two ways to weigh feature maps: by gradients, or by a linear head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from camlib.errors import check_finite, describe, warn
from camlib.explain.default_layer import reshaping
from camlib.explain.gradient_run import gradients, run_cut
from camlib.explain.layers import Place
from camlib.explain.targets import Target
from camlib.gradients import (
    grad_cam_plus_plus_weights,
    grad_cam_weights,
    pooled_plus_plus_weights,
    weighted_maps,
)
from camlib.head.head import FoundHead
from camlib.pooling import global_average_pool
from camlib.running import Run, call, in_full_precision, run_in_fast_layout

Reshape = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class GradientMaps:
    """One map for every picture and target, made by weighing a layer's feature maps.

    Attributes
    ----------
    maps
        Shape ``(n, t, *places)``: raw, that is signed and unscaled; neither a ReLU nor any other step
        towards display has been taken.
    scores
        What is explained, shape (n, t): logits, or what the target function returned.
    layer
        The name of the layer whose feature maps were weighed.
    closed_form
        Whether the weights were taken from the network's head, so that no gradient was computed.
    """

    maps: Float[Tensor, "n t *places"]
    scores: Float[Tensor, "n t"]
    layer: str
    closed_form: bool

    @property
    def has_positive(self) -> Bool[Tensor, "n t"]:
        """Say of each map whether any place speaks for its target, that is whether one is positive."""
        return (self.maps > 0).flatten(2).any(2)


@dataclass(frozen=True)
class Method:
    """Two ways to the same map: from gradients, and from a head that is linear in averages.

    ``weights`` takes gradients (t, n, k, *places) and features (n, k, *places); ``closed`` takes the
    head and the target.
    """

    weights: Callable[[Tensor, Tensor], Tensor]
    closed: Callable[[FoundHead, Target], Float[Tensor, "n t *places"]]


def _average(gradient: Tensor, features: Tensor) -> Tensor:
    return grad_cam_weights(gradient, places=features.ndim - 2)


def _plus_plus(gradient: Tensor, features: Tensor) -> Tensor:
    return grad_cam_plus_plus_weights(gradient, features, places=features.ndim - 2)


def _cam_over_places(head: FoundHead, target: Target) -> Tensor:
    """Divide CAM's maps by the number of places: each one's gradient is the weight divided by that."""
    return _cam(head, target) / head.features.shape[2:].numel()


def _cam(head: FoundHead, target: Target) -> Tensor:
    if target.score is not None:
        slopes = _slopes(head.logits, target).to(head.exact)
        return torch.einsum("nc,nc...->n...", slopes, _proven(head, None))[:, None]
    # All maps are made faster than the weights of so many classes are copied.
    if target.indices is None or 2 * target.indices.shape[-1] > head.logits.shape[1]:
        return target.of(_proven(head, None))
    classes = target.classes(head.logits)
    if classes.ndim == 1:
        return _proven(head, classes)
    several, places = torch.unique(classes, return_inverse=True)
    rows = torch.arange(len(classes), device=classes.device)[:, None]
    return _proven(head, several)[rows, places]


def _proven(head: FoundHead, classes: Tensor | None) -> Tensor:
    maps, offset, logits = head.maps(classes), head.offset, head.logits.to(head.exact)
    if classes is not None:
        offset, logits = offset.index_select(1, classes), logits.index_select(1, classes)
    head.prove(maps, offset, logits)
    return maps


def _plus_plus_pooled(head: FoundHead, target: Target) -> Tensor:
    features, weight = head.features.to(head.exact), head.weight.to(head.exact)
    pooled = global_average_pool(features)
    head.prove(pooled @ weight.T, head.offset, head.logits.to(head.exact))
    if target.score is not None:
        rows = (_slopes(head.logits, target).to(head.exact) @ weight)[:, None]
    elif target.indices is None:
        rows = weight
    else:
        rows = weight[target.classes(head.logits)]
    rows = rows.expand(len(features), -1, -1)
    return weighted_maps(features, pooled_plus_plus_weights(rows, pooled[:, None]))


GRAD_CAM = Method(_average, _cam_over_places)
GRAD_CAM_PLUS_PLUS = Method(_plus_plus, _plus_plus_pooled)


def maps_from_head(head: FoundHead, target: Target, method: Method) -> GradientMaps:
    """Return the maps of a network whose logits are linear in averaged features."""
    with in_full_precision(head.logits.device):
        # The logits have been checked when the head was found; a target function may write to them.
        if target.score is None:
            scores = target.of(head.logits)
        else:
            scores = target.scores(head.logits.clone())
        maps = method.closed(head, target)
    layer = head.layer or "(the averaged features)"
    return GradientMaps(maps, scores.to(head.exact), layer, closed_form=True)


def _slopes(logits: Tensor, target: Target) -> Tensor:
    """Differentiate a score with respect to the logits: all of the network that needs a graph."""
    leaf = logits.clone().requires_grad_()
    with torch.enable_grad():
        score = target.scores(leaf.clone()).sum()
    found = None
    if score.requires_grad:
        (found,) = torch.autograd.grad(score, leaf, allow_unused=True)
    if found is None:
        raise ValueError(
            "target: expected a score with a gradient, got one that does not depend on the network's "
            "output, or only by detach, argmax or rounding. Return a number taken from the output."
        )
    _check_gradients(found)
    _warn_of_zeros(found[:, None])
    return found


def maps_from_gradients(
    network: nn.Module,
    images: Tensor,
    target: Target,
    places: Sequence[Place],
    method: Method,
    run: Run,
    reshape: Reshape | None = None,
) -> list[GradientMaps]:
    """Run a network that is being evaluated, once, and return the maps of each of the layers."""
    found = run_in_fast_layout(
        network, images, lambda laid_out: run_cut(network, laid_out, places, target, run)
    )
    scores = found.scores.detach()
    if run is not call and len(images) > 1:
        _check_order(network, images, target, run, scores)
    features = [
        _features(output.detach(), place, images, reshape)
        for output, place in zip(found.outputs, places, strict=True)
    ]
    weights: list[list[Tensor]] = [[] for _ in places]
    with in_full_precision(images.device):
        for of_layers in gradients(found):
            for layer, gradient in enumerate(of_layers):
                wide = _reshaped(gradient, reshape).to(features[layer].dtype)
                weights[layer].append(method.weights(wide, features[layer]))
        return [
            _weighed(maps, torch.cat(pieces).transpose(0, 1), scores, place)
            for maps, pieces, place in zip(features, weights, places, strict=True)
        ]


def _check_order(
    network: nn.Module, images: Tensor, target: Target, run: Run, scores: Tensor
) -> None:
    """Raise if the last picture alone has another score than the last of all."""
    indices = target.indices
    own = Target(1, indices if indices is None or indices.ndim == 1 else indices[-1:], target.score)
    try:
        alone = own.scores(run(network, images[-1:]))
    except (RuntimeError, ValueError, IndexError):
        return  # it reads all pictures at once, as with a table of as many rows
    if not torch.allclose(alone, scores[-1:], rtol=1e-2, atol=1e-2 * float(scores.abs().max())):
        raise ValueError(
            "run: expected one row for each picture, in the pictures' order and independent of the other "
            "pictures, got another score for the last picture alone. Let run return the rows as the "
            "network gives them."
        )


def _weighed(features: Tensor, weights: Tensor, scores: Tensor, place: Place) -> GradientMaps:
    _check_gradients(weights)
    _warn_of_zeros(weights)
    maps = weighted_maps(features, weights)
    return GradientMaps(maps, scores.to(maps.dtype), place.label, closed_form=False)


def _features(output: Tensor, place: Place, images: Tensor, reshape: Reshape | None) -> Tensor:
    """Return a layer's output as feature maps (n, k, *places), in float32 or finer."""
    n = len(images)
    maps = output if reshape is None else reshape(output)
    if isinstance(maps, Tensor) and maps.ndim == images.ndim and len(maps) == n and maps.numel():
        return maps.to(torch.promote_types(maps.dtype, torch.float32))
    axes = {3: "places", 4: "h, w", 5: "d, h, w"}[images.ndim]
    if reshape is not None:
        raise ValueError(
            f"reshape: expected a function that returns feature maps of shape ({n}, k, {axes}), got "
            f"{describe(maps)} from {describe(output)}. Make the last axes those of the places, as many "
            "as the images have."
        )
    advice = "Choose a layer before the places are pooled or flattened."
    if output.ndim > 2 and len(output) > n and len(output) % n == 0:
        advice = (
            f"Its {len(output) // n} frames of each example can be places: {reshaping(output, n)}"
        )
    elif output.ndim == 3:
        advice = f"Its {output.shape[1]} tokens have no rows and columns: {reshaping(output, n)}"
    raise ValueError(
        f"layer: expected an output of shape ({n}, k, {axes}), got {describe(output)} from "
        f"{place.label!r}. {advice}"
    )


def _reshaped(gradient: Tensor, reshape: Reshape | None) -> Tensor:
    """Return gradients of an output, shape (t, n, ...), as those of its feature maps."""
    if reshape is None:
        return gradient
    maps = torch.stack([reshape(one) for one in gradient])
    if gradient.any() and not maps.any():
        raise ValueError(
            "reshape: expected places on which the score depends, got gradients of exactly 0 at all "
            "of them: the score reads only what reshape leaves out, such as the class token. Choose "
            "a layer in front of the last attention, such as its normalisation."
        )
    return maps


def _check_gradients(numbers: Tensor) -> None:
    """Raise if gradients, or what was made of them, hold NaN or infinity."""
    advice = (
        "Look for the root or the norm of zero, 0/0, or an overflow of float16: "
        "torch.autograd.detect_anomaly() names the call."
    )
    check_finite("gradients", numbers, advice)


def _warn_of_zeros(weights: Float[Tensor, "n t k"]) -> None:
    """Warn of maps that are zero because no gradient arrives."""
    count = int((weights == 0).all(2).sum())
    if count:
        warn(
            f"gradients: all weights of {count} of {weights.shape[:2].numel()} maps are exactly 0, so "
            "that the maps are 0 too. A softmax or sigmoid in front of the score that is saturated does "
            "that: take the logit; so does a score that a ReLU has cut off."
        )
