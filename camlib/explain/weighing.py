"""The general form: weigh the feature maps of any layers by the gradients of scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from camlib.errors import describe
from camlib.explain.backward import gradients
from camlib.explain.cut import run_cut
from camlib.explain.layers import Place
from camlib.explain.methods import GradientMaps, Method, check_gradients
from camlib.explain.targets import Target
from camlib.explain.tokens import reshaping
from camlib.gradients import weighted_maps
from camlib.head.layout import run_in_fast_layout
from camlib.head.modes import in_full_precision

Reshape = Callable[[Tensor], Tensor]


def maps_from_gradients(
    network: nn.Module,
    images: Tensor,
    target: Target,
    places: Sequence[Place],
    method: Method,
    reshape: Reshape | None = None,
) -> list[GradientMaps]:
    """Run a network that is being evaluated, once, and return the maps of each of the layers."""
    run = run_in_fast_layout(
        network, images, lambda laid_out: run_cut(network, laid_out, places, target)
    )
    scores = run.scores.detach()
    features = [
        _features(output.detach(), place, len(images), reshape)
        for output, place in zip(run.outputs, places, strict=True)
    ]
    weights: list[list[Tensor]] = [[] for _ in places]
    with in_full_precision(images.device):
        for of_layers in gradients(run):
            for layer, gradient in enumerate(of_layers):
                wide = _laid_out(gradient, reshape).to(features[layer].dtype)
                weights[layer].append(method.weights(wide, features[layer]))
        return [
            _weighed(maps, torch.cat(pieces).transpose(0, 1), scores, place)
            for maps, pieces, place in zip(features, weights, places, strict=True)
        ]


def _weighed(features: Tensor, weights: Tensor, scores: Tensor, place: Place) -> GradientMaps:
    check_gradients(weights)
    maps = weighted_maps(features, weights)
    return GradientMaps(maps, scores.to(maps.dtype), place.label, closed_form=False)


def _features(output: Tensor, place: Place, n: int, reshape: Reshape | None) -> Tensor:
    """Return a layer's output as feature maps (n, k, h, w), in float32 or finer."""
    maps = output if reshape is None else reshape(output)
    if isinstance(maps, Tensor) and maps.ndim == 4 and len(maps) == n and maps.numel():
        return maps.to(torch.promote_types(maps.dtype, torch.float32))
    if reshape is not None:
        raise ValueError(
            f"reshape: expected a function that returns feature maps of shape ({n}, k, h, w), got "
            f"{describe(maps)} from {describe(output)}. Make the last two axes the picture's rows and "
            "columns."
        )
    cure = "Choose a layer before the places are pooled or flattened."
    if output.ndim == 3:
        cure = f"Its {output.shape[1]} tokens have no rows and columns: {reshaping(output)}"
    raise ValueError(
        f"layer: expected an output of shape ({n}, k, h, w), got {describe(output)} from "
        f"{place.label!r}. {cure}"
    )


def _laid_out(gradient: Tensor, reshape: Reshape | None) -> Tensor:
    """Return gradients of an output, shape (t, n, ...), as those of its feature maps."""
    if reshape is None:
        return gradient
    maps = reshape(gradient.flatten(0, 1))
    maps = maps.reshape(*gradient.shape[:2], *maps.shape[1:])
    if gradient.any() and not maps.any():
        raise ValueError(
            "reshape: expected places on which the score depends, got gradients of exactly 0 at all "
            "of them: the score reads only what reshape leaves out, such as the class token. Choose "
            "a layer in front of the last attention, such as its normalisation."
        )
    return maps
