"""Maps from a head, handed out only if they average to the logits."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.errors import NotCAMReadyError
from camlib.gradients import weighted_maps
from camlib.head import Head
from camlib.weighting import weighted_sum


def proven_maps(
    head: Head,
    weight: Float[Tensor, "c k"] | Float[Tensor, "n c k"],
    offset: Float[Tensor, "n c"],
    logits: Float[Tensor, "n c"],
) -> Float[Tensor, "n c h w"]:
    """Weigh the head's features, and check that mean(map) + offset = logit for every row.

    The weights are the same for all pictures or, with three axes, each picture's own. All arguments
    but the head are in float32 or finer.
    """
    features = head.features.to(weight.dtype)
    maps = (weighted_sum if weight.ndim == 2 else weighted_maps)(features, weight)
    if head.scale.tolist() != [[1]] * len(maps):  # most have none, and 1000 maps are many numbers
        maps *= head.scale[:, :, None, None]
    _prove(maps, offset, logits, head)
    return maps


def _prove(maps: Tensor, offset: Tensor, logits: Tensor, head: Head) -> None:
    """Check mean(map) + offset = logit for every picture and class, up to rounding."""
    gap = _largest(maps.flatten(2).mean(2) + (offset - logits))
    # In 32 bits many sums are rounded finely, in 16 only what stands at their ends, coarsely.
    sums = 32 + maps.shape[2:].numel() / 8
    relative = (sums if head.rounding < 1e-4 else 4) * head.rounding
    allowed = relative * _largest(head.logits)
    if not gap <= allowed:
        # Rounding grows with the numbers that were added up, which may be larger than any logit.
        allowed = max(allowed, relative * _largest(maps.movedim(1, -1)))
    if not gap <= allowed:
        raise NotCAMReadyError(
            f"network: expected maps that average to the logits within {allowed:.1g}, got a gap of "
            f"{gap:.3g}. Some layer changes the features after they were pooled, or is not "
            "deterministic; report its structure together with this message."
        )


def _largest(numbers: Tensor) -> float:
    """Return the largest absolute value; NaN, if there is one."""
    return torch.linalg.vector_norm(numbers, torch.inf).item()
