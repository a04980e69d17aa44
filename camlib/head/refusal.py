"""Say why a network has no exact class activation map: which call is in the way, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from camlib.head.features import Cut, candidates, has_places, head_function, loses_places
from camlib.head.linearity import Node, Probes
from camlib.head.record import Record, Step, tensors_in
from camlib.head.replay import Constants, NotReplayableError, Tail
from camlib.running import Run, other_pictures

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
    images: Tensor,
    cuts: Sequence[Cut],
    error: NotReplayableError | None,
    run: Run,
) -> str:
    """Describe what keeps a network from having an exact map, from its calls for these pictures."""
    kind = type(network).__name__
    other = Record().run(network, other_pictures(images), run)
    found = _explain_unwatched(network, record)
    if found is None and not cuts:
        found = _explain_one_cell(network, record, images, run)
    found = found or _explain(record, other, images, network, cuts, error)
    if found is None and torch.equal(record.output, other.output):
        return (
            f"network: expected logits that depend on the pictures, got {kind}, which returns the same "
            "for others. Look at what its forward reads, and whether its weights are all zero."
        )
    why, advice = found or ("the logits do not come from averages of feature maps alone", _RETRAIN)
    return f"network: {_NEEDED}, got {kind}, where {why}. {advice}"


def _explain_unwatched(network: nn.Module, record: Record) -> tuple[str, str] | None:
    if any("quantized" in type(module).__module__ for module in network.modules()):
        return "quantized layers round their numbers", "Pass the network as it was before."
    if not any(one is record.output for step in record.steps for one in step.tensors):
        return "the output does not come from any call that can be watched", _ORIGINAL
    return None


def _explain_one_cell(
    network: nn.Module, record: Record, images: Tensor, run: Run
) -> tuple[str, str] | None:
    """Name the call that leaves one cell of these pictures, but several of larger ones."""
    larger = images
    for axis in range(2, images.ndim):
        larger = torch.cat([larger, larger], axis)
    try:
        other = Record().run(network, larger, run)
    except Exception:  # whatever the network raises: it takes pictures of one size
        return None
    position = next((at for at, _ in candidates(record, images, _own(network))), 0)
    pairs = zip(record.steps[position:], other.steps[position:], strict=False)
    for step, twin in pairs if other.output.shape == record.output.shape else ():
        if step.name != twin.name:
            return None
        if any(map(has_places, twin.tensors)) and not any(map(has_places, step.tensors)):
            return (
                f"{step.place} leaves maps of one cell, which says nothing about where",
                "Pass larger pictures, or use Grad-CAM at an earlier layer.",
            )
    return None


def _own(network: nn.Module) -> set[int]:
    return {id(buffer) for buffer in network.buffers()}


def _explain(
    record: Record,
    other: Record,
    images: Tensor,
    network: nn.Module,
    cuts: Sequence[Cut],
    error: NotReplayableError | None,
) -> tuple[str, str] | None:
    try:
        if error is not None:
            raise error
        if not cuts:
            return _explain_no_average(record, images, _own(network))
        cut, function = cuts[0], head_function(cuts[0])
    except NotReplayableError as failed:
        return f"{failed.step.place} cannot be made again with other numbers", _TENSORS_ONLY
    if function.kind == "affine":
        return _explain_joined(record, other, cut.end if cut.factor else cut.position)
    if function.node is None or function.kind == "constant":
        return None
    return _explain_not_affine(function.node)


def _near_one(values: Tensor) -> bool:
    """Say whether all that is finite is 1: exponentials of large numbers overflow."""
    finite = values[values.isfinite()]
    return bool(len(finite) > 4 and ((finite - 1).abs() < 1e-6).all())


def _explain_not_affine(last: Node) -> tuple[str, str]:
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


def _explain_joined(record: Record, other: Record, position: int) -> tuple[str, str] | None:
    """Name the first call behind the average that reads something else which depends on the picture."""
    made = {id(tensor) for step in record.steps for tensor in step.tensors}
    behind: set[int] = set()
    for step, twin in zip(record.steps, other.steps, strict=False):
        reads = isinstance(step.result, (bool, int, float))
        if step.name == twin.name and reads and step.result != twin.result:
            return f"{step.place} has another outcome for other pictures", _TENSORS_ONLY
    pairs = zip(record.steps[position:], other.steps[position:], strict=False)
    for number, (step, twin) in enumerate(pairs):
        if step.name != twin.name:
            break
        read = (tensors_in((one.args, one.kwargs)) for one in (step, twin) if step.tensors)
        for mine, theirs in zip(*read, strict=False):
            if id(mine) in behind or (number == 0 and id(mine) in made):
                continue
            if mine.shape == theirs.shape and torch.equal(mine, theirs):
                continue
            if id(mine) in made:
                return f"{step.place} joins several tensors that depend on the picture", _RETRAIN
            return (
                f"{step.place} reads a tensor that no call that can be watched has made, and that "
                "depends on the picture",
                "Leave the script or the thread out that makes it.",
            )
        behind |= {id(tensor) for tensor in step.tensors}
    return None


def _explain_no_average(record: Record, images: Tensor, own: set[int]) -> tuple[str, str] | None:
    """Name the call that reads the places of the last maps in another way than by their average."""
    constants = Constants(images.device, record.overwritten)
    for position, maps in candidates(record, images, own):
        lost = loses_places(record, position, maps)
        if lost is not None:
            return (
                f"{lost.place} gives the same for places in any order, so that no place has a value",
                _RETRAIN,
            )
        tail = Tail(record.steps[position:], maps, record.output, constants)
        if tail.run(maps[None]) is not None:
            return _first_reading(tail)
    return None


def _first_reading(tail: Tail) -> tuple[str, str] | None:
    """Explain the first call whose result has no places, and is not that of the average."""
    maps = Probes.around(tail.start.to(tail.dtype), sizes=[1.0]).values[1]
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
    return _explain_reading(tail.steps[number], tail.steps[number + 1 :], source, result)


def _is_one_channel(step: Step, tensor: Tensor, source: Tensor) -> bool:
    """Say whether a layer's result has the places of what it read, and a single channel."""
    shape, wanted = tensor.shape, source.shape
    weighs = any(isinstance(one, nn.Parameter) for one in tensors_in((step.args, step.kwargs)))
    first, last = shape[2:] == wanted[2:], shape[1:-1] == wanted[1:-1] and shape[-1] == 1
    return weighs and tensor.ndim == source.ndim and (first or last)


def _explain_reading(
    step: Step, behind: Sequence[Step], source: Tensor, result: Tensor
) -> tuple[str, str]:
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
    highest = source.flatten(2).amax(2)
    if highest.numel() == result.numel() and torch.allclose(highest.flatten(), result.flatten()):
        return (
            f"{step.place} takes the maximum of each feature map, not its average over all places",
            _RETRAIN,
        )
    return (
        f"{step.place} takes something else of each feature map, not its average over all places",
        _RETRAIN,
    )
