"""The door of the explorers: each check names the argument, what was expected, what came, the cure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from camlib.errors import describe

if TYPE_CHECKING:
    from camlib.explain import ClassActivationMaps

# Maps and logits of half precision agree only roughly.
TOLERANCE = {torch.float16: 2e-2, torch.bfloat16: 2e-1}


@dataclass(frozen=True)
class Evidence:
    """One picture's maps as they are shown: rounded to float16, c classes, h by w cells."""

    maps: Float[np.ndarray, "c h w"]
    logits: Float[np.ndarray, " c"]
    offset: Float[np.ndarray, " c"]
    classes: Int[np.ndarray, " c"]
    names: tuple[str, ...]


def checked_picture(image: object) -> UInt8[np.ndarray, "H W 3"]:
    """Return ``image`` as bytes, or raise: an (H, W, 3) array, uint8 or floats from 0 to 1."""
    cure = "Pass what the network saw: camlib.networks.to_picture(images[0])."
    if not isinstance(image, np.ndarray):
        raise TypeError(f"image: expected a numpy array of shape (H, W, 3), got {describe(image)}. {cure}")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"image: expected shape (H, W, 3), colours last, got {describe(image)}. {cure}")
    if image.dtype == np.uint8:
        return image
    if not np.issubdtype(image.dtype, np.floating):
        raise TypeError(f"image: expected dtype uint8 or floating, got {describe(image)}. {cure}")
    if not np.isfinite(image).all():
        raise ValueError(f"image: expected finite numbers, got NaN or infinity. {cure}")
    low, high = float(image.min()), float(image.max())
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(f"image: expected floats from 0 to 1, got {low:.3g} to {high:.3g}. {cure}")
    return np.rint(255 * image.astype(np.float64).clip(0, 1)).astype(np.uint8)


def checked_evidence(cam: ClassActivationMaps, class_names: Sequence[str]) -> Evidence:
    """Return the maps of one picture with a name for each, or raise."""
    missing = [name for name in ("maps", "logits", "offset", "classes") if not hasattr(cam, name)]
    if missing:
        raise TypeError(
            f"cam: expected the result of camlib.class_activation_maps, got {describe(cam)} without "
            f"{', '.join(missing)}. Pass camlib.class_activation_maps(network, images[:1])."
        )
    maps = torch.as_tensor(cam.maps)
    if maps.ndim != 4 or 0 in maps.shape:
        raise ValueError(
            f"cam.maps: expected shape (1, c, h, w), got {describe(maps)}. "
            "Pass the result of camlib.class_activation_maps as it is."
        )
    if maps.shape[0] != 1:
        raise ValueError(
            f"cam: expected the maps of one picture, got {maps.shape[0]} pictures. "
            "Pass one of them: camlib.class_activation_maps(network, images[:1])."
        )
    logits, offset = _checked_numbers(cam, maps)
    table = maps[0].detach().to("cpu", torch.float64).numpy().astype(np.float16)
    if not np.isfinite(table).all():
        raise ValueError(
            f"cam.maps: expected values within ±65504, got {float(maps.abs().max()):.3g}. "
            "Check the network's last weights."
        )
    classes = np.asarray(torch.as_tensor(cam.classes).cpu()).astype(np.int64)
    if classes.shape != logits.shape:
        raise ValueError(
            f"cam.classes: expected one index for each of {len(logits)} maps, got {describe(cam.classes)}. "
            "Pass the result of camlib.class_activation_maps as it is."
        )
    return Evidence(table.astype(np.float32), logits, offset, classes, checked_names(class_names, classes))


def _checked_numbers(
    cam: ClassActivationMaps, maps: torch.Tensor
) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]:
    """Return logits and offset, proven to belong to the maps: mean(map) + offset = logit."""
    exact = maps.detach().to("cpu", torch.float64)
    logits = torch.as_tensor(cam.logits).detach().to("cpu", torch.float64)
    if logits.shape != maps.shape[:2]:
        raise ValueError(
            f"cam.logits: expected one for each of {maps.shape[1]} maps, got {describe(cam.logits)}. "
            "Pass the result of camlib.class_activation_maps as it is."
        )
    offset = torch.as_tensor(cam.offset).detach().to("cpu", torch.float64).expand_as(logits)
    if not all(torch.isfinite(tensor).all() for tensor in (exact, logits, offset)):
        raise ValueError(
            "cam: expected finite maps, logits and offset, got NaN or infinity. "
            "Look for it in the images first."
        )
    gap = float((exact.mean((2, 3)) + offset - logits).abs().max())
    scale = max(1.0, float(logits.abs().max()))
    if gap > TOLERANCE.get(maps.dtype, 1e-3) * scale:
        raise ValueError(
            f"cam: expected mean(map) + offset = logit, which the explorer writes out, got a difference "
            f"of {gap:.2g}. Pass the maps raw, without ReLU or scaling: the explorer scales the colours."
        )
    return logits[0].numpy().astype(np.float32), offset[0].numpy().astype(np.float32)


def checked_names(class_names: Sequence[str], classes: Int[np.ndarray, " c"]) -> tuple[str, ...]:
    """Return one name for each map.

    ``class_names`` either lists all of the network's classes, and a map's class index looks its name
    up, or holds exactly one name for each map, in the maps' order. A list that can be both is the
    former.
    """
    if isinstance(class_names, str) or not all(isinstance(name, str) for name in class_names):
        raise TypeError(
            f"class_names: expected a sequence of strings, got {describe(class_names)}. "
            "Pass camlib.networks.class_names() or a list such as ['cat', 'dog']."
        )
    highest = int(classes.max())
    if len(class_names) > highest:
        return tuple(class_names[index] for index in classes)
    if len(class_names) == len(classes):
        return tuple(class_names)
    raise ValueError(
        f"class_names: expected {highest + 1} or more names (all of the network's classes) or "
        f"{len(classes)} (one for each map), got {len(class_names)}. Pass camlib.networks.class_names()."
    )


def check_proportions(picture: UInt8[np.ndarray, "H W 3"], cells: tuple[int, int]) -> None:
    """Raise unless one stride can cut the picture into so many rows and columns of cells.

    A network of stride s makes between H/s - 1 and H/s + 1 rows of a picture H pixels high. A picture
    that no s fits is not the one that the maps belong to; most often it was cropped since.
    """
    ranges = [
        (length / (count + 1), length / (count - 1) if count > 1 else float("inf"))
        for length, count in zip(picture.shape[:2], cells, strict=True)
    ]
    if max(low for low, _ in ranges) >= min(high for _, high in ranges):
        height, width = picture.shape[:2]
        raise ValueError(
            f"image: expected the picture that the maps of {cells[0]}×{cells[1]} cells belong to, got "
            f"{height}×{width} pixels, whose cells would not be square. The network may have seen it "
            "cropped: pass camlib.networks.to_picture(images[0])."
        )
