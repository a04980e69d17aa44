"""Chapter 2: global average pooling."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from camcourse.checks.exercise import Cases, Exercise
from camlib.pooling import global_average_pool


def _maps() -> Cases:
    counted = torch.arange(24.0)
    return {
        "one map of 2 × 2 cells": (torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]),),
        "two pictures, three maps, cells in one row": (counted.reshape(2, 3, 1, 4) ** 2,),
        "maps that are wider than high": (counted.reshape(1, 4, 2, 3) ** 1.5,),
        "negative values": (torch.tensor([[[[-4.0, 2.0]], [[-1.0, -3.0]]]]),),
    }


def _reshaped(features: Tensor) -> Tensor:
    n, k, h, w = features.shape
    return features.reshape(n, h * w, k).mean(1)


POOL = Exercise(
    "global_average_pool",
    global_average_pool,
    _maps,
    {
        "you averaged over the channels; the mean goes over the last two axes.": (
            lambda maps: maps.mean(1)
        ),
        "you added the cells up and did not divide by their number, h · w.": (
            lambda maps: maps.sum((-2, -1))
        ),
        "you took the maximum: that is global maximum pooling.": lambda maps: maps.amax((-2, -1)),
        "you averaged over one of the two axes; a map has rows and columns.": (
            lambda maps: maps.mean(-1)
        ),
        "you kept the two axes with one cell each (keepdim); drop them.": (
            lambda maps: maps.mean((-2, -1), keepdim=True)
        ),
        "you averaged over the pictures of the batch as well; each keeps its own row.": (
            lambda maps: maps.mean((0, 2, 3))
        ),
        "you dropped the negative values before averaging; a mean takes them as they are.": (
            lambda maps: maps.clamp(min=0).mean((-2, -1))
        ),
        "you brought the cells into the shape (n, h · w, k) by reshape, which mixes the "
        "channels; flatten the last two axes, then average over the last.": _reshaped,
    },
)


def _networks() -> Cases:
    two = nn.Sequential(nn.Linear(1, 2), nn.Linear(2, 1))
    flat = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    return {
        "two linear layers, the second of them": (two[1], two),
        "a convolution before a layer that flattens": (flat[3], flat),
        "a part in which nothing is learned": (flat[1], flat),
        "the whole network": (two, two),
    }


def _numbers(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _share(part: nn.Module, network: nn.Module) -> float:
    return _numbers(part) / _numbers(network)


def _counting(count: Callable[[Tensor], int]) -> Callable[[nn.Module, nn.Module], float]:
    def share(part: nn.Module, network: nn.Module) -> float:
        inside, all_of_it = (sum(map(count, m.parameters())) for m in (part, network))
        return inside / all_of_it

    return share


SHARE = Exercise(
    "share_of_parameters",
    _share,
    _networks,
    {
        "you counted the tensors; count the numbers in them, with numel().": _counting(lambda p: 1),
        "you left the biases out; they are learned, too.": _counting(
            lambda p: p.numel() if p.ndim > 1 else 0
        ),
        "you took the length of each tensor, which is that of its first axis; numel() counts "
        "all its numbers.": _counting(len),
        "you divided by what the rest of the network has; the share is of the whole.": (
            lambda part, network: _numbers(part) / (_numbers(network) - _numbers(part))
        ),
        "you gave a percentage; the share is a number from 0 to 1.": (
            lambda part, network: 100 * _share(part, network)
        ),
        "you gave the number of parameters; divide it by that of the whole network.": (
            lambda part, network: _numbers(part)
        ),
    },
)


def _pictures() -> Cases:
    counted = torch.arange(32.0)
    return {
        "one row of four pixels": (torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]]),),
        "two rows, two colours": (counted[:16].reshape(1, 2, 2, 4),),
        "two pictures of eight columns": (counted.reshape(2, 1, 2, 8),),
    }


def _halves(images: Tensor) -> list[Tensor]:
    return list(images.chunk(2, dim=3))


SWAP = Exercise(
    "swap_halves",
    lambda images: torch.cat(_halves(images)[::-1], dim=3),
    _pictures,
    {
        "you mirrored the picture; the halves change places, and each stays as it is.": (
            lambda images: images.flip(3)
        ),
        "you mirrored each half where it is; they change places, and are not mirrored.": (
            lambda images: torch.cat([half.flip(3) for half in _halves(images)], dim=3)
        ),
        "both halves show the same: one was overwritten before it was copied. Put a new "
        "picture together, with torch.cat.": (
            lambda images: torch.cat([_halves(images)[1]] * 2, dim=3)
        ),
        "you swapped the upper and the lower half; columns are the last axis.": (
            lambda images: images.roll(images.shape[2] // 2, dims=2)
        ),
        "nothing has moved. Half the width is images.shape[3] // 2; 224 columns are that in "
        "one photograph only.": lambda images: images.roll(224, dims=3),
    },
)

EXERCISES = (POOL, SHARE, SWAP)
