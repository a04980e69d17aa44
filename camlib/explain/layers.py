"""Layers whose feature maps are weighted: by name, by module, or as one of several calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from math import isqrt

from torch import Tensor, nn
from torch.jit import ScriptModule

from camlib.errors import describe

Layer = str | nn.Module | tuple[str | nn.Module, int]


@dataclass(frozen=True)
class LayerCall:
    """A layer's ``call``-th call, counted from 1; None where it must be its only one."""

    module: nn.Module
    name: str
    call: int | None = None

    @property
    def label(self) -> str:
        """Return what results and messages call it; the whole network has no name of its own."""
        name = self.name or "(the whole network)"
        return name if self.call is None else f"{name} (call {self.call})"


def find_layer(network: nn.Module, layer: object) -> LayerCall:
    """Find a layer in a network, or raise an error that offers the closest names."""
    if isinstance(layer, tuple):
        if len(layer) != 2 or type(layer[1]) is not int or layer[1] < 1:
            raise ValueError(
                f"layer: expected (name, call) with a call counted from 1, got {layer!r}. For the "
                'second call of a layer: layer=("act", 2).'
            )
        return replace(find_layer(network, layer[0]), call=layer[1])
    kind, all_names = type(network).__name__, "dict(network.named_modules()) has all names."
    modules = dict(network.named_modules(remove_duplicate=False))
    if isinstance(layer, str):
        if layer not in modules:
            close = get_close_matches(layer, modules, n=3, cutoff=0.4)
            offer = f"Close to it: {', '.join(map(repr, close))}." if close else all_names
            raise ValueError(
                f"layer: expected the name of a layer of {kind}, got {layer!r}. {offer}"
            )
        found = LayerCall(modules[layer], layer)
    elif isinstance(layer, nn.Module):
        name = next((name for name, module in modules.items() if module is layer), None)
        if name is None:
            raise ValueError(
                f"layer: expected a layer of this {kind}, got a {type(layer).__name__} that is not in "
                "it. Pass a name, or take the layer from this very network, not from a copy."
            )
        found = LayerCall(layer, name)
    else:
        raise TypeError(
            f"layer: expected a layer's name or the layer itself, got {describe(layer)}. {all_names}"
        )
    if isinstance(found.module, ScriptModule):
        raise ValueError(
            f"layer: expected a layer that shows its output, got {found.label!r}, which is scripted "
            "or traced. Pass the original network."
        )
    return found


def reshape_advice(output: Tensor, n: int) -> str:
    """Write out how an output (n, tokens, k), (n, h, w, k) or (n · frames, k, ...) becomes maps."""
    if len(output) != n:
        return f"pass reshape=lambda maps: maps.unflatten(0, ({n}, -1)).movedim(1, 2)."
    if output.ndim > 3:
        return "pass reshape=lambda maps: maps.permute(0, 3, 1, 2)."
    tokens = output.shape[1]
    part, side = "", isqrt(tokens)
    if side**2 != tokens and isqrt(tokens - 1) ** 2 == tokens - 1:
        part, side = "[:, 1:]", isqrt(tokens - 1)  # a class token stands in front of a square
    size = f"({side}, {side})" if part or side**2 == tokens else "(h, w)"
    return f"pass reshape=lambda tokens: tokens{part}.transpose(1, 2).unflatten(2, {size})."
