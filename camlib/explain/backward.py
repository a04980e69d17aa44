"""Run a network so that gradients reach certain layers, and compute them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camlib.errors import describe
from camlib.explain.layers import LayerCall
from camlib.explain.targets import Request
from camlib.running import hooking, version_of

# Numbers that the gradients of one chunk may hold: 64 megabytes in float32, all layers together.
_NUMBERS = 2**24


class UnusableLayerError(ValueError):
    """A layer that is not reached, runs several times, or on which the score does not depend."""


@dataclass(frozen=True)
class Forward:
    """The scores and the layers' outputs of one forward pass; the graph leads from those to these."""

    scores: Float[Tensor, "n t"]
    outputs: Sequence[Tensor]
    complete: bool  # the graph was recorded up to the end of the network


def run_forward(request: Request, layers: Sequence[LayerCall]) -> Forward:
    """Run a network that is in evaluation mode; what comes before the first layer leaves no graph."""
    if any(parameter.is_inference() for parameter in request.network.parameters()):
        raise ValueError(
            "network: expected parameters that a gradient can pass, got some that were made under "
            "torch.inference_mode. Build the network outside of it."
        )
    if request.images.is_inference():
        request = replace(request, images=request.images.clone())
    found = _run_forward(request, layers, from_start=False)
    if not (found.complete and found.scores.requires_grad):
        # A network that runs a part of itself under no_grad ends the recording with that part.
        found = _run_forward(request, layers, from_start=True)
    if not found.scores.requires_grad:
        raise UnusableLayerError(
            f"target: expected a score that has a gradient at layer {layers[0].label!r}, got one "
            "without. Leave no_grad, inference_mode, detach, argmax and rounding out of what lies "
            "between them, or choose another layer."
        )
    return found


def _run_forward(request: Request, layers: Sequence[LayerCall], from_start: bool) -> Forward:
    started, complete = False, True

    def record() -> None:
        """Record gradients from here on, and note whether the network has ended that before."""
        nonlocal started, complete
        complete = complete and (not started or torch.is_grad_enabled())
        started = True
        torch.set_grad_enabled(True)

    hooks = [_OutputHook(layer, record) for layer in layers]
    with torch.set_grad_enabled(from_start):  # and back, whatever the hooks do
        with ExitStack() as hooked:
            for hook in hooks:  # one after the other: two may be calls of one module
                hooked.enter_context(hooking({hook.layer.module: hook}, hook.note_inputs))
            output = request.run(request.network, request.images)
        record()
        outputs = [hook.checked_output() for hook in hooks]
        return Forward(request.target.scores(output), outputs, complete)


class _OutputHook:
    """Replaces a layer's output by a copy with which the graph begins."""

    def __init__(self, layer: LayerCall, record: Callable[[], None]) -> None:
        self.layer = layer
        self.record = record
        self.calls = 0
        self.output: Any = None
        self.versions: dict[int, int] = {}

    def note_inputs(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """Note how often each input has been written to before the call."""
        self.versions = {id(one): version_of(one) for one in args if isinstance(one, Tensor)}

    def __call__(self, module: nn.Module, args: Any, output: Any) -> Any:
        self.calls += 1
        if self.calls != (self.layer.call or 1):
            return None
        if not isinstance(output, Tensor) or not output.is_floating_point():
            self.output = output  # refused after the run
            return None
        self.record()
        # Copies: what is written in place, before it or behind it, changes neither value nor graph.
        with torch.inference_mode(False):
            self.output = (output if output.requires_grad else output.detach()).clone()
            if not self.output.requires_grad:
                self.output.requires_grad_()
            written = self.versions.get(id(output), version_of(output)) != version_of(output)
            if written and not (output.requires_grad or output.is_inference()):
                # It works in place: others may hold what it has written to, and read that.
                return output.copy_(self.output)
            return self.output.clone()

    def checked_output(self) -> Tensor:
        """Return the layer's output, if there was just one and it is a tensor."""
        name, call, label = self.layer.name, self.layer.call, self.layer.label
        if not self.calls:
            raise UnusableLayerError(
                f"layer: expected a layer that the network runs, got {label!r}, which it does not "
                "reach with these images. Choose one that takes part in the forward pass."
            )
        if self.calls < (call or 1):
            raise UnusableLayerError(
                f"layer: expected a call from 1 to {self.calls} of {name!r}, got call {call}. Choose "
                "one that the network makes with these images."
            )
        if call is None and self.calls > 1:
            raise UnusableLayerError(
                f"layer: expected a layer that runs once, got {label!r}, which runs {self.calls} "
                f"times in a forward pass. Choose a call, counted from 1: layer=({name!r}, 1)."
            )
        if not isinstance(self.output, Tensor) or not self.output.is_floating_point():
            raise UnusableLayerError(
                f"layer: expected a layer whose output is one floating-point tensor, got {label!r}, "
                f"which returns {describe(self.output)}. Choose a layer inside it."
            )
        return self.output


def gradients(forward: Forward) -> Iterator[tuple[Tensor, ...]]:
    """Yield gradients of some scores at a time: one tensor a layer, of shape (scores, *its output's).

    Each picture's score is differentiated with respect to the layers' outputs; no picture depends on
    another, so that the scores of a batch can be added up first.
    """
    with torch.enable_grad():
        totals = forward.scores.sum(dim=0)

    def backward(vectors: Tensor, batched: bool) -> tuple[Tensor, ...]:
        found = torch.autograd.grad(
            totals,
            forward.outputs,
            vectors,
            retain_graph=len(totals) > 1,
            allow_unused=True,
            is_grads_batched=batched,
        )
        if any(gradient is None for gradient in found):
            raise UnusableLayerError(
                "layer: expected a layer on which the score depends, got one that it does not read, "
                "or reads only through detach, argmax or rounding. Choose one on the way to the score."
            )
        return found

    def jacobian_products(vectors: Tensor) -> tuple[Tensor, ...]:
        if len(vectors) > 1:
            try:
                return backward(vectors, batched=True)
            except RuntimeError:  # some call has no batched backward pass
                pass
        each = [backward(vector, batched=False) for vector in vectors]
        return tuple(torch.stack(of_layer) for of_layer in zip(*each, strict=True))

    size = max(1, _NUMBERS // sum(output.numel() for output in forward.outputs))
    one_hot = torch.eye(len(totals), dtype=totals.dtype, device=totals.device)
    yield from map(jacobian_products, torch.split(one_hot, size))
