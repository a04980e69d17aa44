"""The command: the same table however the work is cut, interrupted or shared."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from camlib.evaluate.__main__ import main
from camlib.networks import GapNet, write_checkpoint

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint with random weights: what it says is wrong, but always the same."""
    path = tmp_path_factory.mktemp("network") / "gap.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        write_checkpoint(path, "gap", GapNet().state_dict(), {})
    return str(path)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camlib.evaluate.__main__.CHUNK", 4)
    monkeypatch.setattr("camlib.evaluate.__main__.THRESHOLDS", (0.2, 0.5))


def run(*arguments: str) -> int:
    return main([*arguments, "--quiet", "--device", "cpu"])


def command(*arguments: str, processes: int = 1) -> list[str]:
    start = [sys.executable, "-m"]
    if processes > 1:
        start += ["torch.distributed.run", "--nproc-per-node", str(processes), "-m"]
    return [*start, "camlib.evaluate", *arguments, "--quiet", "--device", "cpu"]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def test_the_size_of_a_batch_changes_nothing(network: str, capsys) -> None:
    assert run("--network", network, "--scenes", "10", "--batch-size", "3") == 0
    first = capsys.readouterr().out
    assert run("--network", network, "--scenes", "10", "--batch-size", "10") == 0
    assert capsys.readouterr().out == first
    assert "pictures                  10" in first


def test_a_coarser_stride_is_another_measurement(network: str, tmp_path: Path, capsys) -> None:
    given = ("--network", network, "--scenes", "10", "--output", str(tmp_path))
    assert run(*given, "--stride", "4") == 0
    assert run(*given, "--stride", "1") == 1
    assert "stride" in capsys.readouterr().err


def test_it_goes_on_where_it_was_interrupted(
    network: str, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--network", network, "--scenes", "10")
    assert run(*arguments) == 0
    whole = capsys.readouterr().out

    from camlib.evaluate import __main__ as evaluate

    measure, calls = evaluate._chunk, []

    def interrupted(*given):
        calls.append(given[2])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return measure(*given)

    monkeypatch.setattr(evaluate, "_chunk", interrupted)
    folder = str(tmp_path / "run")
    assert run(*arguments, "--output", folder) == 130
    assert f"goes on from {folder}" in capsys.readouterr().err
    assert run(*arguments, "--output", folder) == 0
    # The second chunk was begun twice, the first and the third once.
    assert calls == [range(0, 4), range(4, 8), range(4, 8), range(8, 10)]
    assert capsys.readouterr().out == whole
    assert json.loads((tmp_path / "run" / "table.json").read_text())["pictures"] == 10


def test_a_killed_run_loses_nothing_that_was_written(network: str, tmp_path: Path) -> None:
    arguments = (
        "--network",
        network,
        "--stride",
        "4",
        "--scenes",
        "700",
        "--output",
        str(tmp_path),
    )
    process = subprocess.Popen(command(*arguments), env=environment(), cwd=tmp_path)
    while not (tmp_path / "chunk-000000.npz").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("chunk-*.npz")}
    assert 1 <= len(written) < 4
    subprocess.run(command(*arguments), env=environment(), cwd=tmp_path, check=True)
    assert len(list(tmp_path.glob("chunk-*.npz"))) == 4
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_two_processes_print_the_table_of_one(network: str, tmp_path: Path) -> None:
    arguments = ("--network", network, "--stride", "4", "--scenes", "450")
    one, two = (
        subprocess.run(
            command(*arguments, processes=count),
            env=environment(),
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for count in (1, 2)
    )
    assert one == two
    assert "pictures                  450" in one


def test_the_folder_of_another_run_is_refused(network: str, tmp_path: Path, capsys) -> None:
    assert run("--network", network, "--scenes", "4", "--output", str(tmp_path)) == 0
    assert run("--network", network, "--scenes", "5", "--output", str(tmp_path)) == 1
    assert "got those of one with another data, pictures" in capsys.readouterr().err


def test_a_half_written_chunk_is_measured_again(network: str, tmp_path: Path, capsys) -> None:
    arguments = ("--network", network, "--scenes", "8", "--output", str(tmp_path))
    assert run(*arguments) == 0
    first = capsys.readouterr().out
    chunk = tmp_path / "chunk-000001.npz"
    chunk.write_bytes(chunk.read_bytes()[:50])
    assert run(*arguments) == 0
    assert capsys.readouterr().out == first


def test_photographs_with_boxes(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """A red square on black, found by the network whose first class is red; and a broken file."""
    monkeypatch.chdir(ROOT)
    picture = Image.new("RGB", (256, 256))
    picture.paste("red", (64, 64, 128, 128))
    picture.save(tmp_path / "red.png")
    (tmp_path / "broken.png").write_bytes(b"x")
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("file,class,x0,y0,x1,y1\nbroken.png,tench,0,0,9,9\nred.png,0,64,64,128,128\n")
    given = ("--images", str(tmp_path), "--boxes", str(boxes))
    assert run("--network", "tests.evaluate.fakes:bright_places", *given) == 0
    printed = capsys.readouterr()
    assert "corrupt picture: broken.png" in printed.err
    assert "corrupt pictures          1" in printed.out
    assert "pointing game             100.0 %" in printed.out
    assert "MaxBoxAcc                 100.0 %" in printed.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--network", "nowhere.safetensors"), "there is no file nowhere.safetensors"),
        (("--images", "."), "--images and --boxes: expected both or none, got one"),
        (("--scenes", "0"), "count: expected 1 to"),
        (("--network", "flatten", "--stride", "2"), "stride: expected a GapNet"),
    ],
)
def test_a_wrong_argument_is_named(network: str, arguments, message: str, capsys) -> None:
    given = arguments if "--network" in arguments else ("--network", network, *arguments)
    assert run(*given) == 1
    assert message in capsys.readouterr().err
