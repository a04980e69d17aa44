"""Layers whose feature maps are weighed: by name, by module, or as one of several calls."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from torch import nn
from torch.jit import ScriptModule

from camlib.errors import describe

Layer = str | nn.Module | tuple[str | nn.Module, int]

_ALL = "dict(network.named_modules()) has all names."


@dataclass(frozen=True)
class Place:
    """A layer's ``call``-th call, counted from 1; None where it must be its only one."""

    module: nn.Module
    name: str
    call: int | None = None

    @property
    def label(self) -> str:
        """Name the place for people; the network as a whole has no name of its own."""
        name = self.name or "(the whole network)"
        return name if self.call is None else f"{name} (call {self.call})"


def as_place(network: nn.Module, layer: object) -> Place:
    """Find a layer in a network; raise an error that offers the closest names."""
    if isinstance(layer, tuple):
        return _as_call(network, layer)
    names = dict(network.named_modules(remove_duplicate=False))
    if isinstance(layer, str):
        if layer not in names:
            close = get_close_matches(layer, names, n=3, cutoff=0.4)
            offer = f"Close to it: {', '.join(map(repr, close))}." if close else _ALL
            raise ValueError(
                f"layer: expected the name of a layer of {type(network).__name__}, got {layer!r}. "
                f"{offer}"
            )
        return _with_hooks(Place(names[layer], layer))
    if not isinstance(layer, nn.Module):
        raise TypeError(
            f"layer: expected a layer's name or the layer itself, got {describe(layer)}. {_ALL}"
        )
    for name, module in names.items():
        if module is layer:
            return _with_hooks(Place(module, name))
    raise ValueError(
        f"layer: expected a layer of this {type(network).__name__}, got a {type(layer).__name__} that "
        "is not in it. Pass a name, or take the layer from this very network, not from a copy."
    )


def _as_call(network: nn.Module, layer: tuple[Any, ...]) -> Place:
    if len(layer) != 2 or type(layer[1]) is not int or layer[1] < 1:
        raise ValueError(
            f"layer: expected (name, call) with a call counted from 1, got {layer!r}. For the second "
            'call of a layer: layer=("act", 2).'
        )
    place = as_place(network, layer[0])
    return Place(place.module, place.name, layer[1])


def _with_hooks(place: Place) -> Place:
    if isinstance(place.module, ScriptModule):
        raise ValueError(
            f"layer: expected a layer that shows its output, got {place.label!r}, which is scripted "
            "or traced. Pass the original network."
        )
    return place
