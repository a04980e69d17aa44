"""Layer 1: from a few cells to the picture's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from camlib.errors import check_axes

Mode = Literal["nearest", "bilinear", "bicubic"]


def upsample(
    maps: Float[Tensor, "n c h w"],
    size: int | Sequence[int],
    mode: Mode = "bilinear",
    *,
    align_corners: bool = False,
) -> Float[Tensor, "n c H W"]:
    r"""Resample maps to a new size, by default with the cells' centres in their right places.

    .. math:: x = (i + \tfrac12) \, \tfrac{h}{H} - \tfrac12

    Pixel row i of H asks at x among the h rows of cells, and columns likewise. So a cell's value
    stands at its centre: cell row x lies at pixel row (x + 1/2)·H/h - 1/2. Beyond the outermost
    centres the nearest cells' values are continued.

    Parameters
    ----------
    maps
        Maps of shape (n, c, h, w), any real values.
    size
        The new height and width (H, W), or one number for both.
    mode
        "nearest" keeps the cells, "bilinear" joins their centres by straight lines and stays within
        the values' range, "bicubic" joins them smoothly and may leave the range.
    align_corners
        Put the corner cells' centres on the corner pixels, that is x = i·(h-1)/(H-1).
        This moves every other place outwards; the book shows by how much. Not for "nearest".

    Returns
    -------
    Tensor
        Maps of shape (n, c, H, W), same dtype.

    Raises
    ------
    TypeError
        If ``maps`` is not a floating-point tensor, or ``size`` not one or two whole numbers.
    ValueError
        If an axis is missing or empty, the size is below 1, the mode is unknown, or
        ``align_corners`` is asked for with "nearest".

    Notes
    -----
    Bicubic uses Keys' kernel (1981) with a = -0.75, as PyTorch does.

    Examples
    --------
    >>> import torch
    >>> upsample(torch.tensor([[[[0.0, 4.0]]]]), (1, 4))
    tensor([[[[0., 1., 3., 4.]]]])
    """
    check_axes("maps", maps, "n c h w")
    height_width = _checked_size(size)
    if mode not in get_args(Mode):
        raise ValueError(
            f'mode: expected "nearest", "bilinear" or "bicubic", got {mode!r}. '
            'Start with "bilinear".'
        )
    if mode == "nearest":
        if align_corners:
            raise ValueError(
                "align_corners: expected False with mode='nearest', got True. "
                "Leave it out: nearest cells have no corners to align."
            )
        # Plain "nearest" rounds down and shifts maps by half a cell when H is no multiple of h.
        return F.interpolate(maps, size=height_width, mode="nearest-exact")
    return F.interpolate(maps, size=height_width, mode=mode, align_corners=align_corners)


def _checked_size(size: int | Sequence[int]) -> tuple[int, int]:
    pair = (
        (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, Sequence) else ()
    )
    whole = all(isinstance(length, int) and not isinstance(length, bool) for length in pair)
    if len(pair) != 2 or not whole or isinstance(size, str):
        raise TypeError(
            f"size: expected a whole number or a pair (height, width), got {size!r}. "
            "For a batch of images pass images.shape[-2:]."
        )
    height, width = pair
    if height < 1 or width < 1:
        raise ValueError(
            f"size: expected a height and width of at least 1 pixel, got {size!r}. "
            "For a batch of images pass images.shape[-2:]."
        )
    return height, width
