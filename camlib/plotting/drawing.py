"""A figure that shows itself once, sharp at any size, in the colours of the page that shows it."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from camlib.plotting.style import DPI, INK, style

# A picture of at most so many pixels a side is a map or a small input: its pixels are to be seen.
_PIXELATED = 64
# Screens have two pixels for one of the page's; more would be carried and never seen.
_SHARP = 2
_PAGE = DPI / 72  # the page's pixels for a unit of matplotlib's SVG, a point
_SVG, _XLINK = "http://www.w3.org/2000/svg", "{http://www.w3.org/1999/xlink}href"
# The pages of the book define these names; elsewhere the style's ink and letters are used.
_THEMED = {
    INK: f"var(--cam-ink-muted, {INK})",
    "'DejaVu Sans'": "var(--cam-font-label, 'DejaVu Sans', sans-serif)",
}


class Drawing(Figure):
    """A matplotlib ``Figure`` that a notebook shows exactly once, as the last expression of a cell.

    It is not in pyplot's list of open figures, so there is nothing to close.
    """

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display({"image/svg+xml": self.svg(), "text/plain": repr(self)}, raw=True)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return f"<Drawing with {len(self.axes)} Axes>"

    def png(self) -> bytes:
        """The figure as the bytes of a PNG file: transparent, without date and version in it."""
        buffer = io.BytesIO()
        with style():
            self.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()

    def svg(self) -> str:
        """The figure as an SVG element: text is text, photographs are WebP, without date and version.

        Within a page of the book, ink and letters are the page's own.
        """
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        with style():
            self.savefig(buffer, format="svg", dpi=_SHARP * DPI, metadata=nothing)
        return _for_pages(ElementTree.fromstring(buffer.getvalue()))


def _for_pages(root: Element) -> str:
    """Turn matplotlib's SVG file into an element that many pages can hold beside others of its kind."""
    for defs in root.findall(f"{{{_SVG}}}defs"):
        if defs.find(f"{{{_SVG}}}style") is not None:
            root.remove(defs)  # within a page, its rule would be one for the whole page
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    for side, length in zip(("width", "height"), root.attrib["viewBox"].split()[2:], strict=True):
        root.set(side, f"{float(length) * _PAGE:.0f}")
    for element in root.iter():
        if element.tag == f"{{{_SVG}}}image":
            _slim(element)
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
        if element.tag not in (f"{{{_SVG}}}text", f"{{{_SVG}}}tspan"):
            element.text = None
        element.tail = None
        for name, value in element.attrib.items():
            if name != "href":
                element.set(name, _brief(value))
    ElementTree.register_namespace("", _SVG)
    return _own_names(ElementTree.tostring(root, encoding="unicode"))


def _brief(value: str) -> str:
    """Return an attribute in the page's colours and letters, with few digits."""
    for name, themed in _THEMED.items():
        value = value.replace(name, themed)
    value = re.sub(r"-?\d+\.\d{3,}", lambda number: _rounded(float(number[0])), value)
    return " ".join(value.split())


def _rounded(number: float) -> str:
    return f"{number:.2f}" if abs(number) >= 10 else f"{number:.4g}"


def _slim(image: Element) -> None:
    """Encode a picture's pixels as what is smaller, and no more of them than a sharp screen shows."""
    octets = base64.b64decode(image.attrib[_XLINK].partition(",")[2])
    picture: Image.Image = Image.open(io.BytesIO(octets))
    image.set("preserveAspectRatio", "none")
    matrix = re.match(r"matrix\((\S+) \S+ \S+ (\S+) ", image.attrib.get("transform", ""))
    if matrix and max(picture.size) > _PIXELATED:
        image.attrib.pop("style")
        across, down = (abs(float(scale)) * _PAGE * _SHARP for scale in matrix.groups())
        wide, high = picture.size
        shown = min(wide, round(wide * across)), min(high, round(high * down))
        picture = picture.resize(shown, Image.Resampling.LANCZOS)
    webp = io.BytesIO()
    picture.save(webp, "WEBP", quality=85, lossless=max(picture.size) <= _PIXELATED)
    kind, least = min(("webp", webp.getvalue()), ("png", octets), key=lambda one: len(one[1]))
    image.set(_XLINK, f"data:image/{kind};base64,{base64.b64encode(least).decode()}")


def _own_names(svg: str) -> str:
    """Drop the ids that nothing refers to; give the others names that no other figure has."""
    used = sorted(set(re.findall(r'(?:url\(#|href="#)([\w-]+)', svg)), key=svg.index)
    svg = re.sub(r' id="([\w.-]+)"', lambda name: name[0] if name[1] in used else "", svg)
    mark = hashlib.sha256(svg.encode()).hexdigest()[:8]
    for number, name in enumerate(used):
        svg = re.sub(rf"(?<=[#\"]){re.escape(name)}(?=[)\"])", f"figure-{mark}-{number}", svg)
    return svg


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
