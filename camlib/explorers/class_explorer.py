"""ClassExplorer: what does each class find in the picture, and what does each place speak for?"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import traitlets
from jaxtyping import Float, UInt8

import camlib
from camlib import plotting
from camlib.explorers import attributes, dual_output, modules
from camlib.explorers.explorer import Explorer
from camlib.explorers.inputs import check_proportions, checked_evidence, checked_picture

if TYPE_CHECKING:
    from camlib.explain import ClassActivationMaps
    from camlib.explorers.inputs import Evidence


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

    class_index = attributes.Checked().tag(sync=True)
    opacity = attributes.Checked().tag(sync=True)
    cell = attributes.Checked().tag(sync=True)
    mode = attributes.Checked().tag(sync=True)
    scale = attributes.Checked().tag(sync=True)
    greyscale = attributes.Checked().tag(sync=True)
    module = "class_explorer.mjs"
    state = ("class_index", "opacity", "cell", "mode", "scale", "greyscale")
    _esm = modules.joined(module)

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
        self._picture = checked_picture(image)
        self._evidence = checked_evidence(cam, class_names)
        check_proportions(self._picture, self._evidence.cells)
        if class_index is None:
            class_index = int(self._evidence.classes[self._evidence.logits.argmax()])
        super().__init__(
            class_index=class_index,
            opacity=opacity,
            cell=cell,
            mode=mode,
            scale=scale,
            greyscale=greyscale,
            _data=_packed(self._picture, self._evidence),
        )

    def __repr__(self) -> str:
        rows, columns = self._evidence.cells
        return f"ClassExplorer of {len(self._evidence.names)} classes, {rows}×{columns} cells"

    def _static_html(self) -> str:
        place = int(np.flatnonzero(self._evidence.classes == self.class_index)[0])
        name, values = self._evidence.names[place], self._evidence.maps[place]
        row, column = np.unravel_index(values.argmax(), values.shape)
        strongest = (
            f"strongest in row {row + 1} of {values.shape[0]}, column {column + 1} of "
            f"{values.shape[1]}"
            if values.max() > 0
            else "of which this picture has none"
        )
        return self._figure(
            self._drawn(values),
            alt=f"Class activation map of “{name}” over the photograph. "
            f"Orange: evidence for it, {strongest}. Blue: evidence against it.",
            caption=f"<strong>{html.escape(name)}</strong>, logit "
            f"{self._evidence.logits[place]:.2f}. Orange places speak for it, blue ones against "
            "it. With JavaScript this picture answers: choose any of "
            f"{len(self._evidence.names)} classes, point at a place to see what it speaks for. "
            f"{html.escape(self._evidence.held)}".rstrip(),
        )

    def _drawn(self, values: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "H W 3"]:
        """Return the picture with the map over it, as the ES module draws it."""
        size = dual_output.shown_size(*self._picture.shape[:2])
        peak = np.abs(self._evidence.maps if self.scale == "shared" else values).max()
        scaled = torch.from_numpy(values / peak if peak > 0 else values)
        large = camlib.upsample(scaled[None, None], size, self.mode)[0, 0]
        photograph = dual_output.resized(self._picture, *size)
        background = plotting.greyscale(photograph) if self.greyscale else photograph
        shown = plotting.overlay(background, large, opacity=self.opacity)
        return dual_output.as_bytes(shown)

    @traitlets.validate("class_index")
    def _check_class_index(self, proposal: dict[str, Any]) -> int:
        return attributes.class_index(proposal["value"], self._evidence.classes)

    @traitlets.validate("opacity")
    def _check_opacity(self, proposal: dict[str, Any]) -> float:
        return attributes.fraction("opacity", proposal["value"])

    @traitlets.validate("cell")
    def _check_cell(self, proposal: dict[str, Any]) -> tuple[int, int] | None:
        return attributes.cell(proposal["value"], *self._evidence.cells)

    @traitlets.validate("mode")
    def _check_mode(self, proposal: dict[str, Any]) -> str:
        return attributes.choice("mode", proposal["value"], ("bilinear", "nearest"))

    @traitlets.validate("scale")
    def _check_scale(self, proposal: dict[str, Any]) -> str:
        return attributes.choice("scale", proposal["value"], ("shared", "own"))

    @traitlets.validate("greyscale")
    def _check_greyscale(self, proposal: dict[str, Any]) -> bool:
        return attributes.switch("greyscale", proposal["value"])


def _packed(picture: UInt8[np.ndarray, "H W 3"], evidence: Evidence) -> dict[str, Any]:
    """Return what the ES module needs, as JSON; arrays as data addresses."""
    return {
        "photo": dual_output.picture_url(picture),
        "size": dual_output.shown_size(*picture.shape[:2]),
        "shape": evidence.steps.shape,
        "maps": dual_output.array_url(evidence.steps, "int16"),
        "step": evidence.step,
        "logits": dual_output.array_url(evidence.logits, "float32"),
        "offset": dual_output.array_url(evidence.offset, "float32"),
        "classes": dual_output.array_url(evidence.classes, "int32"),
        "names": evidence.names,
        "colours": dual_output.array_url(dual_output.evidence_table(), "uint8"),
        **({"held": evidence.held} if evidence.held else {}),
    }
