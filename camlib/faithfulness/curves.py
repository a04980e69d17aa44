"""Deletion and insertion: change a picture place by place, in the order of a map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camlib.errors import check_axes, check_whole
from camlib.faithfulness.scoring import (
    Probability,
    as_pictures,
    check_maps_of,
    probabilities,
    softmax,
)
from camlib.running import Run


@dataclass(frozen=True)
class Curve:
    """A probability, while a picture is changed.

    Attributes
    ----------
    fractions
        The part of the pixels that are changed, ascending from 0 to 1, shape (s + 1,).
    probabilities
        What the network then says, shape (n, s + 1).
    """

    fractions: Float[Tensor, " s1"]
    probabilities: Float[Tensor, "n s1"]

    @property
    def area(self) -> Float[Tensor, " n"]:
        """Return the area under each picture's curve: small for deletion is good, large for insertion."""
        return torch.trapezoid(self.probabilities, self.fractions)


def deletion(
    network: nn.Module,
    images: Float[Tensor, "n 3 H W"],
    maps: Float[Tensor, "n H W"],
    target: int | Int[Tensor, " n"],
    *,
    baseline: float | Float[Tensor, "..."] = 0.0,
    steps: int = 20,
    probability: Probability = softmax,
    run: Run | None = None,
) -> Curve:
    """Take the pixels away, those with the highest values of the map first.

    Parameters
    ----------
    network, images, target, probability, run
        As in :func:`camlib.faithfulness.probabilities`.
    maps
        One map for each picture, at its size. Of equal values the first is taken first, row by row.
    baseline
        What stands where a pixel was: a number, or pictures such as :func:`blurred` ones. 0 is the
        mean colour, if the pictures are normalised.
    steps
        How many times pixels are taken, in equal shares.

    Returns
    -------
    Curve
        From the whole picture to none of it. The faster it falls, the better the map has said where
        the network looks.

    Raises
    ------
    TypeError, ValueError
        If an argument cannot be used; the message says what to do.

    Notes
    -----
    Petsiuk et al. 2018, section 4.1.
    """
    gone = as_pictures(baseline, images)
    return _change(network, images, gone, maps, target, steps, probability, run)


def insertion(
    network: nn.Module,
    images: Float[Tensor, "n 3 H W"],
    maps: Float[Tensor, "n H W"],
    target: int | Int[Tensor, " n"],
    *,
    baseline: float | Float[Tensor, "..."] = 0.0,
    steps: int = 20,
    probability: Probability = softmax,
    run: Run | None = None,
) -> Curve:
    """Put the pixels into an empty picture, those with the highest values of the map first.

    Parameters
    ----------
    network, images, maps, target, baseline, steps, probability, run
        As in :func:`deletion`.

    Returns
    -------
    Curve
        From none of the picture to all of it. The faster it rises, the better.

    Raises
    ------
    TypeError, ValueError
        As :func:`deletion`.

    Notes
    -----
    Petsiuk et al. 2018, section 4.1, who start from a blurred picture: ``baseline=blurred(images)``.
    """
    gone = as_pictures(baseline, images)
    return _change(network, gone, images, maps, target, steps, probability, run)


def blurred(images: Float[Tensor, "n 3 H W"], sigma: float = 5.0) -> Float[Tensor, "n 3 H W"]:
    """Blur pictures with a Gaussian: their colours stay, without sharp edges that mean nothing.

    Parameters
    ----------
    images
        A batch of shape (n, channels, H, W).
    sigma
        Its standard deviation in pixels; two of them have to fit into the picture's sides.

    Returns
    -------
    Tensor
        Same shape.

    Raises
    ------
    TypeError, ValueError
        If ``images`` is no batch, or ``sigma`` is not positive or too large for it.
    """
    check_axes("images", images, "n channels H W")
    known = isinstance(sigma, Real) and math.isfinite(sigma)
    reach = round(2 * sigma) if known else 0
    if not known or not sigma > 0 or reach >= min(images.shape[2:]):
        raise ValueError(
            f"sigma: expected a positive number, at most half the pictures' sides of "
            f"{tuple(images.shape[2:])} pixels, got {sigma!r}. Start with 5."
        )
    from torchvision.transforms.functional import gaussian_blur  # as long to import as torch

    return gaussian_blur(images, [2 * reach + 1, 2 * reach + 1], [sigma, sigma])


def _change(
    network: nn.Module,
    start: Tensor,
    end: Tensor,
    maps: Tensor,
    target: int | Tensor,
    steps: int,
    probability: Probability,
    run: Run | None,
) -> Curve:
    """Go from one picture to the other, the same share of the pixels at each step."""
    ranks = _ranks(check_maps_of(start, maps)).to(start.device)
    pixels = ranks[0].numel()
    check_whole("steps", steps, 1, pixels, "Each takes at least one pixel. Start with 20.")
    counts = [round(step * pixels / steps) for step in range(steps + 1)]
    seen = [
        probabilities(
            network, torch.where(ranks[:, None] < count, end, start), target, probability, run=run
        )
        for count in counts
    ]
    found = torch.stack(seen, dim=1)
    constant = (found == found[:, :1]).all(dim=1)
    if constant.any():
        raise ValueError(
            f"probability: expected one that changes with the picture, got {float(found[constant][0, 0]):g} "
            f"at every step for {int(constant.sum())} of {len(found)} pictures. A saturated softmax or "
            "a network that ignores the picture gives no curve: pass another probability."
        )
    # Sixteen bits cannot count the pixels of a large picture.
    wide = torch.promote_types(seen[0].dtype, torch.float32)
    fractions = torch.tensor(counts, dtype=wide, device=start.device) / pixels
    return Curve(fractions, found)


def _ranks(maps: Float[Tensor, "n H W"]) -> Int[Tensor, "n H W"]:
    """Number the places of each map from its highest value, 0, to its lowest."""
    order = maps.flatten(1).argsort(dim=1, descending=True, stable=True)
    ranks = torch.empty_like(order)
    ranks.scatter_(1, order, torch.arange(order.shape[1], device=order.device).expand_as(order))
    return ranks.view(maps.shape)
