"""Signed numbers as bars: logits, weights, contributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from camlib.plotting.checks import as_numbers
from camlib.plotting.drawing import Drawing, chart, written
from camlib.plotting.style import AGAINST, FOR, INK, style


def bars(
    labels: Sequence[str],
    values: ArrayLike,
    *,
    title: str | None = None,
    xlabel: str | None = None,
    digits: int | None = 2,
    width: float = 7.0,
) -> Drawing:
    """Draw one horizontal bar for each number, to the right in orange or to the left in blue.

    Parameters
    ----------
    labels
        One text for each bar, the first on top.
    values
        Numbers, shape (m,): positive ones speak for, negative ones against.
    title, xlabel
        What stands above, and what the numbers are.
    digits
        Digits after the point, written at each bar's end; None for as many as it needs.
    width
        The figure's width in inches; the height follows from the number of bars.

    Raises
    ------
    TypeError, ValueError
        If ``values`` are not m finite numbers or there are not as many labels.
    """
    lengths = as_numbers("values", values)
    if lengths.ndim != 1 or lengths.size == 0 or len(labels) != lengths.size:
        raise ValueError(
            f"labels, values: expected as many labels as values, shape (m,), got {len(labels)} "
            f"labels and shape {lengths.shape}. Take one picture's, for example cam.logits[0]."
        )
    height = 0.28 * lengths.size + 0.25 + 0.25 * bool(title) + 0.3 * bool(xlabel)
    figure, axes = chart(width, height)
    with style():
        places = np.arange(lengths.size)
        axes.barh(places, lengths, height=0.72, color=[FOR if v >= 0 else AGAINST for v in lengths])
        axes.axvline(0, color=INK, linewidth=0.8)
        for place, value in zip(places, lengths, strict=True):
            axes.annotate(
                written(value, digits), (value, place), (4 if value >= 0 else -4, 0),
                textcoords="offset points", va="center", ha="left" if value >= 0 else "right",
                fontsize=9,
            )  # fmt: skip
        axes.set(yticks=places, xticks=[], title=title or "", xlabel=xlabel or "")
        axes.set_yticklabels(labels)
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.spines[["left", "bottom"]].set_visible(False)
        # Room for the numbers on the sides that have bars.
        spread = float(np.ptp(np.append(lengths, 0.0))) or 1.0
        low, high = min(0.0, lengths.min()), max(0.0, lengths.max())
        axes.set_xlim(low - 0.12 * spread * (low < 0), high + 0.12 * spread)
    return figure
