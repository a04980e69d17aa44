"""Layer 1: from a map to the connected places that stand out, and the boxes around them."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import ndimage
from torch import Tensor

from camlib.errors import check_finite, check_floating, describe

# Cells that touch at a corner belong together, as contours count them (Choe et al. 2020).
_TOUCHING = np.ones((3, 3), dtype=int)


def above(map: Float[Tensor, "h w"], threshold: float) -> Bool[Tensor, "h w"]:
    r"""Return where a map exceeds a part of its maximum.

    .. math:: M(x, y) > \tau \, \max M

    Parameters
    ----------
    map
        One map, shape (h, w), raw or scaled: only its positive values count.
    threshold
        The part :math:`\tau`, between 0 and 1, both excluded.

    Returns
    -------
    Tensor
        True or false, shape (h, w); false everywhere if no value is positive.

    Raises
    ------
    TypeError
        If ``map`` is not a floating-point tensor or ``threshold`` no number.
    ValueError
        If it does not have two axes, or holds NaN or infinity, or the threshold is out of range.

    Notes
    -----
    Zhou et al. 2016, section 3.2, with 0.2.
    """
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise TypeError(
            f"threshold: expected a number between 0 and 1, got {describe(threshold)}. Pass 0.2."
        )
    if not 0 < threshold < 1:
        raise ValueError(
            f"threshold: expected a part of the maximum between 0 and 1, got {threshold:g}. "
            "Pass 0.2 for 20 % (Zhou et al. 2016)."
        )
    values = check_floating("map", map)
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(
            f"map: expected one map of shape (h, w), got {describe(values)}. "
            "Take one of a batch: maps[0, 0]."
        )
    _, peak = check_finite("map", map, "Look where they come from: a healthy network has none.")
    if peak <= 0:
        return torch.zeros_like(map, dtype=torch.bool)
    return map > threshold * peak


def region_boxes(mask: Bool[Tensor, "h w"]) -> Int[np.ndarray, "m 4"]:
    """Return the box around each connected region, the largest region first.

    Cells that touch at a side or a corner are connected. Regions of one size keep the order in
    which a reader meets them, row by row.

    Parameters
    ----------
    mask
        True or false, shape (h, w).

    Returns
    -------
    numpy.ndarray
        Half-open boxes (x0, y0, x1, y1) in cells, shape (m, 4); m is 0 where nothing is true.
    """
    regions, count = ndimage.label(mask.cpu().numpy(), structure=_TOUCHING)
    if count == 0:
        return np.zeros((0, 4), dtype=np.int64)
    areas = np.bincount(regions.ravel())[1:]
    slices = ndimage.find_objects(regions)
    boxes = np.array([[x.start, y.start, x.stop, y.stop] for y, x in slices], dtype=np.int64)
    return boxes[np.argsort(-areas, kind="stable")]
