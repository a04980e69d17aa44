"""Layer 5: scenes of garments as a data set, and the short way to measure a network on them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from torch import nn

from camlib.evaluate.measure import Batch, batches, measure
from camlib.evaluate.methods import METHODS
from camlib.evaluate.records import join
from camlib.evaluate.table import Table, tabulate
from camlib.garments.fashion_mnist import load_garments
from camlib.garments.scenes import Background, Scenes, make_scenes
from camlib.localization import THRESHOLDS

BATCH = 50  # at stride 1 the small networks take some megabytes for each


class SceneData:
    """Scenes, numbered as they were made.

    Parameters
    ----------
    scenes
        All of them.
    """

    def __init__(self, scenes: Scenes) -> None:
        self.scenes = scenes
        summary = hashlib.sha256()
        for part in (scenes.pictures, scenes.garments, scenes.boxes):
            summary.update(part.tobytes())
        self.digest = summary.hexdigest()

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


def held_out_scenes(
    scenes: Annotated[int, "how many"] = 2000,
    seed: Annotated[int, "of the scenes"] = 1,
    background: Annotated[Background, "behind the garments: plain or mixed"] = "mixed",
    distractors: Annotated[int, "pieces of garments in a scene, at most"] = 2,
    garments: Annotated[str | None, "the folder of the full Fashion-MNIST"] = None,
) -> SceneData:
    """Make scenes of garments that no network was trained with: the data of ``python -m camlib.evaluate``.

    Parameters
    ----------
    scenes
        How many.
    seed, background, distractors
        As in :func:`make_scenes`.
    garments
        The ``folder`` of :func:`load_garments`.

    Returns
    -------
    SceneData
        What networks are measured on.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`load_garments` and :func:`make_scenes`.
    """
    test = load_garments("test", garments)
    return SceneData(
        make_scenes(test, scenes, seed, background=background, distractors=distractors)
    )


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
        Maps :meth:`camlib.garments.Scenes.images` to logits of the ten garments.
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
    source = SceneData(scenes)
    records = [
        measure(network, source.batch(numbers), METHODS[method], thresholds)
        for numbers in batches(range(len(source)), BATCH)
    ]
    return tabulate(join(records), thresholds)
