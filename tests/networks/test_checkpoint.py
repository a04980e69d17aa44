"""Checkpoints: what is written is read, and nothing else is taken for one."""

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


def test_a_network_comes_back_as_it_was(path: Path, network: GapNet, tmp_path: Path) -> None:
    """And written once more it gives the same bytes."""
    read, about = read_checkpoint(path)
    assert not read.training
    assert about["seed"] == 3
    assert about["results"] == {"pointing": 0.5}
    assert about["architecture"] == "gap"
    for name, tensor in network.state_dict().items():
        assert torch.equal(read.state_dict()[name], tensor)
    write_checkpoint(tmp_path / "again", "gap", read.state_dict(), ABOUT)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_another_architecture_is_refused(path: Path, tmp_path: Path, network: GapNet) -> None:
    with pytest.raises(ValueError, match='expected a network of architecture "flatten", got "gap"'):
        read_checkpoint(path, "flatten")
    wrong = tmp_path / "wrong.safetensors"
    write_checkpoint(wrong, "flatten", network.state_dict(), {})
    with pytest.raises(ValueError, match='expected the weights of "flatten", got others'):
        read_checkpoint(wrong)
    with pytest.raises(ValueError, match='architecture: expected one of "gap", "gap-max", "flat'):
        checkpoint.build("resnet")


def test_a_damaged_file_is_refused(path: Path) -> None:
    """One bit of a weight, or the end cut off."""
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"expected weights with the SHA-256 \w{64}, got"):
        read_checkpoint(path)
    path.write_bytes(whole[:1000])
    with pytest.raises(ValueError, match="expected a safetensors file, got a damaged one"):
        read_checkpoint(path)


def test_another_file_or_none_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="got safetensors of something else"):
        read_checkpoint(tmp_path / "a.safetensors")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_checkpoint(tmp_path / "none.safetensors")


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
