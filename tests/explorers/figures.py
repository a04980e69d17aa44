"""What an explorer's HTML holds: its words, its data, its picture, read as the page reads them."""

import base64
import io
import json
import re
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from camlib.explorers.explorer import Explorer


def html_of(explorer: Explorer) -> str:
    """The HTML for a page without a kernel."""
    bundle = explorer._repr_mimebundle_()
    assert bundle is not None
    html: str = bundle[0]["text/html"]
    return html


def data_of(explorer: Explorer) -> dict[str, Any]:
    """What the ES module gets."""
    found = re.search(r'<script type="application/json">(.*)</script>', html_of(explorer))
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def picture(address: str) -> np.ndarray:
    """The pixels of a data address, 0 to 255."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))))


def poster(explorer: Explorer) -> np.ndarray:
    """The picture that is seen without scripts, 0 to 1."""
    found = re.search(r'<img [^>]*src="([^"]*)"', html_of(explorer))
    assert found is not None
    pixels: np.ndarray = picture(found[1]) / 255
    return pixels


def check_leaving(page: Page) -> None:
    """The explorer that is alive goes, and its picture comes back."""
    still = page.locator("figure > img")
    expect(still).to_be_hidden()
    page.evaluate("leave()")
    expect(still).to_be_visible()
    expect(page.locator(".cx-app")).to_have_count(0)
