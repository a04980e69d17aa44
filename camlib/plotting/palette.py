"""Small PNG files: a figure with photographs in 256 colours, at a third of its size."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# How the 256 colours are shared out: opaque ones, of them those that fill whole cells and are kept
# exactly, and the see-through edges of letters. One is left for "nothing".
_OPAQUE, _FLAT, _EDGES = 210, 110, 40
_FLAT_PIXELS = 60


def small_png(picture: Image.Image) -> bytes:
    """An RGBA picture as the bytes of a PNG file with a palette of 256 colours.

    A picture of 256 colours or fewer stays exact. Else whole cells of one colour stay exact, and
    photographs are dithered (Floyd-Steinberg), since bands in a smooth map would look like steps.
    """
    rgba = np.array(picture.convert("RGBA"))
    rgba[rgba[..., 3] == 0] = 0
    if len(np.unique(_packed(rgba))) > 256:
        rgba = _reduced(rgba)
    buffer = BytesIO()
    _indexed(rgba).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _packed(rgba: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """One number for each pixel's colour."""
    return np.ascontiguousarray(rgba).view(np.uint32)[..., 0]


def _reduced(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Choose at most 256 of the colours and give every pixel one of them."""
    opaque, edges = rgba[..., 3] == 255, (rgba[..., 3] > 0) & (rgba[..., 3] < 255)
    colors, counts = np.unique(rgba[opaque], axis=0, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:_FLAT]
    flat = colors[most[counts[most] >= _FLAT_PIXELS]]
    rest = _representative(rgba[opaque][:, :3], _OPAQUE - len(flat))
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([flat[:, :3], rest]).tobytes())
    # What is not opaque gets a colour of the palette, so that no error spreads from there.
    ground = np.where(opaque[..., None], rgba[..., :3], rest[0]).astype(np.uint8)
    dithered = Image.fromarray(ground).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    result = rgba.copy()
    loose = opaque & ~np.isin(_packed(rgba), _packed(flat))
    result[loose, :3] = np.asarray(dithered.convert("RGB"))[loose]
    if edges.any():
        strip = Image.fromarray(rgba[edges][None])
        few = strip.quantize(_EDGES, method=Image.Quantize.FASTOCTREE).convert("RGBA")
        result[edges] = np.asarray(few)[0]
    return result


def _representative(pixels: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """At most ``count`` colours (m, 3) for ``pixels`` (p, 3); rare colours count for more than
    their share, or a small blue region would drown in a cat's fur.
    """
    bins = (pixels >> 3).astype(np.int64) @ np.array([1024, 32, 1])
    _, which, counts = np.unique(bins, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(which, pixels[:, i]) / counts for i in range(3)], axis=1)
    sample = np.repeat(means.round().astype(np.uint8), np.ceil(counts**0.25).astype(int), axis=0)
    chosen = Image.fromarray(sample[None]).quantize(
        count, method=Image.Quantize.MEDIANCUT, kmeans=1
    )
    return np.unique(np.asarray(chosen.convert("RGB"))[0], axis=0)


def _indexed(rgba: NDArray[np.uint8]) -> Image.Image:
    """Write every pixel as the number of its colour, at most 256 of them."""
    colors, numbers = np.unique(_packed(rgba), return_inverse=True)
    table = colors.view(np.uint8).reshape(-1, 4)
    picture = Image.fromarray(numbers.reshape(rgba.shape[:2]).astype(np.uint8), mode="P")
    picture.putpalette(table[:, :3].tobytes(), "RGB")
    picture.info["transparency"] = table[:, 3].tobytes()
    return picture
