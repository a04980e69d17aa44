"""Scenes: what is placed is what is said, and the same everywhere."""

import hashlib

import numpy as np
import pytest

from camlib.garments import Garments, Scenes, load_garments, make_scenes


@pytest.fixture(scope="module")
def garments() -> Garments:
    return load_garments("train")


@pytest.fixture(scope="module")
def made(garments: Garments) -> Scenes:
    return make_scenes(garments, 300, seed=7)


def test_the_same_scenes_on_every_machine(garments: Garments) -> None:
    """The stream is frozen: these bytes were made once and must never change."""
    made = make_scenes(garments, 100, seed=0)
    digest = hashlib.sha256(made.pictures.tobytes() + made.boxes.tobytes()).hexdigest()
    assert digest.startswith("e39f0cb85c68ea9a")


def test_a_larger_count_continues_a_smaller_one(garments: Garments) -> None:
    few, many = (make_scenes(garments, count, seed=3) for count in (70, 200))
    for name in ("pictures", "garments", "boxes", "owner"):
        assert np.array_equal(getattr(few, name), getattr(many, name)[:70])


def test_another_seed_makes_other_scenes(garments: Garments, made: Scenes) -> None:
    assert not np.array_equal(make_scenes(garments, 300, seed=8).pictures, made.pictures)


def test_boxes_are_tight_around_the_masks(made: Scenes) -> None:
    for scene in range(len(made)):
        for slot in range(4):
            mask = made.mask(scene, slot)
            assert mask.any() == (made.garments[scene, slot] >= 0)
            if mask.any():
                y, x = np.nonzero(mask)
                assert made.boxes[scene, slot].tolist() == [
                    x.min(),
                    y.min(),
                    x.max() + 1,
                    y.max() + 1,
                ]
            else:
                assert not made.boxes[scene, slot].any()


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
    assert images.min() == made.pictures.min() / 127.5 - 1
    for scene in range(len(made)):
        expected = set(made.garments[scene]) - {-1}
        assert set(labels[scene].nonzero()[:, 0].tolist()) == expected


def test_garments_reach_every_part_of_the_canvas(garments: Garments) -> None:
    covered = (make_scenes(garments, 2000, seed=1).owner >= 0).mean(axis=0)
    assert covered.max(axis=0).min() > 0
    assert covered.max(axis=1).min() > 0
    assert covered[16:48, 16:48].mean() > 0.2


def test_plain_scenes_are_flat_but_for_noise(garments: Garments) -> None:
    made = make_scenes(garments, 50, seed=2, background="plain", distractors=0)
    for scene in range(50):
        behind = made.pictures[scene][made.owner[scene] < 0].astype(int)
        assert behind.max() - behind.min() <= 31


def test_distractors_belong_to_nobody(garments: Garments) -> None:
    options = {"count": 100, "seed": 4, "background": "plain"}
    made = make_scenes(garments, distractors=4, **options)
    behind = np.where(made.owner < 0, made.pictures, 0)
    assert (behind > 127 + 16).any(axis=(1, 2)).mean() > 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count: expected 1 to"),
        ({"count": 2.5}, "count: expected a whole number"),
        ({"seed": -1}, "seed: expected 0 to 4294967295, got -1"),
        ({"size": 55}, "size: expected 56 to 1024, got 55. Each quarter has to hold a garment"),
        ({"most": 5}, "most: expected 1 to 4"),
        ({"distractors": -1}, "distractors: expected 0 to 16"),
        ({"background": "sea"}, 'background: expected "plain" or "mixed"'),
    ],
)
def test_the_door(garments: Garments, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_scenes(garments, **{"count": 2, "seed": 0} | options)
