"""The one look of every figure: transparent, with an ink that reads on a white and a dark page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.colors import to_hex

from camlib.plotting.colors import EVIDENCE, INTENSITY

# The best grey for two backgrounds has the same contrast on both: with the relative luminances Y of
# WCAG 2, 1.05 / (Y + 0.05) = (Y + 0.05) / (Y_dark + 0.05). Between white and the dark pages #121212
# and #14181e that is #7b7b7b, at 4.2 : 1 or more on all three; no other grey does better.
INK = "#7b7b7b"

AGAINST = to_hex(EVIDENCE(0.0))
FOR = to_hex(EVIDENCE(1.0))
_TEAL = to_hex(INTENSITY(0.55))

DPI = 110

_STYLE: Any = {
    "figure.dpi": DPI,
    "figure.facecolor": "none",
    "figure.edgecolor": "none",
    "figure.figsize": (7.0, 3.0),
    "savefig.dpi": "figure",
    "savefig.facecolor": "none",
    "savefig.edgecolor": "none",
    "savefig.bbox": "tight",
    "savefig.pad_inches": 0.04,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "camlib",
    # Pixels as they are, in files that are scaled by who shows them.
    "image.interpolation": "none",
    # As many points on every machine, however they are rounded.
    "path.simplify": False,
    # DejaVu Sans comes with matplotlib: the same letters on every machine.
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "axes.titlesize": 10.0,
    "axes.labelsize": 10.0,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "legend.fontsize": 9.0,
    "axes.titlelocation": "center",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.facecolor": "none",
    "legend.facecolor": "none",
    "legend.edgecolor": "none",
    "legend.framealpha": 0.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "grid.color": INK,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "axes.prop_cycle": cycler(color=[FOR, AGAINST, _TEAL, INK]),
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the book's style inside the ``with`` block.

    All settings return to what they were, also after an exception.

    Examples
    --------
    >>> import matplotlib
    >>> with style():
    ...     matplotlib.rcParams["text.color"]
    '#7b7b7b'
    """
    with mpl.rc_context(_STYLE):
        yield


def use_style() -> None:
    """Switch matplotlib to the book's style for the rest of the session: for a first cell.

    Everything drawn from then on, also with plain ``pyplot``, has a transparent background and the
    mid-tone ink. ``matplotlib.rcdefaults()`` takes it back.
    """
    mpl.rcParams.update(_STYLE)
