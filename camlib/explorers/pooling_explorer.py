"""PoolingExplorer: which pooled numbers notice when the cells of the maps change?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

import camlib
from camlib import plotting
from camlib.explorers import attributes, dual_output, modules
from camlib.explorers.explorer import Explorer
from camlib.explorers.pooling_inputs import (
    checked_brush,
    checked_limits,
    checked_maps,
    checked_step,
    checked_values,
)


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

    values = attributes.Checked().tag(sync=True)
    pooling = attributes.Checked().tag(sync=True)
    map_index = attributes.Checked().tag(sync=True)
    cell = attributes.Checked().tag(sync=True)
    brush = attributes.Checked().tag(sync=True)
    all_maps = attributes.Checked().tag(sync=True)
    module = "pooling_explorer.mjs"
    state = ("values", "pooling", "map_index", "cell", "brush", "all_maps")
    _esm = modules.joined(module)

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
        start = checked_maps(maps)
        self._shape = start.shape
        self._limits = checked_limits(limits, start)
        super().__init__(
            values=start,
            pooling=pooling,
            map_index=map_index,
            cell=cell,
            brush=self._limits[1] if brush is None else brush,
            all_maps=all_maps,
            _data={
                "start": start.tolist(),
                "limits": self._limits,
                "step": checked_step(step, self._limits),
                "colours": dual_output.array_url(_opaque_table(), "uint8"),
            },
        )

    @property
    def pooled(self) -> Float[Tensor, " k"]:
        """The pooled numbers of the maps as they are now."""
        features = torch.tensor(self.values, dtype=torch.float64)[None]
        if self.pooling == "average":
            return camlib.global_average_pool(features)[0]
        return features.amax((2, 3))[0]

    def __repr__(self) -> str:
        count, rows, columns = self._shape
        return f"PoolingExplorer of {count} maps, {rows}×{columns} cells"

    def _static_html(self) -> str:
        count, rows, columns = self._shape
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

    @traitlets.validate("values")
    def _check_values(self, proposal: dict[str, Any]) -> tuple[Any, ...]:
        return checked_values(proposal["value"], self._shape, self._limits)

    @traitlets.validate("pooling")
    def _check_pooling(self, proposal: dict[str, Any]) -> str:
        return attributes.choice("pooling", proposal["value"], ("average", "maximum"))

    @traitlets.validate("map_index")
    def _check_map_index(self, proposal: dict[str, Any]) -> int:
        index = attributes.whole_number("map_index", proposal["value"])
        if not 0 <= index < self._shape[0]:
            raise ValueError(
                f"map_index: expected 0 to {self._shape[0] - 1}, got {index}. 0 is the first map."
            )
        return index

    @traitlets.validate("cell")
    def _check_cell(self, proposal: dict[str, Any]) -> tuple[int, int] | None:
        return attributes.cell(proposal["value"], *self._shape[1:])

    @traitlets.validate("brush")
    def _check_brush(self, proposal: dict[str, Any]) -> float:
        return checked_brush(proposal["value"], self._limits)

    @traitlets.validate("all_maps")
    def _check_all_maps(self, proposal: dict[str, Any]) -> bool:
        return attributes.switch("all_maps", proposal["value"])


def _opaque_table() -> Any:
    """Tabulate the colours of :func:`camlib.plotting.numbers` for values from -1 to 1."""
    steps = np.linspace(0, 1, dual_output.COLOURS)
    return dual_output.as_bytes(np.asarray(plotting.EVIDENCE(steps)))
