"""A folder of photographs with their objects' boxes in a CSV file, as ImageNet's can be given."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from camlib.evaluate.measure import Batch
from camlib.networks import class_names, preprocess

COLUMNS = ("file", "class", "x0", "y0", "x1", "y1")
RESIZE, CROP = 256, 224  # pixels, as preprocess has them
Box = tuple[float, float, float, float]


class FolderSource:
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
        self.objects = read_boxes(Path(boxes))
        self.names = list(self.objects)
        self.digest = hashlib.sha256(Path(boxes).read_bytes()).hexdigest()

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.names)

    def batch(self, numbers: Sequence[int]) -> Batch:
        """Return the pictures with these numbers, as far as they can be read."""
        images, kept, boxes = [], [], []
        corrupt: list[str] = []
        outside: list[str] = []
        for number in numbers:
            name = self.names[number]
            try:
                with Image.open(self.folder / name) as opened:
                    picture = ImageOps.exif_transpose(opened).convert("RGB")
            except (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError):
                corrupt.append(name)
                continue
            images.append(preprocess(picture, RESIZE, CROP))
            kept.append(number)
            boxes.append(_seen(self.objects[name], picture.size, name, outside))
        pixels = torch.cat(images) if images else torch.zeros(0, 3, CROP, CROP)
        return Batch(kept, pixels, boxes, corrupt, outside)


def read_boxes(path: Path) -> dict[str, list[tuple[int, Box]]]:
    """Read the CSV file: for each picture its objects' classes and boxes."""
    if not path.is_file():
        raise FileNotFoundError(
            f"boxes: expected a CSV file, but there is none at {path}. Check the path."
        )
    numbers = {name.lower(): number for number, name in reversed(list(enumerate(class_names())))}
    objects: dict[str, list[tuple[int, Box]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ValueError(
                f"{path.name}, line 1: expected the columns {','.join(COLUMNS)}, got "
                f"{','.join(rows.fieldnames or ())}. Put these names in the first line."
            )
        for row in rows:
            where = f"{path.name}, line {rows.line_num}"
            objects.setdefault(row["file"], []).append(
                (_category(row["class"], numbers, where), _box(row, where))
            )
    if not objects:
        raise ValueError(
            f"{path.name}: expected at least one object, got none. Add a row for each."
        )
    return objects


def _category(text: str | None, numbers: dict[str, int], where: str) -> int:
    known = numbers.get((text or "").strip().lower())
    if known is not None:
        return known
    try:
        number = int(text or "")
    except ValueError:
        number = -1
    if not 0 <= number < len(class_names()):
        raise ValueError(
            f"{where}: expected a class of ImageNet by name or number from 0 to "
            f"{len(class_names()) - 1}, got {text!r}. camlib.networks.class_names() lists them."
        )
    return number


def _box(row: dict[str, str], where: str) -> Box:
    try:
        x0, y0, x1, y1 = (float(row[column]) for column in COLUMNS[2:])
    except (TypeError, ValueError):
        x0 = y0 = x1 = y1 = math.nan
    if not (0 <= x0 < x1 < math.inf and 0 <= y0 < y1 < math.inf):
        raise ValueError(
            f"{where}: expected a box with 0 <= x0 < x1 and 0 <= y0 < y1, got "
            f"{[row[column] for column in COLUMNS[2:]]}. Boxes are half-open, in pixels."
        )
    return x0, y0, x1, y1


def _seen(
    objects: Sequence[tuple[int, Box]], size: tuple[int, int], name: str, outside: list[str]
) -> dict[int, np.ndarray]:
    """Carry a picture's boxes through resizing and cropping; note those that the crop cuts away."""
    width, height = size
    # As torchvision does: the shorter side becomes RESIZE, the longer one is rounded down.
    short = min(width, height)
    across, down = (RESIZE * side // short for side in (width, height))
    left, top = round((across - CROP) / 2), round((down - CROP) / 2)
    found: dict[int, list[tuple[int, ...]]] = {}
    for category, (x0, y0, x1, y1) in objects:
        ends = (
            x0 * across / width - left,
            y0 * down / height - top,
            x1 * across / width - left,
            y1 * down / height - top,
        )
        box = tuple(min(max(round(end), 0), CROP) for end in ends)
        kept = found.setdefault(category, [])
        if box[0] < box[2] and box[1] < box[3]:
            kept.append(box)
        else:
            outside.append(f"{name} ({class_names()[category]})")
    return {category: np.array(boxes, np.int64).reshape(-1, 4) for category, boxes in found.items()}
