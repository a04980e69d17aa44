"""ClassExplorer: what does each class find in the picture, and what does each place speak for?"""

from __future__ import annotations

import html
import operator
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import traitlets
from anywidget import AnyWidget

import camlib
from camlib import plotting
from camlib.errors import describe
from camlib.explorers import dual_output
from camlib.explorers.inputs import (
    Evidence,
    check_proportions,
    checked_evidence,
    checked_picture,
)

if TYPE_CHECKING:
    from camlib.explain import ClassActivationMaps

MODES = ("bilinear", "nearest")
SCALES = ("shared", "own")


class ClassExplorer(AnyWidget):
    r"""Explore one picture's class activation maps, in Jupyter and in a page without a kernel.

    The colours show map / peak, from -1 (blue, against the class) over 0 to 1 (orange, for it). Under
    the map stand mean(map) + offset = logit with the class's own numbers.

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
        Opacity of the strongest evidence, 0 to 1.
    cell
        The place that is asked what it speaks for, as (row, column), or None.
    mode
        "bilinear" or "nearest", as in :func:`camlib.upsample`.
    scale
        What the peak is. "shared": the largest absolute value of all maps, so that classes compare and
        nothing is cut off; "own": the largest of this class's map alone.

    All five can be read, set and observed from Python: ``explorer.class_index = 285``,
    ``explorer.observe(print, "cell")``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or range, if the maps are of several pictures, hold NaN,
        or do not add up to the logits; also when an attribute is set.
    """

    # The attributes' own checks give clearer messages than the ready-made trait types.
    class_index = traitlets.Any().tag(sync=True)
    opacity = traitlets.Any().tag(sync=True)
    cell = traitlets.Any().tag(sync=True)
    mode = traitlets.Any().tag(sync=True)
    scale = traitlets.Any().tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)
    _esm = pathlib.Path(__file__).with_name("class_explorer.mjs")

    def __init__(
        self,
        image: np.ndarray,
        cam: ClassActivationMaps,
        class_names: Sequence[str],
        *,
        class_index: int | None = None,
        opacity: float = 0.7,
        cell: tuple[int, int] | None = None,
        mode: str = "bilinear",
        scale: str = "shared",
    ) -> None:
        self._picture = checked_picture(image)
        self._evidence = checked_evidence(cam, class_names)
        check_proportions(self._picture, self._evidence.maps.shape[1:])
        if class_index is None:
            class_index = int(self._evidence.classes[self._evidence.logits.argmax()])
        super().__init__(
            class_index=class_index,
            opacity=opacity,
            cell=cell,
            mode=mode,
            scale=scale,
            _data=_packed(self._picture, self._evidence),
        )

    def __repr__(self) -> str:
        maps, rows, columns = self._evidence.maps.shape
        return f"ClassExplorer of {maps} classes, {rows}×{columns} cells"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the widget for Jupyter, and HTML for the page without a kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "text/plain": repr(self), "text/html": self._static_html()}, metadata

    def _static_html(self) -> str:
        place = int(np.flatnonzero(self._evidence.classes == self.class_index)[0])
        name, map = self._evidence.names[place], self._evidence.maps[place]
        row, column = np.unravel_index(map.argmax(), map.shape)
        strongest = (
            f"strongest in row {row + 1}, column {column + 1} of {map.shape[0]}×{map.shape[1]} cells"
            if map.max() > 0
            else "of which there is none in this picture"
        )
        state = {key: getattr(self, key) for key in ("class_index", "opacity", "cell", "mode", "scale")}
        return dual_output.static_figure(
            "class_explorer",
            self._drawn(map),
            alt=f"Class activation map of “{name}” over the photograph. Orange: evidence for it, "
            f"{strongest}. Blue: evidence against it.",
            caption=f"<strong>{html.escape(name)}</strong>, logit {self._evidence.logits[place]:.2f}. Orange "
            "places speak for it, blue ones against it. With JavaScript this picture answers: choose "
            f"any of {len(self._evidence.names)} classes, and point at a place to see what it speaks for.",
            data={**self._data, "state": state},
        )

    def _drawn(self, map: np.ndarray) -> np.ndarray:
        """Return the picture with the map over it, (H, W, 3) bytes, as the ES module would draw it."""
        size = dual_output.shown_size(*self._picture.shape[:2])
        peak = np.abs(self._evidence.maps if self.scale == "shared" else map).max()
        scaled = map / peak if peak > 0 else map
        large = camlib.upsample(torch.from_numpy(scaled)[None, None], size, self.mode)[0, 0].numpy()
        background = dual_output.resized(self._picture, *size)
        return np.rint(255 * plotting.overlay(background, large, opacity=self.opacity)).astype(np.uint8)

    @traitlets.validate("class_index")
    def _check_class_index(self, proposal: dict[str, Any]) -> int:
        index = _whole_number("class_index", proposal["value"])
        classes = self._evidence.classes
        if index not in classes:
            which = (
                f"from 0 to {classes.max()}"
                if np.array_equal(classes, np.arange(len(classes)))
                else "out of " + ", ".join(map(str, classes[:8])) + (", …" if len(classes) > 8 else "")
            )
            raise ValueError(
                f"class_index: expected a class {which}, got {index}. Look a class up by its name: "
                "class_names.index(name); a map that is missing is made by class_activation_maps(classes=...)."
            )
        return index

    @traitlets.validate("opacity")
    def _check_opacity(self, proposal: dict[str, Any]) -> float:
        value = proposal["value"]
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            raise TypeError(
                f"opacity: expected a number from 0 to 1, got {describe(value)}. "
                "Pass 0 for the bare photograph, 1 for full colour."
            )
        if not 0 <= value <= 1:
            raise ValueError(
                f"opacity: expected a number from 0 to 1, got {value}. "
                "Pass 0 for the bare photograph, 1 for full colour."
            )
        return float(value)

    @traitlets.validate("cell")
    def _check_cell(self, proposal: dict[str, Any]) -> tuple[int, int] | None:
        value = proposal["value"]
        if value is None:
            return None
        rows, columns = self._evidence.maps.shape[1:]
        if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
            raise TypeError(
                f"cell: expected a pair (row, column) or None, got {describe(value)}. "
                "Pass for example (0, 0) for the upper left cell."
            )
        row, column = (_whole_number("cell", number) for number in value)
        if not (0 <= row < rows and 0 <= column < columns):
            raise ValueError(
                f"cell: expected a row from 0 to {rows - 1} and a column from 0 to {columns - 1}, "
                f"got ({row}, {column}). Counting starts at 0 in the upper left corner."
            )
        return row, column

    @traitlets.validate("mode", "scale")
    def _check_choice(self, proposal: dict[str, Any]) -> str:
        name, value = proposal["trait"].name, proposal["value"]
        first, second = MODES if name == "mode" else SCALES
        if value not in (first, second):
            raise ValueError(
                f'{name}: expected "{first}" or "{second}", got {value!r}. Start with "{first}".'
            )
        return str(value)


def _whole_number(name: str, value: object) -> int:
    """Return Python's and NumPy's integers as int."""
    if not isinstance(value, bool) and hasattr(value, "__index__"):
        return operator.index(value)
    raise TypeError(f"{name}: expected whole numbers, got {describe(value)}. Convert it with int().")


def _packed(picture: np.ndarray, evidence: Evidence) -> dict[str, Any]:
    """Return what the ES module needs, as JSON; arrays as data addresses."""
    height, width = dual_output.shown_size(*picture.shape[:2])
    return {
        "photo": dual_output.picture_url(picture),
        "size": [height, width],
        "shape": list(evidence.maps.shape),
        "maps": dual_output.array_url(evidence.maps, "float16"),
        "logits": dual_output.array_url(evidence.logits, "float32"),
        "offset": dual_output.array_url(evidence.offset, "float32"),
        "classes": dual_output.array_url(evidence.classes, "int32"),
        "names": list(evidence.names),
        "colours": dual_output.array_url(dual_output.evidence_table(), "uint8"),
    }
