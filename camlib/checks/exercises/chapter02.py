"""Chapter 2: global average pooling."""

from __future__ import annotations

import torch

from camlib.checks.exercise import Case, Exercise, Mistake
from camlib.pooling import global_average_pool


def _maps() -> tuple[Case, ...]:
    counted = torch.arange(24.0)
    return (
        Case("one map of 2 × 2 cells", (torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]),)),
        Case("two pictures, three maps, cells in one row", (counted.reshape(2, 3, 1, 4) ** 2,)),
        Case("maps that are wider than high", (counted.reshape(1, 4, 2, 3) ** 1.5,)),
        Case("negative values", (torch.tensor([[[[-4.0, 2.0]], [[-1.0, -3.0]]]]),)),
    )


EXERCISES = (
    Exercise(
        "global_average_pool",
        global_average_pool,
        _maps,
        (
            Mistake(
                "you averaged over the channels; the mean goes over the last two axes.",
                lambda maps: maps.mean(1),
            ),
            Mistake(
                "you added the cells up and did not divide by their number, h · w.",
                lambda maps: maps.sum((-2, -1)),
            ),
            Mistake(
                "you took the maximum: that is global maximum pooling.",
                lambda maps: maps.amax((-2, -1)),
            ),
            Mistake(
                "you averaged over one of the two axes; a map has rows and columns.",
                lambda maps: maps.mean(-1),
            ),
            Mistake(
                "you kept the two axes with one cell each (keepdim); drop them.",
                lambda maps: maps.mean((-2, -1), keepdim=True),
            ),
            Mistake(
                "you averaged over the pictures of the batch as well; each keeps its own row.",
                lambda maps: maps.mean((0, 2, 3)),
            ),
            Mistake(
                "you dropped the negative values before averaging; a mean takes them as they are.",
                lambda maps: maps.clamp(min=0).mean((-2, -1)),
            ),
        ),
    ),
)
