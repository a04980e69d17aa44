"""Layer 1: photographs of any mode in RGB, and where a network's image lies in its photograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F

from camlib.errors import check_axes, describe

Range = tuple[float, float]
_SIXTEEN_BITS = (0.0, 65535.0)
_NUMBERS = ("I", "F")  # 32-bit whole numbers and floats, which may mean anything


def to_rgb(picture: Image.Image, range: Range | None = None) -> Image.Image:
    """Turn a photograph upright and convert it to RGB with 8 bits, whatever its mode.

    What is transparent shows white. Grey values of 16 bits (modes "I;16", "I;16B" and the like) are
    divided by 257, so that 65535 becomes 255.

    Parameters
    ----------
    picture
        A PIL picture. An orientation in its EXIF data is applied.
    range
        The values that become black and white, for pictures of one channel; values beyond are cut.
        Pictures of mode "I" (32-bit whole numbers) and "F" (floats) cannot be read without it,
        because nothing in them says what white is.

    Returns
    -------
    PIL.Image.Image
        A new picture of mode RGB.

    Raises
    ------
    TypeError
        If ``picture`` is no PIL picture.
    ValueError
        If it needs a range and there is none, has a range that it cannot use, or holds NaN or
        infinity.

    Examples
    --------
    >>> from PIL import Image
    >>> to_rgb(Image.new("I;16", (1, 1), 65535)).getpixel((0, 0))
    (255, 255, 255)
    >>> to_rgb(Image.new("F", (1, 1), 0.5), range=(0, 1)).getpixel((0, 0))
    (128, 128, 128)
    """
    if not isinstance(picture, Image.Image):
        raise TypeError(
            f"picture: expected a PIL picture, got {describe(picture)}. Open a file with "
            "PIL.Image.open(path), or convert an array with PIL.Image.fromarray."
        )
    if 0 in picture.size:
        raise ValueError(f"picture: expected pixels, got {picture.width}×{picture.height}.")
    upright = ImageOps.exif_transpose(picture)
    if range is None and upright.mode in _NUMBERS:
        kind = "floats" if upright.mode == "F" else "whole numbers of 32 bits"
        values = np.asarray(upright)
        values = values[np.isfinite(values)]
        ends = f"from {values.min():g} to {values.max():g}" if values.size else "no finite ones"
        raise ValueError(
            f"range: expected the values that are black and white, for a picture of {kind} (mode "
            f'"{upright.mode}") does not tell, got None. Its values: {ends}. Pass what black and '
            "white are in such pictures: range=(0, 1), or --range 0 1."
        )
    if range is not None and len(upright.getbands()) > 1:
        raise ValueError(
            f'range: expected None for a picture of mode "{upright.mode}", whose values are 0 to '
            f"255, got {range!r}. A range is for pictures of one channel."
        )
    if range is not None or upright.mode.startswith("I;16"):
        upright = _eight_bits(upright, range or _SIXTEEN_BITS)
    if "A" in upright.getbands() or "a" in upright.getbands() or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return upright.convert("RGB")


def _eight_bits(picture: Image.Image, range: Range) -> Image.Image:
    try:
        low, high = (float(end) for end in range)
        good = bool(np.isfinite([low, high]).all()) and low != high
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            f"range: expected two different finite numbers (black, white), got {range!r}. Pass for "
            "example range=(0, 4095)."
        )
    values = np.asarray(picture).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(
            f"picture: expected finite numbers, got NaN or infinity in "
            f"{int((~np.isfinite(values)).sum())} of {values.size} pixels. Replace them first."
        )
    part = ((values - low) / (high - low)).clip(0, 1)
    return Image.fromarray(np.floor(255 * part + 0.5).astype(np.uint8))


@dataclass(frozen=True)
class Geometry:
    """Where the image that a network reads lies in the photograph it was made from.

    Attributes
    ----------
    size
        (height, width) of the photograph, upright, in pixels.
    box
        The edges (x0, y0, x1, y1) of the image in pixels of the photograph. They need not be whole
        numbers, and lie outside the photograph where the image was padded.
    """

    size: tuple[int, int]
    box: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        """Refuse edges that enclose nothing."""
        x0, y0, x1, y1 = self.box
        if not (-np.inf < x0 < x1 < np.inf and -np.inf < y0 < y1 < np.inf):
            raise ValueError(
                f"box: expected edges (x0, y0, x1, y1) with x0 < x1 and y0 < y1, got {self.box}. Count "
                "x from the left and y from the top."
            )

    @classmethod
    def of(
        cls,
        size: tuple[int, int],
        resize: int | Sequence[int] | None,
        crop: Sequence[int] | None,
        longest: int | None = None,
    ) -> Geometry:
        """Follow torchvision's resizing and centre crop; ``size`` and the others are (height, width).

        ``resize`` as one number is the new length of the shorter side; the longer one is rounded
        down, and where it exceeds ``longest`` both are made smaller. The crop's corner is rounded to
        whole pixels of the resized picture.
        """
        resized = _resized_to(size, resize, longest)
        corner, wanted = (0, 0), resized
        if crop is not None:
            wanted = (crop[0], crop[1])
            corner = (_corner(resized[0], crop[0]), _corner(resized[1], crop[1]))
        (y0, y1), (x0, x1) = (
            (first * whole / small, (first + length) * whole / small)
            for first, length, whole, small in zip(corner, wanted, size, resized, strict=True)
        )
        return cls(size, (x0, y0, x1, y1))

    def upsample(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c H W"]:
        r"""Resample maps of the image to the size of the photograph, each value in its place.

        .. math:: x = \frac{X + \tfrac12 - x_0}{x_1 - x_0} \, w - \tfrac12

        Pixel X of the photograph lies at x among the w cells of the map, which are joined by
        straight lines as in :func:`camlib.upsample`; likewise for rows. What the network did not
        see, outside the crop, is 0.

        Parameters
        ----------
        maps
            Maps of the whole image, shape (n, c, h, w).

        Returns
        -------
        Tensor
            Shape (n, c, H, W) with (H, W) = ``size``, same dtype.

        Raises
        ------
        TypeError, ValueError
            If ``maps`` is not a floating-point tensor of four axes, none of them empty.
        """
        n = len(check_axes("maps", maps, "n c h w"))
        x0, y0, x1, y1 = self.box
        # From -1 to 1 between the image's edges, as grid_sample wants it.
        columns, rows = self._centres()
        across, down = 2 * (columns - x0) / (x1 - x0) - 1, 2 * (rows - y0) / (y1 - y0) - 1
        grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=2).to(maps)
        found = F.grid_sample(
            maps, grid.expand(n, *grid.shape), padding_mode="border", align_corners=False
        )
        return found * self.seen().to(maps.device)

    def seen(self) -> Tensor:
        """Return a mask (H, W) of the photograph's pixels whose centres lie in the image."""
        x0, y0, x1, y1 = self.box
        columns, rows = self._centres()
        across, down = (x0 <= columns) & (columns < x1), (y0 <= rows) & (rows < y1)
        return down[:, None] & across

    def _centres(self) -> tuple[Tensor, Tensor]:
        """Return where the centres of the photograph's columns and rows lie."""
        height, width = (torch.arange(side, dtype=torch.float64) + 0.5 for side in self.size)
        return width, height

    def to_image(self, boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Carry boxes (m, 4) from the photograph into an image of ``size`` (height, width)."""
        x0, y0, x1, y1 = self.box
        scale = np.array([size[1] / (x1 - x0), size[0] / (y1 - y0)] * 2)
        return (np.asarray(boxes, np.float64) - [x0, y0, x0, y0]) * scale


def _resized_to(
    size: tuple[int, int], resize: int | Sequence[int] | None, longest: int | None
) -> tuple[int, int]:
    """Return the (height, width) that torchvision resizes a picture to."""
    if resize is None and longest is None:
        return size
    if resize is not None and not isinstance(resize, int):
        return (resize[0], resize[1])
    height, width = size
    short, long = min(size), max(size)
    new_short, new_long = (resize, resize * long // short) if resize is not None else (short, long)
    if longest is not None and (resize is None or new_long > longest):
        new_short, new_long = longest * new_short // new_long, longest
    return (new_short, new_long) if height <= width else (new_long, new_short)


def _corner(length: int, crop: int) -> int:
    """Where the middle begins; where the picture is too small it is padded, one more at the end."""
    return round((length - crop) / 2) if crop <= length else -((crop - length) // 2)
