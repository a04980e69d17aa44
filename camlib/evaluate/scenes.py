"""Scenes of garments as a data set, and the short way to measure a network on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch import nn

from camlib.evaluate.measure import Batch, measure
from camlib.evaluate.methods import METHODS
from camlib.evaluate.records import join
from camlib.evaluate.table import Table, tabulate
from camlib.localization import THRESHOLDS
from camlib.scenes import Scenes

BATCH = 50  # at stride 1 the small networks take some megabytes for each


class SceneSource:
    """Scenes, numbered as they were made.

    Parameters
    ----------
    scenes
        All of them.
    """

    def __init__(self, scenes: Scenes) -> None:
        self.scenes = scenes

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.scenes)

    def batch(self, numbers: Sequence[int]) -> Batch:
        """Return the pictures with these numbers."""
        scenes = self.scenes[np.array(numbers, dtype=np.int64)]
        boxes = [
            {
                int(category): scenes.boxes[row][present == category]
                for category in np.unique(present[present >= 0])
            }
            for row, present in enumerate(scenes.garments)
        ]
        return Batch(list(numbers), scenes.images(), boxes, [], [])


def evaluate_scenes(
    network: nn.Module,
    scenes: Scenes,
    *,
    method: str = "cam",
    thresholds: Sequence[float] = THRESHOLDS,
) -> Table:
    """Measure what a network says of scenes, and where its maps see it.

    Parameters
    ----------
    network
        Maps :meth:`camlib.scenes.Scenes.images` to logits of the ten garments.
    scenes
        What it is measured on; made of test garments, if the network has seen those for training.
    method
        One of :data:`camlib.evaluate.METHODS`.
    thresholds
        The parts of a map's maximum at which boxes are drawn.

    Returns
    -------
    Table
        Prints as text.

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    if method not in METHODS:
        listed = ", ".join(f'"{name}"' for name in METHODS)
        raise ValueError(f'method: expected one of {listed}, got {method!r}. Start with "cam".')
    source = SceneSource(scenes)
    records = [
        measure(network, source.batch(numbers), METHODS[method], thresholds)
        for numbers in batches(range(len(source)), BATCH)
    ]
    return tabulate(join(records), thresholds)


def batches(numbers: range, size: int) -> Iterator[range]:
    """Cut a range into pieces of at most ``size``."""
    for first in range(0, len(numbers), size):
        yield numbers[first : first + size]
