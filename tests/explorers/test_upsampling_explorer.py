"""UpsamplingExplorer in Python: its attributes, what it refuses, and what it shows where."""

import base64
import re
from typing import Any

import numpy as np
import pytest
import torch

import camlib
from camlib import plotting
from camlib.explorers import UpsamplingExplorer

from .conftest import make_cam, make_picture
from .figures import data_of, html_of, picture, poster

MAP = make_cam(1).maps[0, 0]


@pytest.fixture
def explorer() -> UpsamplingExplorer:
    return UpsamplingExplorer(make_picture(), MAP, "tiger cat")


# ------------------------------------------------------------------ attributes


def test_attributes_are_set_and_observed(explorer: UpsamplingExplorer) -> None:
    seen = []
    explorer.observe(lambda change: seen.append((change["name"], change["new"])))
    explorer.mode = "bicubic"
    explorer.align_corners = np.True_
    explorer.point = [223, np.int64(0)]
    explorer.opacity = 1
    explorer.point = None
    assert seen == [
        ("mode", "bicubic"),
        ("align_corners", True),
        ("point", (223, 0)),
        ("opacity", 1.0),
        ("point", None),
    ]
    assert type(explorer.align_corners) is bool


def test_what_the_browser_sends_is_taken(explorer: UpsamplingExplorer) -> None:
    """JSON knows no tuples."""
    explorer.set_state({"point": [12, 205], "mode": "nearest"})
    assert (explorer.point, explorer.mode) == ((12, 205), "nearest")


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        (
            "mode",
            "cubic",
            ValueError,
            'mode: expected "nearest" or "bilinear" or "bicubic", got \'cubic\'. '
            'Start with "nearest".',
        ),
        (
            "align_corners",
            1,
            TypeError,
            "align_corners: expected True or False, got int 1. Pass one of both.",
        ),
        (
            "point",
            (224, 0),
            ValueError,
            "point: expected a row from 0 to 223 and a column from 0 to 223, got (224, 0). "
            "Both count from 0 in the upper left corner.",
        ),
        (
            "point",
            5,
            TypeError,
            "point: expected a pair (row, column) or None, got int 5. "
            "(0, 0) is the upper left pixel.",
        ),
        (
            "point",
            (47.5, 1),
            TypeError,
            "point: expected whole numbers, got float 47.5. Convert with int(...).",
        ),
        (
            "opacity",
            2,
            ValueError,
            "opacity: expected a number from 0 to 1, got 2. 0 shows the photograph alone, "
            "1 the strongest evidence without it.",
        ),
    ],
)
def test_a_wrong_value_is_refused_and_the_old_one_stays(
    explorer: UpsamplingExplorer, name: str, value: Any, error: type[Exception], message: str
) -> None:
    before = getattr(explorer, name)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        UpsamplingExplorer(make_picture(), MAP, **{name: value})


CURE = "Pass the raw map of one class: cam.maps[0, class_index]."


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (
            MAP.tolist(),
            TypeError,
            f"map: expected a tensor or array of shape (h, w), got list. {CURE}",
        ),
        (
            MAP[None],
            ValueError,
            "map: expected shape (h, w), rows of cells and columns, got Tensor of shape (1, 7, 7) "
            f"and dtype float32. {CURE}",
        ),
        (
            torch.zeros(0, 7),
            ValueError,
            "map: expected shape (h, w), rows of cells and columns, got Tensor of shape (0, 7) "
            f"and dtype float32. {CURE}",
        ),
        (
            MAP.int(),
            TypeError,
            "map: expected a floating-point dtype, got Tensor of shape (7, 7) and dtype int32. "
            f"{CURE}",
        ),
        (
            torch.full((7, 7), torch.inf),
            ValueError,
            "map: expected finite numbers, got NaN or infinity. "
            "Look for it in the images first: images.isfinite().all().",
        ),
        (
            torch.zeros(6, 14),
            ValueError,
            "image: expected the picture that 6×14 cells belong to, got one of 224×224 pixels, of "
            "other proportions. Did the network see it cropped? "
            "Pass what the network saw: camlib.networks.to_picture(images[0]).",
        ),
    ],
)
def test_a_wrong_map_is_refused(values: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        UpsamplingExplorer(make_picture(), values)


def test_a_wrong_name_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^class_name: expected a string, got int 281\. Pass"):
        UpsamplingExplorer(make_picture(), MAP, 281)


# ------------------------------------------------------------------ what is shown


def test_jupyter_takes_the_widget_the_page_the_html(explorer: UpsamplingExplorer) -> None:
    data, _ = explorer._repr_mimebundle_()
    view = data["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == explorer.model_id
    assert data["text/plain"] == "UpsamplingExplorer of 7×7 cells, 224×224 pixels"
    assert 'data-camlib-explorer="upsampling_explorer"' in data["text/html"]


def test_output_is_the_same_from_run_to_run() -> None:
    first, second = (html_of(UpsamplingExplorer(make_picture(), MAP)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("values", [MAP, MAP.numpy(), MAP.double().requires_grad_()])
def test_the_page_gets_the_map_and_the_state(values: Any) -> None:
    data = data_of(UpsamplingExplorer(make_picture(), values, mode="bicubic", point=(3, 4)))
    octets = base64.b64decode(data["map"].removeprefix("data:application/x-float32;base64,"))
    np.testing.assert_array_equal(np.frombuffer(octets, "<f4"), MAP.flatten().numpy())
    assert (data["shape"], data["size"]) == ([7, 7], [224, 224])
    assert data["state"] == {
        "mode": "bicubic",
        "align_corners": False,
        "point": [3, 4],
        "opacity": 0.8,
    }


def test_it_stays_small(explorer: UpsamplingExplorer) -> None:
    assert len(html_of(explorer)) < 50_000


@pytest.mark.parametrize(
    ("mode", "align_corners"), [("nearest", True), ("bilinear", False), ("bicubic", True)]
)
def test_without_scripts_the_picture_is_camlibs_overlay(mode: str, align_corners: bool) -> None:
    """Grey and paled below the map; lines and dots cover little of it. A cell's centre is white."""
    image = make_picture(288, 288)
    explorer = UpsamplingExplorer(image, MAP, mode=mode, align_corners=align_corners, opacity=0.6)
    shown = poster(explorer)
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


def test_without_scripts_the_words_tell_the_setting(explorer: UpsamplingExplorer) -> None:
    row, column = divmod(int(MAP.argmax()), 7)
    assert (
        'alt="The map of “tiger cat”, 7 × 7 cells, enlarged to 224 × 224 pixels over the '
        "photograph (bilinear). A white dot marks each cell’s centre; the highest of them is in "
        f'cell row {row}, column {column}, both counted from 0."'
    ) in html_of(explorer)
    explorer.mode, explorer.align_corners = "bicubic", True
    assert "enlarged: <strong>bicubic, align_corners</strong>." in html_of(explorer)
    explorer.mode = "nearest"
    assert "enlarged: <strong>nearest</strong>." in html_of(explorer)


def test_names_cannot_break_out_of_the_page() -> None:
    html = html_of(UpsamplingExplorer(make_picture(), MAP, '</script><b>"x"'))
    assert html.count("<script") == html.count("</script") == 1
    assert "<b>" not in html


def test_a_large_picture_is_scaled_down_and_its_pixels_counted() -> None:
    explorer = UpsamplingExplorer(make_picture(900, 600), make_cam(1, 3, 2).maps[0, 0])
    data = data_of(explorer)
    assert data["size"] == [448, 299]
    assert picture(data["photo"]).shape == (448, 299, 3)
    explorer.point = (447, 298)
    with pytest.raises(ValueError, match=r"^point: expected a row from 0 to 447 and a column from"):
        explorer.point = (448, 0)


def test_arguments_are_left_as_they_were() -> None:
    image, values = (255 * make_picture()).astype(np.uint8), MAP.clone()
    explorer = UpsamplingExplorer(image, values)
    before = html_of(explorer)
    image[:] = 0
    values[:] = 0
    assert html_of(explorer) == before


def test_a_map_of_zeros_is_shown_as_the_paled_photograph() -> None:
    shown = poster(UpsamplingExplorer(make_picture(288, 288), torch.zeros(7, 7)))
    paled = 0.4 + 0.5 * plotting.greyscale(make_picture(288, 288))
    assert np.median(np.abs(shown - paled)) < 0.01
