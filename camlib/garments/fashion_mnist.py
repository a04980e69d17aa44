"""Layer 3: Fashion-MNIST's garments: a part that the package carries, or the full set from a folder."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int, UInt8

from camlib.errors import check_choice, check_whole

CLASS_NAMES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
SIDE = 28

# SHA-256 of the contents, uncompressed: copies of the data set are packed in several ways.
_CARRIED = {
    "train-images-idx3-ubyte": "d33512cfdc636a0d8972818e6659995be209a88891df7fa2109d7895922c8985",
    "train-labels-idx1-ubyte": "620cb8e3b9348037c5ff9a07b02d773ab165330e072dfd19e0d21c59f8042dcf",
    "t10k-images-idx3-ubyte": "15a92dd1e9b16ea361928086e77df4dfa890c255c00b5a8c8162c1040ce8eef1",
    "t10k-labels-idx1-ubyte": "234596aeb6eb48133ec99a62541f90bc0728c9559a681f1e0638037462458f2c",
}
_FULL = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
_FILES = {"train": "train", "test": "t10k"}
# Magic numbers and their lengths in bytes, see the IDX format: 3 axes of bytes, 1 axis of bytes.
_IMAGES_HEADER, _LABELS_HEADER = 16, 8


@dataclass(frozen=True)
class Garments:
    """Grey pictures of single garments on black.

    Attributes
    ----------
    pictures
        Shape (m, 28, 28), 0 to 255; 0 is background.
    labels
        What each shows, shape (m,): an index into :data:`CLASS_NAMES`.
    split
        "train" or "test": no garment is in both.
    digest
        SHA-256 of pictures and labels, which names the data in results.
    """

    pictures: UInt8[np.ndarray, "m 28 28"]
    labels: Int[np.ndarray, " m"]
    split: str
    digest: str

    def __len__(self) -> int:
        """Return how many garments there are."""
        return len(self.labels)


def load_garments(
    split: Literal["train", "test"],
    folder: str | Path | None = None,
    *,
    per_class: int | None = None,
) -> Garments:
    """Read Fashion-MNIST's garments.

    Parameters
    ----------
    split
        "train" or "test", as the data set's authors divided it.
    folder
        A folder with the four files of the full data set, ``train-images-idx3-ubyte`` and so on,
        with or without ``.gz``; where ``torchvision.datasets.FashionMNIST`` puts them
        (``FashionMNIST/raw`` below its root) is found too. None: the part that the package carries,
        the first 1000 of each class for training and the first 200 for testing.
    per_class
        Only the first so many of each class.

    Returns
    -------
    Garments
        In the data set's order.

    Raises
    ------
    FileNotFoundError
        If the folder lacks one of the files.
    ValueError
        If a file is damaged (the message gives the expected SHA-256), or an argument is unknown.

    Notes
    -----
    Xiao et al. 2017; MIT licence.
    """
    check_choice("split", split, _FILES)
    hashes = _CARRIED if folder is None else _FULL
    source: Traversable = (
        resources.files("camlib").joinpath("assets", "garments")
        if folder is None
        else _holding(Path(folder), _FILES[split])
    )
    raw = [
        _checked(source, f"{_FILES[split]}-{kind}-ubyte", hashes)
        for kind in ("images-idx3", "labels-idx1")
    ]
    pictures = np.frombuffer(raw[0], np.uint8, offset=_IMAGES_HEADER).reshape(-1, SIDE, SIDE)
    labels = np.frombuffer(raw[1], np.uint8, offset=_LABELS_HEADER).astype(np.int64)
    if per_class is not None:
        chosen = _first(labels, per_class)
        pictures, labels = pictures[chosen], labels[chosen]
    digest = hashlib.sha256(pictures.tobytes() + labels.tobytes()).hexdigest()
    return Garments(pictures, labels, split, digest)


def _holding(folder: Path, stem: str) -> Path:
    """Return the folder itself, or the one below it that torchvision makes."""
    name = f"{stem}-images-idx3-ubyte"
    for place in (folder, folder / "FashionMNIST" / "raw", folder / "raw"):
        if any((place / f"{name}{suffix}").is_file() for suffix in ("", ".gz")):
            return place
    raise FileNotFoundError(
        f"folder: expected the files of Fashion-MNIST in {folder}, got none called {name} or "
        f"{name}.gz. Download them with torchvision.datasets.FashionMNIST(root, download=True) and "
        "pass the same root, or pass folder=None for the part that comes with camlib."
    )


def _checked(source: Traversable, name: str, hashes: dict[str, str]) -> bytes:
    """Return the contents of a file, unpacked, if they are what the data set's authors published."""
    plain, packed = source.joinpath(name), source.joinpath(f"{name}.gz")
    file = plain if plain.is_file() else packed
    if not file.is_file():
        raise FileNotFoundError(
            f"folder: expected {name} or {name}.gz in {source}, got neither. "
            "Fetch the missing file: the data set has four."
        )
    try:
        contents = file.read_bytes() if file is plain else gzip.decompress(file.read_bytes())
        got = hashlib.sha256(contents).hexdigest()
    except (EOFError, OSError, zlib.error) as error:
        contents, got = b"", f"a file that cannot be unpacked ({error})"
    if got != hashes[name]:
        raise ValueError(
            f"folder: expected {file} to hold contents of SHA-256 {hashes[name]}, got {got}. "
            "The file is damaged or of another data set: fetch it again."
        )
    return contents


def _first(labels: Int[np.ndarray, " m"], count: int) -> Int[np.ndarray, " chosen"]:
    """Return the places of the first ``count`` garments of each class, in order."""
    places = [np.flatnonzero(labels == index) for index in range(len(CLASS_NAMES))]
    more = "There are no more of a class; the full data set has 6000. Pass None for all."
    check_whole("per_class", count, 1, min(map(len, places)), more)
    return np.sort(np.concatenate([place[:count] for place in places]))
