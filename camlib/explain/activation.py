"""Choose a layer where none was named: the last activation that still has places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from camlib.explain.backward import gradients
from camlib.explain.cut import UnusableLayerError, run_cut
from camlib.explain.layers import Place
from camlib.explain.outputs import Output, Outputs
from camlib.explain.targets import Target
from camlib.explain.tokens import reshaping
from camlib.head.calls import keeps_values, name_of, tensors_among

# How many activations are tried, from the last one backwards, before giving up.
_TRIES = 16
_REARRANGES = ("permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims", "conv2d")


class Kinds(TorchFunctionMode):
    """Notes which tensors were pooled, and which hold a vector at the end of each token's axes."""

    def __init__(self) -> None:
        super().__init__()
        # By identity; the tensors are kept, so that no other takes a number over.
        self.pooled: dict[int, Tensor] = {}
        self.tokens: dict[int, Tensor] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name, read = name_of(func), tensors_among(args, kwargs)
        for tensor in tensors_among([result], {}) + tensors_among(_items(result), {}):
            if "pool" in name or _passes(name, read, tensor, self.pooled):
                self.pooled[id(tensor)] = tensor
            if tensor.ndim > 2 and (_reads_tokens(name) or self._same_axes(name, read, tensor)):
                self.tokens[id(tensor)] = tensor
        return result

    def _same_axes(self, name: str, read: Iterable[Tensor], tensor: Tensor) -> bool:
        if name in _REARRANGES:
            return False
        return any(id(one) in self.tokens and one.shape == tensor.shape for one in read)


def _items(result: Any) -> Sequence[Any]:
    return result if isinstance(result, (list, tuple)) else ()


def _reads_tokens(name: str) -> bool:
    return name in ("linear", "layer_norm") or "attention" in name


def _passes(name: str, read: Iterable[Tensor], tensor: Tensor, among: Mapping[int, Tensor]) -> bool:
    """Say whether a call hands on a tensor that is among those, as dropout does when evaluated."""
    return any(id(one) in among and keeps_values(name, one, tensor) for one in read)


def last_activation(network: nn.Module, images: Tensor, target: Target) -> Place:
    """Find the last output with places, rows and columns, that was not pooled and that counts."""
    outputs, kinds = Outputs(network), Kinds()
    with outputs.noting(), kinds:
        network(images)
    errors: list[UnusableLayerError] = []
    for output in reversed(outputs.seen):
        tensor = output.tensor
        if tensor.ndim < 3 or tensor.numel() <= len(tensor) * max(tensor.shape[1:]):
            continue  # a vector, or nothing at all
        if id(tensor) in kinds.tokens:
            raise ValueError(_no_grid(output))
        if tensor.ndim != 4 or id(tensor) in kinds.pooled or tensor[0, 0].numel() == 1:
            continue
        place = outputs.place(output)
        try:
            next(gradients(run_cut(network, images, [place], target)))
        except UnusableLayerError as error:
            errors.append(error)
        else:
            return place
        if len(errors) == _TRIES:
            break
    raise _nothing_found(outputs, errors)


def _nothing_found(outputs: Outputs, errors: Sequence[UnusableLayerError]) -> ValueError:
    if errors and all(str(error).startswith("target") for error in errors):
        return errors[0]  # it is not the layer that is to blame
    cure = 'Name one: layer="features.12", or the layer itself.'
    if not outputs.seen:
        cure = "Pass the original network: a scripted or traced one hides its layers."
    return ValueError(
        f"layer: found no layer of shape (n, k, h, w) on which the score depends. {cure}"
    )


def _no_grid(output: Output) -> str:
    shape = tuple(output.tensor.shape)
    kind, hint = "which has the channels last", ""
    if output.tensor.ndim == 3:
        kind = f"a sequence of {shape[1]} tokens"
        hint = " Behind the last attention a score may read the class token alone."
    return (
        f"layer: found no feature maps (n, k, h, w) at the end of the network, but {output.name!r} of "
        f"shape {shape}, {kind}. Name a layer and {reshaping(output.tensor)}{hint}"
    )
