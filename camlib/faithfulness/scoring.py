"""What a network says of pictures that were changed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camlib.errors import check_axes, check_finite, check_maps, describe
from camlib.explain.targets import as_target
from camlib.inputs import as_logits, check_images, check_network, check_run
from camlib.running import Run, call, evaluating

Probability = Callable[[Tensor], Tensor]


def softmax(logits: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
    """Return the classes' probabilities where one of them is right."""
    return logits.softmax(dim=1)


def probabilities(
    network: nn.Module,
    images: Float[Tensor, "n 3 H W"],
    target: int | Int[Tensor, " n"],
    probability: Probability = softmax,
    *,
    run: Run | None = None,
) -> Float[Tensor, " n"]:
    """Return the probability that a network gives to one class of each picture.

    Parameters
    ----------
    network
        Its output is logits (n, c). It runs in evaluation mode, and is left as it was.
    images
        A batch of shape (n, channels, H, W); changed pictures need not look normalised.
    target
        A class index for all pictures, or a tensor of shape (n,) with each picture's own.
    probability
        From logits to probabilities, both (n, c): softmax, or ``torch.sigmoid`` for several labels and
        for networks with a single logit.
    run
        How the network is run, where that is not ``network(images)``: a function from network and
        images to the logits.

    Returns
    -------
    Tensor
        Shape (n,).

    Raises
    ------
    TypeError, ValueError
        If an argument cannot be used; the message says what to do.

    Examples
    --------
    >>> import torch
    >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    >>> probabilities(network, torch.zeros(3, 1, 2, 2), 0).shape
    torch.Size([3])
    """
    check_network(network)
    check_images(images, network, check_values=False)
    wanted = as_target(target, len(images))
    check_run(run)
    with evaluating(network):
        logits = as_logits((run or call)(network, images), len(images))
        if probability is softmax and logits.shape[1] == 1:
            raise ValueError(
                "probability: expected a function for a single logit, whose softmax is always 1, got "
                "softmax. Pass probability=torch.sigmoid."
            )
        scores = wanted.scores(probability(logits))
    if scores.shape[1] != 1:
        raise ValueError(
            f"target: expected one class for each picture, got {scores.shape[1]}. Pass an index, or a "
            f"tensor of shape ({len(images)},)."
        )
    return scores[:, 0]


def check_maps_of(images: Tensor, maps: object) -> Tensor:
    """Return the maps if there is one of the pictures' size for each picture."""
    tensor = check_maps("maps", maps)
    if tensor.shape != (len(images), *images.shape[2:]):
        size = tuple(images.shape[2:])
        raise ValueError(
            f"maps: expected shape {(len(images), *size)}, one map of its size for each picture, got "
            f"{describe(tensor)}. Upsample them: camlib.upsample(maps, {size})[:, 0]."
        )
    return tensor


def as_pictures(baseline: float | Tensor, images: Tensor) -> Tensor:
    """Return what stands where a picture is taken away, in the pictures' shape."""
    check_axes("images", images, "n channels H W")
    value = torch.as_tensor(baseline, dtype=images.dtype, device=images.device)
    check_finite("baseline", value, "Pass 0.0 for the mean colour of normalised pictures.")
    try:
        return value.expand_as(images)
    except RuntimeError:
        raise ValueError(
            f"baseline: expected a number, or a tensor that broadcasts to {tuple(images.shape)}, got "
            f"{describe(baseline)}. Pass 0.0 for the mean colour of normalised pictures."
        ) from None
