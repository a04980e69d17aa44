"""Show the network only what a map keeps of a picture: does it still know?"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.errors import check_axes, check_finite, describe
from camlib.faithfulness.scoring import as_pictures, check_maps_of


def masked(
    images: Float[Tensor, "n 3 H W"],
    maps: Float[Tensor, "n H W"],
    baseline: float | Float[Tensor, "..."] = 0.0,
) -> Float[Tensor, "n 3 H W"]:
    r"""Keep as much of each pixel as its map says.

    .. math:: B + M \cdot (I - B)

    Parameters
    ----------
    images
        The pictures :math:`I`, shape (n, channels, H, W).
    maps
        One map :math:`M` for each, at its size, with values from 0 to 1:
        :func:`camlib.scaling.positive`.
    baseline
        What stands where nothing is kept, :math:`B`: a number or pictures. With 0 this is the paper's
        product of map and picture.

    Returns
    -------
    Tensor
        Same shape as the pictures.

    Raises
    ------
    TypeError, ValueError
        If maps and pictures do not belong together, or a map leaves the range from 0 to 1.

    Notes
    -----
    Chattopadhay et al. 2018, the explanation map of their section on faithfulness.
    """
    check_axes("images", images, "n channels H W")
    low, high = (float(bound) for bound in torch.aminmax(check_maps_of(images, maps)))
    if low < 0 or high > 1:
        raise ValueError(
            f"maps: expected values from 0 to 1, got {low:.3g} to {high:.3g}. Scale them first: "
            "camlib.scaling.positive(maps)."
        )
    gone = as_pictures(baseline, images)
    return gone + maps[:, None].to(images.dtype) * (images - gone)


def average_drop(before: Float[Tensor, " n"], after: Float[Tensor, " n"]) -> float:
    r"""Return the mean share of a probability that is lost, gains counted as nothing.

    .. math:: \frac{1}{n} \sum_i \frac{\max(0, \, Y_i - O_i)}{Y_i}

    Parameters
    ----------
    before
        The probabilities :math:`Y_i` of the whole pictures, shape (n,), all above 0.
    after
        The probabilities :math:`O_i` of what was kept of them, shape (n,).

    Returns
    -------
    float
        From 0 to 1, lower is better; the paper prints it in per cent.

    Raises
    ------
    TypeError, ValueError
        If the two are no probabilities of the same pictures.

    Notes
    -----
    Chattopadhay et al. 2018, their section on faithfulness.

    Examples
    --------
    >>> import torch
    >>> average_drop(torch.tensor([0.75, 0.5]), torch.tensor([0.375, 0.9]))  # a half, and nothing
    0.25
    """
    _check_pair(before, after)
    return float(((before - after).clamp(min=0) / before).mean())


def increase_in_confidence(before: Float[Tensor, " n"], after: Float[Tensor, " n"]) -> float:
    r"""Return the share of pictures of which the network is surer when it sees less.

    .. math:: \frac{1}{n} \sum_i [\, Y_i < O_i \,]

    Parameters
    ----------
    before, after
        As in :func:`average_drop`.

    Returns
    -------
    float
        From 0 to 1, higher is better.

    Raises
    ------
    TypeError, ValueError
        As :func:`average_drop`.

    Notes
    -----
    Chattopadhay et al. 2018, their section on faithfulness.

    Examples
    --------
    >>> import torch
    >>> increase_in_confidence(torch.tensor([0.8, 0.5]), torch.tensor([0.6, 0.9]))
    0.5
    """
    _check_pair(before, after)
    return float((before < after).double().mean())


def _check_pair(before: object, after: object) -> None:
    for name, value in (("before", before), ("after", after)):
        low, high = check_finite(
            name, check_axes(name, value, "n"), "Look at the network's output."
        )
        if low < 0 or high > 1 or (name == "before" and low == 0):
            least = "above 0" if name == "before" else "from 0"
            raise ValueError(
                f"{name}: expected probabilities {least} to 1, got {low:.3g} to {high:.3g}. Pass "
                "what camlib.faithfulness.probabilities returns."
            )
    if before.shape != after.shape:  # type: ignore[attr-defined] # both are tensors by now
        raise ValueError(
            f"after: expected the probabilities of the same pictures as before, {describe(before)}, "
            f"got {describe(after)}. Pass one number for each picture in both."
        )
