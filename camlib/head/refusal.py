"""Explain why a network has no exact class activation map: which call is in the way, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from camlib.errors import NotCAMReadyError
from camlib.head.features import PooledFeatures, all_feature_maps, has_places, step_losing_places
from camlib.head.linearity import Node, probes_around
from camlib.head.record import Record, Step
from camlib.head.replay import NotReplayableError, Tail
from camlib.running import Run, other_pictures

# What is in the way, and what to do.
Reason = tuple[str, str]

_NEEDED = "expected feature maps, then global average pooling, then one linear layer"
_RETRAIN = (
    "Put global average pooling and one linear layer on its last feature maps and retrain, or use "
    "a method that needs no special head, such as Grad-CAM."
)
_ORIGINAL = (
    "Pass the original module: a scripted, traced, exported or compiled one hides its calls."
)
_LEAVE_OUT = "Leave the {} out of forward: the maps explain logits, and the order of the classes stays the same."
_TENSORS_ONLY = (
    "Behind the pooling keep to functions of tensors, without if, item, tolist or numpy."
)


def reason_for_refusal(
    network: nn.Module,
    record: Record,
    found: Sequence[PooledFeatures],
    error: NotReplayableError | None,
    run: Run,
    search: Callable[[Tensor], object],
) -> str:
    """Describe what keeps a network from having an exact map, from its calls for these pictures.

    ``found`` are its pooled features, and ``error`` what has ended the search for them; ``search``
    looks for the head with other pictures.
    """
    kind = type(network).__name__
    other = Record().run(network, other_pictures(record.images), run)
    reason = _not_watched(network, record)
    if reason is None and not found:
        larger = record.images.repeat(1, 1, *[2] * (record.images.ndim - 2))
        reason = _one_cell(network, record, larger, run)
        try:
            if reason is not None:
                search(larger)
        except NotCAMReadyError as refusal:  # larger pictures alone would not help
            return str(refusal)
    try:
        if reason is None and error is not None:
            raise error
        if reason is None:
            averaged = found and found[0].losing_step is None
            reason = _behind(found[0], record, other) if averaged else _no_average(record)
    except NotReplayableError as failed:
        reason = f"{failed.step.place} cannot be made again with other numbers", _TENSORS_ONLY
    if reason is None and torch.equal(record.output, other.output):
        return (
            f"network: expected logits that depend on the pictures, got {kind}, which returns the same "
            "for others. Look at what its forward reads, and whether its weights are all zero."
        )
    why, advice = reason or ("the logits do not come from averages of feature maps alone", _RETRAIN)
    return f"network: {_NEEDED}, got {kind}, where {why}. {advice}"


def _not_watched(network: nn.Module, record: Record) -> Reason | None:
    if any("quantized" in type(module).__module__ for module in network.modules()):
        return "quantized layers round their numbers", "Pass the network as it was before."
    if not any(one is record.output for step in record.steps for one in step.tensors):
        return "the output does not come from any call that can be watched", _ORIGINAL
    return None


def _one_cell(network: nn.Module, record: Record, larger: Tensor, run: Run) -> Reason | None:
    """Name the call that leaves one cell of these pictures, but several of larger ones."""
    try:
        other = Record().run(network, larger, run)
    except Exception:  # the network takes pictures of one size only, and may raise anything
        return None
    first = next((number for number, _, _ in all_feature_maps(record)), 0)
    if other.output.shape != record.output.shape:
        return None
    for step, other_step in _same_calls(record, other, first):
        if any(map(has_places, other_step.tensors)) and not any(map(has_places, step.tensors)):
            return (
                f"{step.place} leaves maps of one cell, which says nothing about where",
                "Pass larger pictures, or use Grad-CAM at an earlier layer.",
            )
    return None


def _same_calls(record: Record, other: Record, first: int) -> Iterator[tuple[Step, Step]]:
    """Yield the calls of two runs from a number on, as long as they have the same names."""
    for step, other_step in zip(record.steps[first:], other.steps[first:], strict=False):
        if step.name != other_step.name:
            return
        yield step, other_step


def _behind(pooled: PooledFeatures, record: Record, other: Record) -> Reason | None:
    """Name the call behind the average that is not affine, or that reads something else."""
    head = pooled.head_function()
    if head.kind == "affine":
        return _joined(record, other, pooled.after)
    return None if head.node is None or head.kind == "constant" else _not_affine(head.node)


def _not_affine(last: Node) -> Reason:
    """Name the first step that is not affine, and a final softmax or sigmoid by what it returns."""
    node = last.culprit
    place = node.step.place
    if node.kind == "mixing":
        return f"{place} mixes the pictures of a batch", "Let it treat each picture by itself."
    if node.values is not None and last.values is not None:
        (read, result), (_, final) = node.values, last.values
        for values in (final, final.exp()):
            if final.ndim > 2 and final.shape[-1] > 1 and _near_one(values.sum(-1)):
                return f"{place} turns the logits into probabilities", _LEAVE_OUT.format("softmax")
        given = [value for value in read.values() if value.shape == result.shape]
        if len(read) == 1 and given and torch.equal(result.flatten(), final.flatten()):
            rises = (result.flatten()[given[0].flatten().argsort()].diff() >= 0).all()
            if rises and (result >= 0).all() and (result <= 1).all():
                return f"{place} turns each logit into a probability", _LEAVE_OUT.format("sigmoid")
    return f"{place} stands behind the pooling and is not linear", _RETRAIN


def _near_one(values: Tensor) -> bool:
    """Say whether all finite values are 1: exponentials of large numbers overflow."""
    finite = values[values.isfinite()]
    return bool(len(finite) > 4 and ((finite - 1).abs() < 1e-6).all())


def _joined(record: Record, other: Record, first: int) -> Reason | None:
    """Name the first call behind the average that reads something else which depends on the picture."""
    for step, other_step in zip(record.steps, other.steps, strict=False):
        reads = isinstance(step.result, (bool, int, float))
        if step.name == other_step.name and reads and step.result != other_step.result:
            return f"{step.place} has another outcome for other pictures", _TENSORS_ONLY
    made = {id(tensor) for step in record.steps for tensor in step.tensors}
    behind: set[int] = set()
    for number, (step, other_step) in enumerate(_same_calls(record, other, first)):
        if not step.tensors:
            continue
        for tensor, others in zip(step.inputs, other_step.inputs, strict=False):
            known = id(tensor) in behind or (number == 0 and id(tensor) in made)
            if known or (tensor.shape == others.shape and torch.equal(tensor, others)):
                continue
            if id(tensor) in made:
                return f"{step.place} joins several tensors that depend on the picture", _RETRAIN
            return (
                f"{step.place} reads a tensor that no call that can be watched has made, and that "
                "depends on the picture",
                "Leave the script or the thread out that makes it.",
            )
        behind |= set(map(id, step.tensors))
    return None


def _no_average(record: Record) -> Reason | None:
    """Name the call that reads the last maps, but not their average."""
    for read, _, maps in all_feature_maps(record):
        tail = Tail(record.steps[read:], maps, record.output, record.constants)
        if tail.run(maps[None]) is not None:
            losing = step_losing_places(record, read, maps)
            if losing is None:
                return _first_reading(tail)
            return (
                f"{losing.place} gives the same for places in any order, so that no place has a value",
                _RETRAIN,
            )
    return None


def _first_reading(tail: Tail) -> Reason | None:
    """Explain the first call whose result has no places, and is not that of the average."""
    maps = probes_around(tail.start.to(tail.dtype), sizes=[1.0])[1]
    axes = range(1, maps.ndim)  # of places where channels come first, or last
    level = [maps.mean([*some], keepdim=True).expand_as(maps) for some in (axes[1:], axes[:-1])]
    found: list[tuple[int, Tensor, Tensor]] = []

    def note(
        number: int, step: Step, read: dict[int, Tensor], results: list[Tensor]
    ) -> list[Tensor]:
        source = max(read.values(), key=Tensor.numel)[0]
        for recorded, result in zip(step.tensors, results, strict=True):
            averaged = any(torch.allclose(result[0], one) for one in result[1:])
            gone = not has_places(recorded) and not _is_one_channel(step, recorded, source)
            if has_places(source) and gone and not averaged:
                found.append((number, source, result[0]))
        return results

    tail.run(torch.stack([maps, *level]), note)
    if not found:
        return None
    number, source, result = found[0]
    return _reading(tail.steps[number], tail.steps[number + 1 :], source, result)


def _is_one_channel(step: Step, tensor: Tensor, source: Tensor) -> bool:
    """Say whether a layer's result has the places of what it read, and a single channel."""
    shape, wanted = tensor.shape, source.shape
    weighs = any(isinstance(one, nn.Parameter) for one in step.inputs)
    first, last = shape[2:] == wanted[2:], shape[1:-1] == wanted[1:-1] and shape[-1:] == (1,)
    return weighs and tensor.ndim == source.ndim and (first or last)


def _reading(step: Step, behind: Sequence[Step], source: Tensor, result: Tensor) -> Reason:
    """Describe what a call reads of feature maps: all values, one token, the maximum, or another part."""
    count, size = result.numel() // len(source), "x".join(map(str, source.shape[1:]))
    if count == source[0].numel():
        others = (one for one in behind if one.tensors and one.tensors[0].numel() != result.numel())
        return (
            f"{next(others, step).place} reads all {count} = {size} flattened values, so that each "
            "place has weights of its own",
            _RETRAIN,
        )
    if source.ndim == 3 and any(torch.equal(one, result) for one in source.unbind(1)):
        reader = next((one for one in behind if one.layer and one.tensors), step)
        return (
            f"{reader.place} reads one of {source.shape[1]} tokens, not their average",
            "Average the tokens and retrain, or use Grad-CAM at the tokens of an earlier layer.",
        )
    highest = source.flatten(2).amax(2).flatten()
    is_maximum = highest.shape == result.flatten().shape and highest.allclose(result.flatten())
    takes = "the maximum" if is_maximum else "something else"
    return (
        f"{step.place} takes {takes} of each feature map, not its average over all places",
        _RETRAIN,
    )
