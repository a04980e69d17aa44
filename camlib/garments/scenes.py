"""Place garments on a canvas, so that boxes and masks are known without anybody drawing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from camlib.errors import check_choice, check_whole
from camlib.garments.backgrounds import paint_backgrounds, paint_distractors
from camlib.garments.fashion_mnist import CLASS_NAMES, SIDE, Garments

Background = Literal["plain", "mixed"]
BACKGROUNDS: tuple[str, ...] = get_args(Background)
MOST = 4  # garments in a scene: one in each quarter
# Made at a time: little enough for the processor's cache. A larger count continues a smaller one.
TOGETHER = 64


@dataclass(frozen=True)
class Scenes:
    """n scenes of at most four garments.

    Attributes
    ----------
    pictures
        Shape (n, S, S), 0 to 255.
    garments
        The class in each of the four slots, shape (n, 4), an index into
        :data:`camlib.garments.CLASS_NAMES`; -1 for an empty slot. Filled slots come first.
    boxes
        The tight box around each garment's pixels, shape (n, 4, 4): half-open (x0, y0, x1, y1) in
        pixels; zeros for an empty slot.
    owner
        Which slot each pixel belongs to, shape (n, S, S); -1 where no garment is.
    """

    pictures: UInt8[np.ndarray, "n S S"]
    garments: Int[np.ndarray, "n 4"]
    boxes: Int[np.ndarray, "n 4 4"]
    owner: Int[np.ndarray, "n S S"]

    def __len__(self) -> int:
        """Return how many scenes there are."""
        return len(self.pictures)

    def __getitem__(self, chosen: slice | Int[np.ndarray, " m"]) -> Scenes:
        """Return some of the scenes, by a slice or an array of indices."""
        return Scenes(**{name: array[chosen] for name, array in vars(self).items()})

    def images(self) -> Float[Tensor, "n 1 S S"]:
        """Return the pictures as a network reads them: from -1 (black) to 1 (white)."""
        return torch.from_numpy(self.pictures).float().div(127.5).sub(1)[:, None]

    def labels(self) -> Float[Tensor, "n 10"]:
        """Return 1 for each class that is in the scene, else 0."""
        counted = torch.zeros(len(self), len(CLASS_NAMES) + 1)
        # Empty slots are counted in a column of their own, which is then left out.
        counted[torch.arange(len(self))[:, None], torch.from_numpy(self.garments)] = 1
        return counted[:, :-1]

    def mask(self, scene: int, slot: int) -> np.ndarray:
        """Return the garment's pixels, shape (S, S), true or false."""
        mask: np.ndarray = self.owner[scene] == slot
        return mask


def make_scenes(
    garments: Garments,
    count: int,
    seed: int,
    *,
    size: int = 64,
    most: int = MOST,
    background: Background = "mixed",
    distractors: int = 2,
) -> Scenes:
    """Make scenes of one to ``most`` garments that do not overlap, at random places.

    The canvas is cut by one random vertical and one random horizontal line; each of the four parts
    has room for one garment and holds it, if any, at a random place. The same seed gives the same
    scenes on every machine and in every version: the generator's stream is frozen
    (:class:`numpy.random.RandomState`), and all arithmetic is on whole numbers.

    Parameters
    ----------
    garments
        Where they come from; use "train" for training and "test" for everything that is measured.
    count
        How many scenes.
    seed
        From 0 to 2**32 - 1.
    size
        Side S of the canvas in pixels, at least twice a garment's side of 28.
    most
        The largest number of garments in a scene, 1 to 4; all numbers from 1 are equally likely.
    background
        "plain": one grey with noise; "mixed": plain, gradients, stripes and checks, with noise.
    distractors
        How many patches of scrambled garments lie about at most: the same grey values, no shape.

    Returns
    -------
    Scenes
        Pictures, classes, boxes and owners.

    Raises
    ------
    ValueError
        If an argument is out of range, or the canvas cannot hold its garments.
    """
    check_whole("count", count, 1, 10_000_000)
    check_whole("seed", seed, 0, 2**32 - 1)
    quarter = f"Each quarter has to hold a garment of {SIDE} pixels."
    check_whole("size", size, 2 * SIDE, 1024, quarter)
    check_whole("most", most, 1, MOST, "There is one place in each quarter.")
    check_whole("distractors", distractors, 0, 16, "More would cover the canvas.")
    check_choice("background", background, BACKGROUNDS)
    random = np.random.RandomState(seed)  # the one stream that never changes
    made = [
        vars(_some(random, garments, size, most, background == "mixed", distractors))
        for _ in range(0, count, TOGETHER)
    ]
    return Scenes(**{name: np.concatenate([one[name] for one in made])[:count] for name in made[0]})


def _some(
    random: np.random.RandomState,
    garments: Garments,
    size: int,
    most: int,
    mixed: bool,
    distractors: int,
) -> Scenes:
    """Make the next :data:`TOGETHER` scenes."""
    pictures = paint_backgrounds(random, TOGETHER, size, mixed=mixed)
    chosen = random.randint(0, len(garments), (TOGETHER, MOST))
    places = _places(random, TOGETHER, size)
    paint_distractors(random, pictures, garments.pictures, distractors)

    present = np.arange(MOST) < random.randint(1, most + 1, TOGETHER)[:, None]
    owner = np.full((TOGETHER, size, size), -1, np.int8)
    boxes = np.zeros((TOGETHER, MOST, 4), np.int64)
    for slot in range(MOST):
        scenes = np.flatnonzero(present[:, slot])
        patches = garments.pictures[chosen[scenes, slot]]
        corners = places[scenes, slot]
        _paste(pictures, owner, scenes, patches, corners, slot)
        boxes[scenes, slot] = _boxes(patches, corners)
    classes = np.where(present, garments.labels[chosen], -1)
    return Scenes(pictures, classes, boxes, owner)


def _places(random: np.random.RandomState, count: int, size: int) -> Int[np.ndarray, "n 4 2"]:
    """Return the upper left corner (row, column) of each slot, the slots in random order."""
    corners = np.empty((count, MOST, 2), np.int64)
    # The quarters lie in the order upper left, upper right, lower left, lower right.
    for axis, first, second in ((0, [0, 1], [2, 3]), (1, [0, 2], [1, 3])):
        cut = random.randint(SIDE, size - SIDE + 1, count)[:, None]
        corners[:, first, axis] = random.random_sample((count, 2)) * (cut - SIDE + 1)
        corners[:, second, axis] = cut + np.floor(
            random.random_sample((count, 2)) * (size - SIDE - cut + 1)
        )
    order = random.random_sample((count, MOST)).argsort(axis=1, kind="stable")
    return np.take_along_axis(corners, order[:, :, None], axis=1)


def _paste(
    pictures: UInt8[np.ndarray, "n S S"],
    owner: Int[np.ndarray, "n S S"],
    scenes: Int[np.ndarray, " m"],
    patches: UInt8[np.ndarray, "m 28 28"],
    corners: Int[np.ndarray, "m 2"],
    slot: int,
) -> None:
    """Put each patch's pixels above 0 onto its scene."""
    which, row, column = np.nonzero(patches)
    target = (scenes[which], corners[which, 0] + row, corners[which, 1] + column)
    pictures[target] = patches[which, row, column]
    owner[target] = slot


def _boxes(
    patches: UInt8[np.ndarray, "m 28 28"], corners: Int[np.ndarray, "m 2"]
) -> Int[np.ndarray, "m 4"]:
    """Return the tight half-open boxes (x0, y0, x1, y1) of the pixels above 0."""
    down, across = np.any(patches, axis=2), np.any(patches, axis=1)
    ends = [
        across.argmax(1),
        down.argmax(1),
        SIDE - across[:, ::-1].argmax(1),
        SIDE - down[:, ::-1].argmax(1),
    ]
    return np.stack(ends, axis=1) + corners[:, [1, 0, 1, 0]]
