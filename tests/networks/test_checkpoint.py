"""Checkpoints: what is written is read, and nothing else is taken for one."""

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from camlib.networks import GapNet, checkpoint, read_checkpoint, write_checkpoint

ABOUT = {"seed": 3, "results": {"pointing": 0.5}}


@pytest.fixture
def network() -> GapNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GapNet()


@pytest.fixture
def path(tmp_path: Path, network: GapNet) -> Path:
    path = tmp_path / "gap.safetensors"
    write_checkpoint(path, "gap", network.state_dict(), ABOUT)
    return path


def test_a_network_comes_back_as_it_was(path: Path, network: GapNet) -> None:
    read, about = read_checkpoint(path)
    assert not read.training
    assert about["seed"] == 3
    assert about["results"] == {"pointing": 0.5}
    assert about["architecture"] == "gap"
    for name, tensor in network.state_dict().items():
        assert torch.equal(read.state_dict()[name], tensor)


def test_the_same_network_gives_the_same_bytes(path: Path, network: GapNet, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "again", "gap", network.state_dict(), ABOUT)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_another_architecture_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match='expected a network of architecture "flatten", got "gap"'):
        read_checkpoint(path, "flatten")


def test_weights_of_another_architecture_are_refused(tmp_path: Path, network: GapNet) -> None:
    path = tmp_path / "wrong.safetensors"
    write_checkpoint(path, "flatten", network.state_dict(), {})
    with pytest.raises(ValueError, match='expected the weights of "flatten", got others'):
        read_checkpoint(path)


def test_a_changed_weight_is_noticed(path: Path) -> None:
    contents = bytearray(path.read_bytes())
    contents[-1] ^= 1
    path.write_bytes(contents)
    with pytest.raises(ValueError, match=r"expected weights with the SHA-256 \w{64}, got"):
        read_checkpoint(path)


def test_a_file_cut_short_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="expected a safetensors file, got a damaged one"):
        read_checkpoint(path)


def test_safetensors_of_something_else_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="got safetensors of something else"):
        read_checkpoint(tmp_path / "a.safetensors")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_checkpoint(tmp_path / "none.safetensors")


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape('expected one of "gap", "gap-max", "flatten"')):
        checkpoint.build("resnet")


def test_a_full_disk_leaves_the_last_good_file(
    path: Path, network: GapNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(path, "gap", {}, {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
