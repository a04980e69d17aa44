"""What the explorers' attributes may hold; called at the start and whenever one is set."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets
from jaxtyping import Int

from camlib.errors import describe


class Checked(traitlets.TraitType[Any, Any]):
    """A trait whose only check is the explorer's own, one of the functions below.

    The ready-made traits say neither what was expected nor what to do about it, and those that
    admit None (``traitlets.Any`` too) admit it unchecked.
    """


def whole_number(name: str, value: object) -> int:
    """Return Python's and NumPy's integers as int."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(
            f"{name}: expected whole numbers, got {describe(value)}. Convert with int(...)."
        )
    return operator.index(value)


def class_index(value: object, classes: Int[np.ndarray, " c"]) -> int:
    """Return ``value`` if there is a map of this class."""
    index = whole_number("class_index", value)
    if index not in classes:
        some = ", ".join(map(str, classes[:8])) + (", …" if len(classes) > 8 else "")
        all_there = np.array_equal(classes, np.arange(len(classes)))
        raise ValueError(
            f"class_index: expected {f'0 to {classes.max()}' if all_there else f'one of {some}'}, "
            f"got {index}. Find a class by its name with class_names.index(name); "
            f"class_activation_maps(..., classes=None) makes the maps of all."
        )
    return index


def fraction(name: str, value: object) -> float:
    """Return a number from 0 to 1 as float."""
    number = isinstance(value, (int, float, np.integer, np.floating))
    if isinstance(value, bool) or not number:
        raise TypeError(f"{name}: expected a number from 0 to 1, got {describe(value)}. Pass 0.5.")
    share = float(value)  # type: ignore[arg-type]
    if not 0 <= share <= 1:
        raise ValueError(
            f"{name}: expected a number from 0 to 1, got {share:g}. "
            "0 shows the photograph alone, 1 the strongest evidence without it."
        )
    return share


def cell(value: object, rows: int, columns: int) -> tuple[int, int] | None:
    """Return a cell as (row, column), or None."""
    return place("cell", value, rows, columns, "cell")


def place(name: str, value: object, rows: int, columns: int, what: str) -> tuple[int, int] | None:
    """Return the (row, column) of one of rows × columns cells or pixels, or None."""
    if value is None:
        return None
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
        raise TypeError(
            f"{name}: expected a pair (row, column) or None, got {describe(value)}. "
            f"(0, 0) is the upper left {what}."
        )
    row, column = (whole_number(name, number) for number in value)
    if not (0 <= row < rows and 0 <= column < columns):
        raise ValueError(
            f"{name}: expected a row from 0 to {rows - 1} and a column from 0 to {columns - 1}, "
            f"got ({row}, {column}). Both count from 0 in the upper left corner."
        )
    return row, column


def choice(name: str, value: object, answers: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``answers``."""
    if value not in answers:
        listed = " or ".join(f'"{answer}"' for answer in answers)
        raise ValueError(f'{name}: expected {listed}, got {value!r}. Start with "{answers[0]}".')
    return str(value)


def switch(name: str, value: object) -> bool:
    """Return True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True or False, got {describe(value)}. Pass one of both.")
    return bool(value)
