"""Chapter 5: exploring classes."""

from __future__ import annotations

import torch
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise


def _tables() -> Cases:
    row = torch.tensor([[[4.0, 2.0, 1.0, 1.0]]])
    counted = torch.arange(24.0)
    return {
        "one class, one row of four cells": (row,),
        "two classes, the left of one speaks against it": (torch.cat([-row, 3 * row]),),
        "three classes, two rows of four cells": (counted.reshape(3, 2, 4) * 5 % 7 - 3,),
        "one class, four rows of six cells": (counted.reshape(1, 4, 6) * 7 % 11,),
    }


def _halves(maps: Tensor) -> tuple[Tensor, Tensor]:
    left, right = maps.chunk(2, dim=2)
    return left, right


def _left_minus_right(maps: Tensor) -> Tensor:
    left, right = _halves(maps)
    return left.mean((1, 2)) - right.mean((1, 2))


def _sums(maps: Tensor) -> Tensor:
    left, right = _halves(maps)
    return left.sum((1, 2)) - right.sum((1, 2))


LEFT = Exercise(
    "left_minus_right",
    _left_minus_right,
    _tables,
    {
        "you subtracted the left from the right; a class that prefers the left gets a positive "
        "number.": lambda maps: -_left_minus_right(maps),
        "you compared the upper with the lower half; columns are the last axis.": (
            lambda maps: _left_minus_right(maps.transpose(1, 2))
        ),
        "you took sums; take the mean over each half's cells.": _sums,
        "you averaged over the classes as well; each class keeps its own number.": (
            lambda maps: _left_minus_right(maps).mean()
        ),
        "you cut at column 7, which is the middle of one picture only; half the width is "
        "maps.shape[2] // 2.": (
            lambda maps: maps[:, :, :7].mean((1, 2)) - maps[:, :, 7:].mean((1, 2))
        ),
        "you dropped the negative cells first; evidence against counts in a mean.": (
            lambda maps: _left_minus_right(maps.clamp(min=0))
        ),
        "you dropped the sign of the difference; it tells left from right.": (
            lambda maps: _left_minus_right(maps).abs()
        ),
    },
)

NAMES = ["cat", "cup", "dog", "pen", "toy"]


def _logits() -> Cases:
    return {
        "the best two of three": (torch.tensor([1.0, 0.5, 3.0]), NAMES[:3], 2),
        "only negative logits": (torch.tensor([-4.0, -1.0, -3.0, -2.0]), NAMES[:4], 3),
        "the best alone": (torch.tensor([0.0, 2.0, -1.0, 7.0, 5.0]), NAMES, 1),
        "all of them": (torch.tensor([2.0, 9.0, -1.0, 7.0, 5.0]), NAMES, 5),
    }


def _menu(logits: Tensor, names: list[str], count: int) -> list[tuple[str, int]]:
    return [(names[c], c) for c in logits.topk(count).indices.tolist()]


MENU = Exercise(
    "menu",
    _menu,
    _logits,
    {
        "you put the number first; a menu shows the first of each pair and gives the second.": (
            lambda logits, names, n: [(c, name) for name, c in _menu(logits, names, n)]
        ),
        "you numbered the places in the menu; the second of a pair is the number of the class, "
        "which chooses the map.": (
            lambda logits, names, n: [
                (name, place) for place, (name, _) in enumerate(_menu(logits, names, n))
            ]
        ),
        "you took the first classes of the list; take those with the highest logits.": (
            lambda logits, names, n: list(zip(names, range(n), strict=False))
        ),
        "you sorted the wrong way round: these are the lowest logits.": (
            lambda logits, names, n: _menu(-logits, names, n)
        ),
        "you put the best classes back in the order of their numbers; the best comes first.": (
            lambda logits, names, n: sorted(_menu(logits, names, n), key=lambda pair: pair[1])
        ),
        "you paired each name with its logit; give the number of the class.": (
            lambda logits, names, n: [
                (name, logits[c].item()) for name, c in _menu(logits, names, n)
            ]
        ),
        "you returned the names alone; a menu needs pairs (name, number).": (
            lambda logits, names, n: [name for name, _ in _menu(logits, names, n)]
        ),
    },
)

EXERCISES = (LEFT, MENU)
