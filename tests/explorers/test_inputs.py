"""What the explorers refuse, word for word where the cure matters."""

import dataclasses
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import camlib
from camlib.explorers import ClassExplorer
from camlib.explorers.inputs import checked_names

from .conftest import make_cam, make_names, make_picture

CURE = "Pass what the network saw: camlib.networks.to_picture(images[0])."


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (
            torch.zeros(3, 224, 224),
            TypeError,
            "image: expected a numpy array of shape (H, W, 3), got Tensor of shape (3, 224, 224) "
            f"and dtype float32. {CURE}",
        ),
        (
            np.zeros((3, 224, 224)),
            ValueError,
            "image: expected shape (H, W, 3), colours last, got ndarray of shape (3, 224, 224) "
            f"and dtype float64. {CURE}",
        ),
        (
            np.zeros((0, 224, 3)),
            ValueError,
            "image: expected shape (H, W, 3), colours last, got ndarray of shape (0, 224, 3) "
            f"and dtype float64. {CURE}",
        ),
        (
            np.zeros((224, 224, 3), int),
            TypeError,
            "image: expected dtype uint8 or floating, got ndarray of shape (224, 224, 3) "
            f"and dtype int64. {CURE}",
        ),
        (
            np.full((224, 224, 3), 255.0),
            ValueError,
            f"image: expected floats from 0 to 1, got 255 to 255. {CURE}",
        ),
        (
            np.full((224, 224, 3), -0.5),
            ValueError,
            f"image: expected floats from 0 to 1, got -0.5 to -0.5. {CURE}",
        ),
        (
            np.full((224, 224, 3), np.nan),
            ValueError,
            f"image: expected finite numbers, got NaN or infinity. {CURE}",
        ),
        (
            make_picture(300, 451),
            ValueError,
            "image: expected the picture that 7×7 cells belong to, got one of 300×451 pixels, "
            f"of other proportions. Did the network see it cropped? {CURE}",
        ),
    ],
)
def test_image(image: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        ClassExplorer(image, make_cam(3), make_names(3))


@pytest.mark.parametrize(("height", "width"), [(224, 224), (200, 201), (223, 193), (1000, 1000)])
def test_sizes_that_one_stride_cuts_into_seven_by_seven(height: int, width: int) -> None:
    """223/8 < s < 223/6 and 193/8 < s < 193/6 have s = 32 in common; any square does."""
    ClassExplorer(make_picture(height, width), make_cam(3), make_names(3))


def changed(**fields: Any) -> camlib.ClassActivationMaps:
    return dataclasses.replace(make_cam(3), **fields)


def with_nan() -> camlib.ClassActivationMaps:
    maps = make_cam(3).maps.clone()
    maps[0, 1, 2, 3] = torch.nan
    return changed(maps=maps)


@pytest.mark.parametrize(
    ("cam", "error", "message"),
    [
        (
            SimpleNamespace(maps=1),
            TypeError,
            "cam: expected the result of camlib.class_activation_maps, got SimpleNamespace without "
            "logits, offset, classes. Pass the result of camlib.class_activation_maps as it is.",
        ),
        (
            changed(maps=torch.zeros(3, 7, 7)),
            ValueError,
            "cam.maps: expected shape (1, c, h, w), got Tensor of shape (3, 7, 7) and dtype "
            "float32. Pass the result of camlib.class_activation_maps as it is.",
        ),
        (
            changed(maps=torch.zeros(2, 3, 7, 7)),
            ValueError,
            "cam: expected the maps of one picture, got 2 pictures. "
            "Pass one of them: camlib.class_activation_maps(network, images[:1]).",
        ),
        (
            changed(logits=torch.zeros(1, 4)),
            ValueError,
            "cam: expected a logit and a class index for each of 3 maps, got logits Tensor of "
            "shape (1, 4) and dtype float32 and classes Tensor of shape (3,) and dtype int64. "
            "Pass the result of camlib.class_activation_maps as it is.",
        ),
        (
            with_nan(),
            ValueError,
            "cam: expected finite maps, logits and offset, got NaN or infinity. "
            "Look for it in the images first: images.isfinite().all().",
        ),
    ],
)
def test_cam(cam: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        ClassExplorer(make_picture(), cam, make_names(3))


def test_maps_that_do_not_add_up_to_the_logits() -> None:
    """A ReLU only raises the mean, so the sum that the explorer writes out would be false."""
    cam = changed(maps=make_cam(3).maps.relu())
    message = (
        r"^cam: expected mean\(map\) \+ offset = logit, got a difference of [\d.]+\. Pass the maps "
        r"raw, without ReLU or scaling: the explorer scales only the colours\.$"
    )
    with pytest.raises(ValueError, match=message):
        ClassExplorer(make_picture(), cam, make_names(3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_welcome(dtype: torch.dtype) -> None:
    cam = make_cam(3)
    ClassExplorer(
        make_picture(),
        changed(maps=cam.maps.to(dtype), logits=cam.logits.to(dtype), offset=cam.offset.to(dtype)),
        make_names(3),
    )


def test_names_of_all_classes_are_looked_up_and_others_taken_in_order() -> None:
    classes = np.array([2, 0])
    assert checked_names(["a", "b", "c"], classes) == ("c", "a")
    assert checked_names(["a", "b"], classes) == ("a", "b")
    assert checked_names(["a", "b", "c"], np.array([2, 0, 1])) == ("c", "a", "b")


def test_names_of_a_wrong_count() -> None:
    message = (
        "class_names: expected a name for each of 3 maps, or all of the network's 282 or more, "
        "got 5. Pass camlib.networks.class_names()."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ClassExplorer(make_picture(), make_cam(3, classes=[281, 3, 4]), make_names(5))


@pytest.mark.parametrize(
    ("names", "came"), [("cat", "str 'cat'"), ([1, 2, 3], "list"), (["a", None, "b"], "list")]
)
def test_names_that_are_none(names: Any, came: str) -> None:
    message = (
        f"class_names: expected a sequence of strings, got {came}. "
        "Pass camlib.networks.class_names(), or a list such as ['cat', 'dog']."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        ClassExplorer(make_picture(), make_cam(3), names)
