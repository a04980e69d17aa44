"""BoxExplorer: a threshold cuts a region out of a map; how well does its box meet the true one?"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from numpy.typing import ArrayLike
from scipy import ndimage
from torch import Tensor

import camlib
from camlib import localization, plotting
from camlib.errors import describe
from camlib.explorers import checks, dual_output
from camlib.explorers.explorer import Checked, Explorer
from camlib.regions import above

FOUND = 0.5  # the IoU from which on a box counts
POSTER = 320  # pixels: the longest side of the picture without scripts
# Three tones that differ in brightness too: white, amber, black.
_TRUE, _FOUND, _HALO = (1.0, 1.0, 1.0), (1.0, 0.69, 0.0), (0.09, 0.09, 0.11)
_BELOW, _ASIDE = 0.66, 0.33  # how dark it is below the threshold, and in the smaller regions


class BoxExplorer(Explorer):
    r"""Explore how a threshold turns a map into a box, in Jupyter and in a page without a kernel.

    The map is enlarged bilinearly to its picture; of the places above a part of its maximum the
    largest connected region is boxed, and the box compared with the true one:

    .. math:: \{(x, y) : M(x, y) > \tau \, \max M\}, \qquad
        \mathrm{IoU}(A, B) = \frac{|A \cap B|}{|A \cup B|} \ge \tfrac{1}{2}

    Several pictures stand side by side, for a threshold has to suit them all.

    Parameters
    ----------
    pictures
        One picture or more, each of shape (H, W) or (H, W, 3), uint8 or floats from 0 to 1, at most
        448 pixels high and wide.
    maps
        For each picture one raw map of shape (h, w), a tensor or an array; any real values.
    boxes
        For each picture the true box, shape (4,), or several, shape (m, 4), of which the one that
        is met best counts: half-open (x0, y0, x1, y1) in the picture's pixels.
    names
        For each picture what its map is about; may be left out.
    threshold
        The part :math:`\tau` of the map's maximum, between 0 and 1.
    scene
        Which picture is shown large, counted from 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or range, a map holds NaN or infinity, or a box
        is empty or lies outside its picture. Also when an attribute is set.

    Notes
    -----
    The last two can be read, set and observed from Python: ``explorer.threshold = 0.3``,
    ``explorer.observe(print, "scene")``. The box is that of
    :func:`camlib.localization.box_from_map`.
    """

    threshold = Checked(checks.number, 0, 1, "Pass 0.2 for 20 % of the maximum.", False)
    scene = Checked(checks.index, lambda self: len(self._pictures))
    module = "box_explorer"

    def __init__(
        self,
        pictures: Sequence[UInt8[np.ndarray, "H W"] | Float[np.ndarray, "H W 3"]],
        maps: Sequence[Float[Tensor, "h w"]] | Float[Tensor, "n h w"],
        boxes: Sequence[ArrayLike],
        names: Sequence[str] | None = None,
        *,
        threshold: float = 0.2,
        scene: int = 0,
    ) -> None:
        given = _listed("pictures", pictures, "[scenes.pictures[i] for i in chosen]")
        self._pictures = [_checked_picture(i, picture) for i, picture in enumerate(given)]
        count = len(given)
        of_each = "cam.maps[i, class_index] for each picture i"
        self._maps = [
            checks.raw_maps(f"maps[{i}]", map, "(h, w)", checks.ONE_MAP)
            for i, map in enumerate(_listed("maps", maps, of_each, count))
        ]
        true = _listed("boxes", boxes, "the true box of each picture", count)
        both = enumerate(zip(true, self._pictures, strict=True))
        self._boxes = [_checked_boxes(i, some, picture) for i, (some, picture) in both]
        names = [f"picture {i + 1}" for i in range(count)] if names is None else names
        self._names = _listed("names", names, "what each map is about, or leave names out", count)
        if not all(isinstance(name, str) for name in self._names):
            raise TypeError(f"names: expected strings, got {self._names}. Or leave names out.")
        self._large = []
        for map, picture in zip(self._maps, self._pictures, strict=True):
            checks.check_proportions(picture, map.shape)
            one = torch.from_numpy(map)[None, None]
            self._large.append(camlib.upsample(one, picture.shape[:2])[0, 0])
        data = {
            "colours": dual_output.array_url(dual_output.evidence_table(), "uint8"),
            "scenes": [
                {
                    "name": name,
                    "photo": dual_output.picture_url(picture),
                    "size": picture.shape[:2],
                    "shape": map.shape,
                    "map": dual_output.array_url(map, "float32"),
                    "boxes": boxes.tolist(),
                }
                for name, picture, map, boxes in zip(
                    self._names, self._pictures, self._maps, self._boxes, strict=True
                )
            ],
        }
        super().__init__(data, threshold=threshold, scene=scene)

    def __repr__(self) -> str:
        count = len(self._pictures)
        return f"BoxExplorer of {count} picture{'s' if count > 1 else ''}"

    @property
    def box(self) -> localization.Box | None:
        """The box around the largest region of the picture shown; None if no place stands out."""
        large = self._large[self.scene]
        if not large.max() > max(0.0, float(large.min())):
            return None
        return localization.box_from_map(large, self.threshold)

    @property
    def iou(self) -> float:
        """How well the box meets the true one that it meets best; 0 if there is no box."""
        if self.box is None:
            return 0.0
        return float(localization.iou(self.box, self._boxes[self.scene]).max())

    def _static_html(self) -> str:
        name = self._names[self.scene]
        part = f"{100 * self.threshold:.0f} % of its maximum"
        if self.box is None:
            outcome = "no place stands out, so there is no box"
        else:
            verdict = "found" if self.iou >= FOUND else "missed"
            outcome = (
                "the box around the largest region meets the true one with IoU "
                f"{self.iou:.2f}: {verdict}"
            )
        return self._figure(
            self._drawn(),
            alt=f"{name}: the picture, dark where the map lies below {part}; {outcome}.",
            caption=f"<strong>{html.escape(name)}</strong>, cut at {part}: {outcome}. Solid: the "
            "map’s box; dashed: the true one. With JavaScript this picture answers: move the "
            f"threshold, choose among {len(self._pictures)} pictures.",
        )

    def _drawn(self) -> UInt8[np.ndarray, "H W 3"]:
        """Return the picture with map, shadow and boxes, as the ES module draws them."""
        picture, large = self._pictures[self.scene], self._large[self.scene].numpy()
        factor = max(1, POSTER // max(picture.shape[:2]))
        peak = float(np.abs(large).max())
        shown = plotting.overlay(picture, large / peak if peak > 0 else large, opacity=1.0)
        shown = shown * (1 - self._shadow())[..., None]
        shown = shown.repeat(factor, axis=0).repeat(factor, axis=1)
        for box in self._boxes[self.scene]:
            _outline(shown, factor * box, _TRUE, dash=7)
        if self.box is not None:
            _outline(shown, factor * np.array(self.box), _FOUND)
        return dual_output.as_bytes(shown)

    def _shadow(self) -> Float[np.ndarray, "H W"]:
        """Return how dark each place is: 0 in the largest region."""
        large = self._large[self.scene]
        if self.box is None:
            return np.full(large.shape, _BELOW)
        regions, _ = ndimage.label(above(large, self.threshold).numpy(), np.ones((3, 3), int))
        largest = np.bincount(regions.ravel())[1:].argmax() + 1
        return np.select([regions == largest, regions > 0], [0.0, _ASIDE], _BELOW)


def _listed(name: str, values: object, remedy: str, count: int | None = None) -> list[Any]:
    """Return the ``count`` items of a list, or at least one."""
    if not isinstance(values, (list, tuple, np.ndarray, Tensor)):
        raise TypeError(f"{name}: expected a list, got {describe(values)}. Pass {remedy}.")
    if len(values) != (count or len(values) or 1):
        expected = f"one for each of {count} pictures" if count else "at least one"
        raise ValueError(f"{name}: expected {expected}, got {len(values)}. Pass {remedy}.")
    return list(values)


def _checked_picture(i: int, picture: object) -> UInt8[np.ndarray, "H W 3"]:
    """Return a picture as bytes with three colours, or raise."""
    if isinstance(picture, np.ndarray) and picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    checked = dual_output.picture(picture, f"pictures[{i}]")
    height, width = checked.shape[:2]
    if max(height, width) > dual_output.LONGEST_SIDE:
        raise ValueError(
            f"pictures[{i}]: expected at most {dual_output.LONGEST_SIDE} pixels high and wide, got "
            f"{height}×{width}. Resize it, and scale its boxes by the same factor."
        )
    return checked


def _checked_boxes(
    i: int, some: ArrayLike, picture: UInt8[np.ndarray, "H W 3"]
) -> Int[np.ndarray, "m 4"]:
    """Return a picture's true boxes, or raise."""
    array = np.atleast_2d(np.asarray(some))
    height, width = picture.shape[:2]
    wrong = None
    if array.ndim != 2 or array.shape[1] != 4 or not len(array):
        wrong = "shape (4,) or (m, 4)"
    elif not np.issubdtype(array.dtype, np.integer):
        wrong = "whole numbers"
    elif (array[:, 2:] <= array[:, :2]).any():
        wrong = "x0 < x1 and y0 < y1"
    elif (array < 0).any() or (array > [width, height, width, height]).any():
        wrong = f"a box inside the picture of {height}×{width} pixels"
    if wrong:
        raise (TypeError if wrong == "whole numbers" else ValueError)(
            f"boxes[{i}]: expected {wrong}, got {np.asarray(some).tolist()}. "
            "Boxes are half-open: (x0, y0, x1, y1) in pixels of the picture."
        )
    return array.astype(np.int64)


def _outline(
    picture: Float[np.ndarray, "H W 3"],
    box: Int[np.ndarray, "4"],
    colour: tuple[float, float, float],
    dash: int = 0,
) -> None:
    """Draw a box's outline into the picture: three pixels wide in a dark halo, or dashed."""
    height, width = picture.shape[:2]
    down, across = np.mgrid[:height, :width]
    x0, y0, x1, y1 = box
    # How far a pixel's middle lies from the rectangle's line, inside or outside.
    beside = np.maximum(np.maximum(x0 - across - 0.5, across + 0.5 - x1), 0)
    below = np.maximum(np.maximum(y0 - down - 0.5, down + 0.5 - y1), 0)
    edge = [across + 0.5 - x0, x1 - across - 0.5, down + 0.5 - y0, y1 - down - 0.5]
    distance = np.where((beside > 0) | (below > 0), np.hypot(beside, below), np.min(edge, axis=0))
    picture[distance < 3] = _HALO
    gaps = (down + across) // dash % 2 == 0 if dash else True
    picture[(distance < 1.5) & gaps] = colour
