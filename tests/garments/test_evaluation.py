"""Scenes as a data set: what is in them, and how a network is measured on them."""

import numpy as np
import pytest
import torch

from camlib.garments import Scenes, evaluate_scenes, load_garments, make_scenes
from camlib.garments.evaluation import SceneData, held_out_scenes
from camlib.networks import FlattenNet, GapNet, garment_network


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return make_scenes(load_garments("test"), 40, seed=3)


def test_every_garment_is_an_object_once(scenes: Scenes) -> None:
    data = SceneData(scenes)
    assert len(data) == 40
    for number, row in enumerate(scenes.garments):
        image, target = data[number]
        assert torch.equal(image, scenes.images()[number])
        np.testing.assert_array_equal(target["labels"], row[row >= 0])
        np.testing.assert_array_equal(target["boxes"], scenes.boxes[number][row >= 0])


def test_held_out_scenes_are_those_of_the_garments_for_testing(scenes: Scenes) -> None:
    data = held_out_scenes(scenes=40, seed=3)
    np.testing.assert_array_equal(data.scenes.pictures, scenes.pictures)
    assert data.digest == SceneData(scenes).digest
    other = held_out_scenes(scenes=40, seed=3, background="plain", distractors=0)
    assert other.digest != data.digest


def test_a_network_that_knows_nothing_is_no_better_than_chance(scenes: Scenes) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        table = evaluate_scenes(GapNet(), scenes, thresholds=(0.2, 0.5))
    assert table.pictures == 40
    assert table.mean_average_precision < 0.5
    assert table.localization is not None
    assert table.localization.box.best < 0.5


def test_grad_cam_and_cam_are_measured_alike_behind_a_pooling(scenes: Scenes) -> None:
    """A map divided by h·w points to the same place and draws the same boxes."""
    one, other = (
        evaluate_scenes(garment_network(), scenes[:6], method=name) for name in ("cam", "grad-cam")
    )
    assert other.localization is not None
    assert other.as_dict() == one.as_dict()


def test_a_network_without_maps_is_named(scenes: Scenes) -> None:
    assert "FlattenNet" in evaluate_scenes(FlattenNet(), scenes[:5]).refusal
