"""Class indices as they are given, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def whole_numbers(name: str, numbers: Iterable[object]) -> list[int]:
    """Return the numbers if there are some and they are integers; raise an error otherwise."""
    checked = []
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
            raise TypeError(
                f"{name}: expected whole numbers, got {number!r} of type {type(number).__name__}. "
                "Pass indices; for a name use camlib.networks.class_names().index(name)."
            )
        checked.append(int(number))
    if not checked:
        raise ValueError(
            f"{name}: expected at least one class index, got none. Pass None for all classes."
        )
    return checked


def check_range(name: str, numbers: Sequence[int], count: int) -> None:
    """Raise if a number is no index of ``count`` classes."""
    for number in (min(numbers), max(numbers)):
        if not 0 <= number < count:
            raise ValueError(
                f"{name}: expected indices from 0 to {count - 1}, got {number}. "
                "Count from the first class, not from the last."
            )
