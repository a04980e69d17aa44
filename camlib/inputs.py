"""Checks of networks, images, class indices and outputs that would crash later or give a wrong map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from camlib.errors import check_finite, check_floating, describe, warn

_NORMALISE = (
    "Normalise them as the network was trained (camlib.networks.preprocess for efficientnet_lite0, "
    "weights.transforms() for torchvision); if the network was trained on such values, pass "
    "check_values=False to silence this warning."
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
    """Raise if ``images`` is no batch that this network can read; warn if its values look raw."""
    batch = check_floating("images", images)
    if not 3 <= batch.ndim <= 5:
        advice = (
            " If the first axis (n) is missing, add it: images[None]." if batch.ndim == 2 else ""
        )
        raise ValueError(
            f"images: expected axes (n, channels, *places) with one to three axes of places, got "
            f"{describe(batch)}.{advice}"
        )
    if batch.numel() == 0:
        raise ValueError(
            f"images: expected at least one element along every axis, got {describe(batch)}. Pass a "
            "batch (n, channels, *places) that holds a picture."
        )
    _check_kind(batch, network)
    low, high = check_finite("images", batch, "Look for a division by zero in the preprocessing.")
    if check_values:
        _warn_of_values(low, high)


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


def _warn_of_values(low: float, high: float) -> None:
    looks = ""
    if max(-low, high) > _LARGEST_NORMALISED:
        raw = low >= 0 and high <= 255
        looks = "raw pixels from 0 to 255" if raw else "measurements that were not normalised"
    elif low >= 0 and high <= 1 and low < high:
        looks = "pixels from 0 to 1 that were not normalised"
    if looks:
        warn(
            f"images: expected normalised values, got {low:.3g} to {high:.3g}, which look like "
            f"{looks}. {_NORMALISE}"
        )


def check_channels(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise if the network's first convolution cannot read the images' channels or axes."""
    images = args[0] if args else kwargs["input"]
    weight = args[1] if len(args) > 1 else kwargs["weight"]
    groups = args[6] if len(args) > 6 else kwargs.get("groups", 1)
    wanted = weight.shape[1] * groups
    if images.ndim != weight.ndim:
        advice = " Pass a batch of pictures of that kind."
        if images.ndim == weight.ndim - 1:
            advice = " If the first axis (n) is missing, add it: images[None]."
        elif images.ndim == weight.ndim + 1:
            advice = (
                " Several views or frames of one example: let the network flatten them into the "
                "batch, or pass them one by one, images.flatten(0, 1)."
            )
        raise ValueError(
            f"images: expected {weight.ndim} axes, which the network's first convolution reads, got "
            f"{describe(images)}.{advice}"
        )
    if images.shape[1] != wanted:
        ones = ", 1" * (images.ndim - 2)
        advice = f" Repeat the grey channel: images.repeat(1, {wanted}{ones})."
        if images.shape[-1] == wanted:
            first = ", ".join(map(str, range(1, images.ndim - 1)))
            advice = f" Move the channels: images.permute(0, {images.ndim - 1}, {first})."
        elif images.shape[1] != 1:
            advice = f" Drop or add channels, for example images[:, :{wanted}]."
        raise ValueError(
            f"images: expected {wanted} channels, which the network's first convolution reads, got "
            f"{images.shape[1]}.{advice}"
        )


def check_run(run: object) -> None:
    """Raise if ``run`` is neither None nor a function."""
    if run is not None and not callable(run):
        raise TypeError(
            f"run: expected a function from network and images to the output, got {describe(run)}. "
            "For example run=lambda network, images: network(images).logits."
        )


def class_indices(name: str, given: object, count: int | None = None) -> list[int]:
    """Return class indices as ints: whole numbers, at least one, below ``count`` where it is known."""
    numbers = given.tolist() if isinstance(given, (Tensor, np.ndarray)) else given
    if not isinstance(numbers, Sequence) or isinstance(numbers, (str, bytes)):
        raise TypeError(
            f"{name}: expected a sequence of class indices, got {given!r}. "
            f"For one class pass a list of one: {name}=[281]."
        )
    if not numbers:
        raise ValueError(
            f"{name}: expected at least one class index, got none. Pass None for all classes."
        )
    # By their types, of which there are few: all classes may be a thousand numbers.
    kinds = set(map(type, numbers))
    wrong = {kind for kind in kinds if not issubclass(kind, (int, np.integer)) or kind is bool}
    if wrong:
        number = next(number for number in numbers if type(number) in wrong)
        raise TypeError(
            f"{name}: expected whole numbers, got {number!r} of type {type(number).__name__}. "
            "Pass indices; for a name use camlib.networks.class_names().index(name)."
        )
    whole = [int(number) for number in numbers]
    low, high = min(whole), max(whole)
    largest = max(low, high, key=abs)
    if abs(largest) >= 2**63:  # no tensor holds it
        raise ValueError(f"{name}: expected class indices, got {largest}. Pass smaller ones.")
    if count is not None and not 0 <= low <= high < count:
        raise ValueError(
            f"{name}: expected indices from 0 to {count - 1}, got {low if low < 0 else high}. "
            "Count from the first class, not from the last."
        )
    return whole


class NotLogitsError(ValueError):
    """An output that is not one row of numbers per picture; there may be a target that reads it."""


def as_logits(output: object, n: int) -> Tensor:
    """Return a network's output if it is one row of logits per picture; one logit needs no axis."""
    with torch._C.DisableTorchFunction():  # what is checked here is no part of the network
        _check_logits(output, n)
    assert isinstance(output, Tensor)
    return output.unsqueeze(1) if output.ndim == 1 else output


def _check_logits(output: object, n: int) -> None:
    if not isinstance(output, Tensor) or output.ndim not in (1, 2) or not output.numel():
        raise NotLogitsError(
            f"network: expected an output of shape (n, classes) = ({n}, classes), got "
            f"{describe(output)}. Pass run=lambda network, images: {_the_logits_of(output)}."
        )
    if len(output) != n:
        raise NotLogitsError(
            f"network: expected one row of logits for each of the {n} pictures, got "
            f"{describe(output)}. Pass run=... with a function that returns them in the pictures' order."
        )
    if not output.is_floating_point():
        raise NotLogitsError(
            f"network: expected logits that are floating-point numbers, got {describe(output)}. "
            "Leave argmax and rounding out of forward."
        )
    check_finite("network(images)", output, "Look for damaged weights or an overflow.")


def _the_logits_of(output: object) -> str:
    """Write out how the logits are taken from what a network returned."""
    if isinstance(output, Mapping):
        key = "logits" if "logits" in output else next(iter(output), "logits")
        return f"network(images)[{key!r}]"
    if hasattr(output, "logits"):
        return "network(images).logits"
    if isinstance(output, (list, tuple)):
        return "network(images)[0]"
    return "..., a function that returns the logits"
