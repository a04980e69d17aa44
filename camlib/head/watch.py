"""Watch every torch function that a network calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from camlib.head.doors import check_channels
from camlib.head.pooling_call import averaged_features


@dataclass(frozen=True)
class Call:
    """One torch function that the network called, with what went in and what came out."""

    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    result: Tensor

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument that may have been passed by position or by name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)

    def tensors(self) -> Iterator[Tensor]:
        """Yield the tensors among the arguments, also those in a list (as ``torch.cat`` takes)."""
        for argument in (*self.args, *self.kwargs.values()):
            if isinstance(argument, Tensor):
                yield argument
            elif isinstance(argument, (list, tuple)):
                yield from (item for item in argument if isinstance(item, Tensor))


@dataclass(frozen=True)
class Tail:
    """Feature maps, and the calls that turned their averages into one vector per picture."""

    features: Float[Tensor, "n k h w"]
    calls: tuple[Call, ...]


def is_vector(tensor: Tensor) -> bool:
    """Say whether a tensor holds one vector per picture: (n, k), (n, k, 1, 1) or (n, 1, 1, k)."""
    shape = tensor.shape
    return len(shape) > 1 and shape.numel() == shape[0] * max(shape[1:])


class Watch(TorchFunctionMode):
    """While active, note for every tensor that comes from a global average how it came about."""

    def __init__(self) -> None:
        super().__init__()
        # Weak keys: when the network drops a pooled tensor (squeeze-excitation makes many of them),
        # the feature maps that were kept for it go too.
        self.tails: Any = WeakTensorKeyDictionary()
        self._met_convolution = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "conv2d" and not self._met_convolution:
            self._met_convolution = True
            check_channels(args, kwargs)
        result = func(*args, **kwargs)
        if isinstance(result, Tensor) and is_vector(result):
            self._note(Call(func, args, kwargs, result))
        return result

    def _note(self, call: Call) -> None:
        source, *others = call.tensors()
        features = averaged_features(call.name, source, call.result)
        if features is not None:
            self.tails[call.result] = Tail(features, ())
        elif source in self.tails and not any(other in self.tails for other in others):
            tail = self.tails[source]
            self.tails[call.result] = Tail(tail.features, (*tail.calls, call))
        else:
            # Also an in-place call on a tensor noted before lands here.
            self.tails.pop(call.result, None)
