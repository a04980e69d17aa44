"""Layer 2: scenes of one to four garments, whose boxes and masks are known because we placed them."""

from camlib.scenes.garments import CLASS_NAMES, Garments, load_garments
from camlib.scenes.making import BACKGROUNDS, Scenes, make_scenes

__all__ = [
    "BACKGROUNDS",
    "CLASS_NAMES",
    "Garments",
    "Scenes",
    "load_garments",
    "make_scenes",
]
