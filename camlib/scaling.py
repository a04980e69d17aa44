"""Layer 1: from raw maps to a range that can be shown; each choice is a function of its own."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.errors import check_finite, check_places

_ADVICE_NAN = "Look where they come from: a map of a healthy network has none."


def min_max(maps: Float[Tensor, "*shape"], *, places: int = 2) -> Float[Tensor, "*shape"]:
    r"""Stretch each map to the whole range from 0 to 1: popular, and blind to the sign.

    .. math:: \frac{M - \min M}{\max M - \min M}

    A map without any positive value gets a full-strength 1 all the same; use :func:`signed` to show
    evidence. A constant map has no range to stretch and becomes 0.

    Parameters
    ----------
    maps
        Maps of shape ``(..., *places)``, any real values; each is stretched by itself.
    places
        How many axes of places stand at the end: 1 for signals and tokens, 2 for pictures (h, w),
        3 for volumes (d, h, w).

    Returns
    -------
    Tensor
        Same shape, values in [0, 1].

    Raises
    ------
    TypeError
        If ``maps`` is not a floating-point tensor, or ``places`` is not a whole number.
    ValueError
        If ``maps`` has too few axes, is empty, or holds NaN or infinity, or ``places`` is not 1, 2
        or 3.

    Examples
    --------
    >>> import torch
    >>> min_max(torch.tensor([[-3.0, -2.0, -1.0]]))  # no evidence for the class at all
    tensor([[0.0000, 0.5000, 1.0000]])
    >>> min_max(torch.tensor([[-3.0, -1.0], [0.0, 4.0]]), places=1)  # two maps of two tokens
    tensor([[0., 1.],
            [0., 1.]])
    """
    at = _check_maps(maps, places)
    low = maps.amin(dim=at, keepdim=True)
    high = maps.amax(dim=at, keepdim=True)
    # Halves, because the difference of a dtype's largest numbers would be infinite.
    return _divided(maps / 2 - low / 2, high / 2 - low / 2)


def signed(
    maps: Float[Tensor, "*shape"],
    peak: float | Float[Tensor, "..."] | None = None,
    *,
    places: int = 2,
) -> Float[Tensor, "*shape"]:
    r"""Divide each map by its largest magnitude; zero stays zero, and the sign survives.

    .. math:: M / \max |M|

    Parameters
    ----------
    maps
        Maps of shape ``(..., *places)``, any real values.
    peak
        The magnitude that becomes 1: by default each map's own; give one number, or a tensor that
        broadcasts against ``maps``, to put several maps on one scale. What exceeds it is cut to
        -1 or 1.
    places
        As in :func:`min_max`.

    Returns
    -------
    Tensor
        Same shape, values in [-1, 1]; a map of zeros stays zero.

    Raises
    ------
    TypeError
        If ``maps`` is not a floating-point tensor, or ``places`` is not a whole number.
    ValueError
        If ``maps`` has too few axes, is empty, or holds NaN or infinity, ``peak`` is not positive,
        or ``places`` is not 1, 2 or 3.

    Examples
    --------
    >>> import torch
    >>> signed(torch.tensor([[-4.0, 0.0, 2.0]]))
    tensor([[-1.0000,  0.0000,  0.5000]])
    """
    at = _check_maps(maps, places)
    if peak is None:
        return _divided(maps, maps.abs().amax(dim=at, keepdim=True))
    return (maps / _checked_peak(peak, maps)).clamp(-1, 1)


def positive(
    maps: Float[Tensor, "*shape"],
    peak: float | Float[Tensor, "..."] | None = None,
    *,
    places: int = 2,
) -> Float[Tensor, "*shape"]:
    r"""Drop the negative values, then divide each map by its maximum.

    .. math:: \mathrm{ReLU}(M) / \max \mathrm{ReLU}(M)

    Parameters
    ----------
    maps
        Maps of shape ``(..., *places)``, any real values.
    peak
        The value that becomes 1, as in :func:`signed`.
    places
        As in :func:`signed`.

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
    at = _check_maps(maps, places)
    values = maps.relu()
    if peak is None:
        return _divided(values, values.amax(dim=at, keepdim=True))
    return (values / _checked_peak(peak, maps)).clamp(max=1)


def _divided(maps: Tensor, by: Tensor) -> Tensor:
    """Divide each map by what it spans; a map that spans nothing holds zeros, and keeps them."""
    return maps / torch.where(by > 0, by, 1.0)


def _check_maps(maps: object, places: int) -> tuple[int, ...]:
    """Return the axes of places of maps that can be scaled."""
    tensor, at = check_places("maps", maps, places, "Pass whole maps, for example cam.maps.")
    check_finite("maps", tensor, _ADVICE_NAN)
    return at


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
