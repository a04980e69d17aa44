"""What every explorer does in Python: traits both ways, bad values refused, one object shown twice."""

import dataclasses
import json
import re
from typing import Any

import numpy as np
import pytest
import torch

import camlib
from camlib.explorers.explorer import Explorer

from .conftest import data_of, html_of
from .makers import (
    MAKERS,
    MAP,
    SUMMED,
    TWO,
    make_cam,
    make_class,
    make_head,
    make_maps,
    make_picture,
    shown,
)

A, B = shown(make_head(), SUMMED, 5)[:2]
EDITED = np.array(TWO)
EDITED[1, 0, 0] = 9
NESTED = tuple(tuple(tuple(row) for row in one) for one in EDITED.tolist())
# (explorer, trait, what is set, what is kept): any kind of number, and what JSON makes of a tuple.
KEPT = [
    ("box_explorer", "threshold", np.float32(0.5), 0.5),
    ("box_explorer", "scene", np.int64(2), 2),
    ("class_explorer", "class_index", np.int64(3), 3),
    ("class_explorer", "opacity", 1, 1.0),
    ("class_explorer", "cell", [6, 0], (6, 0)),
    ("class_explorer", "mode", "nearest", "nearest"),
    ("class_explorer", "scale", "own", "own"),
    ("class_explorer", "greyscale", np.False_, False),
    ("frame_explorer", "at", [3, np.int64(1)], (3, 1)),
    ("method_comparer", "class_index", np.int64(3), 3),
    ("method_comparer", "layer", "early", "early"),
    ("method_comparer", "point", [223, np.int64(0)], (223, 0)),
    ("method_comparer", "scale", "own", "own"),
    ("pooling_explorer", "values", EDITED.tolist(), NESTED),
    ("pooling_explorer", "values", torch.tensor(EDITED), NESTED),
    ("pooling_explorer", "pooling", "maximum", "maximum"),
    ("pooling_explorer", "map_index", np.int64(1), 1),
    ("pooling_explorer", "cell", [2, 0], (2, 0)),
    ("pooling_explorer", "brush", np.float32(4), 4.0),
    ("pooling_explorer", "all_maps", np.True_, True),
    ("upsampling_explorer", "mode", "bicubic", "bicubic"),
    ("upsampling_explorer", "align_corners", np.True_, True),
    ("upsampling_explorer", "point", np.array([223, 0]), (223, 0)),
    ("upsampling_explorer", "opacity", np.float32(0.5), 0.5),
    ("weighted_sum_explorer", "class_index", np.int64(3), 3),
    ("weighted_sum_explorer", "off", [B, A, B, -1], (-1, A, B)),
    ("weighted_sum_explorer", "factors", {str(A): 1.5, "-1": 0}, {A: 1.5, -1: 0.0}),
    ("weighted_sum_explorer", "factors", {A: np.float32(0.5)}, {A: 0.5}),
    ("weighted_sum_explorer", "channel", -1, -1),
]


@pytest.mark.parametrize(("kind", "name", "given", "kept"), KEPT)
def test_traits_are_set_and_observed(kind: str, name: str, given: Any, kept: Any) -> None:
    explorer, seen, sent = MAKERS[kind](), [], []
    explorer.observe(lambda change: seen.append((change["name"], change["new"])), name)
    explorer.send_state = lambda key=None: sent.append(key)
    setattr(explorer, name, given)
    assert seen == [(name, kept)]
    assert sent == [name]
    assert type(getattr(explorer, name)) is type(kept)
    assert explorer.state[name] == kept
    assert getattr(MAKERS[kind](**{"maps" if name == "values" else name: given}), name) == kept


@pytest.mark.parametrize(
    ("kind", "name", "given", "kept"),
    [case for case in KEPT if isinstance(case[2], (int, str, list, dict))],
)
def test_what_the_browser_sends_is_taken_and_not_sent_back(
    kind: str, name: str, given: Any, kept: Any
) -> None:
    """JSON knows no tuples, and only text as a name."""
    explorer, sent = MAKERS[kind](), []
    explorer.send_state = lambda key=None: sent.append(key)
    explorer.set_state({name: json.loads(json.dumps(given, default=lambda one: one.item()))})
    assert getattr(explorer, name) == kept
    assert sent == (["off"] if name == "off" else [])  # sorted, each once: that is news to the page


NO_CELL = "a row from 0 to 6 and a column from 0 to 6"
WHOLE = "whole numbers"


@pytest.mark.parametrize(
    ("kind", "name", "value", "error", "expected"),
    [
        ("box_explorer", "threshold", "0.2", TypeError, "a number between 0 and 1, got str"),
        ("box_explorer", "threshold", True, TypeError, "a number between 0 and 1, got bool"),
        ("box_explorer", "threshold", 0, ValueError, "a number between 0 and 1, got 0."),
        ("box_explorer", "threshold", 1.0, ValueError, "a number between 0 and 1, got 1."),
        ("box_explorer", "threshold", np.nan, ValueError, "a number between 0 and 1, got nan"),
        ("box_explorer", "scene", 5, ValueError, "0 to 4, got 5."),
        ("box_explorer", "scene", -1, ValueError, "0 to 4, got -1."),
        ("box_explorer", "scene", 1.0, TypeError, "whole numbers, got float 1.0"),
        ("class_explorer", "class_index", 10, ValueError, "0 to 9, got 10."),
        ("class_explorer", "class_index", -1, ValueError, "0 to 9, got -1."),
        ("class_explorer", "class_index", 2.0, TypeError, WHOLE),
        ("class_explorer", "class_index", True, TypeError, WHOLE),
        ("class_explorer", "opacity", 1.5, ValueError, "a number from 0 to 1, got 1.5."),
        ("class_explorer", "opacity", -0.1, ValueError, "a number from 0 to 1, got -0.1."),
        ("class_explorer", "opacity", np.nan, ValueError, "a number from 0 to 1, got nan."),
        ("class_explorer", "opacity", "half", TypeError, "a number from 0 to 1, got str 'half'."),
        ("class_explorer", "cell", (7, 0), ValueError, f"{NO_CELL}, got (7, 0)"),
        ("class_explorer", "cell", (0, -1), ValueError, f"{NO_CELL}, got (0, -1)"),
        ("class_explorer", "cell", (0, 7), ValueError, f"{NO_CELL}, got (0, 7)"),
        ("class_explorer", "cell", 3, TypeError, "a pair (row, column) or None, got int 3."),
        ("class_explorer", "cell", (1, 2, 3), TypeError, "a pair (row, column) or None, got tup"),
        ("class_explorer", "cell", (0.5, 1), TypeError, WHOLE),
        ("class_explorer", "mode", "bicubic", ValueError, '"bilinear" or "nearest", got'),
        ("class_explorer", "scale", None, ValueError, '"shared" or "own", got None.'),
        ("class_explorer", "greyscale", "no", TypeError, "True or False, got str 'no'."),
        ("frame_explorer", "at", (0,), TypeError, "2 whole numbers, one for each axis, got tuple"),
        ("frame_explorer", "at", 1, TypeError, "2 whole numbers, one for each axis, got int 1."),
        ("method_comparer", "class_index", 5, ValueError, "one of 7, 3, 9, got 5. Find a class"),
        ("method_comparer", "class_index", 7.0, TypeError, WHOLE),
        ("method_comparer", "layer", "first", ValueError, '"early" or "last", got \'first\'.'),
        ("method_comparer", "point", (224, 0), ValueError, "a row from 0 to 223 and a column from"),
        ("method_comparer", "point", 5, TypeError, "a pair (row, column) or None, got int 5."),
        ("method_comparer", "scale", "both", ValueError, '"one" or "own", got \'both\'.'),
        ("pooling_explorer", "values", TWO[:1], ValueError, "shape (2, 3, 3), got (1, 3, 3)."),
        ("pooling_explorer", "values", [[[1.0, 2], [3]]], TypeError, "an array of numbers, or list"),
        ("pooling_explorer", "values", None, TypeError, "an array of real numbers, got NoneType"),
        ("pooling_explorer", "values", np.full((2, 3, 3), np.nan), ValueError, "finite numbers"),
        ("pooling_explorer", "values", EDITED + 1, ValueError, "a number from 0 to 9, got 10."),
        ("pooling_explorer", "values", EDITED - 1, ValueError, "a number from 0 to 9, got -1."),
        ("pooling_explorer", "values", EDITED > 1, TypeError, "an array of real numbers, got nda"),
        ("pooling_explorer", "pooling", "mean", ValueError, '"average" or "maximum", got \'mean\''),
        ("pooling_explorer", "map_index", 2, ValueError, "0 to 1, got 2."),
        ("pooling_explorer", "map_index", 0.5, TypeError, WHOLE),
        ("pooling_explorer", "cell", (3, 0), ValueError, "a row from 0 to 2 and a column from 0 to"),
        ("pooling_explorer", "brush", 9.5, ValueError, "a number from 0 to 9, got 9.5. Wider"),
        ("pooling_explorer", "brush", "3", TypeError, "a number from 0 to 9, got str '3'."),
        ("pooling_explorer", "brush", True, TypeError, "a number from 0 to 9, got bool True."),
        ("pooling_explorer", "all_maps", 1, TypeError, "True or False, got int 1."),
        ("upsampling_explorer", "mode", "cubic", ValueError, '"nearest" or "bilinear" or "bicubic"'),
        ("upsampling_explorer", "align_corners", 1, TypeError, "True or False, got int 1."),
        ("upsampling_explorer", "point", (224, 0), ValueError, "a row from 0 to 223 and a column"),
        ("upsampling_explorer", "point", (47.5, 1), TypeError, WHOLE),
        ("upsampling_explorer", "opacity", 2, ValueError, "a number from 0 to 1, got 2."),
        ("weighted_sum_explorer", "class_index", 4, ValueError, "one of 3, 17, 8, got 4."),
        ("weighted_sum_explorer", "class_index", 3.0, TypeError, WHOLE),
        ("weighted_sum_explorer", "off", 5, TypeError, "a sequence of channel numbers, got int 5."),
        ("weighted_sum_explorer", "off", [0], ValueError, "one of the 13 channels shown (from 3 to"),
        ("weighted_sum_explorer", "off", [True], TypeError, WHOLE),
        ("weighted_sum_explorer", "factors", [1], TypeError, "a dict from channel number to factor"),
        ("weighted_sum_explorer", "factors", {-1: 2.5}, ValueError, "a number from 0 to 2, got 2.5."),
        ("weighted_sum_explorer", "factors", {-1: "loud"}, TypeError, "a number from 0 to 2, got"),
        ("weighted_sum_explorer", "factors", {"a": 1}, TypeError, WHOLE),
        ("weighted_sum_explorer", "channel", 60, ValueError, "one of the 13 channels shown (from 3"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_and_the_old_one_stays(
    kind: str, name: str, value: Any, error: type[Exception], expected: str
) -> None:
    explorer = MAKERS[kind]()
    before = getattr(explorer, name)
    changes = [
        lambda: setattr(explorer, name, value),
        lambda: explorer.set_state({name: value}),
        lambda: MAKERS[kind](**{name: value}),
    ]
    # `values` is no argument, and None stands for the default of some.
    for change in changes[: 2 if name == "values" or value is None else 3]:
        with pytest.raises(error) as caught:
            change()
        message = str(caught.value)
        assert message.startswith(f"{name}: expected {expected}")
        assert ", got " in message
        assert re.search(r"[.;] [A-Z(0-9]", message)  # and what to do
        assert getattr(explorer, name) == before


@pytest.mark.parametrize("kind", ["class_explorer", "method_comparer", "upsampling_explorer"])
def test_a_place_may_be_let_go(kind: str) -> None:
    name = "cell" if kind == "class_explorer" else "point"
    explorer = MAKERS[kind](**{name: (3, 4)})
    setattr(explorer, name, None)
    assert getattr(explorer, name) is None


# ------------------------------------------------------------------ shown twice

TEXTS = {
    "box_explorer": "BoxExplorer of 5 pictures",
    "class_explorer": "ClassExplorer of 10 classes, 7×7 cells",
    "frame_explorer": "FrameExplorer of 8 frames: Depth, Subject",
    "method_comparer": "MethodComparer of CAM, Grad-CAM, Grad-CAM++: 3 classes, 2 layers",
    "pooling_explorer": "PoolingExplorer of 2 maps, 3×3 cells",
    "upsampling_explorer": "UpsamplingExplorer of 7×7 cells, 224×224 pixels",
    "weighted_sum_explorer": "WeightedSumExplorer of 3 classes, 13 of 60 channels",
}


@pytest.mark.parametrize("kind", MAKERS)
def test_jupyter_takes_the_widget_the_page_the_html(kind: str) -> None:
    """Strict nbval compares text/plain and text/html with what the notebook holds."""
    explorer = MAKERS[kind]()
    data, _ = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert data["text/plain"] == TEXTS[kind]
    start = f'<figure class="camlib-explorer" data-camlib-explorer="{kind}">'
    assert data["text/html"].startswith(start)
    assert data["text/html"] == html_of(MAKERS[kind]())
    assert data_of(explorer)["state"] == json.loads(json.dumps(explorer.state))
    assert json.loads(json.dumps(explorer.get_state("_data")))["_data"] == {
        name: value for name, value in data_of(explorer).items() if name != "state"
    }


BAD = '</script><b>"x"<!--'
NAMED = {
    "box_explorer": {"names": [BAD] * 5},
    "class_explorer": {"class_names": [BAD] * 10},
    "frame_explorer": {"axes": {BAD: [BAD] * 4, "Subject": [BAD] * 2}, "words": [BAD] * 8},
    "method_comparer": {
        "maps": {BAD: {BAD: make_maps()["CAM"]["last"]}, "other": {BAD: make_cam(3).maps[0]}},
        "class_names": [BAD] * 3,
    },
    "upsampling_explorer": {"class_name": BAD},
    "weighted_sum_explorer": {"class_names": [BAD] * 20},
}


@pytest.mark.parametrize("kind", NAMED)
def test_names_cannot_break_out_of_the_page(kind: str) -> None:
    html = html_of(MAKERS[kind](**NAMED[kind]))
    assert html.count("<script") == html.count("</script") == 1
    assert "<b>" not in html
    assert "<!--" not in html
    assert html.count(BAD.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")) >= 2
    assert BAD in json.dumps(data_of(MAKERS[kind](**NAMED[kind]))).replace('\\"', '"')


def large(kind: str) -> Explorer:
    """An explorer of as much as a chapter shows."""
    if kind == "class_explorer":
        names = [f"thing {index:03d}" for index in range(1000)]
        return make_class(cam=make_cam(1000), class_names=names)
    if kind == "pooling_explorer":
        return MAKERS[kind](maps=np.arange(180).reshape(20, 3, 3) % 7)
    return MAKERS[kind]()


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("box_explorer", 80_000),
        ("class_explorer", 250_000),
        ("frame_explorer", 20_000),
        ("method_comparer", 100_000),
        ("pooling_explorer", 40_000),
        ("upsampling_explorer", 50_000),
        ("weighted_sum_explorer", 100_000),
    ],
)
def test_it_stays_small(kind: str, most: int) -> None:
    assert len(html_of(large(kind))) < most


def in_float64(cam: camlib.ClassActivationMaps) -> camlib.ClassActivationMaps:
    exact = {name: getattr(cam, name).double() for name in ("maps", "logits", "offset")}
    return dataclasses.replace(cam, **exact)


IMAGE = (255 * make_picture()).astype(np.uint8)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("box_explorer", {"pictures": [make_picture(64, 64)] * 5}),
        ("box_explorer", {"maps": make_cam(5, 16, 16).maps[0]}),
        ("box_explorer", {"boxes": np.array([(4, 4, 40, 30)] * 5)}),
        ("class_explorer", {"image": IMAGE.copy()}),
        ("class_explorer", {"cam": make_cam(10)}),
        ("class_explorer", {"cam": in_float64(make_cam(10))}),
        (
            "frame_explorer",
            {"frames": [np.full((120, 160, 3), 36 * i, np.uint8) for i in range(8)]},
        ),
        ("method_comparer", {"image": IMAGE.copy()}),
        ("method_comparer", {"maps": make_maps()}),
        ("pooling_explorer", {"maps": torch.tensor(TWO)}),
        ("upsampling_explorer", {"image": IMAGE.copy()}),
        ("upsampling_explorer", {"map": MAP.clone()}),
        ("weighted_sum_explorer", {"image": IMAGE.copy()}),
        ("weighted_sum_explorer", {"head": make_head()}),
    ],
)
def test_it_neither_changes_its_arguments_nor_holds_on_to_them(
    kind: str, given: dict[str, Any]
) -> None:
    (argument,) = given.values()
    before = [np.asarray(part).copy() for part in parts(argument)]
    explorer = MAKERS[kind](**given)
    html = html_of(explorer)
    assert len(before) >= 1
    for now, then in zip(parts(argument), before, strict=True):
        np.testing.assert_array_equal(np.asarray(now), then)
    for part in parts(argument):
        part[:] = 0
    assert html_of(explorer) == html


def parts(argument: Any) -> list[Any]:
    """All arrays and tensors that an argument holds."""
    if isinstance(argument, (np.ndarray, torch.Tensor)):
        return [argument]
    values = argument if isinstance(argument, (list, dict)) else getattr(argument, "__dict__", [])
    values = values.values() if isinstance(values, dict) else values
    return [part for value in values for part in parts(value)]
