"""Find a network's head by running it, and remember where it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from camlib.errors import NotCAMReadyError
from camlib.head.features import PooledFeatures, all_pooled_features
from camlib.head.head import FoundHead, Head
from camlib.head.location import Location, locate, memory_of, recall
from camlib.head.record import Record
from camlib.head.refusal import reason_for_refusal
from camlib.head.replay import NotReplayableError
from camlib.inputs import as_logits, check_images, check_network, check_run
from camlib.running import (
    Run,
    buffers_kept,
    call,
    evaluating,
    on_few_pictures,
    other_pictures,
    run_in_fast_layout,
)

_Result = TypeVar("_Result")


def find_head(
    network: nn.Module,
    images: Float[Tensor, "n channels *places"],
    *,
    run: Run | None = None,
    check_values: bool = True,
) -> Head:
    r"""Run the network and return the features it averages and the weights it sums them with.

    The network runs in evaluation mode and without gradients; afterwards every module is in the
    mode it was in, and nothing is left attached to it. The first time, its calls are recorded with
    one or two pictures, and made again with other numbers. On a CPU the images may be laid out
    differently in memory, so that the logits equal ``network(images)`` up to rounding.

    Parameters
    ----------
    network
        A classifier whose output is logits of shape (n, c), or (n,) for a single one.
    images
        A batch of shape (n, channels, \*places), normalised as the network expects: signals with one
        axis of places, pictures with two, volumes with three.
    run
        How the network is run, where that is not ``network(images)``: a function from network and
        images to the logits, such as ``lambda network, images: network(images, table).logits``.
    check_values
        Warn of images that look like raw pixels or like pixels that were not normalised.

    Returns
    -------
    Head
        Tensors without a graph: features, weight and logits as the network computed them.

    Raises
    ------
    NotCAMReadyError
        If the logits are not an affine function of globally averaged feature maps; the message
        names the layer in the way.
    TypeError, ValueError
        If the network, the images or the output cannot be used; the message says what to do.

    Notes
    -----
    Zhou et al. 2016, section 2; running a head again on other numbers is this package's own.
    """
    check_network(network)
    check_images(images, network, check_values)
    check_run(run)
    with evaluating(network) as was_training:
        found, weight = with_head(network, images, run or call, _with_weight)
        if was_training:  # some layers have other weights then (low-rank adapters)
            weight = weight.clone()
    return Head(found.features, weight, found.offset, found.logits, found.rounding, found.held)


def _with_weight(found: FoundHead) -> tuple[FoundHead, Tensor]:
    """Return a head and its weights, which add up to the logits."""
    pooled = found.features.to(found.exact).flatten(2).mean(2)
    weight = found.weight
    explained = torch.einsum(
        "nk,nck->nc" if found.held else "nk,ck->nc", pooled, weight.to(found.exact)
    )
    found.prove(explained, found.offset, found.logits.to(found.exact))
    return found, weight


def with_head(
    network: nn.Module, images: Tensor, run: Run, use: Callable[[FoundHead], _Result]
) -> _Result:
    """Run a network that is being evaluated, find its head, and return what ``use`` makes of it.

    ``use`` raises NotCAMReadyError if the head does not explain the logits. If that happens where the
    head was found the last time, it is searched again.
    """

    def logits(network: nn.Module, images: Tensor) -> Tensor:
        output = run(network, images)
        with torch._C.DisableTorchFunction():  # not a call of the network's
            n = len(images)
        return as_logits(output, n)

    def find(images: Tensor) -> _Result:
        memory = memory_of(network)
        known, memory.head = memory.head, None
        if known is not None and known.channels == images.shape[1]:
            with suppress(NotCAMReadyError):
                head = recall(known, network, images, logits)
                if head is not None:
                    result = use(head)
                    memory.head = known
                    return result
        location, head = on_few_pictures(lambda few: _search(network, few, logits), images)
        if len(head.logits) < len(images):
            head = recall(location, network, images, logits)
            if head is None:
                location, head = _search(network, images, logits)
        result = use(head)
        memory.head = location
        return result

    return run_in_fast_layout(network, images, find)


def _search(network: nn.Module, images: Tensor, run: Run) -> tuple[Location, FoundHead]:
    """Record all calls, find the head, and check that it is the same for other pictures."""
    with torch.random.fork_rng(devices=[]), buffers_kept(network):
        record, others = Record().run(network, images, run), other_pictures(images)
        found: list[PooledFeatures] = []
        error = None
        try:
            found = all_pooled_features(record)
        except NotReplayableError as failed:
            error = failed
        for pooled in found:
            with suppress(NotReplayableError):
                if pooled.losing_step is not None:
                    continue
                head = pooled.head_function()
                found_there = locate(network, pooled, head, others, run)
                if found_there is not None:
                    pooled.check_unwritten()
                    return found_there
        raise NotCAMReadyError(
            reason_for_refusal(
                network, record, found, error, run, lambda larger: _search(network, larger, run)
            )
        )
