"""Maps of three methods and two layers whose relations are known, for MethodComparer."""

from typing import Any

from torch import Tensor

from camlib.explorers import MethodComparer

from .conftest import make_cam, make_picture
from .figures import html_of

CLASSES = [7, 3, 9]


def make_maps() -> dict[str, dict[str, Tensor]]:
    """CAM, of the last layer alone; Grad-CAM, there CAM divided by h·w; Grad-CAM++, another map.

    Of the last class CAM's map is negative everywhere, Grad-CAM++'s positive.
    """
    last, early = make_cam(3).maps[0], make_cam(3, 14, 14).maps[0]
    return {
        "CAM": {"last": last},
        "Grad-CAM": {"early": early / 40, "last": last / 49},
        "Grad-CAM++": {"early": early.flip(0), "last": last.abs() / 3},
    }


def make(maps: Any = None, **options: Any) -> MethodComparer:
    """A comparer of these maps; any argument may be another one."""
    given: dict[str, Any] = {
        "image": make_picture(),
        "maps": make_maps() if maps is None else maps,
        "class_names": [f"thing {index}" for index in CLASSES],
        "classes": CLASSES,
    }
    return MethodComparer(**given | options)


def html_with(**options: Any) -> str:
    """The HTML of such a comparer."""
    return html_of(make(**options))
