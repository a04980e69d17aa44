"""Class indices as they are given, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np


def whole_numbers(name: str, numbers: Iterable[object]) -> list[int]:
    """Return the numbers if there are some and they are integers; raise an error otherwise."""
    numbers = list(numbers)
    # By their types, of which there are few: all classes may be a thousand numbers.
    wrong = {kind for kind in set(map(type, numbers)) if not _is_whole(kind)}
    for number in numbers if wrong else ():
        if type(number) in wrong:
            raise TypeError(
                f"{name}: expected whole numbers, got {number!r} of type {type(number).__name__}. "
                "Pass indices; for a name use camlib.networks.class_names().index(name)."
            )
    if not numbers:
        raise ValueError(
            f"{name}: expected at least one class index, got none. Pass None for all classes."
        )
    whole = [int(number) for number in cast("list[int]", numbers)]
    largest = max(whole, key=abs)
    if abs(largest) >= 2**63:  # no tensor holds it
        raise ValueError(f"{name}: expected class indices, got {largest}. Pass smaller ones.")
    return whole


def _is_whole(kind: type) -> bool:
    return issubclass(kind, (int, np.integer)) and kind is not bool


def check_range(name: str, numbers: Sequence[int], count: int) -> None:
    """Raise if a number is no index of ``count`` classes."""
    for number in (min(numbers), max(numbers)):
        if not 0 <= number < count:
            raise ValueError(
                f"{name}: expected indices from 0 to {count - 1}, got {number}. "
                "Count from the first class, not from the last."
            )
