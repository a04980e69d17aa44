"""One torch function that a network called, and what can be said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Call:
    """A function, what went in, and which of it came from the picture.

    ``keeps_values`` says that what came out holds the same values in the same order. ``held`` is
    what else came from the picture: a number that was computed from the pooled vector itself.
    """

    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    source: Tensor
    keeps_values: bool
    held: Tensor | None = None

    @property
    def name(self) -> str:
        """Return the function's name, as "linear" for ``torch.nn.functional.linear``."""
        return name_of(self.function)

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument that may have been passed by position or by name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)


@dataclass(frozen=True)
class Item:
    """A function that returns several tensors, and which of them is meant."""

    function: Callable[..., Any]
    place: int

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return that tensor alone."""
        return self.function(*args, **kwargs)[self.place]

    @property
    def __name__(self) -> str:
        return name_of(self.function)


def outcomes(function: Callable[..., Any], result: Any) -> list[tuple[Callable[..., Any], Tensor]]:
    """Return the tensors that a call returned, each with the function that returns it alone."""
    if isinstance(result, Tensor):
        return [(function, result)]
    if not isinstance(result, (list, tuple)):
        return []
    return [
        (Item(function, place), item)
        for place, item in enumerate(result)
        if isinstance(item, Tensor)
    ]


def distinct(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return each tensor once, in the order of its first place."""
    return list({id(tensor): tensor for tensor in tensors}.values())


def name_of(function: Callable[..., Any]) -> str:
    """Return a function's name; not every callable has one."""
    return getattr(function, "__name__", repr(function))


def tensors_among(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """Return the tensors among a call's arguments, also those in a list (as ``torch.cat`` takes)."""
    found: list[Tensor] = []
    for argument in (*args, *kwargs.values()):
        if isinstance(argument, Tensor):
            found.append(argument)
        elif isinstance(argument, (list, tuple)):
            found += [item for item in argument if isinstance(item, Tensor)]
    return found


def constants_of(network: nn.Module) -> list[Tensor]:
    """Return the tensors that the modules hold: buffers, and attributes that are none."""
    held = [value for module in network.modules() for value in vars(module).values()]
    held += [one for value in held if isinstance(value, dict) for one in value.values()]
    return tensors_among(held, {})


def tensors_read(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """Return the tensors whose values a call reads: ``zeros_like`` reads none, ``type_as`` one."""
    if name.startswith("new_") or name.endswith("_like"):
        return []
    found = tensors_among(args, kwargs)
    return found[:1] if name == "to" or name.endswith("_as") else found


def keeps_values(name: str, source: Tensor, result: Tensor) -> bool:
    """Say whether both hold the same values in the same order, but for a coarser dtype's rounding.

    A call that works in place (``mul_``, ``+=``) has overwritten what there was to compare with.
    """
    in_place = name.startswith(("__i", "__set")) or (name.endswith("_") and name[-2:] != "__")
    if in_place or min(source.ndim, result.ndim) < 2 or source.numel() != result.numel():
        return False
    before, after = source.flatten(1), result.flatten(1)
    return result.is_floating_point() and torch.equal(before.to(after.dtype), after)
