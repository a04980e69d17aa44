"""The layer that Grad-CAM takes where none is named: the last activation on which the score depends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from camlib.errors import warn
from camlib.explain.backward import UnusableLayerError, gradients, run_forward
from camlib.explain.layers import LayerCall, reshape_advice
from camlib.explain.targets import Request
from camlib.head.features import has_places
from camlib.head.location import memory_of
from camlib.head.record import Output, Record, Step, tensors_in
from camlib.head.replay import Constants, NotReplayableError, Tail
from camlib.running import hooking, modules_of, on_few_pictures, other_pictures, version_of

# How many activations are tried, from the last one backwards, before giving up.
_TRIES = 16


@dataclass(frozen=True)
class Choice:
    """A default layer as it is remembered: by name, so that no module is kept alive.

    It holds for a network with these ``modules``, by their ids; a call among several also only for
    pictures of this ``size``. ``alone`` says whether the pictures reach the score by this layer only.
    """

    modules: tuple[int, ...]
    size: tuple[int, ...]
    name: str
    call: int | None
    alone: bool


def remembered_choice(network: nn.Module) -> Choice | None:
    """Return the default layer that was chosen before, if the network has the modules that it had."""
    choice: Choice | None = memory_of(network).layer
    return choice if choice is not None and choice.modules == _module_ids(network) else None


def _module_ids(network: nn.Module) -> tuple[int, ...]:
    return tuple(map(id, modules_of(network)))


def default_layer(request: Request) -> LayerCall:
    """Return the last activation with places on which the score depends, as it was chosen before.

    A target function may read another output, and a layer's second call may be missing for pictures of
    another size: then it is chosen again.
    """
    network, images = request.network, request.images
    choice = remembered_choice(network)
    if request.target.score is not None:
        choice = _choose(request)  # with all pictures: a target function may count on them
    elif choice is None or (choice.call is not None and choice.size != images.shape[1:]):
        choice = on_few_pictures(lambda some: _choose(request.part(slice(len(some)))), images)
        memory_of(network).layer = choice
    layer = LayerCall(network.get_submodule(choice.name), choice.name, choice.call)
    if not choice.alone:
        warn(
            f"layer: the score depends on the pictures also by other ways than {layer.label!r}, the "
            "last activation; its map shows one part. Name the layers: layer=[...], one for each way."
        )
    return layer


def _choose(request: Request) -> Choice:
    network, images, run = request.network, request.images, request.run
    record = Record().run(network, images, run)
    others = Record().run(network, other_pictures(images), run)
    errors: list[UnusableLayerError] = []
    for output in _activations(record, others, images):
        count = sum(other.module is output.module for other in record.outputs)
        layer = LayerCall(output.module, output.name, output.call if count > 1 else None)
        try:
            next(gradients(run_forward(request, [layer])))
        except UnusableLayerError as error:
            errors.append(error)
            if len(errors) == _TRIES:
                break
            continue
        alone = _decides(request, output)
        if count > 1 and not alone:
            raise ValueError(
                f"layer: expected one activation that decides the score, got {layer.name!r}, which runs "
                f"{count} times side by side. Choose a call, counted from 1: "
                f"layer=({layer.name!r}, {layer.call})."
            )
        size = tuple(images.shape[1:])
        return Choice(_module_ids(network), size, layer.name, layer.call, alone)
    if errors and all(str(error).startswith("target") for error in errors):
        raise errors[0]  # it is not the layer that is to blame
    advice = 'Name one: layer="features.12", or the layer itself.'
    if not any(output.name for output in record.outputs):
        advice = "Pass the original network: a scripted or traced one hides its layers."
    raise ValueError(
        f"layer: found no layer of shape (n, k, *places) on which the score depends. {advice}"
    )


def _activations(record: Record, others: Record, images: Tensor) -> Iterator[Output]:
    """Yield outputs with places that depend on the pictures, but no resized ones, the last first."""
    resized = _resized(record)
    final = [tensor for tensor in tensors_in(record.output) if has_places(tensor)]
    of_others = {(other.module, other.call): other.result for other in others.outputs}
    for output in reversed(record.outputs):
        tensor, other = output.result, of_others.get((output.module, output.call))
        if not output.name or not isinstance(tensor, Tensor) or not tensor.numel():
            continue
        if not has_places(tensor) or len(tensor) % len(images) or id(tensor) in resized:
            continue
        if isinstance(other, Tensor) and other.shape == tensor.shape and torch.equal(other, tensor):
            continue
        if any(_becomes(record, output, one) for one in final):
            continue
        if tensor.ndim != images.ndim or _channels_last(record, tensor):
            raise ValueError(_not_maps(output, images))
        yield output


def _not_maps(output: Output, images: Tensor) -> str:
    """Say that the last activation has other axes than feature maps, and how to reshape it."""
    tensor, n = output.result, len(images)
    kind, hint = "which has the channels last", ""
    if len(tensor) != n:
        kind = f"with {len(tensor) // n} frames of each example"
    elif tensor.ndim < images.ndim:
        kind = f"a sequence of {tensor.shape[1]} tokens"
        hint = " Behind the last attention a score may read the class token alone."
    return (
        f"layer: found no feature maps (n, k, *places) at the end of the network, but {output.name!r} "
        f"of shape {tuple(tensor.shape)}, {kind}. Name a layer and {reshape_advice(tensor, n)}{hint}"
    )


def _resized(record: Record) -> set[int]:
    """Return the tensors that a call made of one other by giving each channel more or fewer places."""
    found: set[int] = set()
    for step in record.steps:
        read = tensors_in((step.args, step.kwargs))
        if len(read) != 1 or read[0].ndim < 3:
            continue
        (source,) = read
        for tensor in step.tensors:
            if tensor.ndim != source.ndim or tensor.shape[:2] != source.shape[:2]:
                continue
            if tensor.shape != source.shape or (
                id(source) in found and torch.equal(tensor, source)
            ):
                found.add(id(tensor))
    return found


def _becomes(record: Record, output: Output, final: Tensor) -> bool:
    """Say whether a network's output is this tensor, or made of it channel by channel."""
    tensor = output.result
    if tensor is final:
        return True
    if tensor.shape[:2] != final.shape[:2] or tensor.shape[1] < 2:
        return False
    constants = Constants(tensor.device, record.overwritten)
    tail = Tail(record.steps[output.position :], tensor, final, constants)
    changed = _changed_by(tail, (slice(None), 0))
    return changed is not None and bool(changed[:, 0].any()) and not changed[:, 1:].any()


def _channels_last(record: Record, tensor: Tensor) -> bool:
    """Say whether a call has mixed the values along a tensor's last axis, and not along the second."""
    for step in reversed(record.steps):
        if not any(made is tensor for made in step.tensors):
            continue
        sources = [
            one
            for one in tensors_in((step.args, step.kwargs))
            if one.shape[:1] == tensor.shape[:1] and one.ndim == tensor.ndim and one is not tensor
        ]
        if not sources:
            return False
        mixed = _mixes_last_axis(step, sources[0], tensor)
        if mixed is not None:
            return mixed
        tensor = sources[0]
    return False


def _mixes_last_axis(step: Step, source: Tensor, tensor: Tensor) -> bool | None:
    """Change one value: True if a whole last axis changes, False if a second one does, else None."""
    middle = (0, *(length // 2 for length in source.shape[1:]))
    changed = _changed_by(Tail([step], source, tensor, Constants(source.device, {})), middle)
    if changed is None:
        return None
    second, last = (
        int(changed[0].flatten(1).any(1).sum()),
        int(changed[0].flatten(0, -2).any(0).sum()),
    )
    if second > 1 or source.shape != tensor.shape:
        return second == 1 < last
    return True if last > 1 else None


def _changed_by(tail: Tail, where: tuple[int | slice, ...]) -> Bool[Tensor, "..."] | None:
    """Run calls again with some numbers changed, and say which results change; None if unknown."""
    values = tail.start.to(tail.dtype)
    changed = values.clone()
    changed[where] += 1 + changed[where].abs()
    try:
        results = tail.run(torch.stack([values, changed]))
    except NotReplayableError:
        return None
    return None if results is None else results[0] != results[1]


def _decides(request: Request, output: Output) -> bool:
    """Say whether the score stays the same for other pictures while this output does."""
    if version_of(output.result) != output.version:
        return True  # its numbers have been overwritten: nothing is known
    before = request.scores(request.images)
    calls = 0

    def keep(module: nn.Module, args: Any, result: Tensor) -> Tensor | None:
        nonlocal calls
        calls += 1
        if calls != output.call:
            return None
        # Where a layer works in place, others hold what it has written to.
        return output.result.clone() if result.is_inference() else result.copy_(output.result)

    with hooking({output.module: keep}):
        after = request.scores(other_pictures(request.images))
    return torch.allclose(before, after, rtol=1e-4, atol=1e-5 * float(before.abs().max()))
