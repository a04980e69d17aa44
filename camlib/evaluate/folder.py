"""A folder of photographs with their objects' boxes in a CSV file, as ImageNet's can be given."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from PIL import Image, ImageOps
from torch import Tensor

from camlib.networks import class_names, preprocess

COLUMNS = ("file", "class", "x0", "y0", "x1", "y1")
RESIZE, CROP = 256, 224  # pixels, as preprocess has them
Box = tuple[float, float, float, float]


class FolderData:
    """Photographs, in the order in which the CSV file first names them.

    Parameters
    ----------
    images
        The folder.
    boxes
        A CSV file with the columns file, class, x0, y0, x1, y1 and a row for each object: the
        file's name below the folder, ImageNet's name or number of the class, and the half-open box
        in pixels of the whole photograph, turned upright.

    Raises
    ------
    FileNotFoundError
        If folder or file do not exist.
    ValueError
        If a row does not say what it should; the message gives its line.
    """

    def __init__(self, images: str | Path, boxes: str | Path) -> None:
        self.folder = Path(images)
        if not self.folder.is_dir():
            raise FileNotFoundError(
                f"images: expected a folder, but there is none at {self.folder}. Check the path."
            )
        self.objects = _read_boxes(Path(boxes))
        self.names = list(self.objects)
        self.classes = class_names()
        self.digest = hashlib.sha256(Path(boxes).read_bytes()).hexdigest()

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.names)

    def __getitem__(self, number: int) -> tuple[Tensor, dict[str, Any]]:
        """Return a picture as :func:`camlib.networks.preprocess` has it, and what it shows."""
        name = self.names[number]
        try:
            with Image.open(self.folder / name) as opened:
                picture = ImageOps.exif_transpose(opened).convert("RGB")
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise OSError(name) from error
        labels, boxes = zip(*self.objects[name], strict=True)
        target = {"boxes": _cropped(np.array(boxes), picture.size), "labels": labels}
        return preprocess(picture, RESIZE, CROP)[0], target | {"image_id": name}


def _read_boxes(path: Path) -> dict[str, list[tuple[int, Box]]]:
    """Read the CSV file: for each picture its objects' classes and boxes."""
    if not path.is_file():
        raise FileNotFoundError(
            f"boxes: expected a CSV file, but there is none at {path}. Check the path."
        )
    numbers = {name.lower(): number for number, name in reversed(list(enumerate(class_names())))}
    objects = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ValueError(
                f"{path.name}, line 1: expected the columns {','.join(COLUMNS)}, got "
                f"{','.join(rows.fieldnames or ())}. Put these names in the first line."
            )
        for row in rows:
            where = f"{path.name}, line {rows.line_num}"
            objects[row["file"]].append((_label(row["class"], numbers, where), _box(row, where)))
    if not objects:
        raise ValueError(
            f"{path.name}: expected at least one object, got none. Add a row for each."
        )
    return dict(objects)


def _label(text: str | None, numbers: dict[str, int], where: str) -> int:
    name = (text or "").strip().lower()
    number = int(name) if name.isdecimal() else numbers.get(name, -1)
    if not 0 <= number < len(class_names()):
        raise ValueError(
            f"{where}: expected a class of ImageNet by name or number from 0 to "
            f"{len(class_names()) - 1}, got {text!r}. camlib.networks.class_names() lists them."
        )
    return number


def _box(row: dict[str, str], where: str) -> Box:
    given = [row[column] for column in COLUMNS[2:]]
    try:
        x0, y0, x1, y1 = map(float, given)
        good = 0 <= x0 < x1 < float("inf") and 0 <= y0 < y1 < float("inf")
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            f"{where}: expected a box with 0 <= x0 < x1 and 0 <= y0 < y1, got {given}. "
            "Boxes are half-open, in pixels."
        )
    return x0, y0, x1, y1


def _cropped(boxes: np.ndarray, size: tuple[int, int]) -> Int[np.ndarray, "m 4"]:
    """Carry boxes through resizing and cropping; one that is cut away ends up empty."""
    sides = np.array([*size, *size])
    # As torchvision does: the shorter side becomes RESIZE, the longer one is rounded down.
    resized = RESIZE * sides // min(size)
    corner = np.round((resized - CROP) / 2)
    return (boxes * resized / sides - corner).round().clip(0, CROP).astype(np.int64)
