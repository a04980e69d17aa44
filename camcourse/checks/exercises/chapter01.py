"""Chapter 1: feature maps."""

from __future__ import annotations

import torch
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise

Layers = list[tuple[int, int]]


def _layers() -> Cases:
    return {
        "one 3 × 3 filter with stride 1": ([(3, 1)],),
        "a stride, then a filter": ([(1, 2), (3, 1)],),
        "two 3 × 3 filters with stride 2": ([(3, 2), (3, 2)],),
        "three layers": ([(5, 3), (3, 1), (3, 2)],),
        "no layer at all": ([],),
    }


def _field(layers: Layers, *, less: int = 1, start: int = 1, late: bool = False) -> tuple[int, int]:
    r, j = start, 1
    for side, stride in layers:
        r += (side - less) * (j * stride if late else j)
        j *= stride
    return r, j


def _without_step(layers: Layers) -> tuple[int, int]:
    return 1 + sum(side - 1 for side, _ in layers), _field(layers)[1]


def _forwards(layers: Layers) -> tuple[int, int]:
    r = 1
    for side, stride in layers:
        r = (r - 1) * stride + side
    return r, _field(layers)[1]


FIELD = Exercise(
    "receptive_field",
    lambda layers: _field(layers),
    _layers,
    {
        "you took the step that follows the layer; its filter still moves by the step before.": (
            lambda layers: _field(layers, late=True)
        ),
        "you did not multiply by the step j; behind a stride, neighbours are j pixels apart.": _without_step,
        "you added the whole side of the filter; one of its cells is counted already.": (
            lambda layers: _field(layers, less=0)
        ),
        "you started from r = 0; before any layer a cell is a pixel, and sees it: r = 1.": (
            lambda layers: _field(layers, start=0)
        ),
        "the rule r ← (r − 1) · stride + side is right, but it runs from the last layer to "
        "the first.": _forwards,
        "you added the strides up; steps multiply.": (
            lambda layers: (_field(layers)[0], 1 + sum(stride for _, stride in layers))
        ),
        "you returned (j, r); the side r comes first.": lambda layers: _field(layers)[::-1],
        "you returned r alone; give the pair (r, j).": lambda layers: _field(layers)[0],
    },
)


def _similar_cases() -> Cases:
    loud, fits, elsewhere = [[6.0, 6], [6, 6]], [[4.0, 4], [0, 0]], [[0.0, 0], [6, 0]]
    top = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    one = torch.tensor([[loud, fits, elsewhere]])
    two = torch.cat([one[:, [1, 1, 0]], one[:, [0, 2, 2]]])
    two[1, 1] = 0
    many = (torch.arange(60.0).reshape(2, 5, 2, 3) * 7 % 11 + 4) % 8
    bar = torch.tensor([[[1.0, 0, 0], [1, 0, 0]], [[0.0, 0, 0], [0, 0, 1]]])
    return {
        "one picture, three channels": (one, top[None], 1),
        "two pictures, nothing marked in the second": (two, torch.stack([top, 0 * top]), 2),
        "something marked in both pictures": (many, bar, 3),
    }


def _similarity(features: Tensor, mask: Tensor) -> Tensor:
    maps = features.transpose(0, 1).flatten(1)
    return torch.cosine_similarity(maps, mask.flatten()[None])


def _picture_by_picture(features: Tensor, mask: Tensor) -> Tensor:
    return torch.cosine_similarity(features.flatten(2), mask.flatten(1)[:, None], dim=2).mean(0)


SIMILAR = Exercise(
    "most_similar",
    lambda features, mask, count: _similarity(features, mask).topk(count).indices.tolist(),
    _similar_cases,
    {
        "you chose those that respond most inside the mask; similarity asks for silence "
        "outside as well.": (
            lambda f, mask, n: (f * mask[:, None]).sum((0, 2, 3)).topk(n).indices.tolist()
        ),
        "you compared picture by picture; take the maps of all pictures as one long vector, "
        "so that a response in another picture counts against.": (
            lambda f, mask, n: _picture_by_picture(f, mask).topk(n).indices.tolist()
        ),
        "you sorted the wrong way round: these are the least similar.": (
            lambda f, mask, n: _similarity(f, mask).argsort()[:n].tolist()
        ),
        "you returned the similarities; give the numbers of the channels (topk's indices).": (
            lambda f, mask, n: _similarity(f, mask).topk(n).values.tolist()
        ),
    },
)


def _silent_cases() -> Cases:
    one = torch.tensor([[[[0.0, 3.0]], [[0.0, 0.0]], [[1.0, 2.0]]]])
    two = torch.tensor([[[[0.0]], [[0.0]], [[2.0]], [[0.0]]], [[[0.0]], [[5.0]], [[0.0]], [[0.0]]]])
    return {
        "one picture, three channels of two cells": (one,),
        "two pictures, four channels of one cell": (two,),
        "none is silent": (one[:, [0, 2]],),
    }


def _silent(features: Tensor) -> Tensor:
    return (features == 0).all(3).all(2)  # (n, k)


def _numbers(truths: Tensor) -> list[int]:
    return truths.nonzero().flatten().tolist()


SILENT = Exercise(
    "silent_channels",
    lambda features: _numbers(_silent(features).all(0)),
    _silent_cases,
    {
        "you listed what is silent in at least one picture; it must be so in all of them.": (
            lambda features: _numbers(_silent(features).any(0))
        ),
        "you looked at the first picture only.": lambda features: _numbers(_silent(features)[0]),
        "one cell at zero is enough in your function; it must be every cell (look at the "
        "largest value, not at the smallest).": (
            lambda features: _numbers((features.amin((2, 3)) == 0).all(0))
        ),
        "you returned a truth value for each channel; give the numbers of the silent ones.": (
            lambda features: _silent(features).all(0).tolist()
        ),
        "nonzero() gives a row for each hit; flatten them to one list of numbers.": (
            lambda features: _silent(features).all(0).nonzero().tolist()
        ),
        "you returned how many they are; give their numbers.": (
            lambda features: int(_silent(features).all(0).sum())
        ),
    },
)

EXERCISES = (FIELD, SIMILAR, SILENT)
