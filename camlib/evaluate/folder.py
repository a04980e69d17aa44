"""A folder of photographs with their objects' boxes, as CSV or in the files of CUB and ImageNet."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Int
from PIL import Image
from torch import Tensor

from camlib.errors import warn
from camlib.networks import class_names, eval_transforms, geometry, preprocess
from camlib.networks.pictures import Transforms
from camlib.pictures import Geometry, Range, to_rgb

COLUMNS = ("file", "class", "x0", "y0", "x1", "y1")
Box = tuple[float, float, float, float]


class Annotation(NamedTuple):
    """One object: the picture's file, the class by name or number, its box, and where that stands."""

    file: str
    label: str
    box: Sequence[str]
    where: str


class FolderData:
    """Photographs, in the order in which their annotations first name them.

    Parameters
    ----------
    images
        The folder.
    boxes
        What the photographs show, in one of three forms; boxes are half-open (x0, y0, x1, y1) in
        pixels of the whole photograph, turned upright.

        - a CSV file (commas, semicolons or tabs) with the columns file, class, x0, y0, x1, y1 and a
          row for each object: the file's name below the folder, and the class's name or number;
        - a folder with an XML file for each picture, as ImageNet and Pascal VOC have them: the
          corners that they give belong to the box;
        - the folder of CUB-200-2011 with images.txt, bounding_boxes.txt, image_class_labels.txt and
          classes.txt; where train_test_split.txt stands beside them, the test pictures.
    classes
        The classes' names in the order of the logits; by default ImageNet's, or CUB's own; none: a
        CSV file has to give numbers. The XML
        files of ImageNet name synsets ("n01440764"): if as many occur as there are classes, they
        are numbered in sorted order, as ImageNet's networks have them; else pass their names.
    transforms
        The network's preprocessing, see :func:`camlib.networks.preprocess`; by default
        EfficientNet-Lite's.
    range
        The values that are black and white, for pictures of floats.

    Raises
    ------
    FileNotFoundError
        If folder or file do not exist.
    ValueError
        If an annotation does not say what it should; the message gives file and line.
    """

    def __init__(
        self,
        images: str | Path,
        boxes: str | Path,
        classes: Sequence[str] | None = None,
        transforms: Transforms | None = None,
        range: Range | None = None,
    ) -> None:
        self.folder = Path(images)
        if not self.folder.is_dir():
            raise FileNotFoundError(
                f"images: expected a folder, but there is none at {self.folder}. Check the path."
            )
        self.transforms = transforms or eval_transforms()
        self.range = range
        path = Path(boxes)
        annotations: Iterable[Annotation]
        own: Sequence[str]
        if (path / "bounding_boxes.txt").is_file():
            annotations, own = _read_cub(path)
        elif path.is_dir():
            annotations, own = _read_xml(path)
        else:
            annotations, own = _read_csv(path), class_names() if classes is None else ()
        self.classes = tuple(classes or own)
        # As many names, and none in common: synsets of a network whose classes have other names.
        other = len(own) == len(self.classes) and not {*own} & {*self.classes}
        self.objects = _objects(annotations, own if other else self.classes)
        if not self.objects:
            raise ValueError(
                f"{path.name}: expected at least one object, got none. Add a row for each."
            )
        self.names = list(self.objects)
        files = {name: _size_of(self.folder / name) for name in self.names}
        self.digest = hashlib.sha256(repr((self.objects, files)).encode()).hexdigest()

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.names)

    def __getitem__(self, number: int) -> tuple[Tensor, dict[str, Any]]:
        """Return a picture as the network reads it, and what it shows."""
        name = self.names[number]
        try:
            with Image.open(self.folder / name) as opened:
                picture = to_rgb(opened, self.range)
        except FileNotFoundError as error:
            raise FileNotFoundError(name) from error
        except ValueError as error:  # of a mode that cannot be read without a range
            raise OSError(f"{name} ({error})") from error
        except (OSError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
            raise OSError(name) from error
        labels, boxes = zip(*self.objects[name], strict=True)
        _warn_of_boxes_beyond(name, boxes, picture.size)
        image = preprocess(picture, transforms=self.transforms)[0]
        place = geometry(picture, transforms=self.transforms)
        target = {"boxes": _in_the_image(np.array(boxes), place, image), "labels": labels}
        return image, target | {"image_id": name}


def _size_of(path: Path) -> int | None:
    """Return a file's bytes, or None if it is missing: what was missing once may be there later."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _read_csv(path: Path) -> Iterator[Annotation]:
    """Read a CSV file whatever separates its columns, with or without a byte-order mark."""
    if not path.is_file():
        raise FileNotFoundError(
            f"boxes: expected a CSV file, or a folder of XML files or of CUB, but there is none at "
            f"{path}. Check the path."
        )
    text = _decoded(path)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    given = [name.strip() for name in rows.fieldnames or ()]
    if tuple(given) != COLUMNS:
        raise ValueError(
            f"{path.name}, line 1: expected the columns {','.join(COLUMNS)}, got {','.join(given)}. "
            "Put these names in the first line."
        )
    rows.fieldnames = given
    for row in rows:
        where = f"{path.name}, line {rows.line_num}"
        if None in row or None in row.values():
            raise ValueError(
                f"{where}: expected {len(COLUMNS)} values, got another number of them. Put names that "
                "hold the separator into quotes."
            )
        box = [row[column] for column in COLUMNS[2:]]
        if delimiter == ";":
            box = [number.replace(",", ".") for number in box]  # 12,5 beside semicolons
        yield Annotation(row["file"].strip(), row["class"], box, where)


def _decoded(path: Path) -> str:
    contents = path.read_bytes()
    try:
        return contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = contents[: error.start].count(b"\n") + 1
        other = "UTF-16" if contents[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"
        raise ValueError(
            f"{path.name}, line {line}: expected text in UTF-8, got the byte 0x"
            f"{contents[error.start]:02x}. Save the file as UTF-8 (it may be in {other})."
        ) from error


def _read_xml(folder: Path) -> tuple[list[Annotation], list[str]]:
    """Read a folder of XML files, one for each picture, and the names that occur in sorted order."""
    found = []
    for path in sorted(folder.rglob("*.xml")):
        try:
            root = ElementTree.parse(path).getroot()
        except ElementTree.ParseError as error:
            line, _ = error.position
            raise ValueError(
                f"{path.name}, line {line}: expected XML, got {error}. Copy it again."
            ) from error
        file = root.findtext("filename") or path.stem
        if not Path(file).suffix:
            file = f"{file}.JPEG"  # ImageNet's files leave it out
        for number, one in enumerate(root.iter("object"), 1):
            corners = [
                one.findtext(f"bndbox/{name}") or "" for name in ("xmin", "ymin", "xmax", "ymax")
            ]
            where = f"{path.name}, object {number}"
            found.append(Annotation(file, one.findtext("name") or "", _closed(corners), where))
    if not found:
        raise ValueError(f"boxes: expected XML files with objects in {folder}, got none.")
    return found, sorted({one.label for one in found})


def _closed(corners: list[str]) -> list[str]:
    """Return a half-open box from one whose last row and column belong to it."""
    try:
        return [*corners[:2], *(str(float(end) + 1) for end in corners[2:])]
    except ValueError:
        return corners  # said with its file where boxes are read


def _read_cub(folder: Path) -> tuple[list[Annotation], list[str]]:
    """Read the text files of CUB-200-2011: pictures, boxes (x, y, width, height), classes from 1."""
    files, boxes, labels, names = (
        _numbered(folder / f"{name}.txt")
        for name in ("images", "bounding_boxes", "image_class_labels", "classes")
    )
    split = folder / "train_test_split.txt"
    wanted = _numbered(split) if split.is_file() else dict.fromkeys(files, "0")
    found = []
    for line, (number, file) in enumerate(files.items(), 1):
        if wanted.get(number) != "0":
            continue
        where = f"bounding_boxes.txt, picture {number}"
        if number not in boxes or number not in labels:
            raise ValueError(
                f"images.txt, line {line}: expected picture {number} in bounding_boxes.txt and in "
                "image_class_labels.txt too, got none. Copy the files again."
            )
        try:
            x, y, width, height = map(float, boxes[number].split())
            box = [str(end) for end in (x, y, x + width, y + height)]
            label = str(int(labels[number]) - 1)
        except ValueError as error:
            raise ValueError(
                f"{where}: expected x, y, width and height and a class's number, got "
                f"{boxes[number]!r} and {labels[number]!r}. Copy the files again."
            ) from error
        found.append(Annotation(file, label, box, where))
    return found, list(names.values())


def _numbered(path: Path) -> dict[str, str]:
    """Read lines that begin with a number."""
    if not path.is_file():
        raise FileNotFoundError(
            f"boxes: expected {path.name} of CUB-200-2011, but there is none in {path.parent}. Name "
            "the folder with all text files."
        )
    lines = (line.split(maxsplit=1) for line in _decoded(path).splitlines() if line.strip())
    return {line[0]: line[-1].strip() for line in lines}


def _objects(
    annotations: Iterable[Annotation], classes: Sequence[str]
) -> dict[str, list[tuple[int, Box]]]:
    exact: dict[str, set[int]] = defaultdict(set)
    folded: dict[str, set[int]] = defaultdict(set)
    for number, name in enumerate(classes):
        exact[name].add(number)
        folded[name.lower()].add(number)
        if re.match(r"n\d{8} ", name):  # of a synset file: "n01440764 tench, Tinca tinca"
            exact[name.partition(" ")[0]].add(number)
    found = defaultdict(list)
    for one in annotations:
        found[one.file].append((_label(one, (exact, folded), len(classes)), _box(one)))
    return dict(found)


def _label(one: Annotation, numbers: Sequence[Mapping[str, set[int]]], count: int) -> int:
    name = one.label.strip()
    exact, folded = numbers
    meant = exact.get(name) or folded.get(name.lower()) or set()
    if len(meant) > 1:
        raise ValueError(
            f"{one.where}: expected the name of one class, got {one.label!r}, which classes "
            f"{sorted(meant)} have. Give its number."
        )
    number = next(iter(meant)) if meant else int(name) if name.isdecimal() else -1
    if number < 0 or (count and number >= count):
        numbered = f"from 0 to {count - 1}" if count else "from 0"
        raise ValueError(
            f"{one.where}: expected a class by its name or by a number {numbered}, got "
            f"{one.label!r}. Pass the classes' names in the order of the logits: classes, or --classes."
        )
    return number


def _box(one: Annotation) -> Box:
    try:
        x0, y0, x1, y1 = map(float, one.box)
        good = 0 <= x0 < x1 < float("inf") and 0 <= y0 < y1 < float("inf")
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            f"{one.where}: expected a box with 0 <= x0 < x1 and 0 <= y0 < y1, got {list(one.box)}. "
            "Boxes are half-open, in pixels."
        )
    return x0, y0, x1, y1


def _warn_of_boxes_beyond(name: str, boxes: Sequence[Box], size: tuple[int, int]) -> None:
    width, height = size
    beyond = [box for box in boxes if box[2] > width or box[3] > height]
    if beyond:
        warn(
            f"{name}: expected boxes inside the photograph of {width}×{height} pixels, got {beyond}, "
            "which are cut off at its edge. Are they meant for another size?"
        )


def _in_the_image(boxes: np.ndarray, place: Geometry, image: Tensor) -> Int[np.ndarray, "m 4"]:
    """Carry boxes through resizing and cropping; one that is cut away ends up empty."""
    height, width = image.shape[1:]
    edges = [width, height, width, height]
    return place.to_image(boxes, (height, width)).round().clip(0, edges).astype(np.int64)
