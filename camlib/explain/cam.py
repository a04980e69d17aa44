"""Class activation maps that prove themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camlib.explain.classes import check_range, whole_numbers
from camlib.explain.proof import proven_maps
from camlib.head import find_head
from camlib.head.modes import in_full_precision


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
    with in_full_precision(head.logits.device):
        weight, logits, offset = head.weight, head.logits, head.offset
        if classes is not None:
            weight = weight.index_select(0, chosen)
            logits, offset = logits.index_select(1, chosen), offset.index_select(1, chosen)
        logits, offset = logits.to(exact), offset.to(exact)
        maps = proven_maps(head, weight.to(exact), offset, logits)
    return ClassActivationMaps(maps, logits, offset, chosen)


def _chosen(classes: Sequence[int] | Tensor | None, logits: Tensor) -> Tensor:
    count = logits.shape[1]
    if classes is None:
        return torch.arange(count, device=logits.device)
    given = classes.tolist() if isinstance(classes, (Tensor, np.ndarray)) else classes
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        raise TypeError(
            f"classes: expected a sequence of class indices, got {classes!r}. "
            "For one class pass a list of one: classes=[281]."
        )
    numbers = whole_numbers("classes", given)
    check_range("classes", numbers, count)
    return torch.tensor(numbers, device=logits.device)
