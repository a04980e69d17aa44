"""A goal that is missed is said to be missed, and one that was not measured is not met."""

import pytest

from benchmarks import goals
from benchmarks.goals import Goal, Result, judge

MAPS = Goal("maps", "bare", at_most=1.05)
PEER = Goal("peer", "maps", at_least=4)
PAINT = Goal("paint", None, at_most=25)


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (MAPS, 1.05, True),
        (MAPS, 1.0501, False),
        (MAPS, float("nan"), False),
        (PEER, 4.0, True),
        (PEER, 3.99, False),
    ],
)
def test_a_limit_is_kept_or_not(goal: Goal, value: float, met: bool) -> None:
    """The limit itself still keeps it; NaN keeps none."""
    assert goal.met_by(value) is met


def test_judged_by_hand() -> None:
    """maps/bare: 1.1 and 1.0 -> median 1.05, met; peer/maps: 3.3/1.1 = 3 and 4/1 = 4 -> 3.5, missed."""
    result = Result("net", 8, {"bare": [1.0, 1.0], "maps": [1.1, 1.0], "peer": [3.3, 4.0]})
    met, missed = judge([result], [MAPS, PEER])
    assert met.value.median == pytest.approx(1.05)
    assert missed.value.median == pytest.approx(3.5)
    assert met.met
    assert not met.missed
    assert not missed.met
    assert missed.missed  # the quartiles are 3.25 and 3.75
    assert (missed.subject, missed.batch) == ("net", 8)


def test_nearly_met_is_neither_met_nor_missed() -> None:
    """1, 1.06 and 1.07: the median is above 1.05, the lower quartile, 1.03, is not."""
    near = Result("net", 8, {"bare": [1.0, 1.0, 1.0], "maps": [1.06, 1.0, 1.07]})
    (verdict,) = judge([near], [MAPS])
    assert verdict.value.low == pytest.approx(1.03)
    assert not verdict.met
    assert not verdict.missed
    broken = Result("net", 8, {"bare": [1.0], "maps": [float("nan")]})
    assert judge([broken], [MAPS])[0].missed


def test_milliseconds_are_judged_without_a_partner() -> None:
    """0.030 s is 30 ms, above 25."""
    (verdict,) = judge([Result("page", 1, {"paint": [0.030]})], [PAINT])
    assert verdict.value.median == pytest.approx(30)
    assert not verdict.met


def test_kilobytes_are_judged_alike() -> None:
    """1.6 MB is 1600 kB, above 1500; the verdict keeps the unit."""
    (verdict,) = judge(
        [Result("page", 1, {"code": [1.6]}, unit="kB")], [Goal("code", None, at_most=1500)]
    )
    assert verdict.value.median == pytest.approx(1600)
    assert verdict.unit == "kB"
    assert not verdict.met


def test_every_result_is_judged() -> None:
    """The goal holds on each network and batch, not only on the first."""
    fast = Result("net", 1, {"bare": [1.0], "maps": [1.0]})
    slow = Result("net", 8, {"bare": [1.0], "maps": [2.0]})
    assert [verdict.met for verdict in judge([fast, slow], [MAPS])] == [True, False]


def test_a_goal_for_one_subject_is_not_held_against_another() -> None:
    """The slow one is not judged, and without the other the goal counts as not measured."""
    only = Goal("maps", "bare", at_most=1.05, on="small")
    fast = Result("small", 1, {"bare": [1.0], "maps": [1.0]})
    slow = Result("large", 1, {"bare": [1.0], "maps": [2.0]})
    assert [verdict.subject for verdict in judge([fast, slow], [only])] == ["small"]
    with pytest.raises(ValueError, match="expected a measurement of 'maps'"):
        judge([slow], [only])


def test_a_goal_for_one_batch_is_not_held_against_another() -> None:
    """At batch 1 twice as slow as allowed, at batch 8 as fast: only the latter is judged."""
    only = Goal("maps", "bare", at_most=1.05, batch=8)
    slow = Result("net", 1, {"bare": [1.0], "maps": [2.0]})
    fast = Result("net", 8, {"bare": [1.0], "maps": [1.0]})
    assert [(verdict.batch, verdict.met) for verdict in judge([slow, fast], [only])] == [(8, True)]
    with pytest.raises(ValueError, match="expected a measurement of 'maps'"):
        judge([slow], [only])


def test_memory_is_not_judged_as_time() -> None:
    """The ratio of two peaks says nothing about speed, and does not count as having measured it."""
    peaks = Result("net", 1, {"bare": [1.0], "maps": [2.0]}, unit="MB")
    times = Result("net", 1, {"bare": [1.0], "maps": [1.0]})
    assert [verdict.value.median for verdict in judge([times, peaks], [MAPS])] == [1.0]
    with pytest.raises(ValueError, match="expected a measurement of 'maps'"):
        judge([peaks], [MAPS])


def test_a_ratio_is_judged_where_both_ran() -> None:
    """A race without the partner is left alone; without any, the goal was not measured."""
    alone = Result("net", 1, {"maps": [2.0]})
    both = Result("net", 1, {"bare": [1.0], "maps": [1.0]})
    assert [verdict.value.median for verdict in judge([alone, both], [MAPS])] == [1.0]
    with pytest.raises(ValueError, match="expected a measurement of 'maps'"):
        judge([alone], [MAPS])


def test_a_goal_that_was_not_measured_is_an_error() -> None:
    """Left out is not met."""
    with pytest.raises(ValueError, match=r"results: expected a measurement of 'peer', got none"):
        judge([Result("net", 1, {"bare": [1.0], "maps": [1.0]})], [MAPS, PEER])


def test_the_goals_of_the_project() -> None:
    """The limits stand in one table; this is their second, independent record."""
    one, ten, all_classes = (
        f"camlib, Grad-CAM, {count}" for count in ("1 map", "10 maps", "1000 maps")
    )
    peers = ["pytorch-grad-cam", "captum", "torch-cam"]
    slowest, middle, fastest = (f"{peer}, Grad-CAM, 10 maps" for peer in peers)
    limits = [(goal.of, goal.over, goal.limit(), goal.on, goal.batch) for goal in goals.GOALS]
    assert limits == [
        (goals.ALL, goals.BARE, "at most 1.05", None, None),
        (goals.ONE, goals.BARE, "at most 1.05", None, None),
        (goals.GRAD_CAM_ONE, goals.ONE, "at least 3", None, None),
        (goals.GRAD_CAM_ONE, goals.ONE, "at least 4", "efficientnet_lite0", 8),
        (goals.GRAD_CAM_TEN, goals.TEN, "at least 20", None, None),
        (one, goals.BARE, "at most 1.05", "resnet50", None),
        (ten, goals.BARE, "at most 1.05", "resnet50", None),
        (all_classes, goals.BARE, "at most 1.05", "resnet50", None),
        (one, goals.FORWARD_BACKWARD, "at most 1.1", "vgg16", None),
        (ten, slowest, "at most 0.5", "vgg16", None),
        (ten, middle, "at most 0.5", "vgg16", None),
        (ten, fastest, "at most 0.55", "vgg16", None),
        (goals.ACTION, None, "at most 20", None, None),
        (goals.FIRST_PAINT, None, "at most 800", None, None),
        (goals.READY, None, "at most 1500", None, None),
        (goals.TRANSFER, None, "at most 1500", None, None),
        (goals.EXPLORER_CODE, None, "at most 25", None, None),
        (goals.FIRST_VISIT, None, "at most 4000", None, None),
        (goals.WARM, None, "at most 250", None, None),
    ]
