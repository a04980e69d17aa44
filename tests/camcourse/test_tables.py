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


def test_nothing_to_show() -> None:
    with pytest.raises(ValueError, match="expected at least one of each, got 0 rows of 2 columns"):
        tabulate(["a", "b"], [])


def test_names_of_columns_may_be_numbers_and_gaps_do_not_end_a_column_of_numbers() -> None:
    shown = tabulate(["network", 1], [["x", "2.5e-05"], ["y", "-"]])
    assert shown.columns == ("network", "1")
    assert shown._repr_html_().count("text-end") == 3
