"""Layer 1: from a few cells to the size of the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from camlib.errors import check_axes, describe

Mode = Literal["nearest", "linear", "bilinear", "bicubic"]


def upsample(
    maps: Float[Tensor, "n c *places"],
    size: int | Sequence[int],
    mode: Mode = "linear",
    *,
    align_corners: bool = False,
) -> Float[Tensor, "n c *sizes"]:
    r"""Resample maps to a new size, by default with the cells' centres in their right places.

    .. math:: x = (i + \tfrac12) \, \tfrac{w}{W} - \tfrac12

    This holds along each axis of places: pixel i of W lies at x among the w cells. So a cell's
    value stands at its centre: cell x lies at pixel (x + 1/2)·W/w - 1/2. Beyond the outermost
    centres the nearest cells' values are continued.

    Parameters
    ----------
    maps
        Maps of shape ``(n, c, *places)``, any real values. Places have one axis in signals and
        sequences of tokens, two in pictures (h, w), three in volumes (d, h, w).
    size
        The new size along each axis of places, (H, W) for pictures, or one number for all axes.
    mode
        "nearest" keeps the cells, "linear" joins their centres by straight lines along every axis
        and stays within the values' range, "bicubic" joins them smoothly and may leave the range;
        it is for two axes only. "bilinear" is the name of "linear" for two axes.
    align_corners
        Put the outermost cells' centres on the outermost pixels, that is x = i·(w-1)/(W-1).
        This moves every other place outwards; the book shows by how much. Not for "nearest".

    Returns
    -------
    Tensor
        Maps of shape ``(n, c, *sizes)``, same dtype.

    Raises
    ------
    TypeError
        If ``maps`` is not a floating-point tensor, or ``size`` holds anything but whole numbers.
    ValueError
        If ``maps`` does not have one, two or three axes of places or an axis is empty, ``size``
        does not have one entry for each of them or is below 1, the mode is unknown or not for so
        many axes, or ``align_corners`` is asked for with "nearest".

    Notes
    -----
    Bicubic uses Keys' kernel (1981) with a = -0.75, as PyTorch does.

    Examples
    --------
    >>> import torch
    >>> upsample(torch.tensor([[[[0.0, 4.0]]]]), (1, 4))
    tensor([[[[0., 1., 3., 4.]]]])
    >>> upsample(torch.tensor([[[0.0, 4.0]]]), 4)  # a signal of two places
    tensor([[[0., 1., 3., 4.]]])
    """
    places = check_axes("maps", maps, "n c *places").ndim - 2
    if places > 3:
        raise ValueError(
            f"maps: expected 1, 2 or 3 axes of places after (n, c), got {describe(maps)}. "
            "Bring other axes to the front: maps.flatten(0, 1)."
        )
    sizes = _checked_size(size, maps)
    if mode not in get_args(Mode):
        raise ValueError(
            f'mode: expected "nearest", "linear", "bilinear" or "bicubic", got {mode!r}. '
            'Start with "linear".'
        )
    if mode in ("bilinear", "bicubic") and places != 2:
        raise ValueError(
            f'mode: expected "nearest" or "linear" for maps of shape {tuple(maps.shape)}, got '
            f'{mode!r}, which is for two axes of places. Use "linear".'
        )
    if mode == "nearest":
        if align_corners:
            raise ValueError(
                "align_corners: expected False with mode='nearest', got True. "
                "Leave it out: nearest cells have no corners to align."
            )
        # Plain "nearest" rounds down and shifts maps by half a cell when H is no multiple of h.
        return F.interpolate(maps, size=sizes, mode="nearest-exact")
    # torch has one name for straight lines along one axis, another for two and for three.
    name = "bicubic" if mode == "bicubic" else ("linear", "bilinear", "trilinear")[places - 1]
    return F.interpolate(maps, size=sizes, mode=name, align_corners=align_corners)


def _checked_size(size: int | Sequence[int], maps: Tensor) -> tuple[int, ...]:
    """Return one size for each axis of places."""
    places = maps.ndim - 2
    sizes = tuple(size) if isinstance(size, Sequence) else (size,) * places
    if not all(isinstance(length, int) and not isinstance(length, bool) for length in sizes):
        raise TypeError(
            f"size: expected a whole number, or one per axis of places, got {size!r}. "
            "For a batch of inputs pass inputs.shape[2:]."
        )
    if len(sizes) != places:
        advice = f"Pass one number for all axes, or {places}."
        if places == 1:
            advice = (
                "If the tokens are a grid of rows and columns, unflatten first: "
                "maps.unflatten(2, (rows, columns))."
            )
        if len(sizes) == places + 1:
            advice += " If the first axis (n) is missing, add it: maps[None]."
        raise ValueError(
            f"size: expected one size per axis of places ({places}), got {len(sizes)}: {size!r} for "
            f"{describe(maps)}. {advice}"
        )
    if min(sizes) < 1:
        raise ValueError(
            f"size: expected at least 1 along every axis of places, got {size!r}. "
            "For a batch of inputs pass inputs.shape[2:]."
        )
    return sizes
