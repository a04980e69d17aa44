"""Who runs against whom, on what, and how often."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import product

import torch

import camlib
from benchmarks import contestants, goals, peers, proof, timing
from benchmarks.contestants import CAM_READY, Run, Task
from benchmarks.goals import GRAD_CAM, PLUS_PLUS, gradient_maps

Maker = Callable[[Task], Run]


@dataclass(frozen=True)
class Race:
    """Contestants that run in the same rounds, and how many rounds their result needs."""

    makers: dict[str, Maker]
    share: int  # one round for so many that were asked for, at batch 1
    least: int  # but no fewer than so many, however long they take
    on: tuple[str, ...] = CAM_READY
    every_batch: bool = True  # or at the smallest batch alone
    # In seconds: a machine with other work on it does fewer rounds, not longer ones.
    budget: float = 60.0

    def rounds(self, asked: int, batch: int) -> int:
        """Return how many rounds to run: fewer where each takes long."""
        return min(asked, max(self.least, asked // (self.share * batch)))


# What makes the maps of gradients, with the number of classes left open.
GRADIENTS: dict[tuple[str, str], Callable[[Task, int], Run]] = {
    ("camlib", GRAD_CAM): contestants.gradient_maps,
    ("camlib", PLUS_PLUS): partial(contestants.gradient_maps, method=camlib.grad_cam_plus_plus),
    ("torch-cam", GRAD_CAM): peers.torch_cam_grad_cam,
    ("captum", GRAD_CAM): peers.captum,
    ("pytorch-grad-cam", GRAD_CAM): peers.grad_cam,
    ("pytorch-grad-cam", PLUS_PLUS): partial(peers.grad_cam, method=peers.GradCAMPlusPlus),
}
BARE: dict[str, Maker] = {goals.BARE: contestants.bare}


def of_classes(libraries: Collection[str], *counts: int) -> dict[str, Maker]:
    """Return the contestants of some libraries: each of their methods for each number of classes."""
    return {
        gradient_maps(library, method, count): partial(make, count=count)
        for (library, method), make in GRADIENTS.items()
        if library in libraries
        for count in counts
    }


# Apart, because a backward pass takes as long as several forward passes and leaves caches and
# allocator in another state: the few per cent of the first race need many rounds in quiet company.
RACES = (
    Race(
        BARE
        | {
            goals.ALL: contestants.all_maps,
            goals.SHOWN: contestants.one_overlaid,
            goals.TORCH_CAM: peers.torch_cam,
        },
        share=1,
        least=20,
    ),
    Race(
        BARE
        | {
            goals.BARE_LAST: partial(contestants.bare, layout=torch.channels_last),
            goals.ONE: partial(contestants.at_picture_size, count=1),
            goals.TEN: partial(contestants.at_picture_size, count=10),
            goals.GRAD_CAM_ONE: partial(peers.grad_cam, count=1),
            goals.GRAD_CAM_TEN: partial(peers.grad_cam, count=10),
        },
        share=16,
        least=3,
    ),
    Race(BARE | of_classes(["camlib"], 1, 10, 1000), 2, 20, on=("resnet50",), every_batch=False),
    # A thousand classes take the others minutes: they run for up to ten, and what a thousand would
    # take is not guessed.
    Race(
        BARE | of_classes(["camlib", "torch-cam", "captum", "pytorch-grad-cam"], 1, 10),
        share=16,
        least=3,
        on=("resnet50",),
        every_batch=False,
        budget=40,
    ),
    Race(
        BARE
        | {goals.FORWARD_BACKWARD: contestants.forward_backward}
        | of_classes(["camlib", "torch-cam", "captum"], 1, 10),
        share=8,
        least=5,
        on=("vgg16",),
        every_batch=False,
    ),
    Race(
        BARE | of_classes(["camlib"], 10) | of_classes(["pytorch-grad-cam"], 1, 10),
        share=32,
        least=3,
        on=("vgg16",),
        every_batch=False,
        budget=30,
    ),
)


def run(networks: Iterable[str], batches: Collection[int], rounds: int) -> Iterator[goals.Result]:
    """Run every race on every network and batch, after the proof that all compute the same."""
    for network, batch in product(networks, batches):
        task = contestants.task(network, batch)
        for race in RACES:
            if network not in race.on or not (race.every_batch or batch == min(batches)):
                continue
            runs = {name: make(_own(task)) for name, make in race.makers.items()}
            proof.check(task, {name: run() for name, run in runs.items()})
            count = race.rounds(rounds, batch)
            times = timing.race(runs, count, least=race.least, budget=race.budget)
            yield goals.Result(network, batch, times)


def _own(task: Task) -> Task:
    """Return a network of its own for each contestant: peers leave hooks in theirs while they live.

    All read the same weights: where a copy happens to lie in memory makes it a per cent faster or
    slower, and a dozen copies of VGG-16 take gigabytes.
    """
    return deepcopy(task, {id(weight): weight for weight in task.network.parameters()})
