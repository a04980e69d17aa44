"""Time several functions in paired rounds, so that other load on the machine cancels."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

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
    return summary([mine / other for mine, other in zip(times[of], times[over], strict=True)])


def summary(numbers: Sequence[float]) -> Ratio:
    """Return the median and the quartiles of the rounds' numbers; of one number, itself."""
    if not numbers:
        raise ValueError("times: expected at least one round, got none. Run the contestants first.")
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
    enabled = gc.isenabled()
    gc.disable()  # it would run inside a timed call
    try:
        for done, order in enumerate(orders(len(names), rounds)):
            if done >= least and perf_counter() > end:
                break
            for place in order:
                start = perf_counter()
                contestants[names[place]]()
                times[names[place]].append(perf_counter() - start)
            gc.collect(0)
    finally:
        if enabled:
            gc.enable()
    return times


def orders(count: int, rounds: int) -> Iterator[list[int]]:
    """Yield the order of each round: a rotation that also changes who runs after whom.

    A run leaves warm or cold caches to the next one. Over 2 * count rounds each contestant runs
    twice in each place, and equally often after each other one (Williams 1949).
    """
    zigzag = [(place + 1) // 2 if place % 2 else -place // 2 for place in range(count)]
    for turn in range(rounds):
        order = [(step + turn) % count for step in zigzag]
        yield order[::-1] if turn // count % 2 else order
