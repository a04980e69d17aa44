"""Say why a network has no exact class activation map: a slower second look at one picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from camlib.head.affine import NotAffineError, then, unchanged
from camlib.head.pooling_call import averaged_features, nearly_equal
from camlib.head.watch import Call, is_vector, same_values, tensors_among

_NEEDED = "expected feature maps, then global average pooling, then one linear layer"
_RETRAIN = (
    "Put global average pooling and one linear layer on its last feature maps and retrain, or use "
    "a method that needs no special head, such as Grad-CAM."
)


@dataclass(frozen=True)
class _Step:
    """A call, the tensors that went in, what came out, and the module in whose forward it was."""

    call: Call
    tensors: Sequence[Tensor]
    result: Tensor
    module: str

    @property
    def place(self) -> str:
        return (
            f"layer {self.module} ({self.call.name})"
            if self.module
            else f"the call {self.call.name}"
        )


def reason_for_refusal(network: nn.Module, image: Tensor) -> str:
    """Run the network on one picture and describe what keeps it from having an exact map."""
    record = _Record()
    with torch.no_grad(), _module_names(network, record), record:
        output = network(image)
    why, cure = _explain(_path_to(output, record.steps), record.steps)
    return f"network: {_NEEDED}, got {type(network).__name__}, where {why}. {cure}"


class _Record(TorchFunctionMode):
    """Notes every call that returns a tensor, with the innermost module that made it."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[_Step] = []
        self.modules: list[str] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        tensors = tensors_among(args, kwargs)
        if isinstance(result, Tensor) and tensors:
            call = Call(func, args, kwargs, same_values(tensors[0], result))
            module = self.modules[-1] if self.modules else ""
            self.steps.append(_Step(call, tensors, result, module))
        return result


@contextmanager
def _module_names(network: nn.Module, record: _Record) -> Iterator[None]:
    """While active, keep ``record.modules`` the stack of the modules that are running."""
    handles = []
    for name, module in network.named_modules():
        label = f"'{name}' of type {type(module).__name__}" if name else ""

        def enter(*_: Any, label: str = label) -> None:
            record.modules.append(label)

        def leave(*_: Any) -> None:
            record.modules.pop()

        handles.append(module.register_forward_pre_hook(enter))
        handles.append(module.register_forward_hook(leave, always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _path_to(output: Tensor, steps: Sequence[_Step]) -> list[_Step]:
    """Walk back from the output to the last call that still read places, and return the way."""
    path: list[_Step] = []
    wanted = output
    for step in reversed(steps):
        if step.result is not wanted:
            continue
        path.insert(0, step)
        wanted = step.tensors[0]
        if not is_vector(wanted):
            break
    return path


def _explain(path: Sequence[_Step], steps: Sequence[_Step]) -> tuple[str, str]:
    """Return what is in the way, and the cure."""
    if not path:
        return (
            "the output does not come from any call that can be watched",
            "Pass the original module: a scripted, traced or compiled one hides its calls.",
        )
    first, rest = path[0], path[1:]
    source, pooled = first.tensors[0], first.result
    grid = _grid_behind(source, steps)
    if grid is None or averaged_features(first.call.name, grid, pooled) is None:
        return _explain_no_average(first, rest, source)
    affine = unchanged(pooled)
    for step in rest:
        if _joins(step, steps):
            return f"{step.place} joins several pooled vectors into one", _RETRAIN
        try:
            affine = then(affine, step.call)
        except NotAffineError:
            return _explain_not_affine(step)
    return "the logits are no affine function of the pooled features", _RETRAIN


def _grid_behind(tensor: Tensor, steps: Sequence[_Step]) -> Tensor | None:
    """Return the four-axis tensor that a flattened or half-averaged one was made of."""
    for step in reversed(steps):
        if tensor.ndim == 4:
            return tensor
        if step.result is tensor:
            tensor = step.tensors[0]
    return tensor if tensor.ndim == 4 else None


def _joins(step: _Step, steps: Sequence[_Step]) -> bool:
    """Say whether a call reads two tensors that were computed from the picture."""
    computed = {id(other.result) for other in steps}
    return sum(id(tensor) in computed for tensor in step.tensors) > 1


def _explain_not_affine(step: _Step) -> tuple[str, str]:
    if "softmax" in step.call.name:
        return (
            f"{step.place} turns the logits into probabilities",
            "Leave the softmax out of forward: the maps explain logits, and the order of the "
            "classes stays the same.",
        )
    return f"{step.place} stands behind the pooling and is not linear", _RETRAIN


def _explain_no_average(first: _Step, rest: Sequence[_Step], source: Tensor) -> tuple[str, str]:
    """Explain a first call that reads places but does not average them."""
    vector = first.result.flatten(1)
    if source.ndim == 3:
        token_reader = rest[0] if rest else first
        return (
            f"{token_reader.place} reads one vector made of a sequence of {source.shape[1]} tokens "
            f"by {first.call.name}",
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
        peak = nearly_equal(vector, source.float().amax(dim=(2, 3)))
        how = "takes the maximum" if peak else "takes something else"
        return f"{first.place} {how} of each feature map, not its average over all places", _RETRAIN
    return f"{first.place} reads values of shape {tuple(source.shape)} and is no average", _RETRAIN
