"""Compare what two runs of a notebook have drawn: pictures as pixels, payloads as numbers."""

import base64
import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

# Another processor rounds differently. A colour moves by a step or two, and where a picture is dithered
# to few colours the dots fall elsewhere: single pixels differ much, the mean of 4×4 differs little.
# Measured: up to 3.4 of 255 for another number of threads, 37 or more for one small digit.
WINDOW, TOLERANCE = 4, 10.0
# Numbers round by their kind, here by their bytes: two units in the last place of a float16.
RELATIVE = {2: 2e-3, 4: 1e-4, 8: 1e-4}

# In a figure: the name it gives its own parts; an element, or the words between two; a colour or number.
MARK = re.compile(r"(?<=figure-)[0-9a-f]{8}")
PART = re.compile(r"<[^>]*>|[^<>]+")
NUMBER = re.compile(r"#[0-9a-f]{6}\b|-?\d+(?:\.\d+)?(?:e-?\d+)?")
# A line may lie so many points elsewhere, a twentieth of a letter's height; a colour be a step or two off.
POINTS, STEPS = 0.5, 2

DATA_URL = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,([A-Za-z0-9+/=]+)")


def drawn(cell: Any) -> Iterator[tuple[str, bytes]]:
    """Yield (media type, bytes) of everything a cell shows that strict nbval compares badly."""
    for output in cell.get("outputs", []):
        for kind, content in sorted(output.get("data", {}).items()):
            text = content if isinstance(content, str) else ""
            if kind == "image/svg+xml":
                yield kind, text.encode()
            elif kind.startswith("image/"):
                yield kind, base64.b64decode(text)
            elif kind == "text/html":
                yield from ((m[1], base64.b64decode(m[2])) for m in DATA_URL.finditer(text))


def difference(kind: str, old: bytes, new: bytes) -> str | None:
    """Return what differs between two contents of one media type, or None."""
    if old == new:
        return None
    if kind == "image/svg+xml":
        return figure_difference(old.decode(), new.decode())
    if kind.startswith("image/"):
        return picture_difference(pixels(old), pixels(new))
    if kind.startswith("application/x-"):
        dtype = np.dtype(kind.removeprefix("application/x-")).newbyteorder("<")
        return array_difference(np.frombuffer(old, dtype), np.frombuffer(new, dtype))
    return f"the {kind} differs"


def figure_difference(old: str, new: str) -> str | None:
    """Compare two SVG figures: the same elements and words, lines in the same places, alike pictures.

    Words are compared letter by letter.
    """
    parts = [PART.findall(MARK.sub("", svg)) for svg in (old, new)]
    if len(parts[0]) != len(parts[1]):
        return "the figure has more or fewer elements"
    for before, after in zip(*parts, strict=True):
        if before == after:
            continue
        pictures = DATA_URL.search(before), DATA_URL.search(after)
        if all(pictures):
            (kind, was), (_, now) = (match.groups() for match in pictures if match)
            found = difference(kind, base64.b64decode(was), base64.b64decode(now))
            before, after = DATA_URL.sub("", before), DATA_URL.sub("", after)
        else:
            found = None
        found = found or element_difference(before, after)
        if found:
            return found
    return None


def element_difference(old: str, new: str) -> str | None:
    """Compare two elements of a figure, whose numbers and colours may differ a little, or two texts."""
    if not old.startswith("<") or NUMBER.sub("", old) != NUMBER.sub("", new):
        return f"{old[:60]!r} became {new[:60]!r}"
    for before, after in zip(NUMBER.findall(old), NUMBER.findall(new), strict=True):
        if before.startswith("#"):
            steps = zip(bytes.fromhex(before[1:]), bytes.fromhex(after[1:]), strict=True)
            if max(abs(a - b) for a, b in steps) > STEPS:
                return f"the colour was {before}, is {after}"
        elif abs(float(before) - float(after)) > POINTS:
            return f"{before} became {after} in {old[:60]!r}"
    return None


def pixels(content: bytes) -> np.ndarray:
    """Decode a picture to (height, width, 4) numbers of 0 to 255."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"), dtype=np.float64)


def picture_difference(old: np.ndarray, new: np.ndarray) -> str | None:
    """Compare two pictures: of one size, and alike in the mean of every 4×4 pixels."""
    if old.shape != new.shape:
        return f"the picture was {old.shape[1]}×{old.shape[0]}, is {new.shape[1]}×{new.shape[0]}"
    # A window's sum from four corners of the running sum; the border counts as alike.
    sums = np.pad(old - new, ((WINDOW, WINDOW), (WINDOW, WINDOW), (0, 0))).cumsum(0).cumsum(1)
    low, high = slice(None, -WINDOW), slice(WINDOW, None)
    window = sums[high, high] - sums[low, high] - sums[high, low] + sums[low, low]
    gap = np.abs(window).max() / WINDOW**2
    return f"4×4 pixels differ by {gap:.1f} of 255 in the mean" if gap > TOLERANCE else None


def array_difference(old: np.ndarray, new: np.ndarray) -> str | None:
    """Compare two tables of numbers, relative to the largest."""
    if old.shape != new.shape:
        return f"the table had {old.size} numbers, has {new.size}"
    first, second = old.astype(np.float64), new.astype(np.float64)
    scale = np.abs(first).max()
    gap = np.abs(first - second).max()
    # One step where whole numbers are counted, a rounding where fractions are.
    allowed = 1.0 if old.dtype.kind in "iu" else RELATIVE[old.dtype.itemsize] * scale
    return f"numbers differ by up to {gap:.3g} of {scale:.3g}" if gap > allowed else None
