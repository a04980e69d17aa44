"""The layer that Grad-CAM weighs where none is named: the last activation that counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn

from camlib.errors import warn
from camlib.explain.gradient_run import UnusableLayerError, gradients, run_cut
from camlib.explain.layers import Place
from camlib.explain.targets import Target
from camlib.head.features import has_places
from camlib.head.location import memory_of
from camlib.head.record import Output, Record, Step, tensors_in
from camlib.head.replay import Constants, NotReplayableError, Tail
from camlib.running import Run, hooking, modules_of, on_few_pictures, other_pictures, version_of

# How many activations are tried, from the last one backwards, before giving up.
_TRIES = 16


@dataclass(frozen=True)
class Choice:
    """A default layer that was found, for these modules and pictures of this size; no module in it."""

    parts: tuple[int, ...]
    size: tuple[int, ...]
    name: str
    call: int | None
    alone: bool

    def holds_for(self, network: nn.Module) -> bool:
        """Say whether the network still has the modules that it had."""
        return self.parts == tuple(map(id, modules_of(network)))


def default_layer(network: nn.Module, images: Tensor, target: Target, run: Run) -> Place:
    """Return the last activation with places on which the score depends, as it was chosen before.

    A target function may read another output, and a layer's second call may be missing for pictures of
    another size: then it is chosen again.
    """
    memory, size = memory_of(network), tuple(images.shape[1:])
    choice: Choice | None = memory.layer
    if (
        choice is None
        or target.score is not None
        or not choice.holds_for(network)
        or (choice.call is not None and choice.size != size)
    ):
        place, alone = _choose(network, images, target, run)
        parts = tuple(map(id, modules_of(network)))
        choice = Choice(parts, size, place.name, place.call, alone)
        memory.layer = choice if target.score is None else None
    place = Place(network.get_submodule(choice.name), choice.name, choice.call)
    if not choice.alone:
        warn(
            f"layer: the score depends on the pictures also by other ways than {place.label!r}, the "
            "last activation; its map shows one part. Name the layers: layer=[...], one for each way."
        )
    return place


def _choose(network: nn.Module, images: Tensor, target: Target, run: Run) -> tuple[Place, bool]:
    """Choose with as few pictures as will do; a target function may count on all of them."""

    def choose(some: Tensor) -> tuple[Place, bool]:
        own = target if len(some) == len(images) else target.of_few(len(some))
        return _last_activation(network, some, own, run)

    return choose(images) if target.score is not None else on_few_pictures(choose, images)


def _last_activation(
    network: nn.Module, images: Tensor, target: Target, run: Run
) -> tuple[Place, bool]:
    record = Record().run(network, images, run)
    others = Record().run(network, other_pictures(images), run)
    errors: list[UnusableLayerError] = []
    for output in _activations(record, others, images):
        several = record.label(output) != output.name
        place = Place(output.module, output.name, output.call if several else None)
        try:
            next(gradients(run_cut(network, images, [place], target, run)))
        except UnusableLayerError as error:
            errors.append(error)
            if len(errors) == _TRIES:
                break
            continue
        alone = _decides(network, images, target, run, output)
        if several and not alone:
            raise _several_calls(place, record)
        return place, alone
    raise _nothing_found(record, errors)


def _activations(record: Record, others: Record, images: Tensor) -> Iterator[Output]:
    """Yield outputs with places that depend on the pictures, but no resized ones, the last first."""
    resized = _resized(record)
    final = [tensor for tensor in tensors_in(record.output) if has_places(tensor)]
    twins = {(twin.module, twin.call): twin.result for twin in others.outputs}
    for output in reversed(record.outputs):
        tensor, twin = output.result, twins.get((output.module, output.call))
        if not output.name or not isinstance(tensor, Tensor) or not tensor.numel():
            continue
        if not has_places(tensor) or len(tensor) % len(images) or id(tensor) in resized:
            continue
        if isinstance(twin, Tensor) and twin.shape == tensor.shape and torch.equal(twin, tensor):
            continue
        if any(_becomes(record, output, one) for one in final):
            continue
        if tensor.ndim != images.ndim or _channels_last(record, tensor):
            raise ValueError(_no_grid(output, images))
        yield output


def _resized(record: Record) -> set[int]:
    """Return the tensors that a call made of one other by giving each channel more or fewer places."""
    found: set[int] = set()
    for step in record.steps:
        read, made = tensors_in((step.args, step.kwargs)), step.tensors
        for tensor in made:
            if len(read) != 1 or tensor.ndim != read[0].ndim or tensor.ndim < 3:
                continue
            source = read[0]
            if tensor.shape[:2] == source.shape[:2] and tensor.shape != source.shape:
                found.add(id(tensor))
            if id(source) in found and tensor.shape == source.shape and torch.equal(tensor, source):
                found.add(id(tensor))
    return found


def _becomes(record: Record, output: Output, final: Tensor) -> bool:
    """Say whether a network's output is this tensor, or made of it channel by channel."""
    tensor = output.result
    if tensor is final:
        return True
    if tensor.shape[:2] != final.shape[:2] or tensor.shape[1] < 2:
        return False
    tail = Tail(
        record.steps[output.position :], tensor, final, Constants(tensor.device, record.overwritten)
    )
    changed = tensor.to(tail.dtype).clone()
    changed[:, 0] += 1 + changed[:, 0].abs()
    try:
        values = tail.run(torch.stack([tensor.to(tail.dtype), changed]))
    except NotReplayableError:
        return False
    if values is None:
        return False
    before, after = values
    return torch.equal(before[:, 1:], after[:, 1:]) and not torch.equal(before[:, 0], after[:, 0])


def _channels_last(record: Record, tensor: Tensor) -> bool:
    """Say whether a call has mixed the values along a tensor's last axis, and not along the second."""
    for step in reversed(record.steps):
        if not any(made is tensor for made in step.tensors):
            continue
        sources = [
            one for one in tensors_in((step.args, step.kwargs)) if one.shape[:1] == tensor.shape[:1]
        ]
        sources = [one for one in sources if one.ndim == tensor.ndim and one is not tensor]
        if not sources:
            return False
        mixed = _mixed_axes(step, sources[0], tensor)
        if mixed is not None:
            return mixed
        tensor = sources[0]
    return False


def _mixed_axes(step: Step, source: Tensor, tensor: Tensor) -> bool | None:
    """Change one value: True if a whole last axis changes, False if a second one does, else None."""
    tail = Tail([step], source, tensor, Constants(source.device, {}))
    changed = source.to(tail.dtype).clone()
    middle = (0, *(length // 2 for length in source.shape[1:]))
    changed[middle] += 1 + changed[middle].abs()
    try:
        values = tail.run(torch.stack([source.to(tail.dtype), changed]))
    except NotReplayableError:
        return None
    if values is None:
        return None
    other = values[0, 0] != values[1, 0]
    first, last = int(other.flatten(1).any(1).sum()), int(other.flatten(0, -2).any(0).sum())
    if first > 1 or source.shape != tensor.shape:
        return first == 1 < last
    return True if last > 1 else None


def _decides(network: nn.Module, images: Tensor, target: Target, run: Run, output: Output) -> bool:
    """Say whether the score stays the same for other pictures while this output does."""
    if version_of(output.result) != output.version:
        return True  # its numbers have been overwritten: nothing is known
    before = target.scores(run(network, images))
    calls = 0

    def keep(module: nn.Module, args: Any, result: Tensor) -> Tensor | None:
        nonlocal calls
        calls += 1
        if calls != output.call:
            return None
        # Where a layer works in place, others hold what it has written to.
        return output.result.clone() if result.is_inference() else result.copy_(output.result)

    with hooking({output.module: keep}):
        after = target.scores(run(network, other_pictures(images)))
    return torch.allclose(before, after, rtol=1e-4, atol=1e-5 * float(before.abs().max()))


def _several_calls(place: Place, record: Record) -> ValueError:
    count = sum(output.module is place.module for output in record.outputs)
    return ValueError(
        f"layer: expected one activation that decides the score, got {place.name!r}, which runs {count} "
        f"times side by side. Choose a call, counted from 1: layer=({place.name!r}, {place.call})."
    )


def _nothing_found(record: Record, errors: Sequence[UnusableLayerError]) -> ValueError:
    if errors and all(str(error).startswith("target") for error in errors):
        return errors[0]  # it is not the layer that is to blame
    advice = 'Name one: layer="features.12", or the layer itself.'
    if not any(output.name for output in record.outputs):
        advice = "Pass the original network: a scripted or traced one hides its layers."
    return ValueError(
        f"layer: found no layer of shape (n, k, *places) on which the score depends. {advice}"
    )


def _no_grid(output: Output, images: Tensor) -> str:
    shape = tuple(output.result.shape)
    kind, hint = "which has the channels last", ""
    if len(output.result) != len(images):
        kind = f"with {len(output.result) // len(images)} frames of each example"
    elif output.result.ndim < images.ndim:
        kind = f"a sequence of {shape[1]} tokens"
        hint = " Behind the last attention a score may read the class token alone."
    return (
        f"layer: found no feature maps (n, k, *places) at the end of the network, but {output.name!r} of "
        f"shape {shape}, {kind}. Name a layer and {reshaping(output.result, len(images))}{hint}"
    )


def reshaping(output: Tensor, n: int) -> str:
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
