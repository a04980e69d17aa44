"""UpsamplingExplorer: which cells make this pixel, and where does each way of enlarging put them?"""

from __future__ import annotations

import html

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

import camlib
from camlib import plotting
from camlib.errors import describe
from camlib.explorers import checks, dual_output
from camlib.explorers.explorer import Checked, Explorer

# The picture without scripts is smaller than the one with: it and the data have to fit a notebook.
POSTER = 288


class UpsamplingExplorer(Explorer):
    r"""Explore how a map is enlarged, in Jupyter and in a page without a kernel.

    Every pixel of the enlarged map is a sum over cells, and the explorer writes it out:

    .. math:: \mathrm{pixel}_{yx} = \sum_{ij} u_{yi} \, u'_{xj} \, \mathrm{map}_{ij}

    u and u' are the shares of cell rows and columns, as in :func:`camlib.upsample`; beyond the edge
    the outermost cells are repeated. A cut through the pixel's row shows what lies between the
    cells' centres. The colours' ends are the largest absolute value of any setting, so that
    settings compare and nothing is cut off.

    Parameters
    ----------
    image
        The picture as the network saw it, shape (H, W, 3), uint8 or floats from 0 to 1. The map is
        enlarged to its pixels; above 448 pixels the picture is first scaled down to that.
    map
        One raw map of shape (h, w), a tensor or an array; any real values.
    class_name
        Whose map it is, for the words beside it; may be left out.
    mode
        "nearest", "bilinear" or "bicubic", as in :func:`camlib.upsample`.
    align_corners
        As in :func:`camlib.upsample`; has no meaning, and no effect, while mode is "nearest".
    point
        The pixel that is asked for its cells, as (row, column) from (0, 0), or None.
    opacity
        Opacity of the strongest evidence, 0 to 1; weaker evidence is fainter in proportion.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or range, or the map holds NaN or infinity.
        Also when an attribute is set.

    Notes
    -----
    The last four can be read, set and observed from Python: ``explorer.mode = "bicubic"``,
    ``explorer.observe(print, "point")``.
    """

    mode = Checked(checks.choice, ("nearest", "bilinear", "bicubic"))
    align_corners = Checked(checks.switch)
    point = Checked(checks.place, lambda self: self._size, "pixel")
    opacity = Checked(checks.number, 0, 1, checks.OPACITY)
    module = "upsampling_explorer"

    def __init__(
        self,
        image: Float[np.ndarray, "H W 3"] | UInt8[np.ndarray, "H W 3"],
        map: Float[Tensor, "h w"] | Float[np.ndarray, "h w"],
        class_name: str = "",
        *,
        mode: str = "bilinear",
        align_corners: bool = False,
        point: tuple[int, int] | None = None,
        opacity: float = 0.8,
    ) -> None:
        picture = dual_output.picture(image)
        self._map = checks.raw_maps("map", map, "(h, w)", checks.ONE_MAP)
        if not isinstance(class_name, str):
            raise TypeError(
                f"class_name: expected a string, got {describe(class_name)}. "
                "Pass class_names[class_index], or leave it out."
            )
        self._name = class_name
        checks.check_proportions(picture, self._map.shape)
        self._photograph = dual_output.paled(dual_output.fitted(picture))
        self._size = self._photograph.shape[:2]
        data = {
            "photo": dual_output.picture_url(self._photograph),
            "size": self._size,
            "shape": self._map.shape,
            "map": dual_output.array_url(self._map, "float32"),
            "name": self._name,
            "colours": dual_output.array_url(dual_output.evidence_table(), "uint8"),
        }
        super().__init__(data, mode=mode, align_corners=align_corners, point=point, opacity=opacity)

    def __repr__(self) -> str:
        (rows, columns), (height, width) = self._map.shape, self._size
        return f"UpsamplingExplorer of {rows}×{columns} cells, {height}×{width} pixels"

    @property
    def _aligned(self) -> bool:
        return self.align_corners and self.mode != "nearest"

    def _peak(self) -> float:
        """Return the largest absolute value of any setting; only bicubic leaves the cells' range."""
        smooth = [self._enlarged(self._size, "bicubic", on) for on in (False, True)]
        return max(float(np.abs(values).max()) for values in (self._map, *smooth))

    def _enlarged(
        self, size: tuple[int, int], mode: str, aligned: bool
    ) -> Float[np.ndarray, "H W"]:
        one = torch.from_numpy(self._map)[None, None]
        return camlib.upsample(one, size, mode, align_corners=aligned)[0, 0].numpy()  # type: ignore[arg-type]

    def _static_html(self) -> str:
        (rows, columns), (height, width) = self._map.shape, self._size
        row, column = np.unravel_index(self._map.argmax(), self._map.shape)
        whose = f"map of “{self._name}”" if self._name else "map"
        way = f"{self.mode}, align_corners" if self._aligned else self.mode
        return self._figure(
            self._drawn(),
            alt=f"The {whose}, {rows} × {columns} cells, enlarged to {height} × {width} pixels over "
            f"the photograph ({way}). A white dot marks each cell’s centre; the highest of them is "
            f"in cell row {row}, column {column}, both counted from 0.",
            caption=f"The {html.escape(whose)}, enlarged: <strong>{way}</strong>. The dots are the "
            f"centres of its {rows * columns} cells. With JavaScript this picture answers: choose "
            "how to enlarge, point at any pixel to see which cells make it.",
        )

    def _drawn(self) -> UInt8[np.ndarray, "H W 3"]:
        """Return the picture with the map over it, grid and centres, as the ES module draws them."""
        size = dual_output.shown_size(self._size, POSTER)
        scaled = self._enlarged(size, self.mode, self._aligned) / (self._peak() or 1)
        photograph = dual_output.resized(self._photograph, size)
        shown = plotting.overlay(photograph, scaled.clip(-1, 1), opacity=self.opacity)
        sides = list(zip(size, self._map.shape, strict=True))
        # Lines where the cells' squares begin.
        down, across = (
            np.isin(np.arange(pixels), [round(k * pixels / cells) for k in range(1, cells)])
            for pixels, cells in sides
        )
        shown = shown + 0.4 * (down[:, None, None] | across[:, None]) * (1 - shown)
        # Dots, by each pixel's distance from the nearest centre.
        down, across = (
            np.abs(np.arange(pixels)[:, None] - _centres(cells, pixels, self._aligned)).min(1)
            for pixels, cells in sides
        )
        distance = np.hypot(down[:, None, None], across[:, None])
        for radius, brightness in ((4, 0.1), (2.5, 1)):
            cover = np.clip(radius + 0.5 - distance, 0, 1)
            shown = shown * (1 - cover) + brightness * cover
        return dual_output.as_bytes(shown)


def _centres(cells: int, pixels: int, aligned: bool) -> Float[np.ndarray, " cells"]:
    """Return where the cells' centres lie, in pixels."""
    if aligned and cells > 1:
        return np.linspace(0, pixels - 1, cells)
    return (np.arange(cells) + 0.5) * pixels / cells - 0.5
