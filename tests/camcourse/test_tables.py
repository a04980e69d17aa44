"""Tables of the book: as HTML, as text, refused where a row does not fit."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from camcourse import tabulate


def test_html_and_text_hold_the_same_values() -> None:
    """Signs that mean something in HTML are escaped; numbers stand below each other in the text."""
    shown = tabulate(["a < b", "share"], [["one & two", 0.5], ["three", "none"]])
    tree = ElementTree.fromstring(shown._repr_html_())
    assert [cell.text for cell in tree.iter("th")] == ["a < b", "share"]
    assert [cell.text for cell in tree.iter("td")] == ["one & two", "0.5", "three", "none"]
    assert {cell.text for cell in tree.iter() if cell.get("class") == "text-end"} == set()
    numbers = ElementTree.fromstring(
        tabulate(["name", "share"], [["a", "1,024"], ["b", "−9 %"]])._repr_html_()
    )
    ends = [cell.text for cell in numbers.iter() if cell.get("class") == "text-end"]
    assert ends == ["share", "1,024", "−9 %"]
    assert repr(shown) == "a < b      share\none & two    0.5\nthree       none"


def test_a_row_of_another_length() -> None:
    with pytest.raises(ValueError, match=r"rows: expected 2 values in each row.*got 1 in \('x',\)"):
        tabulate(["a", "b"], [["x"]])
