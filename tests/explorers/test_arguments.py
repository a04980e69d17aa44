"""What the explorers accept and refuse when they are made."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import camlib

from .conftest import data_of, html_of
from .makers import (
    MAKERS,
    MAP,
    TWO,
    make_box,
    make_cam,
    make_class,
    make_head,
    make_maps,
    make_picture,
    make_pooling,
    make_sum,
    make_upsampling,
)

CAM, HEAD, LAST = make_cam(3), make_head(), make_maps()["CAM"]["last"]
NAN, INF = float("nan"), float("inf")
BOX = (3, 4, 20, 30)


def cam(**parts: Any) -> camlib.ClassActivationMaps:
    return dataclasses.replace(CAM, **parts)


def head(**parts: Any) -> camlib.Head:
    return dataclasses.replace(HEAD, **parts)


def changed(method: str, layer: str, values: Any) -> dict[str, Any]:
    """The maps to compare, with those of one method and layer replaced."""
    maps = make_maps()
    maps[method][layer] = values
    return maps


@pytest.mark.parametrize(
    ("kind", "argument", "value", "error", "message"),
    [
        ("class", "image", torch.zeros(3, 224, 224), ValueError, "image: expected a picture of shap"),
        ("class", "image", np.zeros((3, 224, 224)), ValueError, "image: expected a picture of shape"),
        ("class", "image", np.zeros((0, 224, 3)), ValueError, "image: expected a picture of shape"),
        ("class", "image", np.zeros((7, 7, 3), int), ValueError, "image: expected uint8, or floats"),
        ("class", "image", np.full((7, 7, 3), 255.0), ValueError, "image: expected uint8, or floats"),
        ("class", "image", np.full((7, 7, 3), -0.5), ValueError, "image: expected uint8, or floats"),
        ("class", "image", np.full((7, 7, 3), NAN), ValueError, "image: expected finite numbers"),
        ("class", "image", make_picture(300, 451), ValueError, "image: expected the picture that 7×7"),
        ("class", "image", make_picture(224, 168), ValueError, "image: expected the picture that 7×7"),
        ("class", "cam", SimpleNamespace(maps=1), TypeError, "cam: expected the result of camlib.cla"),
        ("class", "cam", cam(maps=CAM.maps[0]), ValueError, "cam.maps: expected shape (1, c, h, w)"),
        ("class", "cam", cam(maps=CAM.maps.repeat(2, 1, 1, 1)), ValueError, "cam: expected the maps"),
        ("class", "cam", cam(logits=torch.zeros(1, 4)), ValueError, "cam: expected a logit and a cla"),
        ("class", "cam", cam(classes=torch.arange(4)), ValueError, "cam: expected a logit and a clas"),
        ("class", "cam", cam(maps=CAM.maps * NAN), ValueError, "cam.maps: expected finite numbers"),
        ("class", "cam", cam(maps=CAM.maps.relu()), ValueError, "cam: expected mean(map) + offset = "),
        ("class", "class_names", ["a"] * 5, ValueError, "class_names: expected a name for each of 10"),
        ("class", "class_names", "cat", TypeError, "class_names: expected a sequence of strings, got"),
        ("class", "class_names", [1] * 10, TypeError, "class_names: expected a sequence of strings"),
        ("upsampling", "map", MAP.tolist(), TypeError, "map: expected a tensor or array of shape (h,"),
        ("upsampling", "map", MAP[None], ValueError, "map: expected shape (h, w), rows of cells and "),
        ("upsampling", "map", torch.zeros(0, 7), ValueError, "map: expected shape (h, w), rows of ce"),
        ("upsampling", "map", MAP.int(), TypeError, "map: expected a floating-point dtype, got Tenso"),
        ("upsampling", "map", MAP * INF, ValueError, "map: expected finite numbers, got NaN or infi"),
        ("upsampling", "map", MAP.double() * 1e60, ValueError, "map: expected finite numbers, got Na"),
        ("upsampling", "map", torch.zeros(6, 14), ValueError, "image: expected the picture that 6×14"),
        ("upsampling", "class_name", 281, TypeError, "class_name: expected a string, got int 281. Pa"),
        ("box", "pictures", "cat.jpg", TypeError, "pictures: expected a list, got str"),
        ("box", "pictures", [], ValueError, "pictures: expected at least one, got 0. Pass ["),
        ("box", "pictures", [None] * 5, TypeError, "pictures[0]: expected an array of real numbers"),
        ("box", "pictures", [np.ones((449, 9, 3))] * 5, ValueError, "pictures[0]: expected at most 4"),
        ("box", "maps", MAP[:2], ValueError, "maps: expected one for each of 5 pictures, got 2."),
        ("box", "maps", None, TypeError, "maps: expected a list, got NoneType. Pass cam.maps["),
        ("box", "maps", torch.ones(5, 1, 16, 16), ValueError, "maps[0]: expected shape (h, w), rows"),
        ("box", "maps", [MAP * NAN] * 5, ValueError, "maps[0]: expected finite numbers, got NaN"),
        ("box", "maps", torch.ones(5, 4, 16), ValueError, "image: expected the picture that 4×16 cel"),
        ("box", "boxes", [BOX], ValueError, "boxes: expected one for each of 5 pictures, got 1."),
        ("box", "boxes", [BOX] * 4 + [(3, 4)], ValueError, "boxes[4]: expected shape (4,) or (m, 4)"),
        ("box", "boxes", [BOX] * 4 + [[]], ValueError, "boxes[4]: expected shape (4,) or (m, 4), got"),
        ("box", "boxes", [(0.5, 0, 9, 9)] * 5, TypeError, "boxes[0]: expected whole numbers, got [0."),
        ("box", "boxes", [(9, 0, 9, 9)] * 5, ValueError, "boxes[0]: expected x0 < x1 and y0 < y1, go"),
        ("box", "boxes", [(0, 9, 9, 9)] * 5, ValueError, "boxes[0]: expected x0 < x1 and y0 < y1, go"),
        ("box", "boxes", [(0, 0, 65, 9)] * 5, ValueError, "boxes[0]: expected a box inside the pictu"),
        ("box", "boxes", [(0, 0, 9, 65)] * 5, ValueError, "boxes[0]: expected a box inside the pictu"),
        ("box", "boxes", [(-1, 0, 6, 9)] * 5, ValueError, "boxes[0]: expected a box inside the pictu"),
        ("box", "names", ["a", "b"], ValueError, "names: expected one for each of 5 pictures, got 2."),
        ("box", "names", ["a"] * 4 + [3], TypeError, "names: expected strings, got"),
        ("frames", "frames", [make_picture()], ValueError, "frames: expected 4 × 2 = 8, one for each p"),
        ("frames", "frames", [1] * 8, ValueError, "frames[0]: expected a picture of shape (H, W, 3)"),
        ("frames", "frames", "cat.jpg", TypeError, "frames: expected a sequence of pictures, got str"),
        ("frames", "words", ["one"], ValueError, "words: expected 4 × 2 = 8, one for each place on the"),
        ("frames", "axes", ["Depth"], TypeError, "axes: expected a dictionary of labels and places, go"),
        ("frames", "axes", {"Depth": ["one"]}, ValueError, 'axes["Depth"]: expected two names or more,'),
        ("frames", "axes", {"Depth": "one"}, TypeError, 'axes["Depth"]: expected a sequence of names,'),
        ("box", "names", "abcde", TypeError, "names: expected a list, got str"),
        ("pooling", "maps", TWO[0], ValueError, "maps: expected shape (k, h, w), got (3, 3). Pass"),
        ("pooling", "maps", np.zeros((0, 3, 3)), ValueError, "maps: expected shape (k, h, w), got (0"),
        ("pooling", "maps", torch.zeros(31, 7, 7), ValueError, "maps: expected at most 30 maps of 7×"),
        ("pooling", "maps", torch.zeros(1, 8, 7), ValueError, "maps: expected at most 30 maps of 7×7"),
        ("pooling", "maps", torch.zeros(1, 7, 8), ValueError, "maps: expected at most 30 maps of 7×7"),
        ("pooling", "maps", [[["a"]]], TypeError, "maps: expected an array of real numbers, got list"),
        ("pooling", "maps", [[[INF]]], ValueError, "maps: expected finite numbers, got NaN or inf"),
        ("pooling", "limits", (0, 5), ValueError, "maps: expected a number from 0 to 5, got 9. Wider"),
        ("pooling", "limits", (1, 9), ValueError, "maps: expected a number from 1 to 9, got 0. Wider"),
        ("pooling", "limits", (9, 0), ValueError, "limits: expected low < high, got (9, 0). Pass (0,"),
        ("pooling", "limits", 9, TypeError, "limits: expected a pair (low, high) or None, got int 9."),
        ("pooling", "limits", ("0", 9), TypeError, "limits: expected a finite number, got str '0'."),
        ("pooling", "limits", (0, INF), ValueError, "limits: expected a finite number, got inf."),
        ("pooling", "step", 0, ValueError, "step: expected a number above 0, got 0. Pass 1, or 0.1 f"),
        ("pooling", "step", 9.5, ValueError, "step: expected a number from 0 to 9, got 9.5. Pass 1,"),
        ("pooling", "step", None, TypeError, "step: expected a number from 0 to 9, got NoneType. Pas"),
        ("methods", "maps", LAST, TypeError, "maps: expected a dict with names as keys, got Tensor o"),
        ("methods", "maps", {}, ValueError, "maps: expected at least one entry, got none. Pass {"),
        ("methods", "maps", {"CAM": LAST}, TypeError, "maps['CAM']: expected a dict with names as k"),
        ("methods", "maps", {"CAM": {}}, ValueError, "maps['CAM']: expected at least one entry, got"),
        ("methods", "maps", {"CAM": {8: LAST}}, TypeError, "maps['CAM']: expected a dict with names "),
        ("methods", "maps", {"CAM": {"last": LAST}}, ValueError, "maps: expected 2 to 4 methods, got"),
        ("methods", "maps", {a: {"b": LAST} for a in "abcde"}, ValueError, "maps: expected 2 to 4 me"),
        ("methods", "maps", changed("CAM", "last", LAST[None]), ValueError, "maps['CAM']['last']: ex"),
        ("methods", "maps", changed("CAM", "last", LAST.tolist()), TypeError, "maps['CAM']['last']: "),
        ("methods", "maps", changed("CAM", "last", LAST * NAN), ValueError, "maps['CAM']['last']: ex"),
        ("methods", "maps", changed("CAM", "last", LAST[:2]), ValueError, "maps['CAM']['last']: expe"),
        ("methods", "maps", changed("CAM", "last", torch.ones(3, 7, 14)), ValueError, "image: expected the picture that "),
        ("methods", "image", np.ones((224, 448, 3)), ValueError, "image: expected the picture that 7"),
        ("methods", "class_names", "abc", TypeError, "class_names: expected a sequence of strings, g"),
        ("methods", "class_names", ["a", "b"], ValueError, "class_names: expected a name for each of"),
        ("methods", "classes", 7, TypeError, "classes: expected a sequence of class indices, got int"),
        ("methods", "classes", [7, 3], ValueError, "classes: expected an index for each of 3 maps, e"),
        ("methods", "classes", [7, 3, 3], ValueError, "classes: expected an index for each of 3 maps"),
        ("methods", "classes", [7, 3, -1], ValueError, "classes: expected an index for each of 3 map"),
        ("methods", "classes", [7, 3, 1.5], TypeError, "classes: expected whole numbers, got float 1"),
        ("methods", "logits", [1.0, 2.0], ValueError, "logits: expected a finite number for each of "),
        ("methods", "logits", [1.0, 2.0, NAN], ValueError, "logits: expected a finite number for eac"),
        ("methods", "logits", ["a", "b", "c"], TypeError, "logits: expected numbers, got list. Pass "),
        ("methods", "times_cells", "Grad-CAM", TypeError, "times_cells: expected a sequence of metho"),
        ("methods", "times_cells", ["LIME"], ValueError, 'times_cells: expected "CAM" or "Grad-CAM" '),
        ("sum", "image", make_picture(100, 300), ValueError, "image: expected the picture that 7×7 c"),
        ("sum", "head", HEAD.features, TypeError, "head: expected the result of camlib.find_head, go"),
        ("sum", "head", head(features=torch.ones(2, 60, 7, 7)), ValueError, "head: expected the feat"),
        ("sum", "head", head(weight=HEAD.weight[:, :9]), ValueError, "head: expected a logit for eac"),
        ("sum", "head", head(logits=HEAD.logits[:, :9]), ValueError, "head: expected a logit for eac"),
        ("sum", "head", head(offset=HEAD.offset * NAN), ValueError, "head.offset: expected finite nu"),
        ("sum", "head", head(logits=HEAD.logits + 0.5), ValueError, "head: expected the weighted sum"),
        ("sum", "classes", 3, TypeError, "classes: expected a sequence of class indices, got int 3."),
        ("sum", "classes", [], ValueError, "classes: expected one or more indices from 0 to 19, each"),
        ("sum", "classes", [3, 3], ValueError, "classes: expected one or more indices from 0 to 19, "),
        ("sum", "classes", [20], ValueError, "classes: expected one or more indices from 0 to 19, ea"),
        ("sum", "classes", [-1], ValueError, "classes: expected one or more indices from 0 to 19, ea"),
        ("sum", "channels", 0, ValueError, "channels: expected 1 or more for each class, got 0. Star"),
        ("sum", "class_names", ["a", "b"], ValueError, "class_names: expected a name for each of 3 c"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused(
    kind: str, argument: str, value: Any, error: type[Exception], message: str
) -> None:
    (make,) = (make for make in MAKERS.values() if make.__name__ == f"make_{kind}")
    with pytest.raises(error) as caught:
        make(**{argument: value})
    assert str(caught.value).startswith(message)
    assert ", got " in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_difference_from_the_logit_is_told() -> None:
    """Of logits up to about 2 the sum may miss a thousandth part, in bfloat16 a fifth."""
    make_class(cam=cam(logits=CAM.logits + 5e-4))
    with pytest.raises(ValueError, match=r"got a difference of 0\.01\. Pass the maps raw, without"):
        make_class(cam=cam(logits=CAM.logits + 1e-2))
    half = {name: getattr(CAM, name).bfloat16() for name in ("maps", "logits", "offset")}
    make_class(cam=cam(**half | {"logits": half["logits"] + 0.1}))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_welcome(dtype: torch.dtype) -> None:
    parts = {name: getattr(CAM, name).to(dtype) for name in ("maps", "logits", "offset")}
    assert html_of(make_class(cam=cam(**parts)))
    assert data_of(make_upsampling(map=MAP.to(dtype).requires_grad_()))["shape"] == [7, 7]


@pytest.mark.parametrize(
    "maps",
    [
        np.array(TWO, dtype=np.int64),
        np.array(TWO, dtype=np.float32),
        torch.tensor(TWO, dtype=torch.bfloat16),
        torch.tensor(TWO, requires_grad=True),
        torch.tensor(TWO).to(torch.uint8),
    ],
    ids=["int64", "float32", "bfloat16", "gradient", "uint8"],
)
def test_maps_of_every_kind_can_be_edited(maps: Any) -> None:
    assert make_pooling(maps=maps).values == make_pooling().values


@pytest.mark.parametrize(
    ("height", "width"), [(224, 224), (200, 201), (223, 193), (224, 180), (9, 9)]
)
def test_sizes_that_one_stride_cuts_into_seven_by_seven(height: int, width: int) -> None:
    """223/8 < s < 223/6 and 193/8 < s < 193/6 have s = 32 in common; any square does; and 224/8 < s <
    224/6 and 180/8 < s < 180/6 have s = 29, but with 168 pixels nothing: 224/8 = 168/6.
    """
    make_class(image=make_picture(height, width))


def test_pictures_of_every_kind_are_the_same_picture() -> None:
    """Bytes, floats, floats that resizing has carried over the end, and for boxes grey ones too."""
    image = (255 * make_picture()).round() / 255
    over = np.where(image == 1, 1.0005, image)
    htmls = [html_of(make_class(image=one)) for one in (image, np.uint8(255 * image + 0.5), over)]
    assert htmls[0] == htmls[1] == htmls[2]
    grey = np.uint8(255 * make_picture(64, 64)[..., 0])
    colour = np.repeat(grey[..., None], 3, axis=2)
    kinds = ([grey] * 5, [colour] * 5, [colour / 255] * 5, np.stack([grey] * 5))
    assert len({html_of(make_box(pictures=pictures)) for pictures in kinds}) == 1


def test_names_of_all_classes_are_looked_up_and_others_taken_in_order() -> None:
    def names(given: list[str], classes: list[int]) -> list[str]:
        return data_of(make_class(cam=make_cam(len(classes), classes=classes), class_names=given))[
            "names"
        ]

    assert names(["a", "b", "c"], [2, 0]) == ["c", "a"]
    assert names(["a", "b"], [2, 0]) == ["a", "b"]
    assert names(["a", "b", "c"], [2, 0, 1]) == ["c", "a", "b"]
    assert data_of(make_box(names=None))["scenes"][4]["name"] == "picture 5"


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (make_class, {"cam": make_cam(3, 3, 2), "class_names": list("abc")}),
        (make_upsampling, {"map": make_cam(1, 3, 2).maps[0, 0]}),
    ],
)
def test_a_large_picture_is_carried_small(make: Any, arguments: dict[str, Any]) -> None:
    explorer = make(image=make_picture(900, 600), **arguments)
    assert data_of(explorer)["size"] == [448, 299]


def test_what_is_held_is_said() -> None:
    held = dataclasses.replace(make_cam(10), held=("head.norm", "<second>"))
    explorer = make_class(cam=held)
    assert data_of(explorer)["held"] == "The spread of head.norm, <second> is held."
    assert " what it speaks for. The spread of head.norm, &lt;second&gt; is held.</fig" in html_of(
        explorer
    )
    explorer = make_sum(head=make_head(scale=0.25))
    assert data_of(explorer)["held"] == "The spread of norm is held."
    assert " see who wins. The spread of norm is held.</figcaption>" in html_of(explorer)
    for explorer, end in ((make_class(), "what it speaks for."), (make_sum(), "see who wins.")):
        assert "held" not in data_of(explorer)
        assert f" {end}</figcaption>" in html_of(explorer)
