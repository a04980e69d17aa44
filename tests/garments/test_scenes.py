"""Scenes: what is placed is what is said, and the same everywhere."""

import hashlib
from typing import Any

import numpy as np
import pytest

from camlib.garments import Garments, Scenes, load_garments, make_scenes


@pytest.fixture(scope="module")
def garments() -> Garments:
    return load_garments("train")


@pytest.fixture(scope="module")
def made(garments: Garments) -> Scenes:
    return make_scenes(garments, 300, seed=7)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "d39c0ddc3c5dc7f1"),
        ({"size": 96, "most": 2, "background": "plain", "distractors": 5}, "e90a24aa880427e5"),
    ],
)
def test_the_same_scenes_on_every_machine(
    garments: Garments, options: dict[str, Any], expected: str
) -> None:
    """The stream is frozen: these bytes were made once and must never change."""
    made = make_scenes(garments, 100, seed=0, **options)
    arrays = (made.pictures, made.garments, made.boxes, made.owner)
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    assert digest.startswith(expected)


def test_a_larger_count_continues_a_smaller_one(garments: Garments) -> None:
    few, many = (make_scenes(garments, count, seed=3) for count in (70, 200))
    for name, array in vars(few).items():
        assert np.array_equal(array, getattr(many[:70], name))


def test_boxes_are_tight_around_the_masks(made: Scenes) -> None:
    for scene in range(50):
        for slot in range(4):
            y, x = np.nonzero(made.mask(scene, slot))
            box = [x.min(), y.min(), x.max() + 1, y.max() + 1] if len(x) else [0, 0, 0, 0]
            assert made.boxes[scene, slot].tolist() == box
            assert bool(len(x)) == (made.garments[scene, slot] >= 0)


def test_each_garment_is_one_of_its_class_pixel_for_pixel(garments: Garments, made: Scenes) -> None:
    """Cut out along its mask it is a garment of the data set, with the label of its slot."""
    known = {}
    for picture, label in zip(garments.pictures, garments.labels, strict=True):
        y, x = np.nonzero(picture)
        known[picture[y.min() : y.max() + 1, x.min() : x.max() + 1].tobytes()] = label
    for scene in range(50):
        for slot in np.flatnonzero(made.garments[scene] >= 0):
            x0, y0, x1, y1 = made.boxes[scene, slot]
            cut = np.where(made.mask(scene, slot), made.pictures[scene], 0)[y0:y1, x0:x1]
            assert known[cut.tobytes()] == made.garments[scene, slot]


def test_one_to_four_garments_filled_from_the_first_slot(made: Scenes) -> None:
    present = made.garments >= 0
    counts = present.sum(axis=1)
    assert set(counts) == {1, 2, 3, 4}
    assert np.array_equal(present, np.arange(4) < counts[:, None])


def test_labels_and_images(made: Scenes) -> None:
    labels, images = made.labels(), made.images()
    assert images.shape == (300, 1, 64, 64)
    np.testing.assert_allclose(images[:, 0], made.pictures / 127.5 - 1, atol=1e-6)
    for row, slots in zip(labels, made.garments, strict=True):
        assert set(row.nonzero()[:, 0].tolist()) == set(slots) - {-1}


def test_garments_reach_every_part_of_the_canvas(garments: Garments) -> None:
    covered = (make_scenes(garments, 2000, seed=1).owner >= 0).mean(axis=0)
    assert covered.max(axis=0).min() > 0
    assert covered.max(axis=1).min() > 0
    assert covered[16:48, 16:48].mean() > 0.2


def test_what_lies_behind(garments: Garments) -> None:
    """Plain: noise of 32 levels. Pieces of garments are brighter than any grey, and nobody's."""
    plain, pieces = (
        make_scenes(garments, 50, seed=2, background="plain", distractors=most) for most in (0, 4)
    )
    for picture, owner in zip(plain.pictures, plain.owner, strict=True):
        assert np.ptp(picture[owner < 0].astype(int)) <= 31
    behind = np.where(pieces.owner < 0, pieces.pictures, 0)
    assert (behind > 127 + 16).any(axis=(1, 2)).mean() > 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count: expected a whole number from 1 to"),
        ({"count": 2.5}, "count: expected a whole number"),
        ({"seed": -1}, "seed: expected a whole number from 0 to 4294967295, got -1"),
        ({"seed": 2**32}, "seed: expected"),
        ({"size": 55}, "size: .* from 56 to 1024, got 55. Each quarter has to hold a garment"),
        ({"most": 5}, "most: expected a whole number from 1 to 4"),
        ({"most": True}, "most: expected a whole number"),
        ({"distractors": -1}, "distractors: expected a whole number from 0 to 16"),
        ({"background": "sea"}, 'background: expected one of "plain", "mixed"'),
    ],
)
def test_an_argument_out_of_range_is_refused(
    garments: Garments, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_scenes(garments, **{"count": 2, "seed": 0} | options)
