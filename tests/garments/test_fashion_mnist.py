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


def test_what_is_carried() -> None:
    """1000 and 200 of each class, and no picture is in both."""
    train, test = load_garments("train"), load_garments("test")
    for found, each in ((train, 1000), (test, 200)):
        assert found.pictures.shape == (10 * each, 28, 28)
        assert np.bincount(found.labels).tolist() == [each] * 10
        assert len(found) == 10 * each
    seen = {picture.tobytes() for picture in train.pictures}
    assert not seen & {picture.tobytes() for picture in test.pictures}
    assert (train.split, test.split) == ("train", "test")


def test_the_first_of_each_class_in_the_order_of_all() -> None:
    few, all = load_garments("train", per_class=3), load_garments("train")
    first = [np.flatnonzero(all.labels == index)[:3] for index in range(10)]
    chosen = np.sort(np.concatenate(first))
    assert np.array_equal(few.pictures, all.pictures[chosen])
    assert np.array_equal(few.labels, all.labels[chosen])
    assert few.digest != all.digest


def test_a_folder_packed_unpacked_or_as_torchvision_lays_it_out(folder: Path) -> None:
    expected = load_garments("train").digest
    assert load_garments("train", folder).digest == expected
    for file in folder.glob("*.gz"):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    assert load_garments("train", folder).digest == expected
    shutil.copytree(folder, folder.parent / "root" / "FashionMNIST" / "raw")
    assert load_garments("train", folder.parent / "root").digest == expected


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match="folder: expected train-labels-idx1-ubyte or"):
        load_garments("train", folder)
    with pytest.raises(FileNotFoundError, match="folder: expected the files of Fashion-MNIST in"):
        load_garments("train", folder.parent)


def test_a_damaged_file_is_named_with_the_hash_it_should_have(folder: Path) -> None:
    """One bit changed, or the end cut off."""
    file = folder / "t10k-images-idx3-ubyte.gz"
    packed = file.read_bytes()
    contents = bytearray(gzip.decompress(packed))
    contents[5000] ^= 1
    expected = fashion_mnist._CARRIED["t10k-images-idx3-ubyte"]
    for written, got in ((gzip.compress(contents), "[0-9a-f]{64}"), (packed[:1000], "a file that")):
        file.write_bytes(written)
        with pytest.raises(ValueError, match=f"{file.name} .* SHA-256 {expected}, got .*{got}"):
            load_garments("test", folder)


def test_unknown_split_and_too_many() -> None:
    with pytest.raises(ValueError, match='split: expected one of "train", "test"'):
        load_garments("validation")
    for count in (0, 201):
        with pytest.raises(ValueError, match="per_class: expected a whole number from 1 to 200"):
            load_garments("test", per_class=count)
