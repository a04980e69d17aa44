"""Feature maps of layers, weighted by the gradients of scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from camlib.errors import check_finite, describe, warn
from camlib.explain.backward import Forward, gradients, run_forward
from camlib.explain.layers import LayerCall, reshape_advice
from camlib.explain.targets import Request
from camlib.gradients import weighted_maps
from camlib.running import call, in_full_precision, run_in_fast_layout

Reshape = Callable[[Tensor], Tensor]
# From gradients (t, n, k, *places) and features (n, k, *places) to weights (t, n, k).
Weighting = Callable[[Tensor, Tensor], Tensor]


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


def maps_from_gradients(
    request: Request,
    layers: Sequence[LayerCall],
    weighting: Weighting,
    reshape: Reshape | None = None,
) -> list[GradientMaps]:
    """Run a network that is in evaluation mode, once, and return the maps of each of the layers."""
    images = request.images

    def run(laid_out: Tensor) -> Forward:
        return run_forward(replace(request, images=laid_out), layers)

    forward = run_in_fast_layout(request.network, images, run)
    scores = forward.scores.detach()
    if request.run is not call and len(images) > 1:
        _check_order(request, scores)
    features = [
        _feature_maps(output.detach(), layer, images, reshape)
        for output, layer in zip(forward.outputs, layers, strict=True)
    ]
    weights: list[list[Tensor]] = [[] for _ in layers]
    with in_full_precision(images.device):
        for chunk in gradients(forward):
            for maps, gradient, chunks in zip(features, chunk, weights, strict=True):
                chunks.append(weighting(_reshaped(gradient, reshape).to(maps.dtype), maps))
        results = []
        for layer, maps, chunks in zip(layers, features, weights, strict=True):
            joined = torch.cat(chunks).transpose(0, 1)
            check_gradients(joined)
            weighted = weighted_maps(maps, joined)
            results.append(GradientMaps(weighted, scores.to(maps.dtype), layer.label, False))
    return results


def _check_order(request: Request, scores: Float[Tensor, "n t"]) -> None:
    """Raise if the last picture alone has another score than the last of all."""
    last = request.part(slice(-1, None))
    try:
        alone = last.scores(last.images)
    except (RuntimeError, ValueError, IndexError):
        return  # it reads all pictures at once, as with a table of as many rows
    if not torch.allclose(alone, scores[-1:], rtol=1e-2, atol=1e-2 * float(scores.abs().max())):
        raise ValueError(
            "run: expected one row for each picture, in the pictures' order and independent of the other "
            "pictures, got another score for the last picture alone. Let run return the rows as the "
            "network gives them."
        )


def _feature_maps(
    output: Tensor, layer: LayerCall, images: Tensor, reshape: Reshape | None
) -> Float[Tensor, "n k *places"]:
    """Return a layer's output as feature maps, in float32 or finer."""
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
        advice = f"Its {len(output) // n} frames of each example can be places: {reshape_advice(output, n)}"
    elif output.ndim == 3:
        advice = (
            f"Its {output.shape[1]} tokens have no rows and columns: {reshape_advice(output, n)}"
        )
    raise ValueError(
        f"layer: expected an output of shape ({n}, k, {axes}), got {describe(output)} from "
        f"{layer.label!r}. {advice}"
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


def check_gradients(weights: Float[Tensor, "n t k"]) -> None:
    """Raise for NaN or infinity, and warn of maps that are zero because no gradient arrives."""
    advice = (
        "Look for the root or the norm of zero, 0/0, or an overflow of float16: "
        "torch.autograd.detect_anomaly() names the call."
    )
    check_finite("gradients", weights, advice)
    count = int((weights == 0).all(2).sum())
    if count:
        warn(
            f"gradients: all weights of {count} of {weights.shape[:2].numel()} maps are exactly 0, so "
            "that the maps are 0 too. A softmax or sigmoid in front of the score that is saturated does "
            "that: take the logit; so does a score that a ReLU has cut off."
        )
