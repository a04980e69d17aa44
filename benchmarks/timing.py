"""Time several functions in paired rounds, so that other load on the machine cancels."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

import torch

Contestants = Mapping[str, Callable[[], object]]
Times = Mapping[str, Sequence[float]]  # seconds of each contestant, round by round


@dataclass(frozen=True)
class Ratio:
    """How many times as long one contestant takes as another: median and quartiles over rounds.

    Or how long one takes alone.
    """

    median: float
    low: float
    high: float


def paired_ratio(times: Times, of: str, over: str) -> Ratio:
    r"""Compare two contestants within each round, then summarise over the rounds.

    .. math:: \mathrm{median}_r \; t_r^\mathrm{of} / t_r^\mathrm{over}

    A load that slows a whole round cancels in its ratio; one that hits a single run is an outlier,
    which the median leaves out.

    Raises
    ------
    KeyError
        If a contestant was not timed.
    ValueError
        If the two were not timed in the same rounds, or in none.
    """
    ratios = [mine / other for mine, other in zip(times[of], times[over], strict=True)]
    if not ratios:
        raise ValueError("times: expected at least one round, got none. Run the contestants first.")
    return summary(ratios)


def summary(numbers: Sequence[float]) -> Ratio:
    """Return the median and the quartiles of the rounds' numbers; of one number, itself."""
    if len(numbers) == 1:
        return Ratio(numbers[0], numbers[0], numbers[0])
    low, _, high = quantiles(numbers, n=4, method="inclusive")
    return Ratio(median(numbers), low, high)


def race(
    contestants: Contestants, rounds: int, *, least: int = 1, budget: float = math.inf
) -> dict[str, list[float]]:
    """Run all contestants once in each round and return their seconds, round by round.

    When ``budget`` seconds are spent no further round begins, except to come to ``least`` rounds.
    Warm the contestants up first: what a first run allocates and compiles is timed like the rest.
    """
    names = list(contestants)
    times: dict[str, list[float]] = {name: [] for name in names}
    end = perf_counter() + budget
    with collector_off():
        for done, order in enumerate(orders(len(names), rounds)):
            if done >= least and perf_counter() > end:
                break
            for place in order:
                times[names[place]].append(seconds(contestants[names[place]]))
            gc.collect(0)
    return times


def seconds(run: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = perf_counter()
    run()
    return perf_counter() - start


def orders(count: int, rounds: int) -> Iterator[list[int]]:
    """Yield the order of each round: a rotation that also changes who runs after whom.

    A run leaves warm or cold caches to the next one. Over 2 * count rounds each contestant runs
    twice in each place, and equally often after each other one (Williams 1949).
    """
    zigzag = [(place + 1) // 2 if place % 2 else -place // 2 for place in range(count)]
    for turn in range(rounds):
        order = [(step + turn) % count for step in zigzag]
        yield order[::-1] if turn // count % 2 else order


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep Python's garbage collector from running inside a timed call."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch compute with so many threads, and with as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
