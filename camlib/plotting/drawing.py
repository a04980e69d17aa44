"""A figure that shows itself once, transparent, and small enough to be kept in a notebook."""

from __future__ import annotations

import base64
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from camlib.plotting.palette import small_png
from camlib.plotting.style import style


class Drawing(Figure):
    """A matplotlib ``Figure`` that a notebook shows exactly once, as the last expression of a cell.

    It is not in pyplot's list of open figures, so there is nothing to close.
    """

    def _ipython_display_(self) -> None:
        from IPython.display import display

        encoded = base64.b64encode(self.png()).decode("ascii")
        display({"image/png": encoded, "text/plain": repr(self)}, raw=True)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return f"<Drawing with {len(self.axes)} Axes>"

    def png(self) -> bytes:
        """The figure as the bytes of a PNG file: transparent, without date and version in it.

        It has 256 colours at most, which makes photographs a third of their size.
        """
        buffer = BytesIO()
        with style():
            self.savefig(buffer, format="png", metadata={"Software": None})
        return small_png(Image.open(buffer))


def chart(width: float = 7.0, height: float = 3.0) -> tuple[Drawing, Axes]:
    """An empty chart in the book's style: ``figure, axes = chart()``; size in inches.

    Draw into ``axes`` with matplotlib's own methods and end the cell with ``figure``.
    """
    with style():
        figure = Drawing(figsize=(width, height), layout="constrained")
        return figure, figure.add_subplot()


def thousands(axes: Axes, which: str = "both") -> None:
    """Write the numbers of an axis ("x", "y" or "both") with separators: 1,280,000.

    Raises
    ------
    ValueError
        If ``which`` is none of the three.
    """
    if which not in ("x", "y", "both"):
        raise ValueError(f'which: expected "x", "y" or "both", got {which!r}. Pass which="y".')
    for axis, letter in ((axes.xaxis, "x"), (axes.yaxis, "y")):
        if which in (letter, "both"):
            axis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))


def written(value: float, digits: int | None = None) -> str:
    """A number as the book writes it: 1,280 and −0.25; ``digits`` after the point, by default as
    many as it needs, two at most.

    >>> written(1280), written(9.2749), written(9, 2)
    ('1,280', '9.27', '9.00')
    """
    rounded = round(float(value), 2 if digits is None else digits) + 0.0
    text = f"{rounded:,.{2 if digits is None else digits}f}"
    if digits is None:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "\N{MINUS SIGN}")
