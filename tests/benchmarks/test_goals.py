"""A goal that is missed is said to be missed, and one that was not measured is not met."""

import pytest

from benchmarks import goals
from benchmarks.goals import Goal, Result, judge

MAPS = Goal("maps", "bare", at_most=1.05)
PEER = Goal("peer", "maps", at_least=4)


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
    assert (met.met, met.missed) == (True, False)
    assert (missed.met, missed.missed) == (False, True)  # the quartiles are 3.25 and 3.75
    assert (missed.subject, missed.batch) == ("net", 8)


def test_nearly_met_is_neither_met_nor_missed() -> None:
    """1, 1.06 and 1.07: the median is above 1.05, the lower quartile, 1.03, is not."""
    near = Result("net", 8, {"bare": [1.0, 1.0, 1.0], "maps": [1.06, 1.0, 1.07]})
    (verdict,) = judge([near], [MAPS])
    assert verdict.value.low == pytest.approx(1.03)
    assert (verdict.met, verdict.missed) == (False, False)
    broken = Result("net", 8, {"bare": [1.0], "maps": [float("nan")]})
    assert judge([broken], [MAPS])[0].missed


@pytest.mark.parametrize(("value", "unit", "shown"), [(0.030, "ms", 30), (1.6, "kB", 1600)])
def test_a_value_without_a_partner_is_judged_alone(value: float, unit: str, shown: float) -> None:
    """0.030 s is 30 ms, 1.6 MB is 1600 kB: above 25, both; the verdict keeps the unit."""
    result = Result("page", 1, {"paint": [value]}, unit=unit)
    (verdict,) = judge([result], [Goal("paint", None, at_most=25)])
    assert verdict.value.median == pytest.approx(shown)
    assert (verdict.unit, verdict.met) == (unit, False)


FAST = {"bare": [1.0], "maps": [1.0]}
SLOW = {"bare": [1.0], "maps": [2.0]}


def test_every_result_is_judged() -> None:
    """The goal holds on each network and batch, not only on the first."""
    results = [Result("net", 1, FAST), Result("net", 8, SLOW)]
    assert [verdict.met for verdict in judge(results, [MAPS])] == [True, False]


def test_of_two_races_the_one_of_more_rounds_is_judged() -> None:
    """Whichever comes first."""
    long = Result("net", 1, {"bare": [1.0] * 5, "maps": [1.0] * 5, "other": [1.0] * 5})
    for results in ([long, Result("net", 1, SLOW)], [Result("net", 1, SLOW), long]):
        (verdict,) = judge(results, [MAPS])
        assert verdict.value.median == 1.0


@pytest.mark.parametrize(
    ("goal", "other"),
    [
        (Goal("maps", "bare", at_most=1.05, on="small"), Result("large", 1, SLOW)),
        (Goal("maps", "bare", at_most=1.05, batch=1), Result("small", 8, SLOW)),
        (MAPS, Result("small", 1, SLOW, unit="MB")),
        (MAPS, Result("small", 1, {"maps": [2.0]})),
    ],
    ids=["another subject", "another batch", "memory is no time", "without the partner"],
)
def test_what_a_goal_is_not_about_is_not_judged(goal: Goal, other: Result) -> None:
    """The slow one is left alone, and by itself it does not count as having measured the goal."""
    (verdict,) = judge([other, Result("small", 1, FAST)], [goal])
    assert verdict.value.median == 1.0
    with pytest.raises(ValueError, match="results: expected a measurement of 'maps', got none"):
        judge([other], [goal])


def test_the_goals_of_the_project() -> None:
    """The limits stand in one table; this is their second, independent record."""
    one, ten, all_classes = (
        f"camlib, Grad-CAM, {count}" for count in ("1 map", "10 maps", "1000 maps")
    )
    peers = ["pytorch-grad-cam", "captum"]
    slowest, faster = (f"{peer}, Grad-CAM, 10 maps" for peer in peers)
    limits = [(goal.of, goal.over, goal.limit(), goal.on, goal.batch) for goal in goals.GOALS]
    assert limits == [
        (goals.ALL, goals.BARE, "at most 1.05", None, None),
        (goals.ONE, goals.BARE, "at most 1.05", None, None),
        ("pytorch-grad-cam, Grad-CAM, 1 map", goals.ONE, "at least 3", None, None),
        ("pytorch-grad-cam, Grad-CAM, 1 map", goals.ONE, "at least 4", "efficientnet_lite0", 8),
        ("pytorch-grad-cam, Grad-CAM, 10 maps", goals.TEN, "at least 20", None, None),
        (one, goals.BARE, "at most 1.05", "resnet50", None),
        (ten, goals.BARE, "at most 1.05", "resnet50", None),
        (all_classes, goals.BARE, "at most 1.05", "resnet50", None),
        (one, goals.FORWARD_BACKWARD, "at most 1.1", "vgg16", None),
        (ten, goals.FORWARD_BACKWARD, "at most 1.2", "vgg16", None),
        (ten, slowest, "at most 0.5", "vgg16", None),
        (ten, faster, "at most 0.5", "vgg16", None),
        (goals.ACTION, goals.LEAST_ACTION, "at most 3.3", None, None),
        (goals.FIRST_PAINT, goals.BARE_PAINT, "at most 2.5", None, None),
        (goals.READY, goals.BARE_READY, "at most 3.3", None, None),
        (goals.FIRST_VISIT, goals.FIRST_BARE_RUN, "at most 2.5", None, None),
        (goals.WARM, goals.BARE_RUN, "at most 4", None, None),
        (goals.SMALL_NETWORK, goals.LARGE_NETWORK, "at most 0.5", goals.SLOW_4G, None),
        (goals.TRANSFER, None, "at most 1500", None, None),
        (goals.EXPLORER_CODE, None, "at most 25", None, None),
    ]
