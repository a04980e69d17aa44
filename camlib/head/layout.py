"""Lay images out in memory as a network reads them fastest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

_Result = TypeVar("_Result")

# Measured on two cores: EfficientNet-Lite0 has 22 weights per number of one picture and gains about
# a fifth; VGG-16 has 98 and gains a tenth; ResNet-50 has 156 and gains nothing, or loses; with eight
# pictures all gain an eighth or more.
_WEIGHTS_PER_PIXEL = 128

# Counted once per network: that takes a fifth of a millisecond. Should a change of the network make
# the count wrong, the other layout may be chosen, which costs time and nothing else.
_CONVOLUTION_WEIGHTS: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()


def in_fast_layout(network: nn.Module, images: Tensor) -> Tensor:
    """Return the same images, where it pays with the channels last in memory.

    On a CPU convolutions are faster that way, but their weights are laid out anew at each call,
    which only enough pixels repay.
    """
    if images.device.type != "cpu":
        return images
    weights = _CONVOLUTION_WEIGHTS.get(network)
    if weights is None:
        weights = sum(p.numel() for p in network.parameters() if p.ndim == 4)
        _CONVOLUTION_WEIGHTS[network] = weights
    if weights > _WEIGHTS_PER_PIXEL * images.numel():
        return images
    return images.contiguous(memory_format=torch.channels_last)


def run_in_fast_layout(
    network: nn.Module, images: Tensor, run: Callable[[Tensor], _Result]
) -> _Result:
    """Call ``run`` with the images as :func:`in_fast_layout` has them, if the network can read that."""
    laid_out = in_fast_layout(network, images)
    try:
        return run(laid_out)
    except (RuntimeError, AssertionError):
        # A network that views its features in another shape, or has a kernel of its own, may be able
        # to read only the layout that was given. If that is not it, the error comes once more.
        if laid_out is images:
            raise
        return run(images)
