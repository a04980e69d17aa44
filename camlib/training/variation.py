"""Garments that are never quite the same twice, so that a network cannot learn them by heart."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor, nn

from camlib.scenes import Garments

TURN = 4.0  # degrees, either way
ZOOM = (0.92, 1.06)  # of a garment's size, in each direction by itself
SLANT = 0.05  # columns a row moves for each row down
CONTRAST = (0.8, 1.2)  # factors of the grey values
_RIM = 8  # grey values that interpolation leaves around a garment, and that belong to no one


def varied(garments: Garments, random: np.random.RandomState) -> Garments:
    """Return the same garments, each turned, stretched, slanted and lit a little differently.

    Half of them are mirrored as well. The labels stay: a crooked boot is still a boot.

    Parameters
    ----------
    garments
        They are not changed.
    random
        Where the differences are drawn from.

    Returns
    -------
    Garments
        As many, in the same order.
    """
    count = len(garments)
    grey = torch.tensor(garments.pictures, dtype=torch.float32)[:, None]
    grid = nn.functional.affine_grid(_affine(count, random), list(grey.shape), align_corners=False)
    moved = nn.functional.grid_sample(grey, grid, align_corners=False).round()
    factors = random.uniform(*CONTRAST, (count, 1, 1, 1)).astype(np.float32)
    lit = (moved * torch.from_numpy(factors)).round().clamp(0, 255)
    lit[moved < _RIM] = 0
    return dataclasses.replace(garments, pictures=lit[:, 0].byte().numpy())


def _affine(count: int, random: np.random.RandomState) -> Tensor:
    """Draw the matrices that say where each pixel comes from, shape (n, 2, 3)."""
    angle = np.radians(random.uniform(-TURN, TURN, count))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    zoom = random.uniform(*ZOOM, (2, count))
    mirror = np.where(random.random_sample(count) < 0.5, -1.0, 1.0)
    matrix = turn / (zoom * np.stack([mirror, np.ones(count)]))
    matrix[0, 1] += random.uniform(-SLANT, SLANT, count)
    unmoved = np.zeros((2, 1, count))
    return torch.from_numpy(np.concatenate([matrix, unmoved], axis=1)).movedim(2, 0).float()
