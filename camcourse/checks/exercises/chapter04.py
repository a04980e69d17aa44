"""Chapter 4: upsampling."""

from __future__ import annotations

import torch
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise
from camlib.upsampling import Mode, upsample


def _rows() -> Cases:
    return {
        "two cells become four pixels": (torch.tensor([0.0, 16.0]), 4),
        "three cells become six pixels": (torch.tensor([4.0, -4.0, 8.0]), 6),
        "four pixels are no multiple of three cells": (torch.tensor([0.0, 8.0, 16.0]), 4),
        "one cell alone": (torch.tensor([5.0]), 3),
    }


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
    {
        "you put the outermost cells onto the outermost pixels, as align_corners does; a "
        "cell's value belongs to its middle.": (
            lambda row, length: _joined(row, torch.linspace(0, len(row) - 1, length))
        ),
        "you left out both halves: pixel i has its middle at i + 1/2, and so has a cell.": (
            lambda row, length: _joined(row, _places(row, length) + 0.5 - len(row) / 2 / length)
        ),
        "you left out the half at the end: measured in cells, the middle of the first cell is "
        "at 0.": lambda row, length: _joined(row, _places(row, length) + 0.5),
        "you copied the nearest cell; join the two neighbours by a straight line.": (
            lambda row, length: row[_places(row, length).round().clamp(0, len(row) - 1).long()]
        ),
        "you gave each of the two cells the other one's share; the nearer cell counts more.": (
            lambda row, length: _joined(row, _places(row, length), swap=True)
        ),
        "you drew the line on beyond the outermost middles; nothing is known there, and the "
        "value stays.": _beyond,
        "you let the row fade to zero beyond its ends; the value stays there.": _fading,
    },
)


def _maps() -> Cases:
    square = torch.tensor([[0.0, 16.0], [32.0, -16.0]])
    step = torch.tensor([[1.0, 1.0, 16.0, 16.0]]).expand(4, 4).contiguous()
    return {
        "the square of “By hand”, nearest": (square, 4, "nearest"),
        "the same, bilinear": (square, 4, "bilinear"),
        "a step without a negative cell, bicubic": (step, 8, "bicubic"),
        "one cell is zero and none is negative": (square.abs(), 4, "bilinear"),
    }


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
    {
        "you counted the pixels; divide by how many there are.": (
            lambda cells, size, mode: int((_large(cells, size, mode) < 0).sum())
        ),
        "you gave a percentage; the share is a number from 0 to 1.": (
            lambda cells, size, mode: 100 * _share(_large(cells, size, mode) < 0)
        ),
        "you took zero for negative; zero is no evidence either way.": (
            lambda cells, size, mode: _share(_large(cells, size, mode) <= 0)
        ),
        "you looked at the cells; enlarge the map first, the question is about its pixels.": (
            lambda cells, size, mode: _share(cells < 0)
        ),
        "you enlarged with bilinear every time; pass the mode on.": (
            lambda cells, size, mode: _share(_large(cells, size, "bilinear") < 0)
        ),
        "you enlarged with align_corners; it moves the cells.": (
            lambda cells, size, mode: _share(_aligned(cells, size, mode) < 0)
        ),
        "you averaged the negative values; only how many they are counts.": (
            lambda cells, size, mode: _large(cells, size, mode).clamp(max=0).mean().item()
        ),
    },
)

EXERCISES = (INTERPOLATE, SHARE)
