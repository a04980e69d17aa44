"""What nbval compares as text holds no bits of floats, however short the payload is."""

import base64
import configparser
import re

import nbformat
import numpy as np
import pytest

from tests.book.differences import DATA_URL
from tooling.notebooks import listed
from tooling.repository import ROOT


def compared(text: str) -> str:
    """Return what nbval compares of an output, by its own reading of the settings."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "tooling" / "nbval.cfg")
    for section in settings.sections():
        text = re.sub(settings[section]["regex"], settings[section]["replace"], text)
    return text


def html(logits: np.ndarray) -> str:
    octets = base64.b64encode(logits.astype("<f4").tobytes()).decode()
    return (
        f'<script>{{"logits":"data:application/x-float32;base64,{octets}","classes":10}}</script>'
    )


@pytest.mark.parametrize("count", [1, 2, 3, 10, 1000])
def test_the_last_digit_of_a_float_is_not_compared_as_text(count: int) -> None:
    logits = np.linspace(0.1, 9.3, count, dtype=np.float32)
    rounded = np.nextafter(logits, np.float32(np.inf))
    assert html(logits) != html(rounded)
    assert compared(html(logits)) == compared(html(rounded))
    assert compared(html(logits)).endswith('"classes":10}</script>')


@pytest.mark.parametrize("path", listed(), ids=lambda path: path.stem)
def test_no_payload_of_a_chapter_is_compared_as_text(path) -> None:
    outputs = [
        str(text)
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        for kind, text in output.get("data", {}).items()
        if kind.startswith("text/")
    ]
    for text in outputs:
        assert all(match[2] == "PAYLOAD" for match in DATA_URL.finditer(compared(text)))
