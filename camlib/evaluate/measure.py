"""Measure one batch of pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camlib.errors import NotCAMReadyError
from camlib.evaluate.methods import Method
from camlib.evaluate.records import Records
from camlib.localization import best_ious, energy_inside, pointing_game
from camlib.upsampling import upsample


@dataclass(frozen=True)
class Batch:
    """Pictures as a network reads them, and what is in them.

    Attributes
    ----------
    picture
        Each one's number in the data set.
    images
        Shape (n, channels, H, W).
    boxes
        For each picture, from the classes in it to their boxes, shape (k, 4); none are left, k = 0,
        of a class that the crop cut away.
    corrupt, outside
        Names of what is missing here, see :class:`camlib.evaluate.records.Records`.
    """

    picture: list[int]
    images: Float[Tensor, "n channels H W"]
    boxes: list[dict[int, Int[np.ndarray, "k 4"]]]
    corrupt: list[str]
    outside: list[str]

    def to(self, device: torch.device) -> Batch:
        """Return the same with its images on a device."""
        return dataclasses.replace(self, images=self.images.to(device))


def batches(numbers: range, size: int) -> Iterator[range]:
    """Cut a range into pieces of at most ``size``."""
    for first in range(0, len(numbers), size):
        yield numbers[first : first + size]


def measure(
    network: nn.Module, batch: Batch, method: Method, thresholds: Sequence[float]
) -> Records:
    """Run the network once on a batch and keep what the table needs."""
    maps, logits, refusal = _ask(network, batch.images, method)
    objects = [
        (row, category, boxes)
        for row, found in enumerate(batch.boxes)
        for category, boxes in sorted(found.items())
        if len(boxes)
    ]
    owner = np.array([batch.picture[row] for row, _, _ in objects], np.int64)
    category = np.array([category for _, category, _ in objects], np.int64)
    truths = [boxes for _, _, boxes in objects]
    present = np.zeros(logits.shape, bool)
    for row, found in enumerate(batch.boxes):
        present[row, list(found)] = True
    height, width = batch.images.shape[2:]
    size = (height, width)
    if maps is None:
        hit, energy, largest, every = _nothing(len(objects), len(thresholds))
    else:
        rows = torch.tensor([row for row, _, _ in objects], dtype=torch.long)
        chosen = maps[rows, torch.from_numpy(category)]
        hit, energy, largest, every = _localize(chosen, truths, size, thresholds)
    return Records(
        picture=np.array(batch.picture, np.int64),
        logits=logits.numpy(),
        present=present,
        owner=owner,
        category=category,
        mapped=np.full(len(objects), maps is not None),
        hit=hit,
        energy=energy,
        largest=largest,
        every=every,
        size=np.tile(np.array(size, np.int64), (len(objects), 1)),
        box=np.concatenate([np.zeros((0, 4), np.int64), *truths]),
        of=np.repeat(np.arange(len(truths)), [len(boxes) for boxes in truths]),
        corrupt=np.array(batch.corrupt, dtype=np.str_),
        outside=np.array(batch.outside, dtype=np.str_),
        refusal=np.array(refusal, dtype=np.str_),
    )


def _ask(
    network: nn.Module, images: Tensor, method: Method
) -> tuple[Tensor | None, Tensor, list[str]]:
    """Return maps, logits, and why there are no maps if there are none."""
    if len(images) == 0:  # none of them could be read
        return None, torch.zeros(0, 0), []
    try:
        maps, logits = method(network, images)
    except NotCAMReadyError as error:
        # The network can still be asked what it sees, only not where.
        return None, _logits(network, images).float().cpu(), [str(error)]
    return maps.float().cpu(), logits.float().cpu(), []


def _localize(
    maps: Float[Tensor, "m h w"],
    truths: Sequence[Int[np.ndarray, "k 4"]],
    size: tuple[int, int],
    thresholds: Sequence[float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Say for each object's map how well it finds the object's boxes."""
    if len(maps) == 0:
        return _nothing(0, len(thresholds))
    large = upsample(maps[:, None], size)[:, 0]
    inside = torch.zeros(large.shape, dtype=torch.bool)
    for mask, boxes in zip(inside, truths, strict=True):
        for x0, y0, x1, y1 in boxes.tolist():
            mask[y0:y1, x0:x1] = True
    reached = np.array(
        [best_ious(map, boxes, thresholds) for map, boxes in zip(large, truths, strict=True)]
    )
    return (
        pointing_game(large, inside),
        energy_inside(large, inside),
        reached[:, 0],
        reached[:, 1],
    )


def _nothing(
    objects: int, thresholds: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.zeros(objects, bool),
        np.zeros(objects),
        np.zeros((objects, thresholds)),
        np.zeros((objects, thresholds)),
    )


def _logits(network: nn.Module, images: Tensor) -> Tensor:
    """Run the network in evaluation mode, and leave its mode as it was."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            return network(images)
    finally:
        for module, mode in modes.items():
            module.training = mode
