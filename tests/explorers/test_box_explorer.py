"""BoxExplorer in Python: its box, what the page gets, and what is shown without scripts."""

import numpy as np
import pytest
import torch

import camlib
from camlib import localization

from .conftest import array, data_of, html_of, poster, words_of
from .makers import BOX_MAPS, BOXES, make_box


def enlarged(index: int) -> torch.Tensor:
    return camlib.upsample(BOX_MAPS[index][None, None], 64)[0, 0]


@pytest.mark.parametrize("threshold", [0.01, 0.2, 0.55, 0.99])
def test_box_and_iou_are_those_of_localization(threshold: float) -> None:
    explorer = make_box(threshold=threshold)
    for index in range(2):
        explorer.scene = index
        box = localization.box_from_map(enlarged(index), threshold)
        assert explorer.box == box
        assert explorer.iou == float(localization.iou(box, BOXES[index]))


@pytest.mark.parametrize("value", [-1.0, 0.0, 3.0])
def test_a_map_that_singles_out_no_place_has_no_box(value: float) -> None:
    explorer = make_box(maps=torch.full((5, 4, 4), value))
    assert explorer.box is None
    assert explorer.iou == 0.0
    assert "no place stands out, so there is no box" in html_of(explorer)
    assert np.quantile(poster(explorer), 0.8) < 0.5  # all in shadow but the true box's line


def test_of_several_true_boxes_the_one_met_best_counts() -> None:
    box = localization.box_from_map(enlarged(0), 0.2)
    boxes = [[(0, 0, 2, 2), box], np.array([(0, 0, 1, 1)]), *BOXES[2:]]
    assert make_box(boxes=boxes).iou == 1.0


def test_the_page_gets_maps_boxes_and_state() -> None:
    data = data_of(make_box(threshold=0.35, scene=1))
    assert data["state"] == {"threshold": 0.35, "scene": 1}
    for index, scene in enumerate(data["scenes"]):
        np.testing.assert_array_equal(array(scene["map"], "float32"), BOX_MAPS[index].flatten())
        assert scene["boxes"] == [list(BOXES[index])]
        assert (scene["size"], scene["shape"]) == ([64, 64], [16, 16])
        assert scene["name"] == f"thing {index}"


def test_without_scripts_boxes_and_shadow_are_drawn() -> None:
    """One bright patch and a weaker, smaller one: light, half dark, and dark elsewhere."""
    patch = torch.zeros(5, 16, 16)
    patch[:, 4:8, 4:8] = 1
    patch[:, 13:15, 1:3] = 0.9
    grey = [np.full((64, 64), 200, np.uint8)] * 5
    explorer = make_box(pictures=grey, maps=patch, boxes=[(40, 40, 60, 60)] * 5, threshold=0.5)
    shown = poster(explorer)
    assert shown.shape == (320, 320, 3)
    x0, _, _, y1 = (5 * side for side in explorer.box)
    np.testing.assert_allclose(shown[y1 - 40, x0], (1.0, 0.69, 0.0), atol=0.15)  # JPEG rounds
    assert shown[120, 120].max() > 0.7
    np.testing.assert_allclose(shown[20, 20], 0.34 * 200 / 255, atol=0.03)
    assert 0.35 < shown[280, 40].max() / shown[120, 120].max() < 0.9
    line = shown[200:300, 200].min(axis=1)
    assert line.max() > 0.8  # a dash
    assert line.min() < 0.3  # a gap


def test_without_scripts_the_words_tell_the_outcome() -> None:
    explorer = make_box()
    for explorer.scene in range(3):
        outcome = "found" if explorer.iou >= 0.5 else "missed"
        alt, caption = words_of(explorer)
        assert f"with IoU {explorer.iou:.2f}: {outcome}." in alt
        assert f"with IoU {explorer.iou:.2f}: {outcome}. Solid:" in caption
    assert caption.startswith("thing 2, cut at 20 % of its maximum: the box around the largest")
    assert "choose among 5 pictures" in caption
