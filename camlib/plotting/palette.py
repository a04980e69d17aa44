"""Small PNG files: a figure with photographs in 256 colours, at a third of its size."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Of the 256 colours, so many go to what is opaque, and of those so many to colours that fill areas
# and are kept exactly; the rest is for the see-through edges of letters and lines.
_OPAQUE, _FLAT, _FLAT_PIXELS = 210, 110, 60


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
    result = rgba.copy()
    if opaque.any():
        result[opaque] = _dithered(rgba, opaque)[opaque]
    if edges.any():
        # What the opaque pixels left, but for one: "nothing".
        room = 255 - len(np.unique(_packed(result)[opaque]))
        strip = Image.fromarray(rgba[edges][None])
        few = strip.quantize(room, method=Image.Quantize.FASTOCTREE).convert("RGBA")
        result[edges] = np.asarray(few)[0]
    return result


def _dithered(rgba: NDArray[np.uint8], opaque: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The opaque pixels in few colours; those of flat areas keep theirs."""
    flat = _flat_colors(rgba)
    rest = _representative(rgba[opaque][:, :3], _OPAQUE - len(flat))
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([flat[:, :3], rest]).tobytes())
    # What is not opaque gets a colour of the palette, so that no error spreads from there.
    ground = np.where(opaque[..., None], rgba[..., :3], rest[0]).astype(np.uint8)
    drawn = Image.fromarray(ground).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    result = np.array(drawn.convert("RGBA"))
    kept = np.isin(_packed(rgba), _packed(flat))
    result[kept] = rgba[kept]
    return result


def _flat_colors(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The opaque colours (m, 4) that fill areas, such as a map's cells: those of the pixels that
    equal their four neighbours.
    """
    packed = _packed(rgba)
    inside = packed[1:-1, 1:-1]
    same = rgba[1:-1, 1:-1, 3] == 255
    for neighbour in (packed[:-2, 1:-1], packed[2:, 1:-1], packed[1:-1, :-2], packed[1:-1, 2:]):
        same &= inside == neighbour
    colors, counts = np.unique(inside[same], return_counts=True)
    most = np.argsort(-counts, kind="stable")[:_FLAT]
    return colors[most[counts[most] >= _FLAT_PIXELS]].view(np.uint8).reshape(-1, 4)


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
