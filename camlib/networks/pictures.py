"""Layer 2: from a photograph to what the network reads, and back to what it saw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from camlib.errors import check_floating, check_whole, describe

# EfficientNet-Lite reads (pixel - 127) / 128 for pixels of 0 to 255.
MEAN = 127 / 255
STD = 128 / 255


def preprocess(
    pictures: Image.Image | Sequence[Image.Image],
    resize: int | None = 256,
    crop: int | None = 224,
) -> Float[Tensor, "n 3 H W"]:
    r"""Resize, cut out the middle and normalise, as the network was trained.

    .. math:: \mathrm{image} = (\mathrm{pixel}/255 - \mu) / \sigma, \quad
              \mu = 127/255, \ \sigma = 128/255

    Parameters
    ----------
    pictures
        A picture or several of them (equal in size when ``crop`` is None). A photograph that a
        camera stored on its side (EXIF orientation) is turned upright, transparent pictures are
        laid on white, other colour modes than RGB are converted.
    resize
        Length of the shorter side after resizing (bilinear, antialiased); None keeps the size.
    crop
        Side of the square cut from the middle; None keeps the whole picture.

    Returns
    -------
    Tensor
        Images of shape (n, 3, H, W), about -1 to 1, ready for :func:`efficientnet_lite0`.

    Raises
    ------
    TypeError
        If something else than PIL pictures is passed.
    ValueError
        If there is none, a size is below 1, or the resulting sizes differ.
    """
    several = [pictures] if isinstance(pictures, Image.Image) else pictures
    _check_pictures(several)
    for name, length in (("resize", resize), ("crop", crop)):
        if length is not None:
            check_whole(
                name, length, 1, advice="The network was trained with resize=256, crop=224."
            )
    images = [_normalised(picture, resize, crop) for picture in several]
    sizes = {tuple(image.shape[1:]) for image in images}
    if len(sizes) > 1:
        raise ValueError(
            f"pictures: expected equal sizes after cropping, got {sorted(sizes)} (height, width). "
            "Set crop, or pass the pictures one by one."
        )
    return torch.stack(images)


def to_picture(images: Float[Tensor, "*n 3 H W"]) -> Float[np.ndarray, "*n H W 3"]:
    """Undo the normalisation: what the network saw, as an array that can be shown.

    Parameters
    ----------
    images
        Images from :func:`preprocess`, shape (3, H, W) or (n, 3, H, W).

    Returns
    -------
    numpy.ndarray
        Shape (H, W, 3) or (n, H, W, 3), dtype float32, values in [0, 1].

    Raises
    ------
    TypeError
        If ``images`` is not a floating-point tensor.
    ValueError
        If it does not have three colour channels in the right place.
    """
    tensor = check_floating("images", images)
    if tensor.ndim not in (3, 4) or tensor.shape[-3] != 3:
        raise ValueError(
            f"images: expected shape (3, H, W) or (n, 3, H, W), got {describe(images)}. "
            "Pass what camlib.networks.preprocess returned."
        )
    pixels = (tensor.detach().float().cpu() * STD + MEAN).clamp(0, 1)
    return np.ascontiguousarray(pixels.movedim(-3, -1).numpy())


def class_names() -> tuple[str, ...]:
    """Return the names of the 1000 ImageNet classes, in the order of the network's logits."""
    from torchvision.models import ResNet18_Weights  # as long to import as torch

    return tuple(ResNet18_Weights.DEFAULT.meta["categories"])


def _check_pictures(pictures: object) -> None:
    named = {"pictures": pictures}
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


def _normalised(picture: Image.Image, resize: int | None, crop: int | None) -> Tensor:
    from torchvision.transforms.v2 import functional as T  # as long to import as torch

    rgb = _on_white(ImageOps.exif_transpose(picture))
    if resize is not None:
        rgb = T.resize(rgb, [resize])
    if crop is not None:
        rgb = T.center_crop(rgb, [crop, crop])
    return (T.to_dtype(T.pil_to_tensor(rgb), torch.float32, scale=True) - MEAN) / STD


def _on_white(picture: Image.Image) -> Image.Image:
    """Convert to RGB; what is transparent shows white, not the colour that happens to be stored."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    rgba = picture.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")
