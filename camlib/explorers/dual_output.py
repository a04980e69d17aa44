"""Pictures and arrays as text that both a widget and a page without a kernel read."""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int16, UInt8
from PIL import Image

from camlib import plotting
from camlib.plotting.checks import as_picture

# Shown at most this large, so more pixels would only be carried, never seen.
LONGEST_SIDE = 448
# One colour in the middle for exactly zero, 256 on either side.
COLOURS = 513


def shown_size(shape: Sequence[int], longest: int = LONGEST_SIDE) -> tuple[int, int]:
    """Return the (height, width) at which a picture is drawn: its longest side is ``longest``."""
    height, width = shape[:2]
    factor = longest / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def as_bytes(picture: Float[np.ndarray, "*axes"]) -> UInt8[np.ndarray, "*axes"]:
    """Turn values from 0 to 1 into bytes."""
    octets: UInt8[np.ndarray, "*axes"] = np.rint(255 * picture.clip(0, 1)).astype(np.uint8)
    return octets


def picture(image: object, name: str = "image") -> UInt8[np.ndarray, "H W 3"]:
    """Return a copy of a picture (H, W, 3), uint8 or floats from 0 to 1, as bytes, or raise."""
    return as_bytes(as_picture(name, image))  # type: ignore[arg-type]


def resized(
    picture: UInt8[np.ndarray, "H W 3"], size: tuple[int, int]
) -> UInt8[np.ndarray, "h w 3"]:
    """Resample a picture to (height, width) with Lanczos' kernel."""
    return np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.LANCZOS))


def fitted(picture: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return the picture, scaled down to 448 pixels where it is larger."""
    if max(picture.shape) > LONGEST_SIDE:
        return resized(picture, shown_size(picture.shape))
    return picture


def paled(picture: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the picture grey and pale: all colour is evidence then, and clear on dark places."""
    return as_bytes(0.4 + 0.5 * plotting.greyscale(picture))


def picture_url(picture: UInt8[np.ndarray, "H W 3"]) -> str:
    """Return the picture as a JPEG data address, scaled down to 448 pixels where it is larger."""
    return jpeg_url(fitted(picture))


def jpeg_url(picture: UInt8[np.ndarray, "H W 3"]) -> str:
    """Return the picture as a JPEG data address, as large as it is."""
    stream = io.BytesIO()
    # Colour at full resolution: halved chroma would blur the edges of the evidence.
    Image.fromarray(picture).save(stream, "JPEG", quality=85, subsampling=0, optimize=True)
    return _url("image/jpeg", stream.getvalue())


def webp_url(picture: UInt8[np.ndarray, "H W 3"], exact: bool) -> str:
    """Return the picture as a WebP data address: exactly, or half as large as JPEG would be."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(
        stream, "WEBP", lossless=exact, quality=100 if exact else 80, method=6
    )
    return _url("image/webp", stream.getvalue())


def drawing_url(drawing: plotting.Drawing) -> tuple[str, tuple[int, int]]:
    """Return a figure as a transparent PNG data address of 256 colours, and its (height, width)."""
    picture, stream = Image.open(io.BytesIO(drawing.png())), io.BytesIO()
    picture.quantize(256).save(stream, "PNG", optimize=True)
    return _url("image/png", stream.getvalue()), (picture.height, picture.width)


def svg_url(drawing: plotting.Drawing) -> tuple[str, tuple[int, int]]:
    """Return a figure as an SVG data address, and its (height, width)."""
    svg = drawing.svg()
    width, height = map(int, re.findall(r'^<svg [^>]*width="(\d+)" height="(\d+)"', svg)[0])
    return _url("image/svg+xml", svg.encode()), (height, width)


def array_url(array: object, dtype: str) -> str:
    """Return numbers' little-endian bytes as a data address; its media type names the dtype."""
    return _url(
        f"application/x-{dtype}", np.array(array, np.dtype(dtype).newbyteorder("<")).tobytes()
    )


def _url(media_type: str, octets: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(octets).decode()}"


def in_steps(
    values: Float[np.ndarray, "*axes"],
) -> tuple[Int16[np.ndarray, "*axes"], float, Float[np.ndarray, "*axes"]]:
    """Round ``values`` to whole multiples of a step; return the multiples, the step, their product.

    The step is the smallest power of two whose int16 multiples reach the largest value. As many
    bytes as float16, but a tenth of its error in the mean that the page writes out; and, being a
    power of two, a step that another CPU's rounding does not change.
    """
    values = np.asarray(values, np.float64)
    peak = float(np.abs(values).max())
    step = 2.0 ** math.ceil(math.log2(peak / 32767)) if peak > 0 else 1.0
    steps = np.rint(values / step).astype(np.int16)
    return steps, step, steps.astype(np.float32) * np.float32(step)


def evidence_table() -> UInt8[np.ndarray, "513 4"]:
    """Tabulate what :func:`camlib.plotting.overlay` does to a pixel, for values from -1 to 1.

    An overlay mixes pixel and colour, shown = pixel·(1 - a) + colour·a. Drawn at full opacity over
    white and over black it gives both away: the difference of the two is 1 - a, and over black
    colour·a remains. So the page draws with the very numbers of the Python function.
    """
    values = np.linspace(-1.0, 1.0, COLOURS)[None]
    over_white, over_black = (
        plotting.overlay(np.full((1, COLOURS, 3), grey), values, opacity=1.0) for grey in (1.0, 0.0)
    )
    alpha = 1.0 - (over_white - over_black).mean(axis=-1, keepdims=True)
    colours = np.divide(over_black, alpha, out=np.zeros_like(over_black), where=alpha > 0)
    return as_bytes(np.concatenate([colours, alpha], axis=-1)[0])
