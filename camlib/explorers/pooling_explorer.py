"""PoolingExplorer: which pooled numbers notice when the cells of the maps change?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

import camlib
from camlib import plotting
from camlib.errors import describe
from camlib.explorers import checks, dual_output
from camlib.explorers.explorer import Checked, Explorer
from camlib.plotting.checks import as_numbers

# More are neither told apart in the page nor hit with a finger.
MOST_MAPS, MOST_CELLS = 30, 7
STEP = "Pass 1, or 0.1 for small values."
WIDER = "Wider limits are an argument: PoolingExplorer(maps, limits=(0, 99))."


def _checked_array(name: str, value: Any) -> Float[np.ndarray, "*axes"]:
    """Return a copy of finite numbers in float64, which holds whole numbers and means exactly."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = value.double() if value.is_floating_point() else value
    return as_numbers(name, value)


def _checked_values(name: str, value: Any, start: Float[np.ndarray, "k h w"], limits: Any) -> Any:
    """Return edited maps as nested tuples, which nobody changes unnoticed, or raise."""
    array = _checked_array(name, value)
    if array.shape != start.shape:
        raise ValueError(
            f"{name}: expected shape {start.shape}, got {array.shape}. "
            "Make another explorer for maps of another shape."
        )
    _check_range(name, array, limits)
    return tuple(tuple(tuple(row) for row in one) for one in array.tolist())


def _check_range(name: str, array: Float[np.ndarray, "*axes"], limits: tuple[float, float]) -> None:
    for end in (array.min(), array.max()):
        checks.number(name, end, *limits, WIDER)


class PoolingExplorer(Explorer):
    r"""Edit small maps and watch the number that each is pooled to, in Jupyter and in a page.

    Beside every map stands its pooled number, and where that number was at the start:

    .. math:: \mathrm{average}_k = \frac{1}{hw} \sum_{ij} f_k(i, j),
        \qquad \mathrm{maximum}_k = \max_{ij} f_k(i, j)

    Parameters
    ----------
    maps
        The maps at the start, shape (k, h, w): at most 30, of 7 by 7 cells at most.
    pooling
        "average" or "maximum": which of both stands under every map.
    limits
        The smallest and the largest value that a cell can take; by default the next whole numbers
        around zero and all of ``maps``.
    step
        By how much one press of a key changes a cell.
    map_index
        The map that is edited, from 0.
    cell
        The cell that was chosen last, as (row, column) from (0, 0), or None.
    brush
        The value that is painted with; by default the upper limit.
    all_maps
        Change all maps alike, not just the one that is edited.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or range, or holds NaN. Also when an attribute
        is set.

    Notes
    -----
    ``pooling`` and the last four can be read, set and observed from Python, and so can ``values``,
    the maps as they are now: nested tuples, set as a whole from anything of the shape (k, h, w).
    """

    values = Checked(_checked_values, lambda self: self._start, lambda self: self._limits)
    pooling = Checked(checks.choice, ("average", "maximum"))
    map_index = Checked(checks.index, lambda self: len(self._start))
    cell = Checked(checks.place, lambda self: self._start.shape[1:])
    brush = Checked(
        checks.number, lambda self: self._limits[0], lambda self: self._limits[1], WIDER
    )
    all_maps = Checked(checks.switch)
    module = "pooling_explorer"

    def __init__(
        self,
        maps: Float[Tensor, "k h w"] | Float[np.ndarray, "k h w"] | Sequence[Any],
        *,
        pooling: str = "average",
        limits: tuple[float, float] | None = None,
        step: float = 1.0,
        map_index: int = 0,
        cell: tuple[int, int] | None = None,
        brush: float | None = None,
        all_maps: bool = False,
    ) -> None:
        self._start = _checked_maps(maps)
        self._limits = _checked_limits(limits, self._start)
        step = checks.number("step", step, 0, self._limits[1] - self._limits[0], STEP)
        if not step:
            raise ValueError(f"step: expected a number above 0, got 0. {STEP}")
        # The colours of plotting.numbers for values from -1 to 1.
        colours = np.asarray(plotting.EVIDENCE(np.linspace(0, 1, dual_output.COLOURS)))
        data = {
            "start": self._start.tolist(),
            "limits": self._limits,
            "step": step,
            "colours": dual_output.array_url(dual_output.as_bytes(colours), "uint8"),
        }
        super().__init__(
            data,
            values=self._start,
            pooling=pooling,
            map_index=map_index,
            cell=cell,
            brush=self._limits[1] if brush is None else brush,
            all_maps=all_maps,
        )

    @property
    def pooled(self) -> Float[Tensor, " k"]:
        """The pooled numbers of the maps as they are now."""
        features = torch.tensor(self.values, dtype=torch.float64)[None]
        if self.pooling == "average":
            return camlib.global_average_pool(features)[0]
        return features.amax((2, 3))[0]

    def __repr__(self) -> str:
        count, rows, columns = self._start.shape
        return f"PoolingExplorer of {count} maps, {rows}×{columns} cells"

    def _static_html(self) -> str:
        count, rows, columns = self._start.shape
        short, digits = {"average": ("mean", 2), "maximum": ("max", None)}[self.pooling]
        pooled = [plotting.written(number, digits) for number in self.pooled.tolist()]
        peak = max(map(abs, self._limits))
        titles = [f"{short} {number}" for number in pooled]
        return self._figure(
            plotting.numbers(list(self.values), titles, peak=peak, width=7.4),
            alt=f"{count} maps of {rows} by {columns} cells with their numbers; above each map "
            f"its {self.pooling}: {', '.join(pooled)}.",
            caption=f"<strong>{count} maps, {count} numbers</strong>: above each map stands its "
            f"{self.pooling}. With JavaScript you can edit these maps: paint over cells, move the "
            "pattern, and see which pooled numbers notice.",
        )


def _checked_maps(maps: object) -> Float[np.ndarray, "k h w"]:
    """Return a copy of the maps that the reader starts from, or raise."""
    array = _checked_array("maps", maps)
    if array.ndim != 3 or 0 in array.shape:
        raise ValueError(
            f"maps: expected shape (k, h, w), got {array.shape}. "
            "Pass the maps of one picture: features[0]."
        )
    count, rows, columns = array.shape
    if count > MOST_MAPS or max(rows, columns) > MOST_CELLS:
        raise ValueError(
            f"maps: expected at most {MOST_MAPS} maps of {MOST_CELLS}×{MOST_CELLS} cells, got "
            f"{count} of {rows}×{columns}. Pass some of them: features[0, :20]."
        )
    return array


def _checked_limits(limits: object, maps: Float[np.ndarray, "k h w"]) -> tuple[float, float]:
    """Return the (low, high) given, or whole numbers around zero and all values; else raise."""
    if limits is None:
        return float(min(0, math.floor(maps.min()))), float(max(1, math.ceil(maps.max())))
    if not isinstance(limits, (tuple, list)) or len(limits) != 2:
        raise TypeError(
            f"limits: expected a pair (low, high) or None, got {describe(limits)}. Pass (0, 9)."
        )
    low, high = (checks.number("limits", end) for end in limits)
    if not low < high:
        raise ValueError(f"limits: expected low < high, got ({low:g}, {high:g}). Pass (0, 9).")
    _check_range("maps", maps, (low, high))
    return low, high
