"""A map laid over its picture: arrays in, array out."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.colors import Colormap
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from camlib.errors import describe
from camlib.pictures import Geometry
from camlib.plotting.checks import as_map, as_picture
from camlib.plotting.colors import EVIDENCE, colorize, colors_between


def overlay(
    image: ArrayLike | Image.Image,
    map: ArrayLike,
    *,
    colormap: str | Colormap = EVIDENCE,
    opacity: float = 0.7,
    fade: bool = True,
    vmin: float | None = None,
    vmax: float = 1.0,
    geometry: Geometry | None = None,
) -> NDArray[np.float64]:
    r"""Lay the colours of a map over a picture, stronger where the map is stronger.

    .. math:: O_{xy} = (1 - \alpha_{xy})\, I_{xy} + \alpha_{xy}\, E_{xy}, \qquad
              \alpha_{xy} = o \cdot |M_{xy}| / \max(|v_{min}|, |v_{max}|)

    with E the full colour of the value's side, :math:`C(v_{max})` for M ≥ 0 and :math:`C(v_{min})`
    for M < 0: the colour says for or against, the opacity says how much, and a place without
    evidence shows the picture itself. With ``fade=False`` the opacity is o everywhere and the
    colour is :math:`C(M_{xy})`, as in most published overlays. Nothing is scaled or normalised in
    here, and resized only with ``geometry``.

    Parameters
    ----------
    image
        The picture I, shape (H, W, 3) or grey (H, W), uint8 or float in [0, 1], or a PIL picture,
        which is turned upright.
    map
        The map M, shape (H, W), already upsampled to the picture and scaled into [vmin, vmax],
        that is [-1, 1] for EVIDENCE: an array, or a tensor without gradient. With ``geometry`` of
        any size (h, w).
    colormap
        C: EVIDENCE for signed maps, INTENSITY for maps that are never negative, or any of
        matplotlib's.
    opacity
        o in [0, 1].
    fade
        Whether the opacity grows with the magnitude of the map, as above. Colour maps of many
        hues, such as "jet", need ``fade=False``.
    vmin, vmax
        The values at the ends of the colour map; ``vmin`` is by default -vmax for EVIDENCE and 0
        for every other colour map.
    geometry
        What :func:`camlib.networks.geometry` says of a photograph: the map is then one of the image
        that the network read, and is laid where that image lies in the photograph. What the network
        did not see stays as it is.

    Returns
    -------
    numpy.ndarray
        A new picture, shape (H, W, 3), float64 in [0, 1].

    Raises
    ------
    TypeError
        If ``image`` or ``map`` is no array of real numbers.
    ValueError
        If a shape, a range or the size does not fit, a value is NaN or infinite, or ``opacity``
        is not in [0, 1]; the message says what to do.

    Examples
    --------
    >>> grey = [[[0.5, 0.5, 0.5]]]
    >>> overlay(grey, [[0.0]]).tolist()  # no evidence: the picture
    [[[0.5, 0.5, 0.5]]]
    >>> overlay(grey, [[1.0]], colormap="gray").round(2).tolist()  # 0.3 * 0.5 + 0.7 * 1
    [[[0.85, 0.85, 0.85]]]
    """
    if not isinstance(opacity, (int, float)) or not 0 <= opacity <= 1:
        raise ValueError(
            f"opacity: expected a number from 0 (picture only) to 1 (map only), got {opacity!r}. "
            "Pass for example opacity=0.7."
        )
    picture = as_picture("image", image)
    colors, low, high = colors_between(colormap, vmin, vmax)
    values = as_map("map", map, low, high)
    seen = np.ones((1, 1), bool)
    if geometry is not None:
        if not isinstance(geometry, Geometry):
            raise TypeError(
                f"geometry: expected a camlib.pictures.Geometry, got {describe(geometry)}. Pass "
                "networks.geometry(photograph)."
            )
        if geometry.size != picture.shape[:2]:
            raise ValueError(
                f"geometry: expected that of the picture, whose size is {picture.shape[:2]}, got one "
                f"for {geometry.size}. Make it of the same photograph."
            )
        values = geometry.upsample(torch.from_numpy(values)[None, None])[0, 0].numpy()
        seen = geometry.seen().numpy()
    if values.shape != picture.shape[:2]:
        raise ValueError(
            f"map: expected the picture's size {picture.shape[:2]}, got {values.shape}. "
            f"Upsample it first: camlib.upsample(maps, {picture.shape[:2]}), or say with geometry= "
            "where it lies in the photograph."
        )
    strength = np.abs(values) / max(abs(low), abs(high)) if fade else np.ones_like(values)
    # A colour that paled with the opacity would fade twice, and weak evidence be lost.
    shown = np.where(values < 0, low, high) if fade else values
    alpha = (opacity * strength * seen)[..., None]
    return (1 - alpha) * picture + alpha * colorize(shown, colors, low, high)


def greyscale(image: ArrayLike) -> NDArray[np.float64]:
    r"""Take the colour out of a picture, so that the colours of an overlay stand alone.

    .. math:: Y = 0.2126\,R + 0.7152\,G + 0.0722\,B

    the luma of ITU-R BT.709, in all three channels.

    Parameters
    ----------
    image
        A picture of shape (H, W, 3), uint8 or float in [0, 1].

    Returns
    -------
    numpy.ndarray
        A new picture, shape (H, W, 3), float64 in [0, 1].

    Raises
    ------
    TypeError, ValueError
        As :func:`overlay` for its image.
    """
    luma = as_picture("image", image) @ np.array([0.2126, 0.7152, 0.0722])
    return np.repeat(luma[..., None], 3, axis=2)
