"""Class activation maps that prove themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camlib.head.find import with_head
from camlib.head.head import FoundHead
from camlib.inputs import check_images, check_network, check_run, class_indices
from camlib.running import Run, call, evaluating, in_full_precision


@dataclass(frozen=True)
class ClassActivationMaps:
    r"""One map for every class, and what is needed to check it against the logits.

    .. math:: \mathrm{mean}(M_c) + o_c = \mathrm{logit}_c

    Attributes
    ----------
    maps
        :math:`M_c`, shape ``(n, c, *places)``: raw, that is signed and unscaled, in units of the logit.
        Places have the axes that the network averages: (h, w) for pictures, one for signals, three
        for volumes; averaged tokens have their patches' rows and columns, or else one axis. A value
        is what the class's logit gains from that place (all places together: on average).
    logits
        What the network returned, shape (n, c).
    offset
        :math:`o_c`, shape (n, c): the part of the logit that no place explains (the bias). It is the
        head's own value at zero, never computed from the logits.
    classes
        The indices of the classes, shape (c,).
    held
        The names of the layers that divide by a spread of the averages (a norm or a standard
        deviation, as LayerNorm does). The maps are exact with the spread held at its value for this
        picture: how it would change with the features is left out. Empty for most networks.
    """

    maps: Float[Tensor, "n c *places"]
    logits: Float[Tensor, "n c"]
    offset: Float[Tensor, "n c"]
    classes: Int[Tensor, " c"]
    held: tuple[str, ...] = ()


def class_activation_maps(
    network: nn.Module,
    images: Float[Tensor, "n channels *places"],
    classes: Sequence[int] | Int[Tensor, " c"] | None = None,
    *,
    run: Run | None = None,
    check_values: bool = True,
) -> ClassActivationMaps:
    r"""Compute the exact class activation maps of a network, all classes at once.

    .. math:: M_c(p) = h_c(f(p)) - h_c(0) = \sum_k w_k^c \, f_k(p)

    with :math:`h` the head, the function from the averaged features to the logits, and :math:`f(p)`
    the feature vector at place :math:`p`. The head is found by running it again on other numbers
    (:func:`camlib.find_head`); the first time the network runs with one or two pictures more. The
    maps are returned only if they average to the logits.

    Parameters
    ----------
    network
        A classifier that averages feature maps and makes logits of them by an affine function,
        whatever its layers are called; its output is logits of shape (n, c), or (n,) for a single one.
    images
        A batch of shape (n, channels, \*places), normalised as the network expects.
    classes
        The class indices whose maps are wanted; None for all.
    run
        How the network is run, where that is not ``network(images)``: a function from network and
        images to the logits, such as ``lambda network, images: network(images, table).logits``.
    check_values
        Warn of images that look like raw pixels; see :func:`camlib.find_head`.

    Returns
    -------
    ClassActivationMaps
        In float32, or float64 if the network computes in it; no graph is attached.

    Raises
    ------
    NotCAMReadyError
        If the network has no exact map; the message names the layer in the way and what to do.
    TypeError, ValueError
        If an argument cannot be used; the message says what to do.

    Notes
    -----
    Zhou et al. 2016, equation 2. The proof at run time is this package's own.
    """
    check_network(network)
    check_images(images, network, check_values)
    check_run(run)
    with evaluating(network):
        return with_head(network, images, run or call, lambda head: _maps(head, classes))


def _maps(head: FoundHead, classes: Sequence[int] | Tensor | None) -> ClassActivationMaps:
    device, count = head.logits.device, head.logits.shape[1]
    if classes is None:
        chosen = torch.arange(count, device=device)
    else:
        chosen = torch.tensor(class_indices("classes", classes, count), device=device)
    with in_full_precision(device):
        maps, offset, logits = proven_maps(head, None if classes is None else chosen)
    return ClassActivationMaps(maps, logits, offset, chosen, head.held)


def proven_maps(
    head: FoundHead, classes: Int[Tensor, " c"] | None
) -> tuple[Float[Tensor, "n c *places"], Float[Tensor, "n c"], Float[Tensor, "n c"]]:
    """Return maps, offset and logits of some classes, or of all, once they add up."""
    offset, logits = head.offset, head.logits
    if classes is not None:
        offset, logits = offset.index_select(1, classes), logits.index_select(1, classes)
    maps, logits = head.maps(classes), logits.to(head.exact)
    head.prove(maps, offset, logits)
    return maps, offset, logits
