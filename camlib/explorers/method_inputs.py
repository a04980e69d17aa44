"""MethodComparer's door: several methods' maps of one picture, layer by layer, in like units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Int16, UInt8

from camlib.errors import describe
from camlib.explorers.attributes import whole_number
from camlib.explorers.inputs import check_proportions, checked_maps, checked_names, whole_step

# Averaged over the cells, its values times their number give what CAM's give; see times_cells.
SUMMED = "Grad-CAM"
# More do not fit side by side.
MOST_METHODS = 4
MAPS = 'Pass {"CAM": {"features": cam.maps[0]}, "Grad-CAM": {"features": found.maps[0]}}.'


@dataclass(frozen=True)
class Method:
    """One method's maps of c classes as they are shown: in whole steps, layer by layer."""

    name: str
    times_cells: bool
    steps: dict[str, Int16[np.ndarray, "c h w"]]
    step: dict[str, list[float]]

    def map(self, layer: str, place: int) -> Float[np.ndarray, "h w"] | None:
        """Return the map of one class, or None if the method has none for this layer."""
        if layer not in self.steps:
            return None
        return self.steps[layer][place].astype(np.float32) * np.float32(self.step[layer][place])

    def absent(self, last: str) -> str:
        """Say why there is no map where there is none; ``last`` is the network's last layer."""
        if list(self.steps) == [last]:
            return f"{self.name} exists for the last layer alone"
        return f"no map of {self.name} for this layer"


@dataclass(frozen=True)
class Comparison:
    """What the methods say about c classes of one picture."""

    methods: tuple[Method, ...]
    layers: dict[str, tuple[int, int]]
    classes: Int[np.ndarray, " c"]
    names: tuple[str, ...]
    logits: tuple[float, ...] | None

    @property
    def last(self) -> str:
        """The last layer."""
        return list(self.layers)[-1]


def checked_comparison(
    picture: UInt8[np.ndarray, "H W 3"],
    maps: object,
    class_names: Sequence[str],
    classes: object,
    logits: object,
    times_cells: object,
) -> Comparison:
    """Return all that the arguments say, or raise."""
    given = {
        name: {
            layer: checked_maps(values, f"maps[{name!r}][{layer!r}]")
            for layer, values in _named(layers, f"maps[{name!r}]").items()
        }
        for name, layers in _named(maps, "maps").items()
    }
    if not 2 <= len(given) <= MOST_METHODS:
        raise ValueError(f"maps: expected 2 to {MOST_METHODS} methods, got {len(given)}. {MAPS}")
    count, layers = _checked_shapes(given)
    for cells in layers.values():
        check_proportions(picture, cells)
    indices = _checked_classes(classes, count)
    summed = _checked_summed(times_cells, given)
    return Comparison(
        tuple(_method(name, found, name in summed) for name, found in given.items()),
        layers,
        indices,
        checked_names(class_names, indices),
        _checked_logits(logits, count),
    )


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
) -> tuple[int, dict[str, tuple[int, int]]]:
    """Return the number of classes, and each layer's cells in the order of the longest list."""
    longest = max(given.values(), key=len)
    layers = {layer: longest[layer].shape[1:] for layer in longest}
    count = len(next(iter(longest.values())))
    for name, found in given.items():
        for layer, values in found.items():
            cells = layers.setdefault(layer, values.shape[1:])
            if values.shape != (count, *cells):
                rows, columns = cells
                raise ValueError(
                    f"maps[{name!r}][{layer!r}]: expected {count} maps of {rows}×{columns} cells as "
                    f"elsewhere, got shape {values.shape}. Pass the same classes for every method "
                    "and layer, and maps as large as the layer's."
                )
    return count, layers


def _checked_classes(classes: object, count: int) -> Int[np.ndarray, " c"]:
    if classes is None:
        return np.arange(count)
    if isinstance(classes, (str, bytes)) or not hasattr(classes, "__iter__"):
        raise TypeError(
            f"classes: expected a sequence of class indices, got {describe(classes)}. "
            "Pass for example classes=[281, 287]."
        )
    indices = [whole_number("classes", index) for index in classes]
    if len(indices) != count or len(set(indices)) < count or min(indices) < 0:
        raise ValueError(
            f"classes: expected an index for each of {count} maps, each once and from 0 on, got "
            f"{indices}. Pass those that the maps were made for."
        )
    return np.array(indices)


def _checked_logits(logits: object, count: int) -> tuple[float, ...] | None:
    if logits is None:
        return None
    came = f"got {describe(logits)}. Pass those of the maps' classes: cam.logits[0]."
    try:
        values = torch.as_tensor(logits).detach().to("cpu", torch.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"logits: expected numbers, {came}") from error
    if values.shape != (count,) or not torch.isfinite(values).all():
        raise ValueError(f"logits: expected a finite number for each of {count} classes, {came}")
    return tuple(values.tolist())


def _checked_summed(times_cells: object, given: Mapping[str, object]) -> tuple[str, ...]:
    if times_cells is None:
        return tuple(name for name in given if name == SUMMED)
    if isinstance(times_cells, str) or not isinstance(times_cells, Sequence):
        raise TypeError(
            f"times_cells: expected a list of methods' names, got {describe(times_cells)}. "
            f'Pass ["{SUMMED}"], or [] to multiply none.'
        )
    for name in times_cells:
        if name not in given:
            raise ValueError(
                f"times_cells: expected some of {', '.join(given)}, got {name!r}. "
                "Name the methods as maps does."
            )
    return tuple(times_cells)


def _method(name: str, found: dict[str, Float[np.ndarray, "c h w"]], times_cells: bool) -> Method:
    steps, step = {}, {}
    for layer, values in found.items():
        shown = values * math.prod(values.shape[1:]) if times_cells else values
        sizes = np.array([whole_step(float(np.abs(one).max())) for one in shown])
        steps[layer] = np.rint(shown / sizes[:, None, None]).astype(np.int16)
        step[layer] = sizes.tolist()
    return Method(name, times_cells, steps, step)
