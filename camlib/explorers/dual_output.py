"""What every explorer needs to be shown twice: as a widget with a kernel, as HTML without one."""

from __future__ import annotations

import base64
import html
import io
import json
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from camlib import plotting

# Shown at most this large, so more pixels would only be carried, never seen.
LONGEST_SIDE = 448
# One colour in the middle for exactly zero, 256 on either side.
COLOURS = 513


def shown_size(height: int, width: int) -> tuple[int, int]:
    """Return the (height, width) at which a picture is drawn: its longest side is 448 pixels."""
    factor = LONGEST_SIDE / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def as_bytes(picture: Float[np.ndarray, "*axes"]) -> UInt8[np.ndarray, "*axes"]:
    """Turn values from 0 to 1 into bytes."""
    octets: UInt8[np.ndarray, "*axes"] = np.rint(255 * picture.clip(0, 1)).astype(np.uint8)
    return octets


def resized(
    picture: UInt8[np.ndarray, "H W 3"], height: int, width: int
) -> UInt8[np.ndarray, "h w 3"]:
    """Resample a picture with Lanczos' kernel."""
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))


def fitted(picture: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return the picture, scaled down to 448 pixels where it is larger."""
    height, width = picture.shape[:2]
    if max(height, width) > LONGEST_SIDE:
        return resized(picture, *shown_size(height, width))
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
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"


def array_url(array: np.ndarray, dtype: str) -> str:
    """Return an array's little-endian bytes as a data address; its media type names the dtype."""
    octets = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<")).tobytes()
    return f"data:application/x-{dtype};base64,{base64.b64encode(octets).decode()}"


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


def drawing_url(drawing: plotting.Drawing) -> tuple[str, tuple[int, int]]:
    """Return a figure as a transparent PNG data address, and its (height, width)."""
    octets = drawing.png()
    width, height = Image.open(io.BytesIO(octets)).size
    return f"data:image/png;base64,{base64.b64encode(octets).decode()}", (height, width)


def static_figure(
    kind: str,
    picture: UInt8[np.ndarray, "H W 3"] | plotting.Drawing,
    alt: str,
    caption: str,
    data: dict[str, Any],
) -> str:
    """Return HTML that is complete without scripts, and that the ES module brings to life.

    Parameters
    ----------
    kind
        Name of the ES module, for example "class_explorer".
    picture
        The result already drawn: a photograph, or a figure that reads on light and dark pages.
    alt
        The picture in words.
    caption
        HTML of the caption.
    data
        What the module needs, as JSON.
    """
    if isinstance(picture, plotting.Drawing):
        address, (height, width) = drawing_url(picture)
    else:
        address, (height, width) = jpeg_url(picture), picture.shape[:2]
    # Names come from the caller: no "</script>" or "<!--" among them may end the block early.
    block = json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<figure class="camlib-explorer" data-camlib-explorer="{kind}">\n'
        f'<img class="dark-light" src="{address}" alt="{html.escape(alt)}" '
        f'width="{width}" height="{height}">\n'
        f"<figcaption>{caption}</figcaption>\n"
        f'<script type="application/json">{block}</script>\n'
        "</figure>"
    )
