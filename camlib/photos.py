"""Layer 1: the photographs that come with the package, and who made them."""

from __future__ import annotations

from importlib import resources
from typing import NamedTuple

from PIL import Image


class _Photo(NamedTuple):
    file: str
    title: str
    author: str
    licence: str
    source: str


_PHOTOS = {
    "cat": _Photo("cat.png", "Chelsea the cat", "Stéfan van der Walt", "CC0 1.0", "scikit-image"),
    "coffee": _Photo("coffee.png", "Coffee cup at Pikolo Espresso Bar", "Rachel Michetti", "CC0 1.0", "scikit-image"),
    "rocket": _Photo("rocket.jpg", "Falcon 9 launches DSCOVR", "SpaceX", "public domain", "scikit-image"),
    "astronaut": _Photo("astronaut.jpg", "Eileen Collins", "NASA", "public domain", "scikit-image"),
}  # fmt: skip

_PAIR = ("cat", "coffee")
_PAIR_NAME = "cat_and_coffee"
_SIDE = 224


def names() -> tuple[str, ...]:
    """Return the names of all photographs that :func:`load` knows."""
    return (*_PHOTOS, _PAIR_NAME)


def load(name: str) -> Image.Image:
    """Open a photograph.

    Parameters
    ----------
    name
        One of :func:`names`; "cat_and_coffee" is made of two photographs side by side, 448 x 224
        pixels, so that two classes stand in one picture.

    Returns
    -------
    PIL.Image.Image
        The picture in RGB, in its original size.

    Raises
    ------
    ValueError
        If there is no photograph of that name.
    """
    if name == _PAIR_NAME:
        return _side_by_side([load(part) for part in _PAIR])
    photo = _find(name)
    with resources.files("camlib").joinpath("assets", "photos", photo.file).open("rb") as file:
        return Image.open(file).convert("RGB")


def credit(name: str) -> str:
    """Return one line that names a photograph's title, author, licence and source.

    Raises
    ------
    ValueError
        If there is no photograph of that name.
    """
    if name == _PAIR_NAME:
        return " | ".join(credit(part) for part in _PAIR)
    photo = _find(name)
    return f"“{photo.title}”, {photo.author}, {photo.licence}, by way of {photo.source}"


def _find(name: str) -> _Photo:
    if name not in _PHOTOS:
        raise ValueError(
            f"name: expected one of {', '.join(map(repr, names()))}, got {name!r}. "
            "For a picture of your own use PIL.Image.open(path)."
        )
    return _PHOTOS[name]


def _side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """Cut a square from the middle of each picture and put the squares into one row."""
    row = Image.new("RGB", (_SIDE * len(pictures), _SIDE))
    for place, picture in enumerate(pictures):
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        square = picture.resize(
            (_SIDE, _SIDE), Image.Resampling.BICUBIC, (left, top, left + side, top + side)
        )
        row.paste(square, (place * _SIDE, 0))
    return row
