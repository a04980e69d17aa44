"""The command line: what it refuses, and how it ends."""

import json
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks import goals
from benchmarks.__main__ import main, parse, wanted
from benchmarks.goals import Result


def measured(all_maps: float) -> list[Result]:
    """Times that meet every goal if ``all_maps`` is at most 1.05."""
    cheap = {goals.BARE: [1.0], goals.ALL: [all_maps]}
    costly = {goals.ONE: [1.0], goals.TEN: [1.0]}
    costly |= {goals.GRAD_CAM_ONE: [5.0], goals.GRAD_CAM_TEN: [50.0]}
    one, ten, all_classes = (
        goals.gradient_maps("camlib", goals.GRAD_CAM, count) for count in (1, 10, 1000)
    )
    others = ("pytorch-grad-cam", "torch-cam", "captum")
    slower = {goals.gradient_maps(peer, goals.GRAD_CAM, 10): [4.0] for peer in others}
    return [
        Result("resnet50", 1, {goals.BARE: [1.0], one: [1.0], ten: [1.0], all_classes: [1.0]}),
        Result("vgg16", 1, {goals.FORWARD_BACKWARD: [1.0], one: [1.0], ten: [1.1], **slower}),
        Result("efficientnet_lite0", 1, cheap),
        Result("efficientnet_lite0", 8, {goals.BARE: [1.0], **costly}),
        Result("explorer", 1, {goals.ACTION: [0.01], goals.LEAST_ACTION: [0.01]}),
        Result("page", 1, {goals.FIRST_PAINT: [0.7], goals.BARE_PAINT: [0.5]}),
        Result("page", 1, {goals.READY: [1.2], goals.BARE_READY: [0.5]}),
        Result("page", 1, {goals.TRANSFER: [1.1]}, unit="kB"),
        Result("page", 1, {goals.EXPLORER_CODE: [0.02]}, unit="kB"),
        Result("your photograph", 1, {goals.FIRST_VISIT: [2.0], goals.FIRST_BARE_RUN: [1.6]}),
        Result("your photograph", 1, {goals.WARM: [0.2], goals.BARE_RUN: [0.1]}),
        Result(goals.SLOW_4G, 1, {goals.SMALL_NETWORK: [30.0], goals.LARGE_NETWORK: [65.0]}),
    ]


@pytest.mark.parametrize(("all_maps", "code"), [(1.04, 0), (1.06, 1)])
def test_a_missed_goal_is_named_and_fails(
    all_maps: float, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1.04 is within 1.05, 1.06 is not; the JSON is written either way."""
    path = tmp_path / "results.json"
    assert main(["--output", str(path)], measure=lambda options: measured(all_maps)) == code
    printed = capsys.readouterr()
    verdict = (
        f"efficientnet_lite0, batch 1: {goals.ALL}: {all_maps:.3f} x {goals.BARE} (at most 1.05"
    )
    assert f"{'MISSED' if code else 'met   '}  {verdict}" in printed.out
    assert ("1 of 20 goals missed" in printed.err) is bool(code)
    assert str(path) in printed.out
    assert [goal["met"] for goal in json.loads(path.read_text())["goals"]].count(False) == code


def test_a_smoke_run_does_not_judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two rounds show that all of it runs, no more."""
    path = tmp_path / "results.json"
    assert main(["--quick", "--output", str(path)], measure=lambda options: measured(9.0)) == 0
    assert "too few rounds to judge the goals" in capsys.readouterr().out


def test_leaving_out_a_race_is_not_meeting_its_goal(tmp_path: Path) -> None:
    """Only the pages may be left out, and that has to be asked for."""

    def without_pages(options: Namespace) -> list[Result]:
        return measured(1.0)[:4]

    path = str(tmp_path / "results.json")
    assert main(["--no-pages", "--output", path], measure=without_pages) == 0
    with pytest.raises(ValueError, match="action to next paint"):
        main(["--output", path], measure=without_pages)


@pytest.mark.parametrize(
    ("network", "batch", "count"),
    [
        ("efficientnet_lite0", 1, 4),
        ("efficientnet_lite0", 8, 5),
        ("resnet50", 1, 7),
        ("vgg16", 1, 4),
    ],
)
def test_goals_on_what_is_left_out_are_not_asked_for(network: str, batch: int, count: int) -> None:
    """Four for every network with a CAM, one for eight pictures, three for ResNet-50, four for VGG."""
    options = parse(["--no-pages", "--networks", network, "--batches", str(batch)])
    assert len(wanted(options)) == count


@pytest.mark.parametrize(
    "arguments", ["--rounds 0", "--rounds many", "--threads -2", "--batches 1 1.5"]
)
def test_bad_options_are_refused(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    """argparse ends with 2 and says what it expected."""
    option, *_, value = arguments.split()
    with pytest.raises(SystemExit) as end:
        parse(arguments.split())
    assert end.value.code == 2
    message = f"{option}: expected a whole number of at least 1, got {value!r}"
    assert message in capsys.readouterr().err
