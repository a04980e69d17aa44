"""What pictures and maps must look like before anything is drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from camlib.errors import describe
from camlib.pictures import to_rgb

# Rounding may carry a scaled map this far over the end of its range, and resizing a picture's white
# or black pixel; such values are cut.
_TOLERANCE, _OVERSHOOT = 1e-5, 1e-3


def as_numbers(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return a float64 copy of an array, a nested list or a tensor without gradient."""
    try:
        array = np.asarray(value)
    except (RuntimeError, TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: expected an array of numbers, or lists of one length, got {describe(value)}, "
            f"which numpy cannot read. For a tensor pass {name}.detach().float().cpu()."
        ) from error
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"{name}: expected an array of real numbers, got {describe(value)}. "
            f"Pass integers or floats."
        )
    numbers = array.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"{name}: expected finite numbers, got NaN or infinity in "
            f"{int((~np.isfinite(numbers)).sum())} of {numbers.size} elements. "
            "Look where they come from: pictures and maps of a healthy network have none."
        )
    return numbers


def as_map(name: str, value: ArrayLike, low: float, high: float) -> NDArray[np.float64]:
    """Return one map (h, w) as float64, refused if it leaves the range from ``low`` to ``high``."""
    numbers = as_numbers(name, value)
    if numbers.ndim != 2 or numbers.size == 0:
        raise ValueError(
            f"{name}: expected one map of shape (h, w), got shape {numbers.shape}. "
            "Take one picture's map of one class, for example cam.maps[0, 0]."
        )
    slack = _TOLERANCE * max(abs(low), abs(high))
    least, most = numbers.min(), numbers.max()
    if least < low - slack or most > high + slack:
        raise ValueError(
            f"{name}: expected values from {low:g} to {high:g}, got {least:.4g} to {most:.4g}. "
            f"Scale it as the last step, after upsampling: camlib.scaling.signed({name}) gives "
            "-1 to 1, camlib.scaling.positive gives 0 to 1."
        )
    return numbers.clip(low, high)


def as_picture(name: str, value: ArrayLike | Image.Image) -> NDArray[np.float64]:
    """Return a picture (H, W, 3) as float64 in [0, 1], from uint8 or float in [0, 1], or from PIL.

    A grey one, (H, W) or (H, W, 1), gets three equal channels.
    """
    if isinstance(value, Image.Image):
        value = np.asarray(to_rgb(value))
    numbers = as_numbers(name, value)
    if numbers.ndim == 2:
        numbers = numbers[..., None]
    if numbers.ndim == 3 and numbers.shape[2] == 1:
        numbers = numbers.repeat(3, axis=2)
    if numbers.ndim != 3 or numbers.shape[2] != 3 or numbers.size == 0:
        raise ValueError(
            f"{name}: expected a picture of shape (H, W, 3) or (H, W), got shape {numbers.shape}. "
            + _shape_cure(name, numbers)
        )
    dtype = str(getattr(value, "dtype", "float")).removeprefix("torch.")
    if dtype == "uint8" or (not hasattr(value, "dtype") and np.asarray(value).dtype == np.uint8):
        return numbers / 255
    if "float" not in dtype or numbers.min() < -_OVERSHOOT or numbers.max() > 1 + _OVERSHOOT:
        raise ValueError(
            f"{name}: expected uint8, or floats from 0 to 1, got {dtype} from {numbers.min():.4g} "
            f"to {numbers.max():.4g}. Divide 0-255 values by 255; turn a network's input back "
            "into a picture with camlib.networks.to_picture."
        )
    return numbers.clip(0, 1)


def _shape_cure(name: str, numbers: NDArray[np.float64]) -> str:
    if numbers.ndim == 3 and numbers.shape[0] == 3:
        return "Move the colour axis to the end: camlib.networks.to_picture does it."
    if numbers.ndim == 3 and numbers.shape[2] == 4:
        return f"Drop the transparency: {name}[..., :3]."
    return f"Take one picture of three colours, for example {name}[0] of a batch."
