"""Run a network once and read off its head."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camlib.errors import NotCAMReadyError, check_finite
from camlib.head.affine import Affine, NotAffineError, as_affine
from camlib.head.doors import check_images, check_logits, check_network, evaluating
from camlib.head.refusal import reason_for_refusal
from camlib.head.watch import Watch


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
        The factor :math:`s`, shape (n, 1): 1, except behind a LayerNorm, where it is one over the
        standard deviation of the pooled vector.
    offset
        The part :math:`o_c` of the logit that no place explains, shape (n, c): the bias.
    logits
        What the network said, shape (n, c).
    """

    features: Float[Tensor, "n k h w"]
    weight: Float[Tensor, "c k"]
    scale: Float[Tensor, "n 1"]
    offset: Float[Tensor, "n c"]
    logits: Float[Tensor, "n c"]


def find_head(
    network: nn.Module, images: Float[Tensor, "n 3 H W"], *, check_values: bool = True
) -> Head:
    """Run the network once and return the features it averages and the weights it sums them with.

    The network runs in evaluation mode and without gradients; afterwards every module is in the
    mode it was in, and nothing is left attached to it.

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
        Tensors without a graph, in the dtype in which the network computed them.

    Raises
    ------
    NotCAMReadyError
        If the logits are not an affine function of globally averaged feature maps; the message
        names the layer in the way.
    TypeError, ValueError
        If the network, the images or the output cannot be used; the message names the cure.

    Notes
    -----
    Zhou et al. 2016, section 2; the exact form for LayerNorm heads is this package's own.
    """
    check_network(network)
    check_images(images, network, check_values)
    with torch.no_grad(), evaluating(network):
        with Watch() as watch:
            logits = network(images)
        check_logits(logits, len(images))
        tail = watch.tails.get(logits)
        try:
            if tail is None:
                raise NotAffineError
            check_finite("features", tail.features, "Look for damaged weights or an overflow.")
            return _head(tail.features, as_affine(tail.features.mean((2, 3)), tail.calls), logits)
        except NotAffineError:
            raise NotCAMReadyError(reason_for_refusal(network, images[:1])) from None


def _head(features: Tensor, affine: Affine, logits: Tensor) -> Head:
    n, c = logits.shape
    weight = affine.weight
    if weight is None or weight.ndim == 1:
        diagonal = logits.new_ones(c) if weight is None else weight
        weight = torch.diag(diagonal)
    # Parameters are handed out detached, so that a map can never drag the network's graph along.
    return Head(
        features=features.detach(),
        weight=weight.detach(),
        scale=affine.scale.expand(n, 1),
        offset=affine.offset.detach().expand(n, c),
        logits=logits.detach(),
    )
