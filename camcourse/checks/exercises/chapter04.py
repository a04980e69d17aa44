"""Chapter 4: upsampling."""

from __future__ import annotations

import torch
from torch import Tensor

from camcourse.checks.exercise import Case, Exercise, Mistake
from camlib.upsampling import Mode, upsample


def _rows() -> tuple[Case, ...]:
    def case(words: str, row: list[float], length: int) -> Case:
        return Case(words, (torch.tensor(row), length))

    return (
        case("two cells become four pixels", [0.0, 16.0], 4),
        case("three cells become six pixels", [4.0, -4.0, 8.0], 6),
        case("four pixels are no multiple of three cells", [0.0, 8.0, 16.0], 4),
        case("one cell alone", [5.0], 3),
    )


def _places(row: Tensor, length: int) -> Tensor:
    return (torch.arange(length) + 0.5) * len(row) / length - 0.5


def _joined(row: Tensor, places: Tensor, swap: bool = False) -> Tensor:
    """The values at these places, on straight lines; beyond the outermost cells they stay."""
    places = places.clamp(0, len(row) - 1)
    before = places.long()
    after = (before + 1).clamp(max=len(row) - 1)
    share = places - before
    return (
        torch.lerp(row[after], row[before], share) if swap else row[before].lerp(row[after], share)
    )


def _beyond(row: Tensor, length: int) -> Tensor:
    places = _places(row, length)
    before = places.floor().clamp(0, max(len(row) - 2, 0)).long()
    after = (before + 1).clamp(max=len(row) - 1)
    return row[before] + (places - before) * (row[after] - row[before])


def _fading(row: Tensor, length: int) -> Tensor:
    padded = torch.cat([row.new_zeros(1), row, row.new_zeros(1)])
    return _joined(padded, _places(row, length) + 1)


INTERPOLATE = Exercise(
    "interpolate",
    lambda row, length: _joined(row, _places(row, length)),
    _rows,
    (
        Mistake(
            "you put the outermost cells onto the outermost pixels, as align_corners does; a "
            "cell's value belongs to its middle.",
            lambda row, length: _joined(row, torch.linspace(0, len(row) - 1, length)),
        ),
        Mistake(
            "you left out both halves: pixel i has its middle at i + 1/2, and so has a cell.",
            lambda row, length: _joined(row, _places(row, length) + 0.5 - len(row) / 2 / length),
        ),
        Mistake(
            "you left out the half at the end: measured in cells, the middle of the first cell is "
            "at 0.",
            lambda row, length: _joined(row, _places(row, length) + 0.5),
        ),
        Mistake(
            "you copied the nearest cell; join the two neighbours by a straight line.",
            lambda row, length: row[_places(row, length).round().clamp(0, len(row) - 1).long()],
        ),
        Mistake(
            "you gave each of the two cells the other one's share; the nearer cell counts more.",
            lambda row, length: _joined(row, _places(row, length), swap=True),
        ),
        Mistake(
            "you drew the line on beyond the outermost middles; nothing is known there, and the "
            "value stays.",
            _beyond,
        ),
        Mistake("you let the row fade to zero beyond its ends; the value stays there.", _fading),
    ),
)


def _maps() -> tuple[Case, ...]:
    square = torch.tensor([[0.0, 16.0], [32.0, -16.0]])
    step = torch.tensor([[1.0, 1.0, 16.0, 16.0]]).expand(4, 4).contiguous()
    return (
        Case("the square of “By hand”, nearest", (square, 4, "nearest")),
        Case("the same, bilinear", (square, 4, "bilinear")),
        Case("a step without a negative cell, bicubic", (step, 8, "bicubic")),
        Case("one cell is zero and none is negative", (square.abs(), 4, "bilinear")),
    )


def _large(cells: Tensor, size: int, mode: Mode) -> Tensor:
    return upsample(cells[None, None], size, mode)


def _aligned(cells: Tensor, size: int, mode: Mode) -> Tensor:
    return upsample(cells[None, None], size, mode, align_corners=mode != "nearest")


def _share(truths: Tensor) -> float:
    return truths.float().mean().item()


SHARE = Exercise(
    "negative_share",
    lambda cells, size, mode: _share(_large(cells, size, mode) < 0),
    _maps,
    (
        Mistake(
            "you counted the pixels; divide by how many there are.",
            lambda cells, size, mode: int((_large(cells, size, mode) < 0).sum()),
        ),
        Mistake(
            "you gave a percentage; the share is a number from 0 to 1.",
            lambda cells, size, mode: 100 * _share(_large(cells, size, mode) < 0),
        ),
        Mistake(
            "you took zero for negative; zero is no evidence either way.",
            lambda cells, size, mode: _share(_large(cells, size, mode) <= 0),
        ),
        Mistake(
            "you looked at the cells; enlarge the map first, the question is about its pixels.",
            lambda cells, size, mode: _share(cells < 0),
        ),
        Mistake(
            "you enlarged with bilinear every time; pass the mode on.",
            lambda cells, size, mode: _share(_large(cells, size, "bilinear") < 0),
        ),
        Mistake(
            "you enlarged with align_corners; it moves the cells.",
            lambda cells, size, mode: _share(_aligned(cells, size, mode) < 0),
        ),
        Mistake(
            "you averaged the negative values; only how many they are counts.",
            lambda cells, size, mode: _large(cells, size, mode).clamp(max=0).mean().item(),
        ),
    ),
)

EXERCISES = (INTERPOLATE, SHARE)
