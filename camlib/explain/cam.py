"""Class activation maps that prove themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camlib.errors import NotCAMReadyError
from camlib.head import Head, find_head
from camlib.weighting import weighted_sum


@dataclass(frozen=True)
class ClassActivationMaps:
    r"""One map for every class, and what is needed to check it against the logits.

    .. math:: \mathrm{mean}(M_c) + o_c = \mathrm{logit}_c

    Attributes
    ----------
    maps
        :math:`M_c`, shape (n, c, h, w): raw, that is signed and unscaled, in units of the logit. A
        value is what the class's logit gains from that place (all places together: on average).
    logits
        What the network said, shape (n, c).
    offset
        :math:`o_c`, shape (n, c): the part of the logit that no place explains (the bias).
    classes
        The indices of the classes, shape (c,).
    """

    maps: Float[Tensor, "n c h w"]
    logits: Float[Tensor, "n c"]
    offset: Float[Tensor, "n c"]
    classes: Int[Tensor, " c"]


def class_activation_maps(
    network: nn.Module,
    images: Float[Tensor, "n 3 H W"],
    classes: Sequence[int] | Int[Tensor, " c"] | None = None,
    *,
    check_values: bool = True,
) -> ClassActivationMaps:
    r"""Compute the exact class activation maps of a network, all classes at once.

    .. math:: M_c(x, y) = s \sum_k w_k^c \, f_k(x, y)

    The network runs once. Its head is found by what it does (:func:`camlib.find_head`), and the
    maps are handed out only if they average to the logits.

    Parameters
    ----------
    network
        A classifier that ends in feature maps, global average pooling and a linear layer, whatever
        its layers are called; its output is logits of shape (n, c).
    images
        A batch of shape (n, channels, H, W), normalised as the network expects.
    classes
        The class indices whose maps are wanted; None for all.
    check_values
        Refuse images that look like raw pixels; see :func:`camlib.find_head`.

    Returns
    -------
    ClassActivationMaps
        In float32, or float64 if the network computes in it; no graph is attached.

    Raises
    ------
    NotCAMReadyError
        If the network has no exact map; the message names the layer in the way and what to do.
    TypeError, ValueError
        If an argument cannot be used; the message names the cure.

    Notes
    -----
    Zhou et al. 2016, equation 2. The proof at run time is this package's own.
    """
    head = find_head(network, images, check_values=check_values)
    chosen = _chosen(classes, head.logits)
    exact = torch.promote_types(head.features.dtype, torch.float32)
    with torch.no_grad(), torch.autocast(head.logits.device.type, enabled=False):
        weight = head.weight if classes is None else head.weight[chosen]
        maps = weighted_sum(head.features.to(exact), weight.to(exact))
        maps *= head.scale[:, :, None, None]
        logits, offset = head.logits, head.offset
        if classes is not None:
            logits, offset = logits[:, chosen], offset[:, chosen]
        cam = ClassActivationMaps(maps, logits.to(exact), offset.to(exact), chosen)
        _prove(cam, head)
    return cam


def _chosen(classes: Sequence[int] | Tensor | None, logits: Tensor) -> Tensor:
    count = logits.shape[1]
    if classes is None:
        return torch.arange(count, device=logits.device)
    numbers = classes.tolist() if isinstance(classes, (Tensor, np.ndarray)) else classes
    if not isinstance(numbers, Sequence) or isinstance(numbers, (str, bytes)):
        raise TypeError(
            f"classes: expected a sequence of class indices, got {classes!r}. "
            "For one class pass a list of one: classes=[281]."
        )
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
            raise TypeError(
                f"classes: expected whole numbers, got {number!r} of type {type(number).__name__}. "
                "Pass indices; for a name use camlib.networks.class_names().index(name)."
            )
        if not 0 <= number < count:
            raise ValueError(
                f"classes: expected indices from 0 to {count - 1}, got {number}. "
                "Count from the first class, not from the last."
            )
    if len(numbers) == 0:
        raise ValueError(
            "classes: expected at least one class index, got none. Pass None for all classes."
        )
    return torch.tensor([int(number) for number in numbers], device=logits.device)


def _prove(cam: ClassActivationMaps, head: Head) -> None:
    """Check mean(map) + offset = logit for every picture and class, up to rounding."""
    gaps = cam.maps.mean(dim=(2, 3)) + cam.offset - cam.logits
    gap = _largest(gaps)
    # In 32 bits many sums are rounded finely, in 16 only what stands at their ends, coarsely.
    sums = 32 + cam.maps[0, 0].numel() / 8
    relative = (sums if head.rounding < 1e-4 else 4) * head.rounding
    allowed = relative * _largest(head.logits)
    if not gap <= allowed:
        # Rounding grows with the numbers that were added up, which may be larger than any logit.
        allowed = max(allowed, relative * _largest(cam.maps.movedim(1, -1)))
    if not gap <= allowed:
        raise NotCAMReadyError(
            f"network: expected maps that average to the logits within {allowed:.1g}, got a gap of "
            f"{gap:.3g}. Some layer changes the features after they were pooled, or is not "
            "deterministic; report its structure together with this message."
        )


def _largest(numbers: Tensor) -> float:
    """Return the largest absolute value; NaN, if there is one."""
    return max(abs(float(bound)) for bound in torch.aminmax(numbers))
