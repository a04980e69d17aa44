"""MethodComparer: what do several methods say about one picture, class by class, layer by layer?"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import traitlets
from jaxtyping import Float, UInt8
from numpy.typing import ArrayLike
from torch import Tensor

import camlib
from camlib import plotting
from camlib.explorers import attributes, dual_output, modules
from camlib.explorers.explorer import Explorer
from camlib.explorers.inputs import checked_picture
from camlib.explorers.method_inputs import Method, checked_comparison

# The map's opacity; as large as the page shows it.
OPACITY = 0.85
# The picture without scripts is smaller than the one with: it and the data have to fit a notebook.
POSTER = 224
# Between two panels; a grey that reads on light and dark pages.
_GAP = np.full((1, 6, 3), 0.5)


class MethodComparer(Explorer):
    r"""Compare methods such as CAM, Grad-CAM and Grad-CAM++ side by side, class by class.

    One picture stands beside itself, each time under another method's map of the same class and
    layer; a place that is pointed at is marked in all of them, with each method's value there. The
    colours show map / peak, from -1 (blue, against the class) over 0 to 1 (orange, for it).

    CAM's values average to the logit without its offset, Grad-CAM's add up to it: on a network that
    averages its features,

    .. math:: \frac{1}{hw} \sum_{ij} \mathrm{CAM}_{ij} = \sum_{ij} \mathrm{GradCAM}_{ij}

    So that one scale fits both, Grad-CAM's values are multiplied by the number of cells, and the
    panel says so: "Grad-CAM × 49". Grad-CAM++ adds up gradients too but does not divide by the
    number of places; its values stay as they are.

    Parameters
    ----------
    image
        The picture as the network saw it, shape (H, W, 3), uint8 or floats from 0 to 1; above 448
        pixels it is scaled down to that.
    maps
        For each of two to four methods its name, and for each layer's name its raw maps of c
        classes, shape (c, h, w), tensors or arrays: ``{"CAM": {"features": cam.maps[0]}, ...}``. A
        method may lack a layer. Layers stand in the order of the method that has the most.
    class_names
        All of the network's names, looked up by class index, or exactly one for each of the c maps.
    classes
        The c class indices in the network's own numbering; by default 0 to c - 1.
    logits
        The c classes' logits, shape (c,), for the words beside them; may be left out.
    times_cells
        Names of the methods whose values are multiplied by the number of cells h·w; by default
        "Grad-CAM" where it is among them. Empty: none.
    class_index
        The class shown first, in the network's own numbering; by default the one with the highest
        logit, or the first if there are no logits.
    layer
        The layer shown first, the last one by default.
    point
        The place that is asked, as (row, column) of a pixel of the picture, or None. The cell over
        it answers: that of the layer shown.
    scale
        What the peak is. "one": the largest absolute value of all panels, so that methods compare
        in strength; "own": the largest of each panel alone, so that only places compare.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or range, a map holds NaN or infinity, or the
        methods' maps of one layer differ in size. Also when an attribute is set.

    Notes
    -----
    The last four can be read, set and observed from Python: ``explorer.layer = "features.5"``,
    ``explorer.observe(print, "point")``.
    """

    class_index = attributes.Checked().tag(sync=True)
    layer = attributes.Checked().tag(sync=True)
    point = attributes.Checked().tag(sync=True)
    scale = attributes.Checked().tag(sync=True)
    module = "method_comparer.mjs"
    state = ("class_index", "layer", "point", "scale")
    _esm = modules.joined(module)

    def __init__(
        self,
        image: Float[np.ndarray, "H W 3"] | UInt8[np.ndarray, "H W 3"],
        maps: Mapping[str, Mapping[str, Float[Tensor, "c h w"] | Float[np.ndarray, "c h w"]]],
        class_names: Sequence[str],
        classes: Sequence[int] | None = None,
        *,
        logits: ArrayLike | Tensor | None = None,
        times_cells: Sequence[str] | None = None,
        class_index: int | None = None,
        layer: str | None = None,
        point: tuple[int, int] | None = None,
        scale: str = "one",
    ) -> None:
        picture = checked_picture(image)
        self._found = checked_comparison(picture, maps, class_names, classes, logits, times_cells)
        self._photograph = dual_output.paled(dual_output.fitted(picture))
        if class_index is None:
            place = int(np.argmax(self._found.logits)) if self._found.logits else 0
            class_index = int(self._found.classes[place])
        super().__init__(
            class_index=class_index,
            layer=self._found.last if layer is None else layer,
            point=point,
            scale=scale,
            _data=self._packed(),
        )

    def __repr__(self) -> str:
        found = self._found
        names = ", ".join(method.name for method in found.methods)
        many = f"{len(found.layers)} layer{'s' if len(found.layers) > 1 else ''}"
        count = len(found.names)
        return f"MethodComparer of {names}: {count} class{'es' if count > 1 else ''}, {many}"

    @property
    def shown(self) -> dict[str, Float[np.ndarray, "h w"]]:
        """Each method's map of the class and layer shown, if it has one; times h·w where asked."""
        place = int(np.flatnonzero(self._found.classes == self.class_index)[0])
        maps = {method.name: method.map(self.layer, place) for method in self._found.methods}
        return {name: map for name, map in maps.items() if map is not None}

    @property
    def peaks(self) -> dict[str, float]:
        """The value that each panel shows in full colour: one for all, or its own."""
        own = {name: float(np.abs(map).max()) for name, map in self.shown.items()}
        return own if self.scale == "own" else dict.fromkeys(own, max(own.values()))

    def _packed(self) -> dict[str, Any]:
        """Return what the ES module needs, as JSON; arrays as data addresses."""
        found = self._found
        every = [method.steps.get(name) for method in found.methods for name in found.layers]
        steps = [values.ravel() for values in every if values is not None]
        return {
            "photo": dual_output.picture_url(self._photograph),
            "size": self._photograph.shape[:2],
            "layers": [[name, *cells] for name, cells in found.layers.items()],
            # One long table: short ones would be compared letter by letter when a notebook is run
            # again, and another CPU rounds differently.
            "values": dual_output.array_url(np.concatenate(steps), "int16"),
            "methods": [
                {
                    "name": method.name,
                    "times": method.times_cells,
                    "absent": method.absent(found.last),
                    "steps": [method.step.get(name) for name in found.layers],
                }
                for method in found.methods
            ],
            "classes": found.classes.tolist(),
            "names": found.names,
            "logits": found.logits and [round(logit, 2) for logit in found.logits],
            "opacity": OPACITY,
            "colours": dual_output.array_url(dual_output.evidence_table(), "uint8"),
        }

    def _static_html(self) -> str:
        name = self._found.names[int(np.flatnonzero(self._found.classes == self.class_index)[0])]
        listed = "; ".join(self._words(method) for method in self._found.methods)
        peak = _written(max(self.peaks.values()))
        full = "each map’s own peak" if self.scale == "own" else f"±{peak} in every panel"
        return self._figure(
            self._drawn(),
            alt=f"Maps of “{name}” in layer {self.layer} over the photograph, side by side. {listed}. "
            "Orange: evidence for it. Blue: evidence against it.",
            caption=f"<strong>{html.escape(name)}</strong> in layer {html.escape(self.layer)}. From "
            f"the left: {html.escape(listed)}. Full colour is {full}. With JavaScript this picture "
            f"answers: choose among {len(self._found.names)} classes and {len(self._found.layers)} "
            "layers, point at a place to read every method’s value there.",
        )

    def _words(self, method: Method) -> str:
        """Return a method's highest value, or that there is none above zero, or that it has no map."""
        map = self.shown.get(method.name)
        if map is None:
            return method.absent(self._found.last)
        title = f"{method.name} × {map.size}" if method.times_cells else method.name
        high = float(map.max())
        return f"{title}: {'nothing speaks for it: ' * (high <= 0)}highest {_written(high)}"

    def _drawn(self) -> UInt8[np.ndarray, "H W 3"]:
        """Return the picture under each method's map, side by side, as the ES module draws them."""
        factor = min(1.0, POSTER / max(self._photograph.shape))
        height, width = (max(1, round(factor * side)) for side in self._photograph.shape[:2])
        photograph = dual_output.resized(self._photograph, height, width)
        drawn = []
        for method in self._found.methods:
            map = self.shown.get(method.name, np.zeros((1, 1), np.float32))
            scaled = torch.from_numpy(map / (self.peaks.get(method.name) or 1.0))
            large = camlib.upsample(scaled[None, None], (height, width))[0, 0]
            drawn += [plotting.overlay(photograph, large, opacity=OPACITY), _GAP.repeat(height, 0)]
        return dual_output.as_bytes(np.concatenate(drawn[:-1], axis=1))

    @traitlets.validate("class_index")
    def _check_class_index(self, proposal: dict[str, Any]) -> int:
        return attributes.class_index(proposal["value"], self._found.classes)

    @traitlets.validate("layer")
    def _check_layer(self, proposal: dict[str, Any]) -> str:
        return attributes.choice("layer", proposal["value"], tuple(self._found.layers))

    @traitlets.validate("point")
    def _check_point(self, proposal: dict[str, Any]) -> tuple[int, int] | None:
        height, width = self._photograph.shape[:2]
        return attributes.place("point", proposal["value"], height, width, "pixel")

    @traitlets.validate("scale")
    def _check_scale(self, proposal: dict[str, Any]) -> str:
        return attributes.choice("scale", proposal["value"], ("one", "own"))


def _written(value: float) -> str:
    """Return a number in three figures."""
    digits = 2 - math.floor(math.log10(abs(value) or 1.0))
    return plotting.written(value, min(6, max(0, digits)))
