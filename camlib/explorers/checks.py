"""What the explorers accept: each error names the argument, what was expected, what it got, and a fix."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from camlib.errors import describe

# How far the written-out sum may miss the logit, in parts of the largest one: maps and logits of
# half precision agree only roughly.
TOLERANCE = {torch.float16: 2e-2, torch.bfloat16: 2e-1}
OPACITY = "0 shows the photograph alone, 1 the strongest evidence without it."
ONE_MAP = "Pass the raw map of one class: cam.maps[0, class_index]."

# ---- One value, as a trait holds it -----------------------------------------------------------


def whole_number(name: str, value: object) -> int:
    """Return Python's and NumPy's integers as int."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(
            f"{name}: expected whole numbers, got {describe(value)}. Convert with int(...)."
        )
    return operator.index(value)


def index(name: str, value: object, count: int) -> int:
    """Return a whole number from 0 to ``count`` - 1."""
    place = whole_number(name, value)
    if not 0 <= place < count:
        raise ValueError(f"{name}: expected 0 to {count - 1}, got {place}. The first one is 0.")
    return place


def class_index(
    name: str,
    value: object,
    classes: Sequence[int],
    remedy: str = "class_activation_maps(..., classes=None) makes the maps of all.",
) -> int:
    """Return the index of a class that is among ``classes``."""
    chosen = whole_number(name, value)
    if chosen not in classes:
        some = ", ".join(map(str, classes[:8])) + (", …" if len(classes) > 8 else "")
        all_there = list(classes) == list(range(len(classes)))
        raise ValueError(
            f"{name}: expected {f'0 to {len(classes) - 1}' if all_there else f'one of {some}'}, got "
            f"{chosen}. Find a class by its name with class_names.index(name); {remedy}"
        )
    return chosen


def number(
    name: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    remedy: str = "Pass 1.0.",
    ends: bool = True,
) -> float:
    """Return a finite number from ``low`` to ``high`` as float; without ``ends`` neither of the two."""
    expected = (
        f"a number from {low:g} to {high:g}" if ends else f"a number between {low:g} and {high:g}"
    )
    if math.inf in (-low, high):
        expected = "a finite number"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected {expected}, got {describe(value)}. {remedy}")
    given = float(value)
    if not (math.isfinite(given) and low <= given <= high and (ends or low < given < high)):
        raise ValueError(f"{name}: expected {expected}, got {given:g}. {remedy}")
    return given


def place(
    name: str, value: object, size: tuple[int, int], what: str = "cell"
) -> tuple[int, int] | None:
    """Return the (row, column) of one of rows × columns cells or pixels, or None."""
    if value is None:
        return None
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
        raise TypeError(
            f"{name}: expected a pair (row, column) or None, got {describe(value)}. "
            f"(0, 0) is the upper left {what}."
        )
    row, column = (whole_number(name, at) for at in value)
    if not (0 <= row < size[0] and 0 <= column < size[1]):
        raise ValueError(
            f"{name}: expected a row from 0 to {size[0] - 1} and a column from 0 to {size[1] - 1}, "
            f"got ({row}, {column}). Both count from 0 in the upper left corner."
        )
    return row, column


def places(name: str, value: object, counts: Sequence[int]) -> tuple[int, ...]:
    """Return one whole number for each of ``counts``, from 0 to below it."""
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != len(counts):
        raise TypeError(
            f"{name}: expected {len(counts)} whole numbers, one for each axis, got "
            f"{describe(value)}. The first place on an axis is 0."
        )
    return tuple(
        index(f"{name}[{i}]", one, count)
        for i, (one, count) in enumerate(zip(value, counts, strict=True))
    )


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


# ---- Arguments --------------------------------------------------------------------------------


def sequence(name: str, values: Any, what: str, remedy: str) -> list[Any]:
    """Return the items of anything that can be iterated over but text."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"{name}: expected a sequence of {what}, got {describe(values)}. {remedy}")
    return list(values)


def class_indices(values: object) -> list[int]:
    """Return the whole numbers of a sequence."""
    given = sequence("classes", values, "class indices", "Pass for example classes=[281, 287].")
    return [whole_number("classes", value) for value in given]


def names_of(class_names: Sequence[str], classes: Sequence[int]) -> tuple[str, ...]:
    """Return one name for each of ``classes``.

    ``class_names`` either lists all of the network's classes, and a class index finds its name, or
    holds exactly one name for each of ``classes``, in their order. A list that could be both is
    read as the former.
    """
    if isinstance(class_names, str) or not all(isinstance(name, str) for name in class_names):
        raise TypeError(
            f"class_names: expected a sequence of strings, got {describe(class_names)}. "
            "Pass camlib.networks.class_names(), or a list such as ['cat', 'dog']."
        )
    count = max(classes) + 1
    if len(class_names) >= count:
        return tuple(class_names[index] for index in classes)
    if len(class_names) == len(classes):
        return tuple(class_names)
    raise ValueError(
        f"class_names: expected a name for each of {len(classes)} classes, or all of the network's "
        f"{count} or more, got {len(class_names)}. Pass camlib.networks.class_names()."
    )


def raw_maps(name: str, values: object, shape: str, remedy: str) -> Float[np.ndarray, "*axes h w"]:
    """Return a copy of floating-point maps of a shape such as "(h, w)" in float32."""
    got = f"got {describe(values)}. {remedy}"
    if not isinstance(values, (Tensor, np.ndarray)):
        raise TypeError(f"{name}: expected a tensor or array of shape {shape}, {got}")
    if values.ndim != len(shape.split()) or 0 in values.shape:
        raise ValueError(f"{name}: expected shape {shape}, rows of cells and columns, {got}")
    tensor = torch.as_tensor(values).detach()
    if not tensor.is_floating_point():
        raise TypeError(f"{name}: expected a floating-point dtype, {got}")
    numbers = tensor.to("cpu", torch.float32, copy=True)
    _check_finite(name, numbers)
    return numbers.numpy()


def parts_of(name: str, found: object, maker: str, *parts: str) -> list[Float[Tensor, "*axes"]]:
    """Return the named parts of what the function ``maker`` found: copies in float64, all finite."""
    missing = [part for part in parts if not hasattr(found, part)]
    if missing:
        raise TypeError(
            f"{name}: expected the result of {maker}, got {describe(found)} without "
            f"{', '.join(missing)}. Pass the result as it is."
        )
    exact = [torch.as_tensor(getattr(found, part)).detach() for part in parts]
    for part, tensor in zip(parts, exact, strict=True):
        _check_finite(f"{name}.{part}", tensor)
    return [tensor.to("cpu", torch.float64, copy=True) for tensor in exact]


def _check_finite(name: str, tensor: Tensor) -> None:
    if not torch.isfinite(tensor).all():
        raise ValueError(
            f"{name}: expected finite numbers, got NaN or infinity. "
            "Look for it in the images first: images.isfinite().all()."
        )


def check_sum(
    name: str, sums: Tensor, logits: Tensor, dtype: torch.dtype, expected: str, remedy: str
) -> None:
    """Raise unless the sum that the explorer writes out is true."""
    gap = float((sums - logits).abs().max())
    if gap > TOLERANCE.get(dtype, 1e-3) * max(1.0, float(logits.abs().max())):
        raise ValueError(
            f"{name}: expected {expected} = logit, got a difference of {gap:.2g}. {remedy}"
        )


def check_proportions(picture: UInt8[np.ndarray, "H W 3"], cells: Sequence[int]) -> None:
    """Raise unless one stride can cut the picture into so many rows and columns of cells.

    A network of stride s makes H/s rows of a picture H pixels high, give or take less than one. A
    picture that no s fits is not the one that the maps belong to.
    """
    sides = list(zip(picture.shape, cells, strict=False))
    least = max(length / (count + 1) for length, count in sides)
    most = min(length / (count - 1) if count > 1 else math.inf for length, count in sides)
    if least >= most:
        raise ValueError(
            f"image: expected the picture that {cells[0]}×{cells[1]} cells belong to, got one of "
            f"{picture.shape[0]}×{picture.shape[1]} pixels, of other proportions. Did the network "
            "see it cropped? Pass what the network saw: camlib.networks.to_picture(images[0])."
        )


def held_in_words(found: object) -> str:
    """Name the layers whose spread is held in maps or a head; empty for most networks."""
    held = ", ".join(getattr(found, "held", ()))
    return f"The spread of {held} is held." if held else ""
