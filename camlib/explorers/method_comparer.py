"""MethodComparer: what do several methods, or several networks, say about one picture?"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import ArrayLike
from torch import Tensor

import camlib
from camlib import plotting
from camlib.errors import describe
from camlib.explorers import checks, dual_output
from camlib.explorers.explorer import Checked, Explorer

# The map's opacity; as large as the page shows it.
OPACITY = 0.85
# The picture without scripts is smaller than the one with: it and the data have to fit a notebook.
POSTER = 224
# Between two panels; a grey that reads on light and dark pages.
_GAP = np.full((1, 6, 3), 0.5)
# Averaged over the cells, its values times their number give what CAM's give; see times_cells.
SUMMED = "Grad-CAM"
# More do not fit side by side.
MOST_METHODS = 4
MAPS = 'Pass {"CAM": {"features": cam.maps[0]}, "Grad-CAM": {"features": found.maps[0]}}.'


class MethodComparer(Explorer):
    r"""Compare methods such as CAM, Grad-CAM and Grad-CAM++, or networks, side by side, class by class.

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
        method may lack a layer, and have a grid (h, w) of its own: several networks are compared like
        several methods. Layers stand in the order of the method that has the most.
    class_names
        All of the network's names, looked up by class index, or exactly one for each of the c maps.
    classes
        The c class indices in the network's own numbering; by default 0 to c - 1.
    logits
        The c classes' logits, shape (c,), for the words beside them, or such logits by the method's
        name, as several networks have them; may be left out.
    times_cells
        Names of the methods whose values are multiplied by the number of cells h·w; by default
        "Grad-CAM" where it is among them. Empty: none.
    class_index
        The class shown first, in the network's own numbering; by default the one with the highest
        logit, of the first method if each has its own, or the first class if there are no logits.
    layer
        The layer shown first, the last one by default.
    point
        The place that is asked, as (row, column) of a pixel of the picture, or None. The cells over
        it answer: those of the layer shown.
    scale
        What the peak is. "one": the largest absolute value of all panels, so that methods compare
        in strength; "own": the largest of each panel alone, so that only places compare.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or range, or a map holds NaN or infinity. Also when
        an attribute is set.

    Notes
    -----
    The last four can be read, set and observed from Python: ``explorer.layer = "features.5"``,
    ``explorer.observe(print, "point")``.
    """

    class_index = Checked(checks.class_index, lambda self: self._classes)
    layer = Checked(checks.choice, lambda self: list(self._layers))
    point = Checked(checks.place, lambda self: self._photograph.shape[:2], "pixel")
    scale = Checked(checks.choice, ("one", "own"))
    module = "method_comparer"

    def __init__(
        self,
        image: Float[np.ndarray, "H W 3"] | UInt8[np.ndarray, "H W 3"],
        maps: Mapping[str, Mapping[str, Float[Tensor, "c h w"] | Float[np.ndarray, "c h w"]]],
        class_names: Sequence[str],
        classes: Sequence[int] | None = None,
        *,
        logits: ArrayLike | Tensor | Mapping[str, ArrayLike | Tensor] | None = None,
        times_cells: Sequence[str] | None = None,
        class_index: int | None = None,
        layer: str | None = None,
        point: tuple[int, int] | None = None,
        scale: str = "one",
    ) -> None:
        picture = dual_output.picture(image)
        given = _checked_maps(maps)
        count, self._layers = _checked_shapes(given)
        for found in given.values():
            for values in found.values():
                checks.check_proportions(picture, values.shape[1:])
        self._photograph = dual_output.paled(dual_output.fitted(picture))
        self._last = self._layers[-1]
        self._classes = _checked_classes(classes, count)
        self._names = checks.names_of(class_names, self._classes)
        shared, own = _checked_logits(logits, count, list(given))
        summed = _checked_summed(times_cells, list(given))
        # Each method's maps in like units, as the page has them.
        self._maps: dict[str, dict[str, list[Float[np.ndarray, "h w"]]]] = {}
        methods, tables = [], []
        for name, found in given.items():
            steps, self._maps[name] = {}, {}
            for at in [at for at in self._layers if at in found]:
                times = math.prod(found[at].shape[1:]) if name in summed else 1
                rounded = [dual_output.in_steps(times * one) for one in found[at]]
                tables += [table.ravel() for table, _, _ in rounded]
                steps[at] = [step for _, step, _ in rounded]
                self._maps[name][at] = [map for _, _, map in rounded]
            alone = f"{name} exists for the last layer alone"
            absent = alone if list(found) == [self._last] else f"no map of {name} for this layer"
            methods.append(
                {
                    "name": name,
                    "times": name in summed,
                    "absent": absent,
                    "steps": [steps.get(at) for at in self._layers],
                    "cells": [found[at].shape[1:] if at in found else None for at in self._layers],
                    "logits": _rounded(own.get(name)),
                }
            )
        data = {
            "photo": dual_output.picture_url(self._photograph),
            "size": self._photograph.shape[:2],
            "layers": self._layers,
            # One long table: short ones would be compared letter by letter when a notebook is run
            # again, and another CPU rounds differently.
            "values": dual_output.array_url(np.concatenate(tables), "int16"),
            "methods": methods,
            "classes": self._classes,
            "names": self._names,
            "logits": _rounded(shared),
            "opacity": OPACITY,
            "colours": dual_output.array_url(dual_output.evidence_table(), "uint8"),
        }
        if class_index is None:
            first = shared or next(iter(own.values()), [0.0])
            class_index = self._classes[int(np.argmax(first))]
        super().__init__(
            data,
            class_index=class_index,
            layer=self._last if layer is None else layer,
            point=point,
            scale=scale,
        )

    def __repr__(self) -> str:
        names = ", ".join(self._maps)
        many = f"{len(self._layers)} layer{'s' if len(self._layers) > 1 else ''}"
        count = len(self._names)
        return f"MethodComparer of {names}: {count} class{'es' if count > 1 else ''}, {many}"

    @property
    def shown(self) -> dict[str, Float[np.ndarray, "h w"]]:
        """Each method's map of the class and layer shown, if it has one; times h·w where asked."""
        place = self._classes.index(self.class_index)
        layers = self._maps.items()
        return {name: maps[self.layer][place] for name, maps in layers if self.layer in maps}

    @property
    def peaks(self) -> dict[str, float]:
        """The value that each panel shows in full colour: one for all, or its own."""
        own = {name: float(np.abs(map).max()) for name, map in self.shown.items()}
        return own if self.scale == "own" else dict.fromkeys(own, max(own.values()))

    def _static_html(self) -> str:
        name = self._names[self._classes.index(self.class_index)]
        listed = "; ".join(map(self._words, self._data["methods"]))
        peak = _written(max(self.peaks.values()))
        several = len(self._layers) > 1
        where = f" in layer {self.layer}" if several else ""
        answers = f"{len(self._names)} classes" + f" and {len(self._layers)} layers" * several
        full = "each map’s own peak" if self.scale == "own" else f"±{peak} in every panel"
        return self._figure(
            self._drawn(),
            alt=f"Maps of “{name}”{where} over the photograph, side by side. {listed}. "
            "Orange: evidence for it. Blue: evidence against it.",
            caption=f"<strong>{html.escape(name)}</strong>{html.escape(where)}. From the left: "
            f"{html.escape(listed)}. Full colour is {full}. With JavaScript this picture answers: "
            f"choose among {answers}, point at a place to read every map’s value there.",
        )

    def _words(self, method: dict[str, Any]) -> str:
        """Return a method's highest value, or that there is none above zero, or that it has no map."""
        map = self.shown.get(method["name"])
        if map is None:
            return str(method["absent"])
        title = f"{method['name']} × {map.size}" if method["times"] else method["name"]
        if method["logits"]:
            logit = method["logits"][self._classes.index(self.class_index)]
            title += f", logit {plotting.written(logit, 2)}"
        high = float(map.max())
        return f"{title}: {'nothing speaks for it: ' * (high <= 0)}highest {_written(high)}"

    def _drawn(self) -> UInt8[np.ndarray, "H W 3"]:
        """Return the picture under each method's map, side by side, as the ES module draws them."""
        longest = min(POSTER, max(self._photograph.shape[:2]))
        size = dual_output.shown_size(self._photograph.shape, longest)
        photograph = dual_output.resized(self._photograph, size)
        drawn = []
        for name in self._maps:
            map = self.shown.get(name, np.zeros((1, 1), np.float32))
            scaled = torch.from_numpy(map / (self.peaks.get(name) or 1.0))
            large = camlib.upsample(scaled[None, None], size)[0, 0]
            drawn += [plotting.overlay(photograph, large, opacity=OPACITY), _GAP.repeat(size[0], 0)]
        return dual_output.as_bytes(np.concatenate(drawn[:-1], axis=1))


def _written(value: float) -> str:
    """Return a number in three figures."""
    digits = 2 - math.floor(math.log10(abs(value) or 1.0))
    return plotting.written(value, min(6, max(0, digits)))


def _checked_maps(maps: object) -> dict[str, dict[str, Float[np.ndarray, "c h w"]]]:
    """Return each method's maps by the names of methods and layers, or raise."""
    remedy = "Pass the raw maps of one picture: cam.maps[0]."
    given = {
        name: {
            layer: checks.raw_maps(f"maps[{name!r}][{layer!r}]", values, "(c, h, w)", remedy)
            for layer, values in _named(layers, f"maps[{name!r}]").items()
        }
        for name, layers in _named(maps, "maps").items()
    }
    if not 2 <= len(given) <= MOST_METHODS:
        raise ValueError(f"maps: expected 2 to {MOST_METHODS} methods, got {len(given)}. {MAPS}")
    return given


def _named(value: object, name: str) -> dict[str, Any]:
    """Return a mapping whose keys are names, not empty, or raise."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise TypeError(
            f"{name}: expected a dict with names as keys, got {describe(value)}. {MAPS}"
        )
    if not value:
        raise ValueError(f"{name}: expected at least one entry, got none. {MAPS}")
    return dict(value)


def _checked_shapes(
    given: dict[str, dict[str, Float[np.ndarray, "c h w"]]],
) -> tuple[int, list[str]]:
    """Return the number of classes, and the layers in the order of the longest list."""
    longest = max(given.values(), key=len)
    count = len(next(iter(longest.values())))
    for name, found in given.items():
        for layer, values in found.items():
            if len(values) != count:
                raise ValueError(
                    f"maps[{name!r}][{layer!r}]: expected {count} maps as elsewhere, got shape "
                    f"{values.shape}. Pass the same classes for every method and layer."
                )
    return count, list(dict.fromkeys([*longest, *(at for found in given.values() for at in found)]))


def _checked_classes(classes: Sequence[int] | None, count: int) -> list[int]:
    if classes is None:
        return list(range(count))
    indices = checks.class_indices(classes)
    if len(indices) != count or len(set(indices)) < count or min(indices) < 0:
        raise ValueError(
            f"classes: expected an index for each of {count} maps, each once and from 0 on, got "
            f"{indices}. Pass those that the maps were made for."
        )
    return indices


def _checked_logits(
    logits: object, count: int, names: list[str]
) -> tuple[list[float] | None, dict[str, list[float]]]:
    """Return the logits of all methods' network, and those of each method's own."""
    if not isinstance(logits, Mapping):
        return None if logits is None else _checked_row("logits", logits, count), {}
    own = {checks.choice("logits", name, names): row for name, row in logits.items()}
    return None, {
        name: _checked_row(f"logits[{name!r}]", own[name], count) for name in names if name in own
    }


def _rounded(logits: list[float] | None) -> list[float] | None:
    """Return the two decimals that are shown."""
    return logits and [round(logit, 2) for logit in logits]


def _checked_row(argument: str, logits: object, count: int) -> list[float]:
    got = f"got {describe(logits)}. Pass those of the maps' classes: cam.logits[0]."
    try:
        values = torch.as_tensor(logits).detach().to("cpu", torch.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{argument}: expected numbers, {got}") from error
    if values.shape != (count,) or not torch.isfinite(values).all():
        raise ValueError(f"{argument}: expected a finite number for each of {count} classes, {got}")
    return list(values.tolist())


def _checked_summed(times_cells: object, names: list[str]) -> list[str]:
    if times_cells is None:
        return [SUMMED]
    remedy = f'Pass ["{SUMMED}"], or [] to multiply none.'
    given = checks.sequence("times_cells", times_cells, "methods' names", remedy)
    return [checks.choice("times_cells", name, names) for name in given]
