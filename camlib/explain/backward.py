"""Many gradients of one run: as one batch of vectors, in pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from camlib.explain.cut import Run, UnusableLayerError

# Numbers that the gradients of one piece may hold: 64 megabytes in float32, at every layer alike.
_NUMBERS = 2**24


def gradients(run: Run) -> Iterator[list[Tensor]]:
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
