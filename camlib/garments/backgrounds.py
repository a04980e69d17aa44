"""What lies behind and between the garments, so that finding them is not trivial."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, UInt8

NOISE = 16  # grey levels: from -16 to 15 are added
CONTRAST = 48  # grey levels: how far gradients, stripes and checks go either way
BLOCK = 7  # pixels: a garment is scrambled in 4 x 4 blocks of this side


def paint_backgrounds(
    random: np.random.RandomState, count: int, size: int, *, mixed: bool
) -> UInt8[np.ndarray, "n S S"]:
    """Return grey canvases with noise; if ``mixed``, three of four with a pattern as well."""
    grey = random.randint(32, 128, count).astype(np.int16)
    noise = random.randint(0, 2 * NOISE, (count, size, size), np.uint8)
    canvas = noise + (grey - NOISE)[:, None, None]
    kinds = random.randint(0, 1 + len(_PATTERNS), count) if mixed else np.zeros(count, int)
    for kind, pattern in enumerate(_PATTERNS, start=1):  # kind 0 stays plain
        scenes = np.flatnonzero(kinds == kind)
        canvas[scenes] += pattern(random, len(scenes), size)
    return canvas.clip(0, 255).astype(np.uint8)


def _slopes(random: np.random.RandomState, count: int, size: int) -> Int[np.ndarray, "n S S"]:
    """Return a·row + b·column with small random whole a and b, not both 0."""
    steps = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (-1, 2), (2, -1)])
    down, across = steps[random.randint(0, len(steps), count)].T
    line = np.arange(size)
    slope: np.ndarray = down[:, None, None] * line[:, None] + across[:, None, None] * line
    return slope


def _gradients(random: np.random.RandomState, count: int, size: int) -> Int[np.ndarray, "n S S"]:
    slope = _slopes(random, count, size)
    low = slope.min(axis=(1, 2), keepdims=True)
    high = slope.max(axis=(1, 2), keepdims=True)
    gradient: np.ndarray = 2 * CONTRAST * (slope - low) // (high - low) - CONTRAST
    return gradient.astype(np.int16)


def _stripes(random: np.random.RandomState, count: int, size: int) -> Int[np.ndarray, "n S S"]:
    width = random.randint(3, 9, count)[:, None, None]
    stripes: np.ndarray = CONTRAST * (_slopes(random, count, size) // width % 2) - CONTRAST // 2
    return stripes.astype(np.int16)


def _checks(random: np.random.RandomState, count: int, size: int) -> Int[np.ndarray, "n S S"]:
    side = random.randint(4, 13, count)[:, None, None]
    line = np.arange(size)
    checks: np.ndarray = CONTRAST * ((line[:, None] // side + line // side) % 2) - CONTRAST // 2
    return checks.astype(np.int16)


_PATTERNS = (_gradients, _stripes, _checks)


def paint_distractors(
    random: np.random.RandomState,
    pictures: UInt8[np.ndarray, "n S S"],
    garments: UInt8[np.ndarray, "m 28 28"],
    most: int,
) -> None:
    """Put up to ``most`` scrambled pieces of garments anywhere, below what comes later.

    A piece is a 14 x 14 cut from a garment whose 7 x 7 blocks were put in another order: the grey
    values and textures of clothes without the shape of any.
    """
    count, size = pictures.shape[:2]
    side = 2 * BLOCK
    rows, columns = np.mgrid[:side, :side]
    for number in range(1, most + 1):
        shown = np.greater_equal(random.randint(0, most + 1, count), number)
        source = garments[random.randint(0, len(garments), count)]
        blocks = source.reshape(count, 4, BLOCK, 4, BLOCK).transpose(0, 1, 3, 2, 4)
        blocks = blocks.reshape(count, 16, BLOCK, BLOCK)
        order = random.random_sample((count, 16)).argsort(axis=1, kind="stable")[:, :4]
        taken = np.take_along_axis(blocks, order[:, :, None, None], axis=1)
        piece = taken.reshape(count, 2, 2, BLOCK, BLOCK).transpose(0, 1, 3, 2, 4)
        piece = piece.reshape(count, side, side)
        corner = random.randint(0, size - side + 1, (count, 2))
        target = (
            np.arange(count)[:, None, None],
            corner[:, 0, None, None] + rows,
            corner[:, 1, None, None] + columns,
        )
        visible = shown[:, None, None] & (piece > 0)
        pictures[target] = np.where(visible, piece, pictures[target])
