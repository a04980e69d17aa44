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

# Squares of 224 pixels that one thing fills, by its name among ImageNet's classes.
_GCOMPRIS = "GCompris, cropped"
_LABELLED = {
    "giant panda": _Photo("giant_panda.jpg", "Panda", "Aaron Logan", "CC BY 1.0", _GCOMPRIS),
    "koala": _Photo("koala.jpg", "Koala climbing tree", "David Iliff", "CC BY-SA 3.0", _GCOMPRIS),
    "ice bear": _Photo("ice_bear.jpg", "Polar bear", "Arturo de Frias Marques", "CC BY-SA 4.0", _GCOMPRIS),
    "Komodo dragon": _Photo("komodo_dragon.jpg", "Varanus komodoensis", "Raul654", "CC BY-SA 3.0", _GCOMPRIS),
    "triumphal arch": _Photo("triumphal_arch.jpg", "Arc de Triomphe du Carrousel", "Dan Mckay", "CC BY-SA 2.0", _GCOMPRIS),
    "palace": _Photo("palace.jpg", "Winter Palace", "Dezidor", "CC BY 3.0", _GCOMPRIS),
    "baseball": _Photo("baseball.jpg", "Baseball", "Tage Olsin", "CC BY-SA 2.0", _GCOMPRIS),
    "frying pan": _Photo("frying_pan.jpg", "Cast-iron pan", "Suricata", "public domain", _GCOMPRIS),
    "solar dish": _Photo("solar_dish.jpg", "Solar cooker", "Nadya Peek", "CC BY 2.0", _GCOMPRIS),
    "screwdriver": _Photo("screwdriver.jpg", "Torque screwdriver", "Dezertscorpion", "public domain", _GCOMPRIS),
}  # fmt: skip

_PAIR = ("cat", "coffee")
_PAIR_NAME = "cat_and_coffee"
_SIDE = 224


def names() -> tuple[str, ...]:
    """Return the names of the photographs that the chapters are about."""
    return (*_PHOTOS, _PAIR_NAME)


def labelled() -> dict[str, str]:
    """Return photographs that one thing fills, each with that thing's name among ImageNet's classes.

    Both installed networks give each of them this name. :func:`load` opens them; they are made for
    pictures of several things, as the page "Two networks, one picture" builds them.
    """
    return {"cat": "tiger cat", "coffee": "espresso", **{name: name for name in _LABELLED}}


def load(name: str) -> Image.Image:
    """Open a photograph.

    Parameters
    ----------
    name
        One of :func:`names` or :func:`labelled`; "cat_and_coffee" is made of two photographs side by
        side, 448 x 224 pixels, so that two classes stand in one picture.

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
    return f"“{photo.title}”, {photo.author}, {photo.licence}, via {photo.source}"


def _find(name: str) -> _Photo:
    known = _PHOTOS | _LABELLED
    if name not in known:
        raise ValueError(
            f"name: expected one of {', '.join(map(repr, (*names(), *_LABELLED)))}, got {name!r}. "
            "For a picture of your own use PIL.Image.open(path)."
        )
    return known[name]


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
