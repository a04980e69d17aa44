"""Run a network so that a graph of its calls is recorded only behind certain layers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camlib.errors import describe
from camlib.explain.layers import Place
from camlib.explain.targets import Target


class UnusableLayerError(ValueError):
    """A layer that is not reached, runs several times, or on which the score does not depend."""


@dataclass(frozen=True)
class Run:
    """The scores, and what each layer gave; the graph leads from the former to the latter."""

    scores: Float[Tensor, "n t"]
    outputs: Sequence[Tensor]
    whole: bool  # recorded to the end: nothing has ended the recording before the network did


def run_cut(network: nn.Module, images: Tensor, places: Sequence[Place], target: Target) -> Run:
    """Run a network that is being evaluated; what comes before the first layer leaves no graph."""
    _check_may_be_saved(network)
    images = images.clone() if images.is_inference() else images
    run = _run(network, images, places, target, everything=False)
    if not (run.whole and run.scores.requires_grad):
        # A network that runs a part of itself under no_grad ends the recording with that part.
        run = _run(network, images, places, target, everything=True)
    if not run.scores.requires_grad:
        raise UnusableLayerError(
            f"target: expected a score that has a gradient at layer {places[0].label!r}, got one "
            "without. Leave no_grad, inference_mode, detach, argmax and rounding out of what lies "
            "between them, or choose another layer."
        )
    return run


def _run(
    network: nn.Module, images: Tensor, places: Sequence[Place], target: Target, everything: bool
) -> Run:
    recording = _Recording()
    cuts = [_Cut(place, recording) for place in places]
    with torch.set_grad_enabled(everything):  # and back, whatever the cuts do
        with _hooked(cuts):
            output = network(images)
        whole = recording.goes_on()
        outputs = [cut.checked() for cut in cuts]
        with torch.enable_grad():
            scores = target.scores(output)
    return Run(scores, outputs, whole)


class _Recording:
    """Switched on by the first layer; whatever of the network ends it, ends it for what follows."""

    def __init__(self) -> None:
        self.started = self.ended = False

    def goes_on(self) -> bool:
        """Say whether nothing has ended it since it was switched on."""
        self.ended = self.ended or (self.started and not torch.is_grad_enabled())
        return not self.ended

    def start(self) -> None:
        self.goes_on()
        self.started = True
        torch.set_grad_enabled(True)


class _Cut:
    """Puts a tensor of its own in the place of a layer's output, and records from there."""

    def __init__(self, place: Place, recording: _Recording) -> None:
        self.place = place
        self.recording = recording
        self.calls = 0
        self.output: Any = None

    def __call__(self, module: nn.Module, args: Any, output: Any) -> Any:
        self.calls += 1
        if self.calls != (self.place.call or 1):
            return None
        if not isinstance(output, Tensor) or not output.is_floating_point():
            self.output = output  # refused after the run
            return None
        self.recording.start()
        # Copies: what is written in place, before it or behind it, changes neither value nor graph.
        with torch.inference_mode(False):
            self.output = (output if output.requires_grad else output.detach()).clone()
            if not self.output.requires_grad:
                self.output.requires_grad_()
            free = not (output.requires_grad or output.is_inference())
            if free and any(output is given for given in args):
                # It works in place: others may hold what it has written to, and read that.
                return output.copy_(self.output)
            return self.output.clone()

    def checked(self) -> Tensor:
        """Return the layer's output, if there was just one and it is a tensor."""
        label = self.place.label
        if self.calls < (self.place.call or 1):
            raise UnusableLayerError(
                f"layer: expected a layer that the network runs, got {label!r}, which it does not "
                "reach with these images. Choose one that takes part in the forward pass."
            )
        if self.place.call is None and self.calls > 1:
            raise UnusableLayerError(
                f"layer: expected a layer that runs once, got {label!r}, which runs {self.calls} "
                "times in a forward pass. Choose the block around the call that you mean."
            )
        if not isinstance(self.output, Tensor) or not self.output.is_floating_point():
            raise UnusableLayerError(
                f"layer: expected a layer whose output is one floating-point tensor, got {label!r}, "
                f"which returns {describe(self.output)}. Choose a layer inside it."
            )
        return self.output


def _check_may_be_saved(network: nn.Module) -> None:
    if any(parameter.is_inference() for parameter in network.parameters()):
        raise ValueError(
            "network: expected parameters that a gradient can pass, got some that were made under "
            "torch.inference_mode. Build the network outside of it."
        )


@contextmanager
def _hooked(cuts: Sequence[_Cut]) -> Iterator[None]:
    owner = threading.get_ident()  # another thread may be running the same modules

    def own(cut: _Cut) -> Callable[..., Any]:
        return lambda *given: cut(*given) if threading.get_ident() == owner else None

    handles = []
    try:
        for cut in cuts:
            handles.append(cut.place.module.register_forward_hook(own(cut)))
        yield
    finally:
        for handle in handles:
            handle.remove()
