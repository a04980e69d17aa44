"""The command: the same table however the work is cut, interrupted or shared, and data of one's own."""

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

from camlib.evaluate import __main__ as command
from camlib.networks import GapNet, write_checkpoint
from tooling.repository import ROOT

BRIGHT = "tests.evaluate.fakes:bright_places"


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
    monkeypatch.setattr(command, "CHUNK", 4)
    monkeypatch.setattr(command, "THRESHOLDS", (0.2, 0.5))


def run(*arguments: str) -> int:
    return command.main([*arguments, "--quiet", "--device", "cpu"])


def start(folder: Path, *arguments: str, processes: int = 1) -> subprocess.Popen[str]:
    """Start the command in processes of its own, with chunks of four pictures."""
    small = "from camlib.evaluate import __main__ as command\n"
    small += "command.CHUNK, command.THRESHOLDS = 4, (0.2, 0.5)\n"
    (folder / "small_chunks.py").write_text(f"{small}raise SystemExit(command.main())\n")
    several = ["torch.distributed.run", "--nproc-per-node", str(processes), "-m"]
    words = [sys.executable, "-m", *(several if processes > 1 else []), "small_chunks"]
    return subprocess.Popen(
        [*words, *arguments, "--stride", "4", "--quiet", "--device", "cpu"],
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "OMP_NUM_THREADS": "1"},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_size_of_a_batch_changes_nothing(network: str, capsys) -> None:
    assert run("--network", network, "--scenes", "10", "--batch-size", "3") == 0
    first = capsys.readouterr().out
    assert run("--network", network, "--scenes", "10", "--batch-size", "10") == 0
    assert capsys.readouterr().out == first
    assert "pictures                  10" in first


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (("--scenes", "5"), "data, pictures"),
        (("--seed", "2"), "data"),
        (("--stride", "4"), "stride"),
        (("--method", "grad-cam"), "method"),
    ],
)
def test_the_folder_of_another_run_is_refused(
    network: str, tmp_path: Path, capsys, other: tuple[str, str], named: str
) -> None:
    given = ("--network", network, "--scenes", "4", "--output", str(tmp_path))
    assert run(*given) == 0
    assert run(*given) == 0
    assert run(*given, *other) == 2
    assert f"those of one with another {named}." in capsys.readouterr().err


def test_it_goes_on_where_it_was_interrupted(
    network: str, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the last chunk was written by halves."""
    given = ("--network", network, "--scenes", "10")
    assert run(*given) == 0
    whole = capsys.readouterr().out
    measure, calls = command.measure_pictures, []

    def interrupted(*arguments):
        calls.append(arguments[2])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(command, "measure_pictures", interrupted)
    folder = tmp_path / "run"
    assert run(*given, "--output", str(folder)) == 130
    assert f"resumes from {folder}" in capsys.readouterr().err
    half = folder / "chunk-000001.pt"
    half.write_bytes(half.read_bytes()[:50])
    assert run(*given, "--output", str(folder)) == 0
    first, second, third = range(0, 4), range(4, 8), range(8, 10)
    assert calls == [first, second, third, second, third]
    assert capsys.readouterr().out == whole
    assert json.loads((folder / "table.json").read_text())["pictures"] == 10


def test_a_killed_run_loses_nothing_that_was_written(network: str, tmp_path: Path) -> None:
    given = ("--network", network, "--scenes", "42", "--output", str(tmp_path / "run"))
    process = start(tmp_path, *given)
    while not (tmp_path / "run" / "chunk-000000.pt").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("run/chunk-*.pt")}
    assert 1 <= len(written) < 11
    assert run(*given, "--stride", "4") == 0
    assert len(list(tmp_path.glob("run/chunk-*.pt"))) == 11
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_two_processes_print_the_table_of_one(network: str, tmp_path: Path, capsys) -> None:
    given = ("--network", network, "--scenes", "10")
    assert run(*given, "--stride", "4") == 0
    one = capsys.readouterr().out
    assert "pictures                  10" in one
    assert start(tmp_path, *given, processes=2).communicate()[0] == one


def test_photographs_with_boxes(tmp_path: Path, capsys) -> None:
    """A red square on black, found by the network whose first class is red; and a broken file."""
    picture = Image.new("RGB", (256, 256))
    picture.paste("red", (64, 64, 128, 128))
    picture.save(tmp_path / "red.png")
    (tmp_path / "broken.png").write_bytes(b"x")
    boxes = tmp_path / "boxes.csv"
    rows = (
        "broken.png,tench,0,0,9,9",
        "red.png,0,64,64,128,128",
        "red.png,1,0,0,9,9",
        "gone.png,tench,0,0,9,9",
    )
    boxes.write_text("\n".join(["file,class,x0,y0,x1,y1", *rows]))
    given = ("--images", str(tmp_path), "--boxes", str(boxes), "--network", BRIGHT)
    assert run(*given) == 2
    assert "nothing says how the pictures of" in capsys.readouterr().err
    classes = tmp_path / "classes.txt"
    classes.write_text("tench\ngoldfish\n" + "".join(f"{number}\n" for number in range(2, 1000)))
    given += (
        "--mean",
        "0.5",
        "0.5",
        "0.5",
        "--std",
        "0.5",
        "0.5",
        "0.5",
        "--classes",
        str(classes),
    )
    assert run(*given) == 0
    printed = capsys.readouterr()
    assert "missing picture: gone.png" in printed.err
    assert "missing pictures          1" in printed.out
    assert "corrupt picture: broken.png" in printed.err
    assert "outside the crop: red.png (goldfish)" in printed.err
    assert "corrupt pictures          1" in printed.out
    assert "pointing game             100.0 %" in printed.out
    assert "MaxBoxAcc                 100.0 %" in printed.out


def test_a_networks_own_transforms_are_used(tmp_path: Path, capsys) -> None:
    """The same network with its transforms beside it, and with them as options: the same table."""
    Image.new("RGB", (64, 64), "red").save(tmp_path / "a.png")
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("file,class,x0,y0,x1,y1\na.png,0,0,0,64,32\n")
    tables = []
    numbers = ("--mean", "0.2", "0.5", "0.5", "--std", "0.5", "--resize", "64", "--crop", "64")
    for options in (
        (f"{BRIGHT}_own",),
        (BRIGHT, *numbers, "--classes", ",".join(map(str, range(1000)))),
    ):
        given = ("--images", str(tmp_path), "--boxes", str(boxes), "--network", *options)
        folder = tmp_path / str(len(tables))
        assert run(*given, "--output", str(folder)) == 0
        tables.append(json.loads((folder / "table.json").read_text()))
    capsys.readouterr()
    assert tables[0] == tables[1]


OWN = ("--network", "tests.evaluate.fakes:mirror", "--data", "tests.evaluate.fakes:pictures")


def test_data_of_ones_own(tmp_path: Path, capsys) -> None:
    """Each argument of the function is an option, of its default's type; other data, another run."""
    given = (*OWN, "--output", str(tmp_path))
    assert run(*given, "--side", "8") == 0
    assert "pictures                  3" in capsys.readouterr().out
    about = json.loads((tmp_path / "run.json").read_text())["data"]
    assert about == {"function": OWN[3], "side": 8, "digest": None}
    assert run(*given) == 2
    assert "another data." in capsys.readouterr().err


def test_help_lists_the_options_of_the_data(capsys) -> None:
    for data, option in ((("--help",), "--scenes SCENES"), ((*OWN, "-h"), "--side SIDE")):
        with pytest.raises(SystemExit) as ended:
            run(*data)
        assert ended.value.code == 0
        assert option in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--network", "nowhere.safetensors"), "there is no file nowhere.safetensors"),
        (("--network", "nowhere:function"), "network: expected module:function that can be"),
        (("--data", "nowhere:function"), "--data: expected module:function that can be imported"),
        (("--data", "json:nothing"), "--data: expected module:function that can be imported"),
        (("--data", "json"), "--data: expected module:function that can be imported"),
        (("--data", "tests.evaluate.fakes:mirror"), "data: expected a list or data set of pairs"),
        (("--data", "tests.evaluate.fakes:taken"), "taken: expected arguments that are no options"),
        (("--network", "tests.evaluate.fakes:pictures"), "network: expected a torch.nn.Module"),
        (("--images", "."), "--images and --boxes: expected both or none, got one"),
        (("--scenes", "0"), "count: expected"),
        (("--batch-size", "0"), "--batch-size: expected a whole number of at least 1"),
        (("--network", "flatten", "--stride", "2"), "stride: expected a GapNet"),
    ],
)
def test_a_wrong_argument_is_named(network: str, arguments, message: str, capsys) -> None:
    given = arguments if "--network" in arguments else ("--network", network, *arguments)
    assert run(*given) == 2
    assert message in capsys.readouterr().err
