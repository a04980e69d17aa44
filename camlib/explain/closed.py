"""The closed form: behind features that are averaged, a score's gradient is the head's weight."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from camlib.explain.methods import GradientMaps, Method, check_gradients
from camlib.explain.proof import proven_maps
from camlib.explain.targets import Target
from camlib.head import Head
from camlib.head.modes import in_full_precision


def maps_from_head(head: Head, target: Target, method: Method, layer: str) -> GradientMaps:
    """Return the maps of a network whose logits are linear in averaged features."""
    if target.indices is not None and 2 * target.indices.shape[-1] > head.logits.shape[1]:
        # All maps are made sooner than the weights of so many classes are copied.
        every = maps_from_head(head, Target(target.n), method, layer)
        return replace(every, maps=target.of(every.maps), scores=target.of(every.scores))
    exact = torch.promote_types(head.features.dtype, torch.float32)
    with in_full_precision(head.logits.device):
        # The logits have been checked when the head was found.
        said = head.logits if target.score is None else head.logits.clone()  # it may write to them
        scores = (target.of if target.score is None else target.scores)(said).to(exact)
        weight, offset, logits = _linear_score(head, target, exact)
        maps = proven_maps(head, weight, offset, logits)
        factors = weight, head.scale[:, :, None].to(exact)
        maps = method.closed(head.features.to(exact), factors, maps)
    return GradientMaps(maps, scores, layer, closed_form=True)


def _linear_score(head: Head, target: Target, exact: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Return weight (t, k) or (n, t, k), offset and value (n, t) of the score's linear part."""
    parts = [part.to(exact) for part in (head.weight, head.offset, head.logits)]
    weight, offset, logits = parts
    if target.score is not None:
        slopes = _slopes(head.logits, target).to(exact)[:, None]  # (n, 1, c)
        return (
            slopes @ weight,
            (slopes @ offset[:, :, None])[..., 0],
            (slopes @ logits[:, :, None])[..., 0],
        )
    if target.indices is None:
        return weight, offset, logits
    classes = target.classes(logits)
    if classes.ndim == 1:
        return weight[classes], offset[:, classes], logits[:, classes]
    return weight[classes], offset.gather(1, classes), logits.gather(1, classes)


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
    check_gradients(found)
    return found
