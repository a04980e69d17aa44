"""BoxExplorer in Python: its attributes, what it refuses, and what it shows where."""

import base64
import re
from typing import Any

import numpy as np
import pytest
import torch

import camlib
from camlib import localization
from camlib.explorers import BoxExplorer
from camlib.garments import Scenes, load_garments, make_scenes

from .conftest import make_cam, make_picture
from .figures import data_of, html_of, poster

MAPS = make_cam(3, 16, 16).maps[0]  # the last is negative everywhere


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return make_scenes(load_garments("test"), 3, seed=4)


@pytest.fixture
def explorer(scenes: Scenes) -> BoxExplorer:
    return make(scenes)


def make(scenes: Scenes, **options: Any) -> BoxExplorer:
    given = {"pictures": list(scenes.pictures), "maps": MAPS, "boxes": list(scenes.boxes[:, 0])}
    return BoxExplorer(**given | options)


# ------------------------------------------------------------------ attributes


def test_attributes_are_set_and_observed(explorer: BoxExplorer) -> None:
    seen = []
    explorer.observe(
        lambda change: seen.append((change["name"], change["new"])), ["threshold", "scene"]
    )
    explorer.threshold = np.float32(0.5)
    explorer.scene = np.int64(2)
    explorer.set_state({"threshold": 0.07, "scene": 1})
    assert seen == [("threshold", 0.5), ("scene", 2), ("threshold", 0.07), ("scene", 1)]
    assert type(explorer.scene) is int


@pytest.mark.parametrize("threshold", [0.01, 0.2, 0.55, 0.99])
def test_box_and_iou_are_those_of_localization(scenes: Scenes, threshold: float) -> None:
    explorer = make(scenes, threshold=threshold)
    for index in range(2):
        explorer.scene = index
        large = camlib.upsample(MAPS[None, index : index + 1], 64)[0, 0]
        box = localization.box_from_map(large, threshold)
        assert explorer.box == box
        assert explorer.iou == float(localization.iou(box, scenes.boxes[index, 0]))


@pytest.mark.parametrize("value", [-1.0, 0.0, 3.0])
def test_a_map_that_singles_out_no_place_has_no_box(scenes: Scenes, value: float) -> None:
    explorer = make(scenes, maps=torch.full((3, 4, 4), value))
    assert explorer.box is None
    assert explorer.iou == 0.0
    assert "no place stands out, so there is no box" in html_of(explorer)


def test_of_several_true_boxes_the_one_met_best_counts(scenes: Scenes) -> None:
    large = camlib.upsample(MAPS[None, :1], 64)[0, 0]
    box = localization.box_from_map(large, 0.2)
    several = [[(0, 0, 2, 2), box], (0, 0, 1, 1), np.array([(0, 0, 1, 1)])]
    assert make(scenes, boxes=several).iou == 1.0


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("threshold", "0.2", TypeError, "threshold: expected a number between 0 and 1, got str"),
        ("threshold", True, TypeError, "threshold: expected a number between 0 and 1, got bool"),
        ("threshold", 0, ValueError, "threshold: expected a part of the maximum between 0 and 1"),
        ("threshold", 1.0, ValueError, "threshold: expected a part of the maximum between 0"),
        ("threshold", float("nan"), ValueError, "threshold: expected a part of the maximum"),
        ("scene", 3, ValueError, "scene: expected 0 to 2, got 3. Pictures count from 0."),
        ("scene", -1, ValueError, "scene: expected 0 to 2, got -1. Pictures count from 0."),
        ("scene", 1.0, TypeError, "scene: expected whole numbers, got float 1.0"),
    ],
)
def test_a_wrong_value_is_refused_and_the_old_one_stays(
    scenes: Scenes,
    explorer: BoxExplorer,
    name: str,
    value: Any,
    error: type[Exception],
    message: str,
) -> None:
    before = getattr(explorer, name)
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        make(scenes, **{name: value})


BOX = (3, 4, 20, 30)


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("pictures", "cat.jpg", TypeError, "pictures: expected several, got str"),
        ("pictures", [], ValueError, "pictures: expected at least one, got none. Pass a list"),
        ("pictures", [None] * 3, TypeError, "pictures[0]: expected a numpy array of shape (H, W"),
        ("pictures", [np.ones((449, 9, 3))], ValueError, "pictures[0]: expected at most 448 pix"),
        ("maps", MAPS[:2], ValueError, "maps: expected one for each of 3 pictures, got Tensor of"),
        ("maps", list(MAPS[:2]), ValueError, "maps: expected one for each of 3 pictures, got 2."),
        ("maps", MAPS[:, None], ValueError, "maps[0]: expected shape (h, w), rows of cells and"),
        ("maps", MAPS * torch.nan, ValueError, "maps[0]: expected finite numbers, got NaN"),
        ("maps", torch.ones(3, 4, 16), ValueError, "image: expected the picture that 4×16 cells"),
        ("boxes", [BOX], ValueError, "boxes: expected one for each of 3 pictures, got 1."),
        ("boxes", [BOX, BOX, (3, 4)], ValueError, "boxes[2]: expected shape (4,) or (m, 4), got"),
        ("boxes", [BOX, BOX, []], ValueError, "boxes[2]: expected shape (4,) or (m, 4), got []."),
        ("boxes", [(0.5, 0, 9, 9)] * 3, TypeError, "boxes[0]: expected whole numbers, got [0.5"),
        ("boxes", [(9, 0, 9, 9)] * 3, ValueError, "boxes[0]: expected x0 < x1 and y0 < y1, got"),
        ("boxes", [(0, 0, 65, 9)] * 3, ValueError, "boxes[0]: expected a box inside the picture"),
        ("boxes", [(-1, 0, 6, 9)] * 3, ValueError, "boxes[0]: expected a box inside the picture"),
        ("names", ["a", "b"], ValueError, "names: expected one for each of 3 pictures, got 2."),
        ("names", ["a", "b", 3], TypeError, "names: expected a list of strings, got list"),
        ("names", "abc", ValueError, "names: expected one for each of 3 pictures, got str"),
    ],
)
def test_wrong_arguments_are_refused(
    scenes: Scenes, argument: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        make(scenes, **{argument: value})


# ------------------------------------------------------------------ what is shown


def test_jupyter_takes_the_widget_the_page_the_html(explorer: BoxExplorer) -> None:
    data, _ = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert data["text/plain"] == "BoxExplorer of 3 pictures"
    assert 'data-camlib-explorer="box_explorer"' in data["text/html"]


def test_output_is_the_same_from_run_to_run(scenes: Scenes) -> None:
    first, second = (html_of(make(scenes)) for _ in range(2))
    assert first == second


def test_the_page_gets_maps_boxes_and_state(scenes: Scenes) -> None:
    data = data_of(make(scenes, threshold=0.35, scene=1, names=["a", "b", "c"]))
    assert data["state"] == {"threshold": 0.35, "scene": 1}
    for index, scene in enumerate(data["scenes"]):
        octets = base64.b64decode(scene["map"].removeprefix("data:application/x-float32;base64,"))
        np.testing.assert_array_equal(np.frombuffer(octets, "<f4"), MAPS[index].flatten())
        assert scene["boxes"] == [scenes.boxes[index, 0].tolist()]
        assert (scene["size"], scene["shape"]) == ([64, 64], [16, 16])
        assert scene["name"] == "abc"[index]


def test_six_scenes_stay_small(scenes: Scenes) -> None:
    six = {"pictures": [*scenes.pictures] * 2, "maps": [*MAPS] * 2}
    assert len(html_of(BoxExplorer(**six, boxes=[*scenes.boxes[:, 0]] * 2))) < 80_000


def test_grey_colour_and_float_pictures_are_taken(scenes: Scenes) -> None:
    grey = scenes.pictures[0]
    colour = np.repeat(grey[..., None], 3, axis=2)
    first = html_of(make(scenes, pictures=[grey] * 3))
    assert html_of(make(scenes, pictures=[colour] * 3)) == first
    assert html_of(make(scenes, pictures=[colour / 255] * 3)) == first
    assert html_of(make(scenes, pictures=np.stack([grey] * 3))) == first


def test_without_scripts_boxes_and_shadow_are_drawn(scenes: Scenes) -> None:
    """One bright patch: light there, dark elsewhere, the true box white, the found one amber."""
    patch = torch.zeros(3, 16, 16)
    patch[:, 4:8, 4:8] = 1
    explorer = make(
        scenes,
        pictures=[np.full((64, 64), 200, np.uint8)] * 3,
        maps=patch,
        boxes=[(40, 40, 60, 60)] * 3,
    )
    shown = poster(explorer)
    assert shown.shape == (320, 320, 3)
    assert explorer.box is not None
    x0, _, _, y1 = (5 * side for side in explorer.box)
    np.testing.assert_allclose(shown[y1 - 40, x0], (1.0, 0.69, 0.0), atol=0.15)  # JPEG rounds
    assert shown[120, 120].max() > 0.7
    np.testing.assert_allclose(shown[20, 20], 0.34 * 200 / 255, atol=0.03)
    line = shown[200:300, 200].min(axis=1)
    assert line.max() > 0.8  # a dash
    assert line.min() < 0.3  # a gap


def test_without_scripts_the_words_tell_the_outcome(scenes: Scenes) -> None:
    explorer = make(scenes, names=["a <b>coat</b>", "b", "c"])
    for explorer.scene in range(2):
        outcome = "found" if explorer.iou >= 0.5 else "missed"
        assert f"with IoU {explorer.iou:.2f}: {outcome}." in html_of(explorer)
    explorer.scene = 0
    assert "<strong>a &lt;b&gt;coat&lt;/b&gt;</strong>, cut at 20 % of its max" in html_of(explorer)
    assert html_of(explorer).count("<script") == 1


def test_arguments_are_left_as_they_were(scenes: Scenes) -> None:
    pictures, maps = [make_picture(64, 64) for _ in range(3)], MAPS.clone()
    boxes = scenes.boxes[:, 0].copy()
    explorer = make(scenes, pictures=pictures, maps=maps, boxes=boxes)
    before = html_of(explorer)
    pictures[0][:] = 0
    maps[:] = 0
    boxes[:] = 0
    assert html_of(explorer) == before
