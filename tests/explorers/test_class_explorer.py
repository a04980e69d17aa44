"""ClassExplorer in Python: its attributes, and what it shows where."""

import base64
import dataclasses
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import camlib
from camlib import plotting
from camlib.explorers import ClassExplorer, dual_output

from .conftest import make_cam, make_names, make_picture


@pytest.fixture
def explorer() -> ClassExplorer:
    return ClassExplorer(make_picture(), make_cam(10), make_names(10))


def numbers(address: str, dtype: str) -> np.ndarray:
    head, body = address.split(",")
    assert head == f"data:application/x-{dtype};base64"
    return np.frombuffer(base64.b64decode(body), np.dtype(dtype).newbyteorder("<"))


def picture(address: str) -> np.ndarray:
    head, body = address.split(",")
    assert head == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


class Figure(HTMLParser):
    """The static figure, taken apart as a browser would."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.text: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes[tag] = dict(attrs)

    def handle_data(self, data: str) -> None:
        self.text[self.tags[-1]] = self.text.get(self.tags[-1], "") + data

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.text["script"])


def figure_of(explorer: ClassExplorer) -> Figure:
    return Figure(explorer._repr_mimebundle_()[0]["text/html"])


# ------------------------------------------------------------------ attributes


def test_it_starts_with_the_highest_logit(explorer: ClassExplorer) -> None:
    assert explorer.class_index == int(make_cam(10).logits.argmax())
    assert (explorer.cell, explorer.mode, explorer.scale) == (None, "bilinear", "shared")


def test_attributes_are_set_and_observed(explorer: ClassExplorer) -> None:
    seen = []
    explorer.observe(lambda change: seen.append((change["name"], change["new"])))
    explorer.class_index = np.int64(3)
    explorer.opacity = np.float32(0.5)
    explorer.cell = [6, 0]
    explorer.mode = "nearest"
    explorer.scale = "own"
    explorer.greyscale = False
    explorer.cell = None
    assert seen == [
        ("class_index", 3),
        ("opacity", 0.5),
        ("cell", (6, 0)),
        ("mode", "nearest"),
        ("scale", "own"),
        ("greyscale", False),
        ("cell", None),
    ]
    assert type(explorer.class_index) is int
    assert type(explorer.opacity) is float


def test_what_the_browser_sends_is_taken(explorer: ClassExplorer) -> None:
    """JSON knows no tuples."""
    explorer.set_state({"cell": [2, 5], "class_index": 7})
    assert (explorer.cell, explorer.class_index) == ((2, 5), 7)


def test_the_state_travels_as_json(explorer: ClassExplorer) -> None:
    assert json.loads(json.dumps(explorer.get_state("_data")))["_data"]["shape"] == [10, 7, 7]


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        (
            "class_index",
            10,
            ValueError,
            "class_index: expected 0 to 9, got 10. Find a class by its name with "
            "class_names.index(name); class_activation_maps(..., classes=None) makes the maps "
            "of all.",
        ),
        (
            "class_index",
            2.0,
            TypeError,
            "class_index: expected whole numbers, got float 2.0. Convert with int(...).",
        ),
        (
            "class_index",
            True,
            TypeError,
            "class_index: expected whole numbers, got bool True. Convert with int(...).",
        ),
        (
            "opacity",
            1.5,
            ValueError,
            "opacity: expected a number from 0 to 1, got 1.5. 0 shows the photograph alone, "
            "1 the strongest evidence without it.",
        ),
        (
            "opacity",
            float("nan"),
            ValueError,
            "opacity: expected a number from 0 to 1, got nan. 0 shows the photograph alone, "
            "1 the strongest evidence without it.",
        ),
        (
            "opacity",
            "half",
            TypeError,
            "opacity: expected a number from 0 to 1, got str 'half'. Pass 0.5.",
        ),
        (
            "cell",
            (7, 0),
            ValueError,
            "cell: expected a row from 0 to 6 and a column from 0 to 6, got (7, 0). "
            "Both count from 0 in the upper left corner.",
        ),
        (
            "cell",
            (0, -1),
            ValueError,
            "cell: expected a row from 0 to 6 and a column from 0 to 6, got (0, -1). "
            "Both count from 0 in the upper left corner.",
        ),
        (
            "cell",
            3,
            TypeError,
            "cell: expected a pair (row, column) or None, got int 3. "
            "(0, 0) is the upper left cell.",
        ),
        (
            "cell",
            (0.5, 1),
            TypeError,
            "cell: expected whole numbers, got float 0.5. Convert with int(...).",
        ),
        (
            "mode",
            "bicubic",
            ValueError,
            'mode: expected "bilinear" or "nearest", got \'bicubic\'. Start with "bilinear".',
        ),
        (
            "scale",
            None,
            ValueError,
            'scale: expected "shared" or "own", got None. Start with "shared".',
        ),
        (
            "greyscale",
            "no",
            TypeError,
            "greyscale: expected True or False, got str 'no'. Pass one of both.",
        ),
    ],
)
def test_a_wrong_value_is_refused_and_the_old_one_stays(
    explorer: ClassExplorer, name: str, value: Any, error: type[Exception], message: str
) -> None:
    before = getattr(explorer, name)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before
    if value is not None:
        with pytest.raises(error, match=f"^{re.escape(message)}$"):
            ClassExplorer(make_picture(), make_cam(10), make_names(10), **{name: value})


def test_a_class_without_a_map_is_refused() -> None:
    cam = make_cam(3, classes=[281, 967, 285])
    explorer = ClassExplorer(make_picture(), cam, make_names())
    explorer.class_index = 967
    with pytest.raises(ValueError, match=r"^class_index: expected one of 281, 967, 285, got 1\."):
        explorer.class_index = 1


# ------------------------------------------------------------------ what is shown


def test_jupyter_takes_the_widget_the_page_the_html(explorer: ClassExplorer) -> None:
    data, _ = explorer._repr_mimebundle_()
    view = data["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == explorer.model_id
    assert data["text/plain"] == "ClassExplorer of 10 classes, 7×7 cells"
    assert data["text/html"].startswith('<figure class="camlib-explorer" data-camlib-explorer=')


def test_output_is_the_same_from_run_to_run() -> None:
    """Strict nbval compares text/plain and text/html with what the notebook holds."""
    first, second = (
        ClassExplorer(make_picture(), make_cam(10), make_names(10))._repr_mimebundle_()[0]
        for _ in range(2)
    )
    assert first["text/html"] == second["text/html"]
    assert first["text/plain"] == second["text/plain"]


def test_the_page_gets_the_numbers_of_the_maps() -> None:
    cam = make_cam(1000)
    data = figure_of(ClassExplorer(make_picture(), cam, make_names())).data
    maps = numbers(data["maps"], "int16").reshape(data["shape"]) * data["step"]
    peak = float(cam.maps.abs().max())
    assert np.abs(maps - cam.maps[0].numpy()).max() <= data["step"] / 2
    # float16 has 10 bits after the leading one, hence this error at the largest value.
    assert data["step"] / 2 <= peak * 2.0**-12
    np.testing.assert_array_equal(numbers(data["logits"], "float32"), cam.logits[0].numpy())
    np.testing.assert_array_equal(numbers(data["offset"], "float32"), cam.offset[0].numpy())
    np.testing.assert_array_equal(numbers(data["classes"], "int32"), cam.classes.numpy())
    assert data["names"] == make_names()


def test_the_page_stays_small(explorer_html: str) -> None:
    assert len(explorer_html) < 250_000


def test_a_subset_carries_its_own_classes_and_names() -> None:
    cam = make_cam(3, classes=[281, 967, 285])
    data = figure_of(ClassExplorer(make_picture(), cam, make_names())).data
    assert data["names"] == ["thing 281", "thing 967", "thing 285"]
    assert numbers(data["classes"], "int32").tolist() == [281, 967, 285]


@pytest.mark.parametrize(
    ("mode", "scale", "greyscale", "opacity"),
    [("bilinear", "shared", True, 0.9), ("nearest", "own", False, 0.4)],
)
def test_without_scripts_the_picture_is_camlibs_overlay(
    mode: str, scale: str, greyscale: bool, opacity: float
) -> None:
    cam, size = make_cam(10), (448, 448)
    figure = figure_of(
        ClassExplorer(
            make_picture(*size),
            cam,
            make_names(10),
            class_index=4,
            mode=mode,
            scale=scale,
            greyscale=greyscale,
            opacity=opacity,
        )
    )
    shown = picture(figure.attributes["img"]["src"] or "")
    large = camlib.upsample(cam.maps[:, 4:5], size, mode)
    peak = cam.maps.abs().max() if scale == "shared" else cam.maps[0, 4].abs().max()
    photograph = make_picture(*size)
    expected = plotting.overlay(
        plotting.greyscale(photograph) if greyscale else photograph,
        camlib.scaling.signed(large, peak)[0, 0],
        opacity=opacity,
    )
    assert shown.shape == (*size, 3)
    assert np.abs(shown / 255 - expected).mean() < 0.01  # JPEG rounds


def test_without_scripts_the_words_tell_the_class(explorer: ClassExplorer) -> None:
    explorer.class_index = 3
    figure = figure_of(explorer)
    row, column = divmod(int(make_cam(10).maps[0, 3].argmax()), 7)
    assert figure.attributes["img"]["alt"] == (
        "Class activation map of “thing 003” over the photograph. Orange: evidence for it, "
        f"strongest in row {row + 1} of 7, column {column + 1} of 7. Blue: evidence against it."
    )
    caption = figure.text["strong"]
    assert caption.startswith(f"thing 003, logit {float(make_cam(10).logits[0, 3]):.2f}. Orange")
    assert "With JavaScript this picture answers: choose any of 10 classes" in caption
    assert figure.data["state"]["class_index"] == 3


def test_without_scripts_a_negative_map_says_so(explorer: ClassExplorer) -> None:
    explorer.class_index = 9
    alt = figure_of(explorer).attributes["img"]["alt"]
    assert alt is not None
    assert "evidence for it, of which this picture has none." in alt


def test_names_cannot_break_out_of_the_page() -> None:
    names = ['</script><script>alert("x")</script>', "<!-- & -->", "plain"]
    explorer = ClassExplorer(make_picture(), make_cam(3), names, class_index=0)
    figure = figure_of(explorer)
    assert figure.tags == ["figure", "img", "figcaption", "strong", "script"]
    assert figure.data["names"] == names


def test_a_large_picture_is_carried_small() -> None:
    data = figure_of(ClassExplorer(make_picture(900, 600), make_cam(3, 3, 2), make_names(3))).data
    assert data["size"] == [448, 299]
    assert picture(data["photo"]).shape == (448, 299, 3)


def test_arguments_are_left_as_they_were() -> None:
    image, cam = (255 * make_picture()).astype(np.uint8), make_cam(3)
    explorer = ClassExplorer(image, cam, make_names(3))
    before = figure_of(explorer).attributes["img"]["src"]
    copies = image.copy(), cam.maps.clone()
    image[:] = 0
    assert figure_of(explorer).attributes["img"]["src"] == before
    explorer.opacity = 0.3
    assert torch.equal(cam.maps, copies[1])


def test_maps_of_zeros_are_shown_as_the_bare_photograph() -> None:
    zeros = camlib.ClassActivationMaps(
        torch.zeros(1, 2, 7, 7), torch.ones(1, 2), torch.ones(1, 2), torch.arange(2)
    )
    explorer = ClassExplorer(make_picture(448, 448), zeros, ["a", "b"])
    shown = picture(figure_of(explorer).attributes["img"]["src"] or "")
    assert np.abs(shown / 255 - plotting.greyscale(make_picture(448, 448))).mean() < 0.01


def test_the_colour_table_is_what_overlay_does() -> None:
    """An overlay of opacity o over a grey g must be g·(1 - a·o) + colour·a·o with the table's a."""
    values = np.linspace(-1, 1, dual_output.COLOURS)
    table = dual_output.evidence_table() / 255
    alpha = 0.6 * table[:, 3:]
    grey = np.full((1, len(values), 3), 0.3)
    expected = plotting.overlay(grey, values[None], opacity=0.6)[0]
    assert np.abs(0.3 * (1 - alpha) + table[:, :3] * alpha - expected).max() < 0.005


# ------------------------------------------------------------------ what is held


def test_what_is_held_is_said() -> None:
    cam = dataclasses.replace(make_cam(10), held=("head.norm", "<second>"))
    figure = figure_of(ClassExplorer(make_picture(), cam, make_names(10)))
    assert figure.data["held"] == "The spread of head.norm, <second> is held."
    caption = ClassExplorer(make_picture(), cam, make_names(10))._static_html()
    assert " what it speaks for. The spread of head.norm, &lt;second&gt; is held.</fig" in caption


def test_where_nothing_is_held_nothing_is_said(explorer: ClassExplorer) -> None:
    assert "held" not in figure_of(explorer).data
    assert " what it speaks for.</figcaption>" in explorer._static_html()
