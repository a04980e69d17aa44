"""Who runs against whom, on what, and how often."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

from benchmarks import contestants, goals, peers, proof, subjects, timing


@dataclass(frozen=True)
class Race:
    """Contestants that run in the same rounds, and how many rounds their result needs."""

    makers: dict[str, Callable[[subjects.Task], contestants.Run]]
    share: int  # one round for so many that were asked for, at batch 1
    least: int  # but no fewer than so many

    def rounds(self, asked: int, batch: int) -> int:
        """Return how many rounds to run: fewer where each takes long."""
        return min(asked, max(self.least, asked // (self.share * batch)))


# Apart, because a backward pass takes as long as several forward passes and leaves caches and
# allocator in another state: the few per cent of the first race need many rounds in quiet company.
RACES = (
    Race(
        {
            goals.BARE: contestants.bare,
            goals.ALL: contestants.all_maps,
            goals.SHOWN: contestants.one_overlaid,
            goals.TORCH_CAM: peers.torch_cam,
        },
        share=1,
        least=40,
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
        least=5,
    ),
)


def run(
    networks: Iterable[str], batches: Iterable[int], rounds: int, say: Callable[[str], None]
) -> Iterator[goals.Result]:
    """Run every race on every network and batch, after the proof that all compute the same."""
    batches = tuple(batches)
    for network in networks:
        subject = subjects.SUBJECTS[network]()
        for batch in batches:
            task = subjects.task(subject, batch)
            for race in RACES:
                count = race.rounds(rounds, batch)
                say(f"{network}, batch {batch}: {len(race.makers)} contestants, rounds: {count}")
                # A network of its own for each: peers leave hooks in theirs while they live.
                runs = {name: make(deepcopy(task)) for name, make in race.makers.items()}
                proof.check(task, {name: run() for name, run in runs.items()})
                yield goals.Result(network, batch, timing.race(runs, count))
