"""Figures in the pages: as sharp as their originals or a screen with two pixels for one can show."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image

from camlib.plotting.style import DPI

IMAGE = re.compile(r"<image [^>]*>")
PAGE = DPI / 72  # pixels of the page for a point of the figure, at most: narrow columns shrink it


def size_of(address: str, folder: Path) -> tuple[int, int]:
    """Return the (width, height) of a picture in a figure: a file, or within the page."""
    inside = address.startswith("data:")
    octets = (
        base64.b64decode(address.partition(",")[2]) if inside else (folder / address).read_bytes()
    )
    return Image.open(io.BytesIO(octets)).size


def test_no_picture_is_blurred(page_name: str, built: Path) -> None:
    """Each has 1.9 pixels for one of the page's, or all that its original had."""
    page = built / f"{page_name}.html"
    for text in IMAGE.findall(page.read_text(encoding="utf-8")):
        image = ElementTree.fromstring(text)
        original = [float(image.attrib[name]) for name in ("width", "height")]
        matrix = re.match(r"matrix\((\S+) \S+ \S+ (\S+) ", image.get("transform", ""))
        scales = [abs(float(scale)) for scale in matrix.groups()] if matrix else [1.0, 1.0]
        pixels = size_of(image.attrib["href"], page.parent)
        for had, scale, has in zip(original, scales, pixels, strict=True):
            assert has >= 1.9 * PAGE * scale * had or (matrix and has == had), text[:300]


def test_figures_are_parts_of_their_pages(built: Path) -> None:
    """A chapter without any would make the test above pass by itself."""
    pages = [page.read_text(encoding="utf-8") for page in (built / "book").glob("[01]*.html")]
    assert len(pages) == 12
    assert all(len(IMAGE.findall(page)) >= 3 for page in pages)
