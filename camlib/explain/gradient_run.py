"""Run a network so that gradients reach certain layers, and compute them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camlib.errors import describe
from camlib.explain.layers import Place
from camlib.explain.targets import Target
from camlib.running import Run, hooking

# Numbers that the gradients of one piece may hold: 64 megabytes in float32, at every layer alike.
_NUMBERS = 2**24


class UnusableLayerError(ValueError):
    """A layer that is not reached, runs several times, or on which the score does not depend."""


@dataclass(frozen=True)
class CutRun:
    """The scores, and what each layer gave; the graph leads from the former to the latter."""

    scores: Float[Tensor, "n t"]
    outputs: Sequence[Tensor]
    whole: bool  # recorded to the end: nothing has ended the recording before the network did


def run_cut(
    network: nn.Module, images: Tensor, places: Sequence[Place], target: Target, run: Run
) -> CutRun:
    """Run a network that is being evaluated; what comes before the first layer leaves no graph."""
    _check_may_be_saved(network)
    images = images.clone() if images.is_inference() else images
    found = _run(network, images, places, target, run, everything=False)
    if not (found.whole and found.scores.requires_grad):
        # A network that runs a part of itself under no_grad ends the recording with that part.
        found = _run(network, images, places, target, run, everything=True)
    if not found.scores.requires_grad:
        raise UnusableLayerError(
            f"target: expected a score that has a gradient at layer {places[0].label!r}, got one "
            "without. Leave no_grad, inference_mode, detach, argmax and rounding out of what lies "
            "between them, or choose another layer."
        )
    return found


def _run(
    network: nn.Module,
    images: Tensor,
    places: Sequence[Place],
    target: Target,
    run: Run,
    everything: bool,
) -> CutRun:
    recording = _Recording()
    cuts = [_Cut(place, recording) for place in places]
    with torch.set_grad_enabled(everything):  # and back, whatever the cuts do
        with ExitStack() as hooks:
            for cut in cuts:  # one after the other: two may be calls of one module
                hooks.enter_context(hooking({cut.place.module: cut}))
            output = run(network, images)
        whole = recording.goes_on()
        outputs = [cut.checked() for cut in cuts]
        with torch.enable_grad():
            scores = target.scores(output)
    return CutRun(scores, outputs, whole)


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
        if self.calls and self.calls < (self.place.call or 1):
            raise UnusableLayerError(
                f"layer: expected a call from 1 to {self.calls} of {self.place.name!r}, got call "
                f"{self.place.call}. Choose one that the network makes with these images."
            )
        if not self.calls:
            raise UnusableLayerError(
                f"layer: expected a layer that the network runs, got {label!r}, which it does not "
                "reach with these images. Choose one that takes part in the forward pass."
            )
        if self.place.call is None and self.calls > 1:
            raise UnusableLayerError(
                f"layer: expected a layer that runs once, got {label!r}, which runs {self.calls} "
                f"times in a forward pass. Choose a call, counted from 1: layer=({self.place.name!r}, 1)."
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


def gradients(run: CutRun) -> Iterator[list[Tensor]]:
    """Yield gradients of some scores at a time: one tensor a layer, of shape (scores, *its output's).

    Each picture's score is differentiated with respect to the layers' outputs; no picture depends on
    another, so that the scores of a batch can be added up first.
    """
    with torch.enable_grad():
        totals = run.scores.sum(dim=0)
    size = max(1, _NUMBERS // sum(output.numel() for output in run.outputs))
    rows = torch.split(torch.eye(len(totals), dtype=totals.dtype, device=totals.device), size)
    for number, some in enumerate(rows, start=1):
        yield _products(totals, run.outputs, some, keep=number < len(rows))


def _products(totals: Tensor, outputs: Sequence[Tensor], rows: Tensor, keep: bool) -> list[Tensor]:
    """Multiply vectors with the Jacobian: all of them at once where every call can do that."""
    if len(rows) > 1:
        try:
            return _checked(_grad(totals, outputs, rows, keep=True, batched=True))
        except RuntimeError:  # some call has no batched backward pass
            pass
    last = len(rows) - 1
    singles = [
        _checked(_grad(totals, outputs, row, keep=keep or number < last, batched=False))
        for number, row in enumerate(rows)
    ]
    return [torch.stack(of_layer) for of_layer in zip(*singles, strict=True)]


def _grad(
    totals: Tensor, outputs: Sequence[Tensor], vectors: Tensor, keep: bool, batched: bool
) -> tuple[Tensor | None, ...]:
    return torch.autograd.grad(
        totals,
        outputs,
        vectors,
        retain_graph=keep,
        allow_unused=True,
        is_grads_batched=batched,
    )


def _checked(found: Sequence[Tensor | None]) -> list[Tensor]:
    """Return the gradients if there is one for each layer."""
    gradients = [gradient for gradient in found if gradient is not None]
    if len(gradients) < len(found):
        raise UnusableLayerError(
            "layer: expected a layer on which the score depends, got one that it does not read, or "
            "reads only through detach, argmax or rounding. Choose one on the way to the score."
        )
    return gradients
