"""The command: a checkpoint that says how it was made, and nothing lost on the way."""

import json
from pathlib import Path

import pytest

from camlib.garments import __main__ as command
from camlib.garments import evaluate_scenes, load_garments, make_scenes, training
from camlib.networks import checkpoint, read_checkpoint

SMALL = ("--epochs", "2", "--scenes", "32", "--batch", "16", "--per-class", "5", "--quiet")


@pytest.fixture(autouse=True)
def few_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "TEST_SCENES", 10)


def run(path: Path, *arguments: str) -> int:
    return command.main(["gap", *SMALL, *arguments, "--output", str(path)])


def test_the_checkpoint_says_how_it_was_made(tmp_path: Path, capsys) -> None:
    """Its results are those of the network in the file, on garments that it has not seen."""
    path = tmp_path / "net.safetensors"
    assert run(path, "--no-fresh") == 0
    network, about = read_checkpoint(path, "gap")
    recipe = about["recipe"]
    assert (recipe["epochs"], recipe["seed"], recipe["fresh"]) == (2, 0, False)
    assert len(about["losses"]) == len(about["seconds"]) == 2
    assert about["garments"]["train"] == load_garments("train", per_class=5).digest
    assert about["stride"] == 1
    scenes = make_scenes(load_garments("test"), 10, command.TEST_SEED)
    table = evaluate_scenes(network.at_stride(1), scenes)
    assert about["results"] == json.loads(json.dumps(table.as_dict()))
    assert str(table) in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [path]


def test_interrupted_it_is_resumed_by_the_same_command(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.safetensors"
    step, calls = training._step, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 4:  # in the second of two epochs of two steps
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(training, "_step", interrupted)
    assert run(path) == 130
    assert f"The same command resumes from {path}.unfinished" in capsys.readouterr().err
    assert not path.exists()
    assert run(path) == 0
    assert len(calls) == 4 + 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_keeps_the_old_checkpoint_and_the_work(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.safetensors"
    assert run(path) == 0
    before = path.read_bytes()
    fsync, calls = checkpoint.os.fsync, []

    def full(number: int) -> None:
        calls.append(number)
        if len(calls) > 1:  # the first epoch's state still fits
            raise OSError(28, "No space left on device")
        fsync(number)

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    assert run(path, "--seed", "1") == 1
    assert "No space left on device" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "net.safetensors.unfinished"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--epochs", "0"), "epochs: expected a whole number from 1"),
        (("--output", "nowhere/net.safetensors"), "expected a file in a folder that exists"),
        (("--garments", "nowhere"), "folder: expected the files of Fashion-MNIST in nowhere"),
    ],
)
def test_a_wrong_argument_is_named(
    arguments: tuple[str, ...], message: str, capsys, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command.main(["gap", *arguments, "--quiet"]) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
