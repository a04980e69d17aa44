"""Refuse networks, images and outputs that would crash later, or worse, give a wrong map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from camlib.errors import check_axes, check_finite, describe

_NORMALISE = (
    "Normalise them as the network was trained (camlib.networks.preprocess for efficientnet_lite0, "
    "weights.transforms() for torchvision)"
)
# Normalised pictures lie within about -3 and 3; raw bytes do not.
_LARGEST_NORMALISED = 16


def check_network(network: object) -> None:
    """Raise if ``network`` is no module or has nothing learnt in it."""
    if not isinstance(network, nn.Module):
        raise TypeError(
            f"network: expected a torch.nn.Module, got {describe(network)}. "
            "Pass the network itself, for example camlib.networks.efficientnet_lite0()."
        )
    parameter = next(_parameters(network), None)
    if parameter is None:
        raise ValueError(
            f"network: expected a network with parameters, got {type(network).__name__} without "
            "any. Pass the trained classifier."
        )
    if parameter.is_meta:
        raise ValueError(
            f"network: expected parameters that hold numbers, got {type(network).__name__} on the "
            'meta device. Give it memory with network.to_empty(device="cpu"), then load its weights.'
        )


def check_images(images: object, network: nn.Module, check_values: bool) -> None:
    """Raise if ``images`` is no batch that this network can read."""
    if (
        isinstance(images, Tensor)
        and images.ndim == 4
        and images.shape[1] > 4
        and images.shape[3] == 3
    ):
        raise ValueError(
            f"images: expected axes (n, channels, H, W), got {describe(images)}, which looks like "
            "(n, H, W, channels). Move the channels: images.permute(0, 3, 1, 2)."
        )
    batch = check_axes("images", images, "n channels H W")
    _check_kind(batch, network)
    low, high = check_finite("images", batch, "Look for a division by zero in the preprocessing.")
    if check_values:
        _check_values(low, high)


def _check_kind(images: Tensor, network: nn.Module) -> None:
    weight = next((p for p in _parameters(network) if p.is_floating_point()), None)
    if weight is None:
        return
    if images.device != weight.device or (
        images.dtype != weight.dtype and not torch.is_autocast_enabled(images.device.type)
    ):
        raise ValueError(
            f"images: expected {weight.dtype} on {weight.device} like the network's weights, got "
            f"{images.dtype} on {images.device}. Convert them: "
            f'images.to("{weight.device}", {weight.dtype}).'
        )


def _parameters(network: nn.Module) -> Iterator[nn.Parameter]:
    """Yield parameters as ``network.parameters()`` does; the first one comes ten times as fast."""
    stack = [network]
    while stack:
        module = stack.pop()
        yield from (p for p in module._parameters.values() if p is not None)
        stack += [child for child in reversed(module._modules.values()) if child is not None]


def _check_values(low: float, high: float) -> None:
    looks = ""
    if max(-low, high) > _LARGEST_NORMALISED:
        looks = "raw pixels from 0 to 255"
    elif low >= 0 and high <= 1 and low < high:
        looks = "pixels from 0 to 1 that were not normalised"
    if looks:
        raise ValueError(
            f"images: expected normalised values, got {low:.3g} to {high:.3g}, which look like "
            f"{looks}. {_NORMALISE}; if the network was trained on such values, pass "
            "check_values=False."
        )


def check_channels(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise if the network's first convolution cannot read the images' channels."""
    images = args[0] if args else kwargs["input"]
    weight = args[1] if len(args) > 1 else kwargs["weight"]
    groups = args[6] if len(args) > 6 else kwargs.get("groups", 1)
    wanted = weight.shape[1] * groups
    if images.ndim == 4 and images.shape[1] != wanted:
        cure = (
            " Repeat the grey channel: images.repeat(1, 3, 1, 1)."
            if images.shape[1] == 1
            else (" Drop or add channels, for example images[:, :3] to leave out transparency.")
        )
        raise ValueError(
            f"images: expected {wanted} channels, which the network's first convolution reads, got "
            f"{images.shape[1]}.{cure}"
        )


class NotLogitsError(ValueError):
    """An output that is not one row of numbers per picture; there may be a target that reads it."""


def check_logits(logits: object, n: int) -> None:
    """Raise if the network's output is not one row of logits per picture."""
    if isinstance(logits, Tensor) and logits.ndim == 2 and logits.shape[0] == n and logits.numel():
        if not logits.is_floating_point():
            raise NotLogitsError(
                f"network: expected logits that are floating-point numbers, got {describe(logits)}. "
                "Leave argmax and rounding out of forward."
            )
        check_finite("network(images)", logits, "Look for damaged weights or an overflow.")
        return
    raise NotLogitsError(
        f"network: expected an output of shape (n, classes) = ({n}, classes), got "
        f"{describe(logits)}. Wrap the network in a module whose forward returns only the logits."
    )
