"""UpsamplingExplorer in Python: the map that the page gets, and what is shown without scripts."""

import numpy as np
import pytest
import torch

import camlib
from camlib import plotting

from .conftest import array, data_of, picture, poster, words_of
from .makers import MAP, make_cam, make_picture, make_upsampling


def test_the_page_gets_the_map_and_the_state() -> None:
    data = data_of(make_upsampling(mode="bicubic", point=(3, 4)))
    np.testing.assert_array_equal(array(data["map"], "float32"), MAP.flatten().numpy())
    assert (data["shape"], data["size"], data["name"]) == ([7, 7], [224, 224], "tiger cat")
    assert data["state"] == {
        "mode": "bicubic",
        "align_corners": False,
        "point": [3, 4],
        "opacity": 0.8,
    }


@pytest.mark.parametrize(
    ("mode", "align_corners"), [("nearest", True), ("bilinear", False), ("bicubic", True)]
)
def test_without_scripts_the_picture_is_camlibs_overlay(mode: str, align_corners: bool) -> None:
    """Grey and paled below the map; lines and dots cover little of it. A cell's centre is white."""
    image = make_picture(288, 288)
    shown = poster(
        make_upsampling(image=image, mode=mode, align_corners=align_corners, opacity=0.6)
    )
    aligned = align_corners and mode != "nearest"
    one = MAP[None, None]
    large = camlib.upsample(one, (288, 288), mode, align_corners=aligned)[0, 0]
    smooth = [camlib.upsample(one, 288, "bicubic", align_corners=on) for on in (False, True)]
    peak = max(float(values.abs().max()) for values in (MAP, *smooth))
    expected = plotting.overlay(
        0.4 + 0.5 * plotting.greyscale(image), camlib.scaling.signed(large, peak), opacity=0.6
    )
    assert shown.shape == (288, 288, 3)
    assert np.median(np.abs(shown - expected)) < 0.01  # JPEG rounds
    centres = np.linspace(0, 287, 7) if aligned else (np.arange(7) + 0.5) * 288 / 7 - 0.5
    places = np.rint(centres).astype(int)[1:-1]
    assert shown[np.ix_(places, places)].min() > 0.75
    # Around the dots it is dark; away from them the lines where cells begin are 0.4 white.
    assert np.median(shown[np.ix_(places + 4, places)]) < np.median(expected) - 0.05
    border = round(3 * 288 / 7)
    quiet = [row for row in range(288) if np.abs(row - centres).min() > 12]
    difference = shown[quiet, border] - expected[quiet, border]
    np.testing.assert_allclose(difference, 0.4 * (1 - expected[quiet, border]), atol=0.15)


def test_without_scripts_the_words_tell_the_setting() -> None:
    explorer = make_upsampling()
    row, column = divmod(int(MAP.argmax()), 7)
    assert words_of(explorer)[0] == (
        "The map of “tiger cat”, 7 × 7 cells, enlarged to 224 × 224 pixels over the photograph "
        "(bilinear). A white dot marks each cell’s centre; the highest of them is in cell row "
        f"{row}, column {column}, both counted from 0."
    )
    explorer.mode, explorer.align_corners = "bicubic", True
    assert "enlarged: bicubic, align_corners. The dots are" in words_of(explorer)[1]
    explorer.mode = "nearest"
    assert "enlarged: nearest. The dots are the centres of its 49 cells." in words_of(explorer)[1]
    assert words_of(make_upsampling(class_name=""))[0].startswith("The map, 7 × 7 cells")


def test_a_large_picture_is_scaled_down_and_its_pixels_counted() -> None:
    explorer = make_upsampling(image=make_picture(900, 600), map=make_cam(1, 3, 2).maps[0, 0])
    assert picture(data_of(explorer)["photo"]).shape == (448, 299, 3)
    explorer.point = (447, 298)
    with pytest.raises(ValueError, match=r"^point: expected a row from 0 to 447 and a column from"):
        explorer.point = (448, 0)


def test_a_map_of_zeros_is_shown_as_the_paled_photograph() -> None:
    shown = poster(make_upsampling(image=make_picture(288, 288), map=torch.zeros(7, 7)))
    paled = 0.4 + 0.5 * plotting.greyscale(make_picture(288, 288))
    assert np.median(np.abs(shown - paled)) < 0.01
