"""Assignment 3, from map to box: MaxBoxAcc from a table of what was reached."""

from __future__ import annotations

import numpy as np

from camlib.checks.exercise import Case, Exercise, Mistake

Bounds = tuple[float, ...]


def _shares(reached: np.ndarray, leasts: Bounds) -> np.ndarray:
    """A row of shares of hits for each bound, a column for each threshold."""
    return np.array([(reached >= least).mean(0) for least in leasts])


def _best_accuracy(reached: np.ndarray, leasts: Bounds) -> float:
    return float(_shares(reached, leasts).max(1).mean())


def _tables() -> tuple[Case, ...]:
    four = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.2], [0.6, 0.7]])
    three = np.array([[0.5, 0.8], [0.5, 0.1], [0.4, 0.9]])
    return (
        Case("four maps, two thresholds, one bound", (four, (0.5,))),
        Case("three maps, two thresholds, two bounds", (three, (0.3, 0.7))),
    )


def _own_thresholds(reached: np.ndarray, leasts: Bounds) -> float:
    return float(np.mean([(reached >= least).any(1).mean() for least in leasts]))


def _above(reached: np.ndarray, leasts: Bounds) -> float:
    return float(np.mean([(reached > least).mean(0).max() for least in leasts]))


EXERCISES = (
    Exercise(
        "best_accuracy",
        _best_accuracy,
        _tables,
        (
            Mistake(
                "you gave each map a threshold of its own; there is one for all maps.",
                _own_thresholds,
            ),
            Mistake(
                "you averaged over the thresholds; the best of them counts.",
                lambda reached, leasts: float(_shares(reached, leasts).mean()),
            ),
            Mistake(
                "an IoU that equals the bound is a hit: at least, not more than.",
                _above,
            ),
            Mistake(
                "you averaged the IoUs; each map is a hit or a miss.",
                lambda reached, leasts: float(reached.mean(0).max()),
            ),
            Mistake(
                "you averaged over the bounds first; each bound has a best threshold of its own.",
                lambda reached, leasts: float(_shares(reached, leasts).mean(0).max()),
            ),
        ),
    ),
)
