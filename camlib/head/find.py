"""Run a network once and read off its head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camlib.errors import NotCAMReadyError
from camlib.head.affine import Affine, NotAffineError
from camlib.head.calls import tensors_among
from camlib.head.doors import check_images, check_network
from camlib.head.folds import as_affine
from camlib.head.layout import run_in_fast_layout
from camlib.head.modes import evaluating, in_full_precision
from camlib.head.refusal import reason_for_refusal
from camlib.head.runs import Run, on_one_picture, run_from_memory, run_watched
from camlib.head.watch import Tail, version_of


@dataclass(frozen=True)
class Head:
    r"""What a network's head made of one batch: all that a class activation map needs.

    .. math:: \mathrm{logit}_c = s \sum_k w_k^c F_k + o_c, \qquad F_k = \mathrm{mean}(f_k)

    Attributes
    ----------
    features
        The feature maps :math:`f_k` that the network averages, shape (n, k, h, w).
    weight
        The weights :math:`w_k^c`, shape (c, k).
    scale
        The factor :math:`s`, shape (n, 1): 1, except behind a normaliser, where it is one over the
        pooled vector's spread (LayerNorm, RMSNorm) or length (cosine heads), or where the network
        multiplies by a number.
    offset
        The part :math:`o_c` of the logit that no place explains, shape (n, c): the bias.
    logits
        What the network said, shape (n, c).
    rounding
        The coarsest relative rounding on the way from the features to the logits.
    held
        Whether weight, scale and offset hold for this batch only, because a LayerNorm's statistics
        are among them. Otherwise the logits' gradient with respect to the averages is the weight.
    """

    features: Float[Tensor, "n k h w"]
    weight: Float[Tensor, "c k"]
    scale: Float[Tensor, "n 1"]
    offset: Float[Tensor, "n c"]
    logits: Float[Tensor, "n c"]
    rounding: float
    held: bool = False


def find_head(
    network: nn.Module, images: Float[Tensor, "n 3 H W"], *, check_values: bool = True
) -> Head:
    """Run the network once and return the features it averages and the weights it sums them with.

    The network runs in evaluation mode and without gradients; afterwards every module is in the
    mode it was in, and nothing is left attached to it. On a CPU the images may be laid out anew in
    memory, so that the logits equal ``network(images)`` up to rounding.

    Parameters
    ----------
    network
        A classifier whose output is logits of shape (n, c).
    images
        A batch of shape (n, channels, H, W), normalised as the network expects.
    check_values
        Refuse images that look like raw pixels (0 to 255, or 0 to 1). Turn it off for a network
        that was trained on such values.

    Returns
    -------
    Head
        Tensors without a graph: features, weight and logits as the network computed them; folded
        numbers in float32 or finer.

    Raises
    ------
    NotCAMReadyError
        If the logits are not an affine function of globally averaged feature maps; the message
        names the layer in the way.
    TypeError, ValueError
        If the network, the images or the output cannot be used; the message names the cure.

    Notes
    -----
    Zhou et al. 2016, section 2; the exact form for heads that normalise is this package's own.
    """
    check_network(network)
    check_images(images, network, check_values)
    with evaluating(network) as was_training:
        found = look_for_head(network, images)
        if found is None:
            reason = on_one_picture(partial(reason_for_refusal, network), images)
            raise NotCAMReadyError(reason)
        if was_training:  # some layers have other weights then (low-rank adapters)
            found = replace(found, weight=found.weight.clone())
    return found


def look_for_head(network: nn.Module, images: Tensor) -> Head | None:
    """Run a network that is being evaluated, and return its head if it has one."""
    return run_in_fast_layout(network, images, lambda laid_out: _look(network, laid_out))


def _look(network: nn.Module, images: Tensor) -> Head | None:
    """Look where the head was last found; if it is there no longer, look everywhere."""
    run = run_from_memory(network, images)
    head = None if run is None else _read(run)
    return head or _read(run_watched(network, images))


def _read(run: Run) -> Head | None:
    """Turn what was seen into a head, or None if the logits are not affine in an average."""
    tail, logits = run.tail, run.logits
    if tail is None:
        return None
    if version_of(tail.features) != tail.version:
        raise NotCAMReadyError(
            "network: expected feature maps that stay as they were when they were averaged, got some "
            "that are written to in place afterwards. Leave out the in-place call behind the "
            "pooling, for example ReLU(inplace=True)."
        )
    try:
        with in_full_precision(logits.device):
            affine = as_affine(tail.calls, like=tail.features)
    except NotAffineError:
        return None
    return _head(tail.features, affine, logits, _rounding(tail, logits))


def _head(features: Tensor, affine: Affine, logits: Tensor, rounding: float) -> Head:
    n, c = logits.shape
    exact, device = affine.exact, logits.device
    weight, scale, offset = affine.weight, affine.scale, affine.offset
    if weight is None:
        weight = torch.eye(c, dtype=exact, device=device)
    elif weight.ndim == 1:
        weight = torch.diag(weight)
    if scale is None:
        scale = torch.ones(1, 1, dtype=exact, device=device)
    if offset is None:
        offset = torch.zeros(1, 1, dtype=exact, device=device)
    # Parameters are handed out detached, so that a map can never drag the network's graph along.
    return Head(
        features=features.detach(),
        weight=weight.detach(),
        scale=scale.detach().expand(n, 1),
        offset=offset.detach().expand(n, c),
        logits=logits.detach(),
        rounding=rounding,
        held=affine.held,
    )


def _rounding(tail: Tail, logits: Tensor) -> float:
    seen = [tail.features, logits]
    for call in tail.calls:
        seen += tensors_among(call.args, call.kwargs)
    coarsest = max(torch.finfo(tensor.dtype).eps for tensor in seen if tensor.is_floating_point())
    if logits.is_cuda:  # which may multiply float32 numbers with 10 bits only
        convolves = any(call.name.startswith("conv") for call in tail.calls)
        cudnn, cublas = torch.backends.cudnn, torch.backends.cuda.matmul
        if _tf32(cublas) or (convolves and _tf32(getattr(cudnn, "conv", cudnn))):
            return max(coarsest, 2.0**-10)
    return coarsest


def _tf32(backend: Any) -> bool:
    precision = getattr(backend, "fp32_precision", None)  # since PyTorch 2.9
    return bool(backend.allow_tf32 if precision is None else precision == "tf32")
