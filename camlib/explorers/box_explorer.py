"""BoxExplorer: a threshold cuts a region out of a map; how well does its box meet the true one?"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import traitlets
from jaxtyping import Float, Int, UInt8
from numpy.typing import ArrayLike
from scipy import ndimage
from torch import Tensor

import camlib
from camlib import localization, plotting
from camlib.errors import describe
from camlib.explorers import attributes, dual_output, modules
from camlib.explorers.explorer import Explorer
from camlib.explorers.inputs import check_proportions, checked_map, checked_picture
from camlib.regions import above

FOUND = 0.5  # the IoU from which on a box counts
POSTER = 320  # pixels: the longest side of the picture without scripts
PICTURES = "Pass a list of arrays: [scenes.pictures[i] for i in chosen]."
BOXES = "Boxes are half-open: (x0, y0, x1, y1) in pixels of the picture."
# Of three or four tones that differ in brightness too: white, amber, black.
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

    threshold = attributes.Checked().tag(sync=True)
    scene = attributes.Checked().tag(sync=True)
    module = "box_explorer.mjs"
    state = ("threshold", "scene")
    _esm = modules.joined(module)

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
        self._pictures = _checked_pictures(pictures)
        self._maps = _checked_maps(maps, self._pictures)
        self._boxes = _checked_boxes(boxes, self._pictures)
        self._names = _checked_names(names, len(self._pictures))
        self._large = [
            camlib.upsample(torch.from_numpy(map)[None, None], picture.shape[:2])[0, 0]
            for map, picture in zip(self._maps, self._pictures, strict=True)
        ]
        super().__init__(threshold=threshold, scene=scene, _data=self._packed())

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

    def _packed(self) -> dict[str, Any]:
        """Return what the ES module needs, as JSON; arrays as data addresses."""
        return {
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

    def _static_html(self) -> str:
        name = self._names[self.scene]
        part = f"{100 * self.threshold:.0f} % of its maximum"
        if self.box is None:
            outcome = "no place stands out, so there is no box"
        else:
            verdict = "found" if self.iou >= FOUND else "missed"
            outcome = (
                f"the box around the largest region meets the true one with IoU {self.iou:.2f}"
            )
            outcome += f": {verdict}"
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

    @traitlets.validate("threshold")
    def _check_threshold(self, proposal: dict[str, Any]) -> float:
        value = proposal["value"]
        number = isinstance(value, (int, float, np.integer, np.floating))
        if isinstance(value, bool) or not number:
            raise TypeError(
                f"threshold: expected a number between 0 and 1, got {describe(value)}. Pass 0.2."
            )
        if not 0 < value < 1:
            raise ValueError(
                f"threshold: expected a part of the maximum between 0 and 1, got {value:g}. "
                "Pass 0.2 for 20 %."
            )
        return float(value)

    @traitlets.validate("scene")
    def _check_scene(self, proposal: dict[str, Any]) -> int:
        index = attributes.whole_number("scene", proposal["value"])
        if not 0 <= index < len(self._pictures):
            raise ValueError(
                f"scene: expected 0 to {len(self._pictures) - 1}, got {index}. "
                "Pictures count from 0."
            )
        return index


def _checked_pictures(pictures: object) -> list[UInt8[np.ndarray, "H W 3"]]:
    """Return the pictures as bytes with three colours, or raise."""
    whole = isinstance(pictures, np.ndarray) and pictures.ndim > 2
    if not whole and not isinstance(pictures, (list, tuple)):
        raise TypeError(f"pictures: expected several, got {describe(pictures)}. {PICTURES}")
    if not len(pictures):  # type: ignore[arg-type]
        raise ValueError(f"pictures: expected at least one, got none. {PICTURES}")
    checked = []
    for index, picture in enumerate(pictures):  # type: ignore[arg-type,var-annotated]
        if isinstance(picture, np.ndarray) and picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        name = f"pictures[{index}]"
        checked.append(checked_picture(picture, name, PICTURES))
        height, width = checked[-1].shape[:2]
        if max(height, width) > dual_output.LONGEST_SIDE:
            raise ValueError(
                f"{name}: expected at most {dual_output.LONGEST_SIDE} pixels high and wide, got "
                f"{height}×{width}. Resize it, and scale its boxes by the same factor."
            )
    return checked


def _checked_maps(
    maps: object, pictures: list[UInt8[np.ndarray, "H W 3"]]
) -> list[Float[np.ndarray, "h w"]]:
    _check_count("maps", maps, len(pictures), "cam.maps[i, class_index] for each picture i")
    checked = []
    for index, (map, picture) in enumerate(zip(maps, pictures, strict=True)):  # type: ignore[call-overload]
        checked.append(checked_map(map, f"maps[{index}]"))
        check_proportions(picture, checked[-1].shape)
    return checked


def _checked_boxes(
    boxes: object, pictures: list[UInt8[np.ndarray, "H W 3"]]
) -> list[Int[np.ndarray, "m 4"]]:
    _check_count("boxes", boxes, len(pictures), "the true box of each picture")
    checked = []
    for index, (some, picture) in enumerate(zip(boxes, pictures, strict=True)):  # type: ignore[call-overload]
        array = np.atleast_2d(np.asarray(some))
        height, width = picture.shape[:2]
        came = f"got {np.asarray(some).tolist()}. {BOXES}"
        if array.ndim != 2 or array.shape[1] != 4 or not len(array):
            raise ValueError(f"boxes[{index}]: expected shape (4,) or (m, 4), {came}")
        if not np.issubdtype(array.dtype, np.integer):
            raise TypeError(f"boxes[{index}]: expected whole numbers, {came}")
        if (array[:, 2:] <= array[:, :2]).any():
            raise ValueError(f"boxes[{index}]: expected x0 < x1 and y0 < y1, {came}")
        if (array < 0).any() or (array > [width, height, width, height]).any():
            raise ValueError(
                f"boxes[{index}]: expected a box inside the picture of {height}×{width} pixels, "
                f"{came}"
            )
        checked.append(array.astype(np.int64))
    return checked


def _checked_names(names: object, count: int) -> list[str]:
    if names is None:
        return [f"picture {index + 1}" for index in range(count)]
    _check_count("names", names, count, "what each map is about")
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):  # type: ignore[attr-defined]
        raise TypeError(
            f"names: expected a list of strings, got {describe(names)}. Or leave names out."
        )
    return list(names)  # type: ignore[call-overload]


def _check_count(name: str, values: object, count: int, cure: str) -> None:
    """Raise unless there is one for each picture."""
    if not isinstance(values, (list, tuple, np.ndarray, Tensor)) or len(values) != count:
        came = len(values) if isinstance(values, (list, tuple)) else describe(values)
        raise ValueError(
            f"{name}: expected one for each of {count} pictures, got {came}. Pass a list: {cure}."
        )


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
