"""Two colour maps made in OKLab, where equal distances look like equal differences.

Source: B. Ottosson, "A perceptual color space for image processing", 2020,
https://bottosson.github.io/posts/oklab/.
"""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, ListedColormap
from numpy.typing import ArrayLike, NDArray

from camlib.plotting.checks import as_map

FloatArray = NDArray[np.float64]

# OKLab -> cube roots of the cone responses (LMS), and LMS -> linear sRGB (Ottosson 2020).
_LAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
# An odd number, so that zero falls into the middle entry and gets the neutral colour exactly.
_COLORS = 257


def oklab_to_srgb(lab: ArrayLike) -> FloatArray:
    r"""Turn OKLab colours into sRGB.

    .. math:: (l, m, s)^T = (A\,(L, a, b)^T)^3, \qquad rgb = \gamma(B\,(l, m, s)^T)

    with the matrices A and B of Ottosson 2020, the cube taken element by element, and the sRGB
    curve γ. Input (..., 3), L in [0, 1]; output (..., 3), cut to [0, 1] where sRGB has no such
    colour.
    """
    linear = (np.asarray(lab, dtype=np.float64) @ _LAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T
    linear = linear.clip(0, 1)
    curved: FloatArray = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return curved


def _lab(lightness: float, chroma: float, hue: float) -> FloatArray:
    """OKLab from lightness, chroma and the hue in degrees."""
    angle = np.radians(hue)
    return np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])


def _evenly(points: FloatArray, count: int) -> FloatArray:
    """Walk along ``points`` (m, 3) in ``count`` stops at equal distances."""
    length = np.concatenate([[0.0], np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()])
    stops = np.linspace(0, length[-1], count)
    return np.stack([np.interp(stops, length, points[:, i]) for i in range(3)], axis=1)


def _evidence() -> ListedColormap:
    """Two straight lines from a light neutral, equally long and equally steep in lightness."""
    against, neutral, favour = _lab(0.65, 0.17, 255), _lab(0.92, 0, 0), _lab(0.65, 0.17, 50)
    path = _evenly(np.stack([against, neutral, favour]), _COLORS)
    return ListedColormap(oklab_to_srgb(path), name="evidence")


def _intensity() -> ListedColormap:
    """A quadratic Bézier curve from near-black over teal to pale yellow, far from EVIDENCE."""
    dark, bend, bright = _lab(0.27, 0.03, 290), _lab(0.55, 0.10, 200), _lab(0.95, 0.12, 105)
    t = np.linspace(0, 1, 2000)[:, None]
    path = _evenly((1 - t) ** 2 * dark + 2 * t * (1 - t) * bend + t**2 * bright, _COLORS)
    return ListedColormap(oklab_to_srgb(path), name="intensity")


EVIDENCE = _evidence()
"""Diverging: blue speaks against, orange for; equal magnitudes differ equally from the neutral."""

INTENSITY = _intensity()
"""Sequential, for what is never negative: lightness rises evenly from near-black to pale yellow."""


def colors_between(
    colormap: str | Colormap, vmin: float | None = None, vmax: float = 1.0
) -> tuple[Colormap, float, float]:
    """Return a colour map, itself or by its name, and the values at its two ends.

    ``"evidence"`` and ``"intensity"`` are ours. ``vmin`` is by default -vmax for EVIDENCE, else 0.

    Raises
    ------
    ValueError
        If there is no colour map of that name or ``vmin`` is not below ``vmax``.
    """
    if not isinstance(colormap, Colormap):
        ours: dict[str, Colormap] = {"evidence": EVIDENCE, "intensity": INTENSITY}
        if colormap not in ours and colormap not in colormaps:
            raise ValueError(
                f"colormap: expected a matplotlib colour map or its name, got {colormap!r}. "
                "Take plotting.EVIDENCE for signed maps, plotting.INTENSITY for feature maps."
            )
        colormap = ours.get(colormap) or colormaps[colormap]
    low = (-vmax if colormap.name == EVIDENCE.name else 0.0) if vmin is None else vmin
    if not (np.isfinite(low) and np.isfinite(vmax) and low < vmax):
        raise ValueError(
            f"vmin, vmax: expected two finite numbers with vmin < vmax, got {low:g} and {vmax:g}. "
            "Pass the smallest and the largest value to be shown, for example vmin=-1, vmax=1."
        )
    return colormap, float(low), float(vmax)


def colorize(
    map: ArrayLike,
    colormap: str | Colormap = EVIDENCE,
    vmin: float | None = None,
    vmax: float = 1.0,
) -> FloatArray:
    r"""Give every value of a map its colour.

    .. math:: rgb_{xy} = C\!\left(\frac{M_{xy} - v_{min}}{v_{max} - v_{min}}\right)

    Parameters
    ----------
    map
        One map M of shape (h, w), values in [vmin, vmax]: an array, or a tensor without gradient.
    colormap
        C: EVIDENCE, INTENSITY, or any of matplotlib's colour maps or their names.
    vmin, vmax
        The values at the two ends of the colour map; ``vmin`` is by default -vmax for EVIDENCE and
        0 for every other colour map.

    Returns
    -------
    numpy.ndarray
        Colours of shape (h, w, 3), float64 in [0, 1].

    Raises
    ------
    TypeError
        If ``map`` is no array of real numbers.
    ValueError
        If it is not (h, w), is empty, holds NaN or infinity or values outside [vmin, vmax], if
        vmin is not below vmax, or if there is no colour map of that name.
    """
    colors, low, high = colors_between(colormap, vmin, vmax)
    values = as_map("map", map, low, high)
    rgba = colors((values - low) / (high - low))
    return np.array(rgba, dtype=np.float64)[..., :3]
