"""Compare what two runs of a notebook have drawn: pictures as pixels, payloads as numbers."""

import base64
import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

# Another processor rounds otherwise: a colour moves by a step or two, a float16 by its last digit.
PIXEL = 24  # the most that one pixel may differ, of 255
BLOCK = 3.0  # the most that the mean of 8×8 pixels may differ: one digit drawn otherwise is over 10
RELATIVE = {2: 2e-3, 4: 1e-4, 8: 1e-4}  # by a number's bytes: two last places of a float16

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
    """Compare two pictures: same size, no pixel far off, no 8×8 block off in the mean."""
    if old.shape != new.shape:
        return f"the picture was {old.shape[1]}×{old.shape[0]}, is {new.shape[1]}×{new.shape[0]}"
    gap = np.abs(old - new).max(axis=-1)
    height, width = (-(-side // 8) * 8 for side in gap.shape)
    padded = np.zeros((height, width))
    padded[: gap.shape[0], : gap.shape[1]] = gap
    block = padded.reshape(height // 8, 8, width // 8, 8).mean(axis=(1, 3)).max()
    if gap.max() > PIXEL or block > BLOCK:
        return f"pixels differ by up to {gap.max():.0f}, blocks of 8×8 by up to {block:.1f} of 255"
    return None


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
