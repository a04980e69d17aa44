"""The explorers' door: each check names the argument, what was expected, what came, the cure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int, Int16, UInt8
from torch import Tensor

from camlib.errors import describe
from camlib.explorers.dual_output import as_bytes

if TYPE_CHECKING:
    from camlib.explain import ClassActivationMaps

# How far mean(map) + offset may miss the logit, in parts of the largest one: maps and logits of
# half precision agree only roughly.
TOLERANCE = {torch.float16: 2e-2, torch.bfloat16: 2e-1}
AS_IT_IS = "Pass the result of camlib.class_activation_maps as it is."
ONE_MAP = "Pass the raw map of one class: cam.maps[0, class_index]."
ALL_MAPS = "Pass the raw maps of one picture: cam.maps[0]."
AS_SEEN = "Pass what the network saw: camlib.networks.to_picture(images[0])."


@dataclass(frozen=True)
class Evidence:
    """One picture's c maps of h by w cells, as they are shown: in whole steps."""

    steps: Int16[np.ndarray, "c h w"]
    step: float
    logits: Float[np.ndarray, " c"]
    offset: Float[np.ndarray, " c"]
    classes: Int[np.ndarray, " c"]
    names: tuple[str, ...]
    held: str = ""

    @property
    def maps(self) -> Float[np.ndarray, "c h w"]:
        """The values themselves, at most half a step from the network's."""
        return self.steps.astype(np.float32) * np.float32(self.step)

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.steps.shape[1], self.steps.shape[2]


def checked_picture(
    image: object, name: str = "image", cure: str = AS_SEEN
) -> UInt8[np.ndarray, "H W 3"]:
    """Return ``image`` as bytes, or raise: an (H, W, 3) array, uint8 or floats from 0 to 1."""
    came = f"got {describe(image)}. {cure}"
    if not isinstance(image, np.ndarray):
        raise TypeError(f"{name}: expected a numpy array of shape (H, W, 3), {came}")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"{name}: expected shape (H, W, 3), colours last, {came}")
    if image.dtype == np.uint8:
        return image.copy()
    if not np.issubdtype(image.dtype, np.floating):
        raise TypeError(f"{name}: expected dtype uint8 or floating, {came}")
    if not np.isfinite(image).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity. {cure}")
    low, high = float(image.min()), float(image.max())
    # Resizing may carry a white pixel a little over the end.
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(
            f"{name}: expected floats from 0 to 1, got {low:.3g} to {high:.3g}. {cure}"
        )
    return as_bytes(image)


def checked_map(map: object, name: str = "map") -> Float[np.ndarray, "h w"]:
    """Return one raw map as float32, or raise."""
    return _checked_cells(map, name, "(h, w)", ONE_MAP)


def checked_maps(maps: object, name: str) -> Float[np.ndarray, "c h w"]:
    """Return the raw maps of one picture, one for each class, as float32, or raise."""
    return _checked_cells(maps, name, "(c, h, w)", ALL_MAPS)


def _checked_cells(
    values: object, name: str, shape: str, cure: str
) -> Float[np.ndarray, "*axes h w"]:
    came = f"got {describe(values)}. {cure}"
    if not isinstance(values, (Tensor, np.ndarray)):
        raise TypeError(f"{name}: expected a tensor or array of shape {shape}, {came}")
    if values.ndim != len(shape.split()) or 0 in values.shape:
        raise ValueError(f"{name}: expected shape {shape}, rows of cells and columns, {came}")
    tensor = torch.as_tensor(values).detach()
    if not tensor.is_floating_point():
        raise TypeError(f"{name}: expected a floating-point dtype, {came}")
    numbers = tensor.to("cpu", torch.float32, copy=True)
    if not torch.isfinite(numbers).all():
        raise ValueError(
            f"{name}: expected finite numbers, got NaN or infinity. "
            "Look for it in the images first: images.isfinite().all()."
        )
    return numbers.numpy()


def checked_evidence(cam: ClassActivationMaps, class_names: Sequence[str]) -> Evidence:
    """Return the maps of one picture with a name for each, or raise."""
    missing = [name for name in ("maps", "logits", "offset", "classes") if not hasattr(cam, name)]
    if missing:
        raise TypeError(
            "cam: expected the result of camlib.class_activation_maps, got "
            f"{describe(cam)} without {', '.join(missing)}. {AS_IT_IS}"
        )
    shape = torch.as_tensor(cam.maps).shape
    if len(shape) != 4 or 0 in shape:
        raise ValueError(
            f"cam.maps: expected shape (1, c, h, w), got {describe(cam.maps)}. {AS_IT_IS}"
        )
    if shape[0] != 1:
        raise ValueError(
            f"cam: expected the maps of one picture, got {shape[0]} pictures. "
            "Pass one of them: camlib.class_activation_maps(network, images[:1])."
        )
    maps, logits = _exact(cam.maps), _exact(cam.logits)
    classes = np.asarray(torch.as_tensor(cam.classes).cpu()).astype(np.int64)
    if logits.shape != shape[:2] or classes.shape != shape[1:2]:
        raise ValueError(
            f"cam: expected a logit and a class index for each of {shape[1]} maps, got logits "
            f"{describe(cam.logits)} and classes {describe(cam.classes)}. {AS_IT_IS}"
        )
    offset = _exact(cam.offset).expand_as(logits)
    _check_identity(maps, logits, offset, TOLERANCE.get(cam.maps.dtype, 1e-3))
    step = whole_step(float(maps.abs().max()))
    return Evidence(
        torch.round(maps[0] / step).to(torch.int16).numpy(),
        step,
        logits[0].numpy().astype(np.float32),
        offset[0].numpy().astype(np.float32),
        classes,
        checked_names(class_names, classes),
        held_in_words(cam),
    )


def held_in_words(found: object) -> str:
    """Name the layers whose spread is held in maps or a head; empty for most networks."""
    held = ", ".join(getattr(found, "held", ()))
    return f"The spread of {held} is held." if held else ""


def _exact(numbers: Tensor) -> Float[Tensor, "*axes"]:
    return torch.as_tensor(numbers).detach().to("cpu", torch.float64)


def _check_identity(
    maps: Float[Tensor, "1 c h w"],
    logits: Float[Tensor, "1 c"],
    offset: Float[Tensor, "1 c"],
    tolerance: float,
) -> None:
    """Raise unless the sum that the explorer writes out is true."""
    if not all(torch.isfinite(numbers).all() for numbers in (maps, logits, offset)):
        raise ValueError(
            "cam: expected finite maps, logits and offset, got NaN or infinity. "
            "Look for it in the images first: images.isfinite().all()."
        )
    gap = float((maps.mean((2, 3)) + offset - logits).abs().max())
    if gap > tolerance * max(1.0, float(logits.abs().max())):
        raise ValueError(
            f"cam: expected mean(map) + offset = logit, got a difference of {gap:.2g}. Pass the "
            "maps raw, without ReLU or scaling: the explorer scales only the colours."
        )


def whole_step(peak: float) -> float:
    """Return the smallest power of two whose int16 multiples reach ``peak``.

    As many bytes as float16, but a tenth of its error in the mean that the page writes out; and,
    being a power of two, a step that another CPU's rounding does not change.
    """
    return 2.0 ** math.ceil(math.log2(peak / 32767)) if peak > 0 else 1.0


def checked_names(class_names: Sequence[str], classes: Int[np.ndarray, " c"]) -> tuple[str, ...]:
    """Return one name for each map.

    ``class_names`` either lists all of the network's classes, and a map's class index finds its
    name, or holds exactly one name for each map, in the maps' order. A list that could be both is
    read as the former.
    """
    if isinstance(class_names, str) or not all(isinstance(name, str) for name in class_names):
        raise TypeError(
            f"class_names: expected a sequence of strings, got {describe(class_names)}. "
            "Pass camlib.networks.class_names(), or a list such as ['cat', 'dog']."
        )
    count = int(classes.max()) + 1
    if len(class_names) >= count:
        return tuple(class_names[index] for index in classes)
    if len(class_names) == len(classes):
        return tuple(class_names)
    raise ValueError(
        f"class_names: expected a name for each of {len(classes)} maps, or all of the network's "
        f"{count} or more, got {len(class_names)}. Pass camlib.networks.class_names()."
    )


def check_proportions(picture: UInt8[np.ndarray, "H W 3"], cells: tuple[int, int]) -> None:
    """Raise unless one stride can cut the picture into so many rows and columns of cells.

    A network of stride s makes H/s rows of a picture H pixels high, give or take less than one. A
    picture that no s fits is not the one that the maps belong to.
    """
    least = max(length / (count + 1) for length, count in zip(picture.shape, cells, strict=False))
    most = min(
        length / (count - 1) if count > 1 else math.inf
        for length, count in zip(picture.shape, cells, strict=False)
    )
    if least >= most:
        height, width = picture.shape[:2]
        raise ValueError(
            f"image: expected the picture that {cells[0]}×{cells[1]} cells belong to, got one of "
            f"{height}×{width} pixels, of other proportions. Did the network see it cropped? "
            f"{AS_SEEN}"
        )
