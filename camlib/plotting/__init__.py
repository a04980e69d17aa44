"""Layer 4: every figure of the book: arrays in, arrays or figures out; the sign stays visible.

Colours are safe for the colour-blind; figures are transparent and read on light and dark pages.
"""

from camlib.plotting.bars import bars
from camlib.plotting.colors import EVIDENCE, INTENSITY, colorize, oklab_to_srgb
from camlib.plotting.drawing import Drawing, chart, thousands, written
from camlib.plotting.matrices import numbers
from camlib.plotting.overlays import greyscale, overlay
from camlib.plotting.pictures import cells, colorbar, panels
from camlib.plotting.style import AGAINST, FOR, INK, style, use_style

__all__ = [
    "AGAINST",
    "EVIDENCE",
    "FOR",
    "INK",
    "INTENSITY",
    "Drawing",
    "bars",
    "cells",
    "chart",
    "colorbar",
    "colorize",
    "greyscale",
    "numbers",
    "oklab_to_srgb",
    "overlay",
    "panels",
    "style",
    "thousands",
    "use_style",
    "written",
]
