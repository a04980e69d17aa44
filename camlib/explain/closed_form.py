"""Grad-CAM and Grad-CAM++ without a gradient, where logits are affine in averaged features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.explain.cam import proven_maps
from camlib.explain.gradient_maps import GradientMaps, check_gradients
from camlib.explain.targets import Target
from camlib.gradients import pooled_plus_plus_weights, weighted_maps
from camlib.head.head import FoundHead
from camlib.pooling import global_average_pool
from camlib.running import in_full_precision

ClosedForm = Callable[[FoundHead, Target], Float[Tensor, "n t *places"]]


def maps_from_head(head: FoundHead, target: Target, closed_form: ClosedForm) -> GradientMaps:
    """Return the maps of a network whose logits are affine in averaged features."""
    with in_full_precision(head.logits.device):
        # The logits have been checked when the head was found; a target function may write to them.
        if target.score is None:
            scores = target.of(head.logits)
        else:
            scores = target.scores(head.logits.clone())
        maps = closed_form(head, target)
    layer = head.layer or "(the averaged features)"
    return GradientMaps(maps, scores.to(head.exact), layer, closed_form=True)


def grad_cam_of_head(head: FoundHead, target: Target) -> Float[Tensor, "n t *places"]:
    """Divide CAM's maps by the number of places m: the gradient at each is the weight divided by m."""
    return _cam(head, target) / head.features.shape[2:].numel()


def _cam(head: FoundHead, target: Target) -> Float[Tensor, "n t *places"]:
    if target.score is not None:
        maps, _, _ = proven_maps(head, None)
        return torch.einsum("nc,nc...->n...", _logit_gradients(head, target), maps)[:, None]
    # All maps are made faster than the weights of so many classes are copied.
    if target.indices is None or 2 * target.indices.shape[-1] > head.logits.shape[1]:
        return target.of(proven_maps(head, None)[0])
    classes = target.classes(head.logits)
    if classes.ndim == 1:
        return proven_maps(head, classes)[0]
    distinct, positions = torch.unique(classes, return_inverse=True)
    return replace(target, indices=positions).of(proven_maps(head, distinct)[0])


def plus_plus_of_head(head: FoundHead, target: Target) -> Float[Tensor, "n t *places"]:
    """Weigh the features by ReLU(w)/(2 + w F), F the averaged features."""
    features, weight = head.features.to(head.exact), head.weight.to(head.exact)
    pooled = global_average_pool(features)
    head.prove(pooled @ weight.T, head.offset, head.logits.to(head.exact))
    if target.score is not None:
        rows = (_logit_gradients(head, target) @ weight)[:, None]
    else:
        rows = weight if target.indices is None else weight[target.classes(head.logits)]
    rows = rows.expand(len(features), -1, -1)
    return weighted_maps(features, pooled_plus_plus_weights(rows, pooled[:, None]))


def _logit_gradients(head: FoundHead, target: Target) -> Float[Tensor, "n c"]:
    """Differentiate a score with respect to the logits: all of the network that needs a graph."""
    leaf = head.logits.clone().requires_grad_()
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
    check_gradients(found[:, None])
    return found.to(head.exact)
