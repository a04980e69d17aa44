"""Layer 3: scenes of garments as a data set, and the short way to measure a network on them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor, nn

from camlib.evaluate import Table, measure
from camlib.garments.fashion_mnist import CLASS_NAMES, load_garments
from camlib.garments.scenes import Background, Scenes, make_scenes
from camlib.localization import THRESHOLDS


class SceneData:
    """Scenes in the form of :class:`camlib.evaluate.DataSet`.

    Parameters
    ----------
    scenes
        All of them, numbered as they were made.
    """

    classes = CLASS_NAMES

    def __init__(self, scenes: Scenes) -> None:
        self.scenes = scenes
        arrays = (scenes.pictures, scenes.garments, scenes.boxes)
        self.digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()

    def __len__(self) -> int:
        """Return the number of scenes."""
        return len(self.scenes)

    def __getitem__(
        self, number: int
    ) -> tuple[Float[Tensor, "1 S S"], dict[str, Int[np.ndarray, "..."]]]:
        """Return a scene as networks read it, and the boxes and classes of its garments."""
        one = self.scenes[number : number + 1]
        present = one.garments[0] >= 0
        return one.images()[0], {
            "boxes": one.boxes[0, present],
            "labels": one.garments[0, present],
        }


def held_out_scenes(
    scenes: Annotated[int, "how many"] = 2000,
    seed: Annotated[int, "of the scenes"] = 1,
    background: Annotated[Background, "behind the garments"] = "mixed",
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
    method, thresholds
        As in :func:`camlib.evaluate.measure`.

    Returns
    -------
    Table
        Prints as text.

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    return measure(network, SceneData(scenes), method=method, thresholds=thresholds)
