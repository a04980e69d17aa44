"""ClassExplorer: what does each class find in the picture, and what does each place speak for?"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, UInt8

import camlib
from camlib import plotting
from camlib.errors import describe
from camlib.explorers import checks, dual_output
from camlib.explorers.explorer import Checked, Explorer

if TYPE_CHECKING:
    from camlib.explain import ClassActivationMaps

AS_IT_IS = "Pass the result of camlib.class_activation_maps as it is."


class ClassExplorer(Explorer):
    r"""Explore one picture's class activation maps, in Jupyter and in a page without a kernel.

    The colours show map / peak, from -1 (blue, against the class) over 0 to 1 (orange, for it);
    beside the map stands its identity, with the chosen class's own numbers:

    .. math:: \frac{1}{hw} \sum_{ij} \mathrm{map}_{ij} + \mathrm{offset} = \mathrm{logit}

    Parameters
    ----------
    image
        The picture as the network saw it, shape (H, W, 3), uint8 or floats from 0 to 1.
    cam
        Result of :func:`camlib.class_activation_maps` for this one picture.
    class_names
        All of the network's names, looked up by class index, or exactly one name for each map.
    class_index
        The class shown first, in the network's own numbering; the highest logit by default.
    opacity
        Opacity of the strongest evidence, 0 to 1; weaker evidence is fainter in proportion.
    cell
        The place that is asked what it speaks for, as (row, column) from (0, 0), or None.
    mode
        "bilinear" or "nearest", as in :func:`camlib.upsample`.
    scale
        What the peak is. "shared": the largest absolute value of all maps, so that classes compare
        and nothing is cut off; "own": the largest of this class's map alone.
    greyscale
        Take the colour out of the photograph, so that all colour is evidence.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or range, if the maps are of several pictures,
        hold NaN or do not add up to the logits. Also when an attribute is set.

    Notes
    -----
    The last six can be read, set and observed from Python: ``explorer.class_index = 285``,
    ``explorer.observe(print, "cell")``.
    """

    class_index = Checked(checks.class_index, lambda self: self._classes)
    opacity = Checked(checks.number, 0, 1, checks.OPACITY)
    cell = Checked(checks.place, lambda self: self._maps.shape[1:])
    mode = Checked(checks.choice, ("bilinear", "nearest"))
    scale = Checked(checks.choice, ("shared", "own"))
    greyscale = Checked(checks.switch)
    module = "class_explorer"

    def __init__(
        self,
        image: Float[np.ndarray, "H W 3"] | UInt8[np.ndarray, "H W 3"],
        cam: ClassActivationMaps,
        class_names: Sequence[str],
        *,
        class_index: int | None = None,
        opacity: float = 0.8,
        cell: tuple[int, int] | None = None,
        mode: str = "bilinear",
        scale: str = "shared",
        greyscale: bool = True,
    ) -> None:
        self._picture = dual_output.picture(image)
        maps, self._logits, offset, self._classes = _checked(cam)
        checks.check_proportions(self._picture, maps.shape[1:])
        self._names = checks.names_of(class_names, self._classes)
        self._held = checks.held_in_words(cam)
        steps, step, self._maps = dual_output.in_steps(maps)
        data = {
            "photo": dual_output.picture_url(self._picture),
            "size": dual_output.shown_size(self._picture.shape),
            "shape": steps.shape,
            "maps": dual_output.array_url(steps, "int16"),
            "step": step,
            "logits": dual_output.array_url(self._logits, "float32"),
            "offset": dual_output.array_url(offset, "float32"),
            "classes": dual_output.array_url(self._classes, "int32"),
            "names": self._names,
            "colours": dual_output.array_url(dual_output.evidence_table(), "uint8"),
            **({"held": self._held} if self._held else {}),
        }
        if class_index is None:
            class_index = self._classes[int(self._logits.argmax())]
        super().__init__(
            data,
            class_index=class_index,
            opacity=opacity,
            cell=cell,
            mode=mode,
            scale=scale,
            greyscale=greyscale,
        )

    def __repr__(self) -> str:
        count, rows, columns = self._maps.shape
        return f"ClassExplorer of {count} classes, {rows}×{columns} cells"

    def _static_html(self) -> str:
        place = self._classes.index(self.class_index)
        name, values = self._names[place], self._maps[place]
        row, column = np.unravel_index(values.argmax(), values.shape)
        strongest = (
            f"strongest in row {row}, column {column}, both counted from 0"
            if values.max() > 0
            else "of which this picture has none"
        )
        return self._figure(
            self._drawn(values),
            alt=f"Class activation map of “{name}” over the photograph. "
            f"Orange: evidence for it, {strongest}. Blue: evidence against it.",
            caption=f"<strong>{html.escape(name)}</strong>, logit {self._logits[place]:.2f}. Orange "
            "places speak for it, blue ones against it. With JavaScript this picture answers: choose "
            f"any of {len(self._names)} classes, point at a place to see what it speaks for. "
            f"{html.escape(self._held)}".rstrip(),
        )

    def _drawn(self, values: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "H W 3"]:
        """Return the picture with the map over it, as the ES module draws it."""
        size = dual_output.shown_size(self._picture.shape)
        peak = np.abs(self._maps if self.scale == "shared" else values).max()
        scaled = torch.from_numpy(values / peak if peak > 0 else values)
        large = camlib.upsample(scaled[None, None], size, self.mode)[0, 0]
        photograph = dual_output.resized(self._picture, size)
        background = plotting.greyscale(photograph) if self.greyscale else photograph
        return dual_output.as_bytes(plotting.overlay(background, large, opacity=self.opacity))


def _checked(
    cam: ClassActivationMaps,
) -> tuple[Float[np.ndarray, "c h w"], Float[np.ndarray, " c"], Float[np.ndarray, " c"], list[int]]:
    """Return one picture's maps, logits, offset and class indices, or raise."""
    maps, logits, offset, classes = checks.parts_of(
        "cam", cam, "camlib.class_activation_maps", "maps", "logits", "offset", "classes"
    )
    if maps.ndim != 4 or 0 in maps.shape:
        raise ValueError(
            f"cam.maps: expected shape (1, c, h, w), got {describe(cam.maps)}. {AS_IT_IS}"
        )
    if len(maps) != 1:
        raise ValueError(
            f"cam: expected the maps of one picture, got {len(maps)} pictures. "
            "Pass one of them: camlib.class_activation_maps(network, images[:1])."
        )
    if logits.shape != maps.shape[:2] or classes.shape != maps.shape[1:2]:
        raise ValueError(
            f"cam: expected a logit and a class index for each of {maps.shape[1]} maps, got logits "
            f"{describe(cam.logits)} and classes {describe(cam.classes)}. {AS_IT_IS}"
        )
    sums = maps.mean((2, 3)) + offset
    remedy = "Pass the maps raw, without ReLU or scaling: the explorer scales only the colours."
    checks.check_sum("cam", sums, logits, cam.maps.dtype, "mean(map) + offset", remedy)
    offset = offset.expand_as(logits)
    return maps[0].numpy(), logits[0].numpy(), offset[0].numpy(), classes.long().tolist()
