"""The statistics, by hand; nothing is timed here."""

import gc
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.timing import Ratio, orders, paired_ratio, race

TIMES = {"bare": [1.0, 2.0, 10.0], "maps": [1.1, 2.4, 9.0]}


def test_paired_ratio_by_hand() -> None:
    """1.1/1 = 1.1, 2.4/2 = 1.2, 9/10 = 0.9; sorted 0.9, 1.1, 1.2.

    Median 1.1; quartiles half-way between neighbours: (0.9 + 1.1)/2 = 1.0, (1.1 + 1.2)/2 = 1.15.
    The ratio of the medians would be 2.4/2 = 1.2.
    """
    ratio = paired_ratio(TIMES, "maps", "bare")
    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((1.1, 1.0, 1.15))


def test_load_on_whole_rounds_cancels() -> None:
    """Rounds that are slowed as a whole, by 3, 0.5 and 7, have the same ratios."""
    slowed = {
        name: [second * factor for second, factor in zip(times, (3.0, 0.5, 7.0), strict=True)]
        for name, times in TIMES.items()
    }
    got = paired_ratio(slowed, "maps", "bare")
    assert (got.median, got.low, got.high) == pytest.approx((1.1, 1.0, 1.15))


def test_one_disturbed_run_leaves_the_median() -> None:
    """Five ratios of 2, one of them disturbed to 500: still 2. A single round is its own median: 3/2."""
    times = {"bare": [1.0] * 5, "maps": [2.0, 2.0, 500.0, 2.0, 2.0]}
    assert paired_ratio(times, "maps", "bare") == Ratio(2.0, 2.0, 2.0)
    assert paired_ratio({"a": [3.0], "b": [2.0]}, "a", "b") == Ratio(1.5, 1.5, 1.5)


def test_unpaired_times_are_refused() -> None:
    """Different numbers of rounds are no pairs; no round has no median."""
    with pytest.raises(ValueError, match="shorter"):
        paired_ratio({"a": [1.0, 2.0], "b": [1.0]}, "a", "b")
    with pytest.raises(ValueError, match=r"times: expected at least one round, got none\. Run"):
        paired_ratio({"a": [], "b": []}, "a", "b")
    with pytest.raises(KeyError, match="c"):
        paired_ratio(TIMES, "c", "bare")


@given(st.integers(2, 7))
def test_orders_are_balanced(count: int) -> None:
    """Over 2n rounds: each twice in each place, and each other one equally often before it."""
    rounds = list(orders(count, 2 * count))
    for place in range(count):
        assert Counter(order[place] for order in rounds) == dict.fromkeys(range(count), 2)
    before = Counter(pair for order in rounds for pair in pairwise(order))
    assert before == {(a, b): 2 for a in range(count) for b in range(count) if a != b}


def test_race_runs_all_in_every_round() -> None:
    """Three rounds of two contestants, in the order that orders() gives."""
    ran: list[str] = []
    times = race({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, 3)
    assert ran == ["ab"[place] for order in orders(2, 3) for place in order]
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 3, "b": 3}


def test_race_out_of_budget_still_runs_the_least_rounds() -> None:
    """No second to spend: two rounds all the same, and no third."""
    times = race({"a": lambda: None, "b": lambda: None}, 9, least=2, budget=-1.0)
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 2, "b": 2}


def test_the_garbage_collector_is_restored() -> None:
    """It is off while a contestant runs, and on again although that one fails."""

    def fail() -> None:
        assert not gc.isenabled()
        raise RuntimeError("on purpose")

    assert gc.isenabled()
    with pytest.raises(RuntimeError, match="on purpose"):
        race({"a": fail}, 1)
    assert gc.isenabled()
