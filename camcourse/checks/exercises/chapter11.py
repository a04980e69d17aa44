"""Chapter 11: the area under a curve of deletion, and the correlation of ranks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise
from camlib import faithfulness


def deletion_area(scores: Tensor) -> Tensor:
    """Return the area under each curve, whose points lie equally far apart from 0 to 1."""
    return torch.trapezoid(scores, dx=1 / (scores.shape[1] - 1))


def _curves() -> Cases:
    return {
        "the curve of the text, hottest cell first": (torch.tensor([[3, 1.5, 0.75, 0.25, 0]]),),
        "two curves of two steps": (torch.tensor([[1.0, 0.5, 0.25], [0.75, 0.75, 0.25]]),),
        "a curve that rises at the end": (torch.tensor([[0.9, 0.5, 0.25, 0, 0, 0.1, 0.05, 0.1]]),),
    }


def rank_correlation(one: Tensor, other: Tensor) -> float:
    """Correlate the ranks of two maps; equal values share their mean rank."""
    return float(faithfulness.rank_correlation(one[None], other[None])[0])


def _map_pairs() -> Cases:
    slope, text = [[1.0, 2.0], [3.0, 4.0]], [[9.0, 3.0], [1.0, 2.0]]

    def pair(one: list[list[float]], other: list[list[float]]) -> tuple[Tensor, Tensor]:
        return torch.tensor(one), torch.tensor(other)

    return {
        "four cells, as in the exercise with a pencil": pair(slope, [[2.0, 1], [4, 3]]),
        "the same order, other values": pair(text, [[80.0, 31], [-5, 20]]),
        "the order reversed": pair(text, [[-9.0, 1], [3, 2]]),
        "three equal values": pair([[2.0, 2, 2], [7, 1, 9]], [[1.0, 3, 2], [6, 4, 5]]),
        "equal values in both maps": pair([[0.0, 0, 5], [1, 5, 5]], [[4.0, 2, 2], [2, 9, 4]]),
    }


def _correlated(kind: str) -> Callable[[Tensor, Tensor], float]:
    """Correlate ranks that treat equal values in another way."""

    def correlation(one: Tensor, other: Tensor) -> float:
        ranks = [rankdata(map.flatten().numpy(), method=kind) for map in (one, other)]
        return float(np.corrcoef(ranks)[0, 1])

    return correlation


def _by_formula(one: Tensor, other: Tensor, count: int | None = None) -> float:
    """Compute 1 − 6 Σ d² / (m (m² − 1)), which is exact only where no values are equal."""
    first, second = (rankdata(map.flatten().numpy()) for map in (one, other))
    m = count or one.numel()
    return float(1 - 6 * ((first - second) ** 2).sum() / (m * (m**2 - 1)))


def _of_positions(one: Tensor, other: Tensor) -> float:
    places = torch.stack([map.flatten().argsort() for map in (one, other)])
    return float(torch.corrcoef(places.double())[0, 1])


def _of_values(one: Tensor, other: Tensor) -> float:
    return float(np.corrcoef(one.flatten(), other.flatten())[0, 1])


EXERCISES = (
    Exercise(
        "deletion_area",
        deletion_area,
        _curves,
        {
            "you took the mean of the points. The first and the last one border on a single "
            "strip only, and so count half.": lambda scores: scores.mean(1),
            "you made each strip as high as its left side; take the mean of both sides.": (
                lambda scores: scores[:, :-1].mean(1)
            ),
            "you made each strip as high as its right side; take the mean of both sides.": (
                lambda scores: scores[:, 1:].mean(1)
            ),
            "you made the strips 1 wide. All together they are 1 wide: divide by their number.": torch.trapezoid,
            "you divided by the number of points. There is one strip fewer than points.": (
                lambda scores: torch.trapezoid(scores) / scores.shape[1]
            ),
            "you averaged over the curves as well; each has an area of its own.": (
                lambda scores: deletion_area(scores).mean()
            ),
            "you returned how far the score falls from the first point to the last; what lies "
            "in between is what counts.": lambda scores: scores[:, 0] - scores[:, -1],
        },
    ),
    Exercise(
        "rank_correlation",
        rank_correlation,
        _map_pairs,
        {
            "you correlated the values. Only their order should count: take the ranks first.": _of_values,
            "you used argsort once. It says where the lowest value lies, not which rank a cell "
            "has; sorting its answer once more gives the ranks.": _of_positions,
            "you gave equal values different ranks, in the order of their places. They share "
            "the mean of these ranks.": _correlated("ordinal"),
            "you gave equal values the lowest of their ranks. They share the mean of them.": _correlated(
                "min"
            ),
            "you gave equal values one rank and went on with the next number. They take up as "
            "many ranks as they are, and share the mean.": _correlated("dense"),
            "you used the formula with d². It is exact only if no two values are equal; in "
            "general take the correlation of the ranks.": _by_formula,
            "you counted the rows for m; it is the number of all cells.": (
                lambda one, other: _by_formula(one, other, len(one))
            ),
            "you dropped the sign (abs, or a square). A reversed order is −1.": (
                lambda one, other: abs(rank_correlation(one, other)),
                lambda one, other: rank_correlation(one, other) ** 2,
            ),
            "you left out the “1 −”: equal ranks have differences of 0 and a correlation of 1.": (
                lambda one, other: 1 - _by_formula(one, other)
            ),
        },
    ),
)
