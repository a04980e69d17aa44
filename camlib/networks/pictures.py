"""Layer 2: from a photograph to what the network reads, and back to what it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from camlib.errors import check_finite, check_floating, check_whole, describe, warn
from camlib.pictures import Geometry, Range, to_rgb

# EfficientNet-Lite reads (pixel - 127) / 128 for pixels of 0 to 255.
MEAN = 127 / 255
STD = 128 / 255
# A picture in RGB to what the network reads: weights.transforms(), timm's, or a Compose of one's own.
Transforms = Callable[[Image.Image], Tensor]
# Interpolation may carry a pixel this far beyond black and white.
_ROUNDING = 0.01
# Steps that neither move nor change the colours of a pixel.
_CONVERSIONS = (
    "ToTensor", "MaybeToTensor", "PILToTensor", "MaybePILToTensor", "ToImage", "ToDtype",
    "ToPureTensor", "ConvertImageDtype", "Grayscale", "RGB",
)  # fmt: skip


def preprocess(
    pictures: Image.Image | Sequence[Image.Image],
    resize: int | None = 256,
    crop: int | None = 224,
    *,
    transforms: Transforms | None = None,
    range: Range | None = None,
) -> Float[Tensor, "n channels H W"]:
    r"""Resize, cut out the middle and normalise, as the network was trained.

    .. math:: \mathrm{image} = (\mathrm{pixel}/255 - \mu) / \sigma, \quad
              \mu = 127/255, \ \sigma = 128/255

    or as ``transforms`` does. :func:`geometry` tells where the crop lies in the photograph.

    Parameters
    ----------
    pictures
        A picture or several of them (equal in size when ``crop`` is None). Each is turned upright
        and converted by :func:`camlib.pictures.to_rgb` first, whatever its mode.
    resize
        Length of the shorter side after resizing (bilinear, antialiased); None keeps the size.
    crop
        Side of the square cut from the middle; None keeps the whole picture.
    transforms
        Another network's own preprocessing, from a picture in RGB to a tensor (channels, H, W):
        torchvision's ``weights.transforms()``, ``timm.data.create_transform(...)``, or a
        ``Compose``. ``resize`` and ``crop`` are not used then.
    range
        The values that are black and white, needed by pictures of floats and 32-bit numbers.

    Returns
    -------
    Tensor
        Images of shape (n, 3, H, W), about -1 to 1, ready for :func:`efficientnet_lite0` and
        :func:`squeezenet1_1`.

    Raises
    ------
    TypeError
        If something else than PIL pictures is passed, or ``transforms`` does not return tensors.
    ValueError
        If there is none, a size is below 1, the resulting sizes differ, or a picture cannot be
        converted.
    """
    several = [pictures] if isinstance(pictures, Image.Image) else pictures
    _check_pictures(several)
    steps = _check_transforms(transforms) or eval_transforms(resize, crop)
    images = [_transformed(steps, to_rgb(picture, range)) for picture in several]
    sizes = {tuple(image.shape[1:]) for image in images}
    if len(sizes) > 1:
        raise ValueError(
            f"pictures: expected equal sizes after cropping, got {sorted(sizes)} (height, width). "
            "Set crop, or pass the pictures one by one."
        )
    return torch.stack(images)


def eval_transforms(
    resize: int | Sequence[int] | None = 256,
    crop: int | None = 224,
    mean: float | Sequence[float] = MEAN,
    std: float | Sequence[float] = STD,
    interpolation: str = "bilinear",
) -> Transforms:
    """Compose the usual preprocessing of torchvision's transforms, by default EfficientNet-Lite's.

    Parameters
    ----------
    resize
        Length of the shorter side after resizing, (height, width), or None.
    crop
        Side of the square cut from the middle, or None.
    mean, std
        The normalisation of pixels from 0 to 1, one number for all channels or one for each. One
        number in a sequence is for networks that read grey pictures.
    interpolation
        "nearest", "bilinear", "bicubic" or "lanczos".

    Returns
    -------
    Callable
        From a PIL picture to a tensor (channels, H, W).

    Raises
    ------
    ValueError
        If a size is below 1, a standard deviation is not positive, or the interpolation is not known.

    Warns
    -----
    UserWarning
        If the normalisation looks like one of pixels from 0 to 255.
    """
    advice = "The network was trained with resize=256, crop=224."
    if resize is not None and (isinstance(resize, str) or not isinstance(resize, Sequence)):
        resize = check_whole("resize", resize, 1, advice=advice)
    if crop is not None:
        crop = check_whole("crop", crop, 1, advice=advice)
    means, stds = _normal(mean, std)
    from torchvision.transforms import InterpolationMode, v2  # as long to import as torch

    steps: list[Any] = []
    if resize is not None:
        side = [resize] if isinstance(resize, int) else list(resize)
        steps.append(v2.Resize(side, interpolation=InterpolationMode(interpolation)))
    if crop is not None:
        steps.append(v2.CenterCrop(crop))
    if len(means) == 1:
        steps.append(v2.Grayscale())
    steps += [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(means, stds)]
    composed: Transforms = v2.Compose(steps)
    return composed


def geometry(
    picture: Image.Image,
    resize: int | None = 256,
    crop: int | None = 224,
    *,
    transforms: Transforms | None = None,
) -> Geometry:
    """Tell where the image that :func:`preprocess` makes lies in the photograph.

    Parameters
    ----------
    picture
        The photograph, as :func:`preprocess` gets it: its orientation is applied.
    resize, crop, transforms
        As in :func:`preprocess`.

    Returns
    -------
    Geometry
        Pass it to :func:`camlib.plotting.overlay` with the photograph.

    Raises
    ------
    TypeError
        If ``picture`` is no PIL picture.
    ValueError
        If ``transforms`` holds a step of which it is not known where it moves a pixel.
    """
    _check_pictures(picture, "picture")
    width, height = picture.size
    if picture.getexif().get(0x0112, 1) >= 5:  # Orientation: stored on its side
        width, height = height, width
    read = _read(_check_transforms(transforms) or eval_transforms(resize, crop), where=True)
    return Geometry.of((height, width), read.resize, read.crop, read.longest)


def to_picture(
    images: Float[Tensor, "*n channels H W"],
    transforms: Transforms | None = None,
    *,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
) -> Float[np.ndarray, "*n H W 3"]:
    r"""Undo the normalisation: what the network saw, as an array that can be shown.

    .. math:: \mathrm{pixel}/255 = \mathrm{image} \cdot \sigma + \mu

    Parameters
    ----------
    images
        Images from :func:`preprocess`, shape (channels, H, W) or (n, channels, H, W) with three
        channels or a grey one.
    transforms
        What made them, if not EfficientNet-Lite's preprocessing: the normalisation is read from it.
    mean, std
        Or the normalisation itself, one number or one for each channel.

    Returns
    -------
    numpy.ndarray
        Shape (H, W, 3) or (n, H, W, 3), dtype float32, values in [0, 1]; a grey channel is repeated.

    Raises
    ------
    TypeError
        If ``images`` is not a floating-point tensor.
    ValueError
        If it does not have one or three channels in the right place, or the normalisation cannot be
        read from ``transforms``.

    Warns
    -----
    UserWarning
        If the pixels would lie outside 0 to 1: then another normalisation made the images.
    """
    tensor = check_floating("images", images)
    if tensor.ndim not in (3, 4) or tensor.shape[-3] not in (1, 3):
        raise ValueError(
            f"images: expected shape (channels, H, W) or (n, channels, H, W) with 1 or 3 channels, "
            f"got {describe(images)}. Pass what camlib.networks.preprocess returned."
        )
    if (mean is None) != (std is None) or (transforms is not None and mean is not None):
        raise ValueError(
            "mean, std: expected both, or transforms, or nothing for EfficientNet-Lite, got a mix. "
            "For torchvision's networks pass weights.transforms()."
        )
    if transforms is not None:
        mean, std = _normalisation(_check_transforms(transforms))
    elif mean is None:
        mean, std = MEAN, STD
    means, stds = (torch.tensor(one, dtype=torch.float32).reshape(-1, 1, 1) for one in (mean, std))
    if len(means) not in (1, tensor.shape[-3]) or len(stds) not in (1, tensor.shape[-3]):
        raise ValueError(
            f"mean, std: expected one number or one for each of {tensor.shape[-3]} channels, got "
            f"{mean!r} and {std!r}. Pass those the images were normalised with."
        )
    pixels = tensor.detach().float().cpu() * stds + means
    low, high = check_finite("images", pixels, "Look for a division by zero in the preprocessing.")
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        warn(
            f"images: expected pixels from 0 to 1 after undoing mean {mean} and std {std}, got "
            f"{low:.3g} to {high:.3g}, which are cut off. If another preprocessing made the images, "
            "pass it: to_picture(images, weights.transforms()), or mean= and std=."
        )
    pixels = pixels.clamp(0, 1).expand(*pixels.shape[:-3], 3, *pixels.shape[-2:])
    return np.ascontiguousarray(pixels.movedim(-3, -1).numpy())


def class_names() -> tuple[str, ...]:
    """Return the names of the 1000 ImageNet classes, in the order of the network's logits."""
    from torchvision.models import ResNet18_Weights  # as long to import as torch

    return tuple(ResNet18_Weights.DEFAULT.meta["categories"])


class _Read(NamedTuple):
    """What is known of transforms; sizes are (height, width), or one number for the shorter side."""

    resize: int | tuple[int, int] | None = None
    longest: int | None = None  # of the longer side after resizing
    crop: tuple[int, int] | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None


def _read(transforms: Any, *, where: bool) -> _Read:
    """Read sizes and normalisation; with ``where`` refuse steps that may move pixels."""
    if hasattr(transforms, "resize_size") and hasattr(transforms, "crop_size"):  # torchvision's
        return _Read(
            _size(transforms.resize_size), None, _square(transforms.crop_size),
            list(transforms.mean), list(transforms.std),
        )  # fmt: skip
    found = _Read()
    for step in _steps(transforms):
        kind = type(step).__name__
        resized = found.resize is not None or found.longest is not None
        if kind == "Resize" and found.crop is None and not resized:
            longest = getattr(step, "max_size", None)
            found = found._replace(resize=_size(step.size), longest=longest)
        elif kind == "CenterCrop" and found.crop is None:
            found = found._replace(crop=_square(step.size))
        elif kind == "Normalize":
            found = found._replace(
                mean=torch.as_tensor(step.mean).flatten().tolist(),
                std=torch.as_tensor(step.std).flatten().tolist(),
            )
        elif where and kind not in _CONVERSIONS:
            raise ValueError(
                f"transforms: expected one Resize, then one CenterCrop, and steps that are known to "
                f"move no pixel, got {kind}. In Python, build camlib.pictures.Geometry(size, box) "
                "yourself: the photograph's (height, width) and the edges (x0, y0, x1, y1) of the image "
                "in it; for a command, give the network transforms of such steps."
            )
    return found


def _steps(transforms: Any) -> Iterator[Any]:
    """Yield the steps of (nested) compositions one after the other."""
    if isinstance(transforms, torch.nn.Sequential):
        inner: Any = transforms
    elif type(transforms).__name__ in ("Compose", "MaybeCompose"):
        inner = transforms.transforms
    else:  # also what runs its parts now and then, or in another order
        yield transforms
        return
    for step in inner:
        yield from _steps(step)


def _normalisation(transforms: Any) -> tuple[Sequence[float], Sequence[float]]:
    read = _read(transforms, where=False)
    if read.mean is None or read.std is None:
        raise ValueError(
            f"transforms: expected a Normalize among its steps, got {describe(transforms)}. Pass the "
            "normalisation itself: mean=..., std=...."
        )
    return read.mean, read.std


def _size(size: Any) -> Any:
    """Return a number, (height, width), or None."""
    if size is None or isinstance(size, int):
        return size
    return int(size[0]) if len(size) == 1 else (int(size[0]), int(size[1]))


def _square(size: Any) -> Any:
    sides = _size(size)
    return (sides, sides) if isinstance(sides, int) else sides


def _normal(
    mean: float | Sequence[float], std: float | Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return a mean and a standard deviation for each channel."""
    means, stds = (
        [float(one)] * 3 if isinstance(one, (int, float)) else [*map(float, one)]
        for one in (mean, std)
    )
    channels = max(len(means), len(stds))
    means, stds = (one * channels if len(one) == 1 else one for one in (means, stds))
    if len(means) != len(stds) or len(means) not in (1, 3) or not all(one > 0 for one in stds):
        raise ValueError(
            "mean, std: expected one number or three each, the standard deviation above 0, got "
            f"{mean!r} and {std!r}. Pass those that the network was trained with."
        )
    if max(map(abs, [*means, *stds])) > 2:
        warn(
            f"mean, std: expected those of pixels from 0 to 1, got {mean!r} and {std!r}, which look "
            "like those of pixels from 0 to 255. Divide them by 255."
        )
    return means, stds


def _transformed(transforms: Transforms, picture: Image.Image) -> Tensor:
    try:
        image = transforms(picture)
    except Exception as error:  # of the user's own steps
        raise ValueError(
            f"transforms: expected a tensor from a picture of {picture.width}×{picture.height} pixels "
            f"in RGB, got {type(error).__name__}: {error}. Try them on one picture."
        ) from error
    if not isinstance(image, Tensor) or image.ndim != 3:
        raise TypeError(
            f"transforms: expected a tensor (channels, H, W) from a PIL picture, got "
            f"{describe(image)}. End it with a conversion to a tensor and Normalize."
        )
    return image


def _check_transforms(transforms: Any) -> Any:
    if transforms is not None and not callable(transforms):
        made = hasattr(transforms, "transforms")  # a member of torchvision's weights
        raise TypeError(
            f"transforms: expected a function of a PIL picture, got {describe(transforms)}. "
            + ("Call it: weights.transforms()." if made else "Pass a Compose of transforms.")
        )
    return transforms


def _check_pictures(pictures: object, name: str = "pictures") -> None:
    named: dict[str, object] = {name: pictures}
    if isinstance(pictures, Sequence) and not isinstance(pictures, str):
        named = {f"pictures[{index}]": picture for index, picture in enumerate(pictures)}
    for name, picture in named.items():
        if not isinstance(picture, Image.Image):
            raise TypeError(
                f"{name}: expected a PIL picture, got {describe(picture)}. Open a file with "
                "PIL.Image.open(path), or convert an array with PIL.Image.fromarray."
            )
    if not named:
        raise ValueError("pictures: expected at least one picture, got none. Pass a PIL picture.")
