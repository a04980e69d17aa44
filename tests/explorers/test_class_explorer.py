"""ClassExplorer in Python: the numbers that the page gets, and what is shown without scripts."""

import numpy as np
import pytest
import torch

import camlib
from camlib import plotting
from camlib.explorers import dual_output

from .conftest import array, data_of, poster, words_of
from .makers import make_cam, make_class, make_names, make_picture


def test_it_starts_with_the_highest_logit() -> None:
    explorer = make_class()
    assert explorer.class_index == int(make_cam(10).logits.argmax())
    assert (explorer.cell, explorer.mode, explorer.scale) == (None, "bilinear", "shared")
    classes = [281, 967, 285]
    best = classes[int(make_cam(3).logits.argmax())]
    assert make_class(cam=make_cam(3, classes=classes)).class_index == best


def test_the_page_gets_the_numbers_of_the_maps() -> None:
    cam = make_cam(1000)
    data = data_of(make_class(cam=cam))
    maps = array(data["maps"], "int16").reshape(data["shape"]) * data["step"]
    assert np.abs(maps - cam.maps[0].numpy()).max() <= data["step"] / 2
    # float16 has 10 bits after the leading one, hence this error at the largest value.
    assert data["step"] / 2 <= float(cam.maps.abs().max()) * 2.0**-12
    np.testing.assert_array_equal(array(data["logits"], "float32"), cam.logits[0].numpy())
    np.testing.assert_array_equal(array(data["offset"], "float32"), cam.offset[0].numpy())
    np.testing.assert_array_equal(array(data["classes"], "int32"), cam.classes.numpy())
    assert data["names"] == make_names()


def test_a_subset_carries_its_own_classes_and_names() -> None:
    explorer = make_class(cam=make_cam(3, classes=[281, 967, 285]))
    data = data_of(explorer)
    assert data["names"] == ["thing 281", "thing 967", "thing 285"]
    assert array(data["classes"], "int32").tolist() == [281, 967, 285]
    explorer.class_index = 967
    assert words_of(explorer)[1].startswith("thing 967, logit")
    with pytest.raises(ValueError, match=r"^class_index: expected one of 281, 967, 285, got 1\."):
        explorer.class_index = 1


@pytest.mark.parametrize(
    ("mode", "scale", "greyscale", "opacity"),
    [("bilinear", "shared", True, 0.9), ("nearest", "own", False, 0.4)],
)
def test_without_scripts_the_picture_is_camlibs_overlay(
    mode: str, scale: str, greyscale: bool, opacity: float
) -> None:
    cam, photograph = make_cam(10), make_picture(448, 448)
    look = {"mode": mode, "scale": scale, "greyscale": greyscale, "opacity": opacity}
    shown = poster(make_class(image=photograph, class_index=4, **look))
    large = camlib.upsample(cam.maps[:, 4:5], (448, 448), mode)
    peak = cam.maps.abs().max() if scale == "shared" else cam.maps[0, 4].abs().max()
    expected = plotting.overlay(
        plotting.greyscale(photograph) if greyscale else photograph,
        camlib.scaling.signed(large, peak)[0, 0],
        opacity=opacity,
    )
    assert shown.shape == (448, 448, 3)
    assert np.abs(shown - expected).mean() < 0.01  # JPEG rounds


def test_without_scripts_the_words_tell_the_class() -> None:
    alt, caption = words_of(make_class(class_index=3))
    row, column = divmod(int(make_cam(10).maps[0, 3].argmax()), 7)
    assert alt == (
        "Class activation map of “thing 003” over the photograph. Orange: evidence for it, "
        f"strongest in row {row}, column {column}, both counted from 0. Blue: evidence against it."
    )
    assert caption.startswith(f"thing 003, logit {float(make_cam(10).logits[0, 3]):.2f}. Orange")
    assert "With JavaScript this picture answers: choose any of 10 classes" in caption
    negative = words_of(make_class(class_index=9))[0]
    assert "evidence for it, of which this picture has none." in negative


def test_maps_of_zeros_are_shown_as_the_bare_photograph() -> None:
    zeros = camlib.ClassActivationMaps(
        torch.zeros(1, 2, 7, 7), torch.ones(1, 2), torch.ones(1, 2), torch.arange(2)
    )
    shown = poster(make_class(image=make_picture(448, 448), cam=zeros))
    assert np.abs(shown - plotting.greyscale(make_picture(448, 448))).mean() < 0.01


def test_the_colour_table_is_what_overlay_does() -> None:
    """An overlay of opacity o over a grey g must be g·(1 - a·o) + colour·a·o with the table's a."""
    values = np.linspace(-1, 1, dual_output.COLOURS)
    table = dual_output.evidence_table() / 255
    alpha = 0.6 * table[:, 3:]
    grey = np.full((1, len(values), 3), 0.3)
    expected = plotting.overlay(grey, values[None], opacity=0.6)[0]
    assert np.abs(0.3 * (1 - alpha) + table[:, :3] * alpha - expected).max() < 0.005
