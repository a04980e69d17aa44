"""PoolingExplorer in Python: its attributes, its doors, and what it shows without scripts."""

import base64
import io
import json
import re
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import camlib
from camlib import plotting
from camlib.explorers import PoolingExplorer

from .test_class_explorer import Figure, numbers

TWO = [[[1.0, 0, 2], [0, 9, 3], [1, 2, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 3]]]


@pytest.fixture
def explorer() -> PoolingExplorer:
    return PoolingExplorer(TWO, limits=(0, 9))


def figure_of(explorer: PoolingExplorer) -> Figure:
    return Figure(explorer._repr_mimebundle_()[0]["text/html"])


# ------------------------------------------------------------------ attributes


def test_it_starts_with_the_maps_given(explorer: PoolingExplorer) -> None:
    assert explorer.values == tuple(tuple(tuple(row) for row in one) for one in TWO)
    assert (explorer.pooling, explorer.map_index, explorer.cell) == ("average", 0, None)
    assert (explorer.brush, explorer.all_maps) == (9.0, False)


def test_the_pooled_numbers_by_hand(explorer: PoolingExplorer) -> None:
    """(1 + 0 + 2 + 0 + 9 + 3 + 1 + 2 + 0) / 9 = 2 and 3 / 9; the largest are 9 and 3."""
    assert explorer.pooled.tolist() == [2, 3 / 9]
    explorer.pooling = "maximum"
    assert explorer.pooled.tolist() == [9, 3]


def test_the_pooled_numbers_are_camlibs() -> None:
    maps = torch.rand((20, 3, 3), generator=torch.Generator().manual_seed(1))
    explorer = PoolingExplorer(maps)
    torch.testing.assert_close(
        explorer.pooled.float(), camlib.global_average_pool(maps[None])[0], atol=1e-6, rtol=0
    )
    explorer.pooling = "maximum"
    assert torch.equal(explorer.pooled.float(), maps.amax((1, 2)))


@pytest.mark.parametrize(
    "maps",
    [
        TWO,
        np.array(TWO, dtype=np.int64),
        np.array(TWO, dtype=np.float32),
        torch.tensor(TWO, dtype=torch.bfloat16),
        torch.tensor(TWO, requires_grad=True),
        torch.tensor(TWO).to(torch.uint8),
    ],
    ids=["lists", "int64", "float32", "bfloat16", "gradient", "uint8"],
)
def test_maps_of_every_kind(maps: Any, explorer: PoolingExplorer) -> None:
    assert PoolingExplorer(maps).values == explorer.values


def test_attributes_are_set_and_observed(explorer: PoolingExplorer) -> None:
    seen = []
    explorer.observe(lambda change: seen.append((change["name"], change["new"])))
    edited = np.array(TWO)
    edited[1, 0, 0] = 9
    explorer.values = torch.tensor(edited)
    explorer.pooling = "maximum"
    explorer.map_index = np.int64(1)
    explorer.cell = [2, 0]
    explorer.brush = np.float32(4)
    explorer.all_maps = np.True_
    assert seen == [
        ("values", tuple(tuple(tuple(row) for row in one) for one in edited.tolist())),
        ("pooling", "maximum"),
        ("map_index", 1),
        ("cell", (2, 0)),
        ("brush", 4.0),
        ("all_maps", True),
    ]
    assert explorer.pooled.tolist() == [9, 9]


def test_what_the_browser_sends_is_taken_and_not_sent_back(explorer: PoolingExplorer) -> None:
    """JSON knows no tuples, and writes 9.0 as 9."""
    sent = []
    explorer.send_state = lambda key=None: sent.append(key)
    edited = [[[9, 0, 2], [0, 9, 3], [1, 2, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 3]]]
    explorer.set_state({"values": edited, "cell": [0, 0]})
    assert explorer.values[0][0] == (9.0, 0.0, 2.0)
    assert explorer.cell == (0, 0)
    assert sent == []
    explorer.map_index = 1  # what Python sets is sent
    assert sent == ["map_index"]


def test_values_cannot_be_changed_unnoticed(explorer: PoolingExplorer) -> None:
    with pytest.raises(TypeError):
        explorer.values[0][0][0] = 5


def test_arguments_are_left_as_they_were() -> None:
    maps = torch.tensor(TWO)
    explorer = PoolingExplorer(maps)
    maps[:] = 0
    assert explorer.pooled.tolist() == [2, 3 / 9]
    assert figure_of(explorer).data["start"] == TWO


def test_limits_by_default_are_whole_and_hold_zero_and_all_values() -> None:
    """Values from -1.5 to 0.25: from -2, the next whole number below, to at least 1."""
    assert figure_of(PoolingExplorer([[[-1.5, 0.25]]])).data["limits"] == [-2, 1]
    assert figure_of(PoolingExplorer([[[2.0, 6.5]]])).data["limits"] == [0, 7]


def test_the_state_travels_as_json(explorer: PoolingExplorer) -> None:
    assert json.loads(json.dumps(explorer.get_state()))["values"] == TWO


# ------------------------------------------------------------------ doors

RAGGED = "Pass a tensor, an array or nested lists of numbers, all rows equally long."
WIDER = "Wider limits are an argument: PoolingExplorer(maps, limits=(0, 99))."


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("values", TWO[:1], ValueError,
         "values: expected shape (2, 3, 3), got (1, 3, 3). Make another explorer for maps of "
         "another shape."),
        ("values", [[[1.0, 2], [3]]], ValueError,
         f"values: expected one shape (k, h, w), got ragged lists. {RAGGED}"),
        ("values", None, TypeError,
         f"values: expected real numbers, got ndarray of shape () and dtype object. {RAGGED}"),
        ("values", np.full((2, 3, 3), np.nan), ValueError,
         "values: expected finite numbers, got NaN or infinity. Look for it with numpy.isfinite."),
        ("values", np.full((2, 3, 3), 10), ValueError,
         f"values: expected numbers from 0 to 9, got 10 to 10. {WIDER}"),
        ("values", np.zeros((2, 3, 3), bool), TypeError,
         f"values: expected real numbers, got ndarray of shape (2, 3, 3) and dtype bool. {RAGGED}"),
        ("pooling", "mean", ValueError,
         'pooling: expected "average" or "maximum", got \'mean\'. Start with "average".'),
        ("map_index", 2, ValueError, "map_index: expected 0 to 1, got 2. 0 is the first map."),
        ("map_index", -1, ValueError, "map_index: expected 0 to 1, got -1. 0 is the first map."),
        ("map_index", 0.5, TypeError,
         "map_index: expected whole numbers, got float 0.5. Convert with int(...)."),
        ("cell", (3, 0), ValueError,
         "cell: expected a row from 0 to 2 and a column from 0 to 2, got (3, 0). Both count from 0 "
         "in the upper left corner."),
        ("brush", 9.5, ValueError, f"brush: expected numbers from 0 to 9, got 9.5 to 9.5. {WIDER}"),
        ("brush", "3", TypeError, "brush: expected a number, got str '3'. Pass 1.0."),
        ("brush", True, TypeError, "brush: expected a number, got bool True. Pass 1.0."),
        ("brush", float("inf"), ValueError,
         "brush: expected a finite number, got inf. Pass 1.0."),
        ("all_maps", 1, TypeError,
         "all_maps: expected True or False, got int 1. Pass one of both."),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_and_the_old_one_stays(
    explorer: PoolingExplorer, name: str, value: Any, error: type[Exception], message: str
) -> None:
    before = getattr(explorer, name)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before
    if name != "values":
        with pytest.raises(error, match=f"^{re.escape(message)}$"):
            PoolingExplorer(TWO, limits=(0, 9), **{name: value})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"maps": TWO[0]}, ValueError,
         "maps: expected shape (k, h, w), got (3, 3). Pass the maps of one picture: features[0]."),
        ({"maps": np.zeros((0, 3, 3))}, ValueError,
         "maps: expected shape (k, h, w), got (0, 3, 3). Pass the maps of one picture: "
         "features[0]."),
        ({"maps": torch.zeros(1280, 7, 7)}, ValueError,
         "maps: expected at most 30 maps of 7×7 cells, got 1280 of 7×7. Pass some of them: "
         "features[0, :20]."),
        ({"maps": torch.zeros(1, 8, 7)}, ValueError,
         "maps: expected at most 30 maps of 7×7 cells, got 1 of 8×7. Pass some of them: "
         "features[0, :20]."),
        ({"maps": [[["a"]]]}, TypeError,
         f"maps: expected real numbers, got ndarray of shape (1, 1, 1) and dtype <U1. {RAGGED}"),
        ({"maps": [[[float("inf")]]]}, ValueError,
         "maps: expected finite numbers, got NaN or infinity. Look for it with numpy.isfinite."),
        ({"limits": (0, 5)}, ValueError,
         f"maps: expected numbers from 0 to 5, got 0 to 9. {WIDER}"),
        ({"limits": (9, 0)}, ValueError, "limits: expected low < high, got (9, 0). Pass (0, 9)."),
        ({"limits": 9}, TypeError,
         "limits: expected a pair (low, high) or None, got int 9. Pass (0, 9)."),
        ({"limits": ("0", 9)}, TypeError, "limits: expected a number, got str '0'. Pass 1.0."),
        ({"step": 0}, ValueError,
         "step: expected a number above 0 and at most 9, the length of limits, got 0. Pass 1, or "
         "0.1 for small values."),
        ({"step": None}, TypeError, "step: expected a number, got NoneType. Pass 1.0."),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        PoolingExplorer(**{"maps": TWO, **arguments})


# ------------------------------------------------------------------ what is shown


def test_jupyter_takes_the_widget_the_page_the_html(explorer: PoolingExplorer) -> None:
    data, _ = explorer._repr_mimebundle_()
    view = data["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == explorer.model_id
    assert data["text/plain"] == "PoolingExplorer of 2 maps, 3×3 cells"
    assert data["text/html"].startswith(
        '<figure class="camlib-explorer" data-camlib-explorer="pooling_explorer">'
    )


def test_without_scripts_the_picture_is_the_books_figure(explorer: PoolingExplorer) -> None:
    figure = figure_of(explorer)
    head, body = (figure.attributes["img"]["src"] or "").split(",")
    assert head == "data:image/png;base64"
    drawn = plotting.numbers(explorer.values, ["mean 2.00", "mean 0.33"], peak=9, width=7.4)
    octets = base64.b64decode(body)
    assert octets == drawn.png()
    size = Image.open(io.BytesIO(octets)).size
    assert size == tuple(int(figure.attributes["img"][side] or 0) for side in ("width", "height"))


def test_without_scripts_the_words_tell_the_numbers(explorer: PoolingExplorer) -> None:
    assert figure_of(explorer).attributes["img"]["alt"] == (
        "2 maps of 3 by 3 cells with their numbers; above each map its average: 2.00, 0.33."
    )
    explorer.pooling = "maximum"
    figure = figure_of(explorer)
    assert (figure.attributes["img"]["alt"] or "").endswith("its maximum: 9, 3.")
    assert "With JavaScript you can edit these maps" in figure.text["strong"]
    assert figure.data["state"] == {
        "values": TWO,
        "pooling": "maximum",
        "map_index": 0,
        "cell": None,
        "brush": 9.0,
        "all_maps": False,
    }


def test_the_colours_are_those_of_the_books_figures(explorer: PoolingExplorer) -> None:
    table = numbers(figure_of(explorer).data["colours"], "uint8").reshape(513, 4)
    for entry, share in [(0, 0.0), (256, 0.5), (384, 0.75), (512, 1.0)]:
        expected = 255 * np.array(plotting.EVIDENCE(share))
        assert np.abs(table[entry] - expected).max() <= 1


def test_twenty_maps_stay_small() -> None:
    dice = torch.Generator().manual_seed(3)
    maps = torch.randint(0, 7, (20, 3, 3), generator=dice)
    html = PoolingExplorer(maps, limits=(0, 9))._repr_mimebundle_()[0]["text/html"]
    assert len(html) < 40_000
