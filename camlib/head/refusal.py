"""Say why a network has no exact class activation map: a slower second look at one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from camlib.head.affine import NotAffineError, unchanged
from camlib.head.calls import constants_of
from camlib.head.folds import then
from camlib.head.held import make_a_statistic, vector_and_number
from camlib.head.pooling_call import averaged_features
from camlib.head.record import Record, Step, module_names
from camlib.head.trial import is_affine_by_trial
from camlib.head.watch import is_vector

_NEEDED = "expected feature maps, then global average pooling, then one linear layer"
_RETRAIN = (
    "Put global average pooling and one linear layer on its last feature maps and retrain, or use "
    "a method that needs no special head, such as Grad-CAM."
)


def reason_for_refusal(network: nn.Module, image: Tensor) -> str:
    """Run the network on one picture and describe what keeps it from having an exact map."""
    record = Record(image, constants_of(network))
    with torch.no_grad(), module_names(network, record), record:
        output = network(image)
    why, cure = _explain(_path_to(output, record.steps), record)
    return f"network: {_NEEDED}, got {type(network).__name__}, where {why}. {cure}"


def _path_to(output: Tensor, steps: Sequence[Step]) -> list[Step]:
    """Walk back from the output to the last call that still read places, and return the way."""
    path: list[Step] = []
    wanted = output
    for step in reversed(steps):
        if step.result is not wanted:
            continue
        path.insert(0, step)
        wanted = step.call.source
        if wanted.ndim > 1 and not is_vector(wanted):
            break
    return path


def _explain(path: Sequence[Step], record: Record) -> tuple[str, str]:
    """Return what is in the way, and the cure."""
    if not path:
        return (
            "the output does not come from any call that can be watched",
            "Pass the original module: a scripted, traced or compiled one hides its calls.",
        )
    pooled = _end_of_average(path, record.steps)
    if pooled is None:
        return _explain_no_average(path[0], path[1:], path[0].call.source)
    affine = unchanged(path[pooled].value)
    for step in path[pooled + 1 :]:
        read = record.read(step.tensors)
        held = _held_among(read, path, record.steps)
        if len(read) > 1 and held is None:
            return f"{step.place} joins several tensors that depend on the picture", _RETRAIN
        if record.unknown(step.tensors):
            return (
                f"{step.place} reads a tensor that no call that can be watched has made, so that it "
                "may depend on the picture",
                "Make it a parameter or a buffer if it does not; otherwise leave the script or the "
                "thread out that makes it.",
            )
        try:
            affine = then(affine, replace(step.call, held=held))
        except NotAffineError:
            return _explain_not_affine(step)
    return "the logits are no affine function of the pooled features", _RETRAIN


def _end_of_average(path: Sequence[Step], steps: Sequence[Step]) -> int | None:
    """Return which step has the average in its hands; a sum over places is divided later."""
    grid = _grid_behind(path[0].call.source, steps)
    if grid is not None:
        for number, step in enumerate(path):
            repeats = number > 0 and step.call.keeps_values
            if not repeats and averaged_features(step.call.name, grid, step.value) is not None:
                return number
    return None


def _held_among(
    read: Sequence[Tensor], path: Sequence[Step], steps: Sequence[Step]
) -> Tensor | None:
    """Return which of two tensors is a statistic of what lies on the way to the output."""
    found = vector_and_number(read)
    if found is None:
        return None
    made = _path_to(found[1], steps)
    own = [step.call.name for step in made if not any(step is known for known in path)]
    same = bool(made) and made[0] is path[0]
    return found[1] if same and make_a_statistic(own) else None


def _grid_behind(tensor: Tensor, steps: Sequence[Step]) -> Tensor | None:
    """Return the four-axis tensor that a flattened or half-averaged one was made of."""
    for step in reversed(steps):
        if tensor.ndim == 4:
            return tensor
        if step.result is tensor:
            tensor = step.call.source
    return tensor if tensor.ndim == 4 else None


def _explain_not_affine(step: Step) -> tuple[str, str]:
    if "softmax" in step.call.name:
        return (
            f"{step.place} turns the logits into probabilities",
            "Leave the softmax out of forward: the maps explain logits, and the order of the "
            "classes stays the same.",
        )
    if step.result.ndim < 2:
        return (
            f"{step.place} drops the axis of the pictures when there is only one",
            "Keep that axis, for example with flatten(1) for squeeze().",
        )
    if is_affine_by_trial(step.call):
        return (
            f"{step.place} stands behind the pooling in a form that cannot be read as one matrix",
            "It is linear: write it as torch.nn.Linear, or put one in its place.",
        )
    return f"{step.place} stands behind the pooling and is not linear", _RETRAIN


def _explain_no_average(first: Step, rest: Sequence[Step], source: Tensor) -> tuple[str, str]:
    """Explain a first call that reads places but does not average them."""
    vector = first.value.flatten(1)
    if source.ndim == 3:
        token_reader = rest[0] if rest else first
        how = "indexing" if first.call.name == "__getitem__" else first.call.name
        return (
            f"{token_reader.place} reads one vector made of a sequence of {source.shape[1]} tokens "
            f"by {how}",
            "A sequence has no feature maps to weight; use a network with convolutions, or one that "
            "averages a grid of places, such as Swin.",
        )
    if source.ndim == 4 and vector.shape[1] == source[0].numel():
        reader = next((step for step in rest if step.call.name == "linear"), first)
        k, h, w = source.shape[1:]
        return (
            f"{reader.place} reads all {vector.shape[1]} = {k}x{h}x{w} flattened values, so that "
            "each place has weights of its own",
            _RETRAIN,
        )
    if source.ndim == 4 and source.shape[1] == vector.shape[1]:
        peak = torch.allclose(vector.float(), source.float().amax(dim=(2, 3)), rtol=1e-2)
        how = "takes the maximum" if peak else "takes something else"
        return f"{first.place} {how} of each feature map, not its average over all places", _RETRAIN
    return f"{first.place} reads values of shape {tuple(source.shape)} and is no average", _RETRAIN
