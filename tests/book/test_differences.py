"""The comparison of pictures notices what a reader would, and overlooks rounding."""

import base64
import functools
import io
import itertools

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from PIL import Image

from camlib import plotting
from tests.book.compare_pictures import LIVE, changed
from tests.book.differences import array_difference, difference, drawn, pixels


@functools.cache
def figure(text: str, size: float = 3.0) -> bytes:
    """Draw `text` as small as the book's smallest numbers."""
    canvas = plt.figure(figsize=(size, 2.0), dpi=100)
    canvas.text(0.4, 0.5, text, fontsize=8)
    stream = io.BytesIO()
    canvas.savefig(stream, format="png")
    plt.close(canvas)
    return stream.getvalue()


def png(array: np.ndarray) -> bytes:
    """Encode an array of bytes as PNG."""
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


DIGITS = [*itertools.combinations("0123456789", 2), ("1.06", "−1.06")]


@pytest.mark.parametrize(("old", "new"), DIGITS, ids=" ".join)
def test_one_changed_digit_is_noticed(old: str, new: str) -> None:
    """The two drawings differ in a single sign of 8 points."""
    assert "4×4 pixels differ" in str(difference("image/png", figure(old), figure(new)))


def test_the_same_picture_drawn_twice_is_no_difference() -> None:
    """Bytes may differ (other compression), pixels do not."""
    once = figure("9.27")
    again = io.BytesIO()
    Image.open(io.BytesIO(once)).save(again, "PNG", compress_level=1)
    assert once != again.getvalue()
    assert difference("image/png", once, again.getvalue()) is None


def test_rounding_of_a_colour_is_no_difference() -> None:
    """Every channel moves by 2 of 255, as rounding makes it, or by 11, as another colour does."""
    picture = np.full((40, 60, 3), 128, np.uint8)
    assert difference("image/png", png(picture), png(picture + 2)) is None
    message = difference("image/png", png(picture), png(picture + 11))
    assert message == "4×4 pixels differ by 11.0 of 255 in the mean"


def test_dots_of_a_dither_that_fall_elsewhere_are_no_difference() -> None:
    """A board of dots moved by one pixel: each pixel differs by 60, no mean of 4×4 does."""
    rows, columns = np.indices((40, 60))
    board = (100 + 60 * ((rows + columns) % 2)).astype(np.uint8)
    inner = board[1:-1, 1:-1]
    moved = board.copy()
    moved[1:-1, 1:-1] = 260 - inner.astype(int)
    assert np.abs(board.astype(int) - moved).max() == 60
    assert difference("image/png", png(board), png(moved)) is None


def test_another_size_is_noticed() -> None:
    """3 inches at 100 dots are 300 pixels, 4 inches are 400."""
    message = difference("image/png", figure("a"), figure("a", size=4.0))
    assert message == "the picture was 300×200, is 400×200"


def test_tables_are_compared_relative_to_their_largest_number() -> None:
    """Of 10, two thousandths are 0.02: 0.01 passes, 0.03 does not."""
    table = np.array([10.0, 1.0, -3.0], np.float16)
    assert array_difference(table, table + np.array([0, 0.01, 0], np.float16)) is None
    assert array_difference(table, table + np.array([0, 0.03, 0], np.float16)) is not None
    assert array_difference(table, table[:2]) == "the table had 3 numbers, has 2"


LINE = '<svg width="9"><path d="M 1 2 L {x} 4" style="fill: #e7c9{blue}"/><text>{word}</text>{more}</svg>'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": "30.25"}, None),
        ({"x": "31"}, "30 became 31"),
        ({"blue": "b8"}, None),
        ({"blue": "c9"}, "the colour was #e7c9b9, is #e7c9c9"),
        ({"word": "0.3"}, "'0.2' became '0.3'"),
        ({"more": "<g/>"}, "the figure has more or fewer elements"),
    ],
)
def test_figures_are_compared_element_by_element(
    change: dict[str, str], message: str | None
) -> None:
    """A line moves by a quarter of a point or by a whole one, a colour by a step or by sixteen."""
    before = {"x": "30", "blue": "b9", "word": "0.2", "more": ""}
    old, new = (LINE.format(**values).encode() for values in (before, before | change))
    found = difference("image/svg+xml", old, new)
    assert found is None if message is None else message in str(found)


@pytest.mark.parametrize(("shift", "alike"), [(2, True), (30, False)])
def test_pictures_within_figures_are_compared(shift: int, alike: bool) -> None:
    """Names that come from the content do not count."""
    picture = np.full((80, 90, 3), 128, np.uint8)
    old, new = (plotting.panels([one]).svg().encode() for one in (picture, picture + shift))
    assert old != new
    assert (difference("image/svg+xml", old, new) is None) is alike


def test_pictures_and_tables_inside_html_are_found() -> None:
    """A data address in an explorer's HTML is decoded, with its media type."""
    table = np.array([1.0, 2.0], "<f2").tobytes()
    url = f"data:application/x-float16;base64,{base64.b64encode(table).decode()}"
    cell = {"outputs": [{"data": {"text/html": f'<i data-a="{url}">', "text/plain": "x"}}]}
    assert list(drawn(cell)) == [("application/x-float16", table)]
    changed = np.array([1.0, 2.5], "<f2").tobytes()
    assert "numbers differ by up to 0.5" in str(difference("application/x-float16", table, changed))


def test_transparency_counts() -> None:
    """A pixel that turns transparent is another picture, also where its colour stays."""
    solid = np.zeros((8, 8, 4), np.uint8)
    clear = solid.copy()
    solid[..., 3] = 255
    assert pixels(png(clear)).shape == (8, 8, 4)
    assert difference("image/png", png(solid), png(clear)) is not None


def cell(*pictures: bytes, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    """Make a cell that shows pictures."""
    shown = [
        nbformat.v4.new_output("display_data", {"image/png": base64.b64encode(one).decode()})
        for one in pictures
    ]
    return nbformat.v4.new_code_cell("draw()", outputs=shown, metadata={"tags": list(tags)})


def test_a_cell_is_compared_picture_by_picture() -> None:
    """Unless it shows what differs everywhere: then it has to show as much, of the same kinds."""
    one, other = figure("1"), figure("2")
    assert changed(cell(one, other), cell(one, other)) is None
    assert "4×4 pixels differ" in str(changed(cell(one, other), cell(one, one)))
    assert changed(cell(one), cell(one, other)) == "shows other kinds of output"
    assert changed(cell(one, tags=(LIVE,)), cell(other)) is None
    assert changed(cell(one, tags=(LIVE,)), cell()) == "shows other kinds of output"
