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
        return "the SVG differs"
    if kind.startswith("image/"):
        return picture_difference(pixels(old), pixels(new))
    if kind.startswith("application/x-"):
        dtype = np.dtype(kind.removeprefix("application/x-")).newbyteorder("<")
        return array_difference(np.frombuffer(old, dtype), np.frombuffer(new, dtype))
    return f"the {kind} differs"


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
