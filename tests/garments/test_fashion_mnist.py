"""The garments: carried or from a folder, whole or refused."""

import gzip
import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from camlib.garments import fashion_mnist, load_garments


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the full data set: the carried files under the full set's name."""
    with resources.as_file(resources.files("camlib") / "assets" / "garments") as carried:
        shutil.copytree(carried, tmp_path / "full")
    monkeypatch.setattr(fashion_mnist, "_FULL", fashion_mnist._CARRIED)
    return tmp_path / "full"


@pytest.mark.parametrize(("split", "each"), [("train", 1000), ("test", 200)])
def test_what_is_carried(split: str, each: int) -> None:
    found = load_garments(split)
    assert found.pictures.shape == (10 * each, 28, 28)
    assert np.bincount(found.labels).tolist() == [each] * 10
    assert len(found) == 10 * each


def test_train_and_test_share_no_garment() -> None:
    train, test = (load_garments(split) for split in ("train", "test"))
    seen = {picture.tobytes() for picture in train.pictures}
    assert not seen & {picture.tobytes() for picture in test.pictures}


def test_the_first_of_each_class() -> None:
    few, all = load_garments("train", per_class=3), load_garments("train")
    for index in range(10):
        expected = all.pictures[all.labels == index][:3]
        assert np.array_equal(few.pictures[few.labels == index], expected)
    assert few.digest != all.digest


def test_a_folder_packed_unpacked_or_as_torchvision_lays_it_out(folder: Path) -> None:
    expected = load_garments("train")
    assert load_garments("train", folder).digest == expected.digest
    for file in folder.glob("*.gz"):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    assert load_garments("train", folder).digest == expected.digest
    raw = folder.parent / "root" / "FashionMNIST" / "raw"
    shutil.copytree(folder, raw)
    assert load_garments("train", folder.parent / "root").digest == expected.digest


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match="folder: expected train-labels-idx1-ubyte or"):
        load_garments("train", folder)
    with pytest.raises(FileNotFoundError, match="folder: expected the files of Fashion-MNIST in"):
        load_garments("train", folder.parent)


def test_a_changed_file_is_named_with_the_hash_it_should_have(folder: Path) -> None:
    file = folder / "t10k-images-idx3-ubyte.gz"
    contents = bytearray(gzip.decompress(file.read_bytes()))
    contents[5000] ^= 1
    file.write_bytes(gzip.compress(bytes(contents)))
    expected = fashion_mnist._CARRIED["t10k-images-idx3-ubyte"]
    with pytest.raises(
        ValueError, match=f"{file.name} to hold contents of SHA-256 {expected}, got"
    ):
        load_garments("test", folder)


def test_a_cut_off_file_is_named(folder: Path) -> None:
    file = folder / "t10k-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match="cannot be unpacked"):
        load_garments("test", folder)


def test_unknown_split_and_too_many() -> None:
    with pytest.raises(ValueError, match='split: expected "train" or "test"'):
        load_garments("validation")
    with pytest.raises(ValueError, match="per_class: expected at most 200"):
        load_garments("test", per_class=201)
    with pytest.raises(ValueError, match="per_class: expected a whole number from 1"):
        load_garments("test", per_class=0)
