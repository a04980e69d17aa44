"""The table, the verdicts and the JSON, written out by hand."""

import json
from pathlib import Path

import pytest

from benchmarks.goals import BARE, Goal, Result, Verdict
from benchmarks.report import rows, table, verdict_line, write
from benchmarks.timing import Ratio

RESULTS = [
    Result("net", 8, {BARE: [0.010, 0.010], "all": [0.011, 0.012]}),
    Result("page", 1, {"paint": [0.009]}),
    Result("page", 1, {"code": [0.0095]}, unit="kB"),
]


def test_table_by_hand() -> None:
    """11 and 12 ms over 10: ratios 1.1 and 1.2, median 1.15, quartiles 1.125 and 1.175."""
    assert table(rows(RESULTS)).splitlines() == [
        "network  batch  contestant         median  unit  ratio       quartiles  rounds",
        "net          8  bare forward pass    10.0  ms    1.000  1.000 to 1.000       2",
        "net          8  all                  11.5  ms    1.150  1.125 to 1.175       2",
        "page         1  paint                 9.0  ms                                1",
        "page         1  code                  9.5  kB                                1",
    ]


def test_a_verdict_names_the_goal_and_the_place() -> None:
    """One line each: met, nearly met, missed, in milliseconds."""
    at_most = Goal("all maps", "bare", at_most=1.05)
    at_least = Goal("peer", "ours", at_least=4)
    paint = Goal("paint", None, at_most=25)
    assert [
        verdict_line(Verdict(at_most, "net", 1, Ratio(1.0414, 1.03, 1.06))),
        verdict_line(Verdict(at_most, "net", 1, Ratio(1.06, 1.05, 1.07))),
        verdict_line(Verdict(at_least, "net", 8, Ratio(3.9, 3.8, 3.95))),
        verdict_line(Verdict(paint, "page", 1, Ratio(26.5, 26, 27))),
        verdict_line(Verdict(paint, "page", 1, Ratio(9.5, 9.5, 9.5), "kB")),
    ] == [
        "met     net, batch 1: all maps: 1.041 x bare (at most 1.05)",
        "near    net, batch 1: all maps: 1.060 x bare (at most 1.05, quartiles 1.050 to 1.070)",
        "MISSED  net, batch 8: peer: 3.900 x ours (at least 4, quartiles 3.800 to 3.950)",
        "MISSED  page, batch 1: paint: 26.500 ms (at most 25, quartiles 26.000 to 27.000)",
        "met     page, batch 1: paint: 9.500 kB (at most 25)",
    ]


def test_json_holds_what_the_table_shows(tmp_path: Path) -> None:
    """Written into a folder that did not exist."""
    path = tmp_path / "new" / "results.json"
    verdict = Verdict(Goal("all", BARE, at_most=1.05), "net", 8, Ratio(1.15, 1.1, 1.2))
    write(path, {"threads": 2}, rows(RESULTS), [verdict])
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["conditions"] == {"threads": 2}
    assert content["rows"] == json.loads(json.dumps(rows(RESULTS)))
    assert content["rows"][1] == {
        "subject": "net",
        "batch": 8,
        "contestant": "all",
        "median": pytest.approx(11.5),
        "unit": "ms",
        "ratio": pytest.approx({"median": 1.15, "low": 1.125, "high": 1.175}),
        "rounds": 2,
    }
    assert content["goals"] == [
        {
            "goal": "all / bare forward pass",
            "limit": "at most 1.05",
            "network": "net",
            "batch": 8,
            "median": 1.15,
            "low": 1.1,
            "high": 1.2,
            "met": False,
            "missed": True,
        }
    ]
