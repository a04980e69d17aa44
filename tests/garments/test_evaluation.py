"""Scenes as a data set: what is in them, and what a wrong method is told."""

import numpy as np
import pytest
import torch

from camlib.garments import SceneData, Scenes, evaluate_scenes, load_garments, make_scenes
from camlib.networks import FlattenNet, GapNet


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return make_scenes(load_garments("test"), 40, seed=3)


def test_every_garment_is_an_object_once(scenes: Scenes) -> None:
    batch = SceneData(scenes).batch(range(10, 20))
    assert batch.picture == list(range(10, 20))
    assert torch.equal(batch.images, scenes.images()[10:20])
    for row, found in enumerate(batch.boxes, start=10):
        assert sum(len(boxes) for boxes in found.values()) == (scenes.garments[row] >= 0).sum()
        for category, boxes in found.items():
            expected = scenes.boxes[row][scenes.garments[row] == category]
            np.testing.assert_array_equal(boxes, expected)


def test_a_network_that_knows_nothing_is_no_better_than_chance(scenes: Scenes) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        table = evaluate_scenes(GapNet(), scenes, thresholds=(0.2, 0.5))
    assert table.pictures == 40
    assert table.mean_average_precision < 0.5
    assert table.localization is not None
    assert table.localization.box.best < 0.5


def test_a_network_without_maps_is_named(scenes: Scenes) -> None:
    assert "FlattenNet" in evaluate_scenes(FlattenNet(), scenes[:5]).refusal


def test_an_unknown_method_is_refused(scenes: Scenes) -> None:
    with pytest.raises(ValueError, match='method: expected one of "cam"'):
        evaluate_scenes(GapNet(), scenes, method="guess")
