"""Layer 1: from raw maps to a range that can be shown; each choice is a function of its own."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.errors import check_finite, check_floating, describe

_CURE_NAN = "Look where they come from: a map of a healthy network has none."


def min_max(maps: Float[Tensor, "*n h w"]) -> Float[Tensor, "*n h w"]:
    r"""Stretch each map to the whole range from 0 to 1: popular, and blind to the sign.

    .. math:: \frac{M - \min M}{\max M - \min M}

    A map without any positive value gets a full-strength 1 all the same; use :func:`signed` to show
    evidence. A constant map has no range to stretch and becomes 0.

    Parameters
    ----------
    maps
        Maps of shape (..., h, w), any real values; each is stretched by itself.

    Returns
    -------
    Tensor
        Same shape, values in [0, 1].

    Raises
    ------
    TypeError
        If ``maps`` is not a floating-point tensor.
    ValueError
        If it has fewer than two axes, is empty, or holds NaN or infinity.

    Examples
    --------
    >>> import torch
    >>> min_max(torch.tensor([[-3.0, -2.0, -1.0]]))  # no evidence for the class at all
    tensor([[0.0000, 0.5000, 1.0000]])
    """
    _check_maps(maps)
    low = maps.amin(dim=(-2, -1), keepdim=True)
    high = maps.amax(dim=(-2, -1), keepdim=True)
    # Halves, lest the difference of the largest numbers of a dtype be infinite.
    return _divided(maps / 2 - low / 2, high / 2 - low / 2)


def signed(
    maps: Float[Tensor, "*n h w"], peak: float | Float[Tensor, "..."] | None = None
) -> Float[Tensor, "*n h w"]:
    r"""Divide each map by its largest magnitude; zero stays zero, and the sign survives.

    .. math:: M / \max |M|

    Parameters
    ----------
    maps
        Maps of shape (..., h, w), any real values.
    peak
        The magnitude that becomes 1: by default each map's own; give one number, or a tensor that
        broadcasts against ``maps``, to put several maps on one scale. What exceeds it is cut to
        -1 or 1.

    Returns
    -------
    Tensor
        Same shape, values in [-1, 1]; a map of zeros stays zero.

    Raises
    ------
    TypeError
        If ``maps`` is not a floating-point tensor.
    ValueError
        If it has fewer than two axes, is empty, holds NaN or infinity, or ``peak`` is not positive.

    Examples
    --------
    >>> import torch
    >>> signed(torch.tensor([[-4.0, 0.0, 2.0]]))
    tensor([[-1.0000,  0.0000,  0.5000]])
    """
    _check_maps(maps)
    if peak is None:
        return _divided(maps, maps.abs().amax(dim=(-2, -1), keepdim=True))
    return (maps / _checked_peak(peak, maps)).clamp(-1, 1)


def positive(
    maps: Float[Tensor, "*n h w"], peak: float | Float[Tensor, "..."] | None = None
) -> Float[Tensor, "*n h w"]:
    r"""Drop the negative values, then divide each map by its maximum.

    .. math:: \mathrm{ReLU}(M) / \max \mathrm{ReLU}(M)

    Parameters
    ----------
    maps
        Maps of shape (..., h, w), any real values.
    peak
        The value that becomes 1, as in :func:`signed`.

    Returns
    -------
    Tensor
        Same shape, values in [0, 1]; a map without positive values becomes 0 everywhere.

    Raises
    ------
    TypeError, ValueError
        As :func:`signed`.

    Examples
    --------
    >>> import torch
    >>> positive(torch.tensor([[-4.0, 1.0, 2.0]]))
    tensor([[0.0000, 0.5000, 1.0000]])
    """
    _check_maps(maps)
    values = maps.relu()
    if peak is None:
        return _divided(values, values.amax(dim=(-2, -1), keepdim=True))
    return (values / _checked_peak(peak, maps)).clamp(max=1)


def _divided(maps: Tensor, by: Tensor) -> Tensor:
    """Divide each map by what it spans; a map that spans nothing holds zeros, and keeps them."""
    return maps / torch.where(by > 0, by, 1.0)


def _check_maps(maps: object) -> None:
    tensor = check_floating("maps", maps)
    if tensor.ndim < 2 or tensor.numel() == 0:
        raise ValueError(
            f"maps: expected shape (..., h, w) with at least one cell, got {describe(maps)}. "
            "Pass whole maps, for example cam.maps."
        )
    check_finite("maps", tensor, _CURE_NAN)


def _checked_peak(peak: float | Tensor, maps: Tensor) -> Tensor:
    try:
        value = torch.as_tensor(peak, dtype=maps.dtype, device=maps.device)
        value.expand_as(maps)
        good = bool(((value > 0) & value.isfinite()).all())
    except (RuntimeError, TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            f"peak: expected a positive number or a tensor of them, got {peak!r}. "
            "Pass the largest magnitude to be shown, for example cam.maps.abs().max()."
        )
    return value
