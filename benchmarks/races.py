"""Who runs against whom, on what, and how often."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import product

from benchmarks import contestants, goals, peers, proof, subjects, timing

BUDGET = 60.0  # seconds a race: a machine with other work on it does fewer rounds, not longer ones


@dataclass(frozen=True)
class Race:
    """Contestants that run in the same rounds, and how many rounds their result needs."""

    makers: dict[str, Callable[[subjects.Task], contestants.Run]]
    share: int  # one round for so many that were asked for, at batch 1
    least: int  # but no fewer than so many, however long they take

    def rounds(self, asked: int, batch: int) -> int:
        """Return how many rounds to run: fewer where each takes long."""
        return min(asked, max(self.least, asked // (self.share * batch)))


# Apart, because a backward pass takes as long as several forward passes and leaves caches and
# allocator in another state: the few per cent of the first race need many rounds in quiet company.
RACES = (
    Race(
        {
            goals.BARE: contestants.bare,
            goals.BARE_LAST: contestants.bare_channels_last,
            goals.ALL: contestants.all_maps,
            goals.SHOWN: contestants.one_overlaid,
            goals.TORCH_CAM: peers.torch_cam,
        },
        share=1,
        least=20,
    ),
    Race(
        {
            goals.BARE: contestants.bare,
            goals.ONE: partial(contestants.at_picture_size, count=1),
            goals.TEN: partial(contestants.at_picture_size, count=10),
            goals.GRAD_CAM_ONE: partial(peers.grad_cam, count=1),
            goals.GRAD_CAM_TEN: partial(peers.grad_cam, count=10),
        },
        share=16,
        least=3,
    ),
)


def run(networks: Iterable[str], batches: Iterable[int], rounds: int) -> Iterator[goals.Result]:
    """Run every race on every network and batch, after the proof that all compute the same."""
    for network, batch in product(networks, batches):
        task = subjects.task(subjects.SUBJECTS[network](), batch)
        for race in RACES:
            # A network of its own for each: peers leave hooks in theirs while they live.
            runs = {name: make(deepcopy(task)) for name, make in race.makers.items()}
            proof.check(task, {name: run() for name, run in runs.items()})
            count = race.rounds(rounds, batch)
            times = timing.race(runs, count, least=race.least, budget=BUDGET)
            yield goals.Result(network, batch, times)
