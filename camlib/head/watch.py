"""Watch every torch function that a network calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from camlib.head.doors import check_channels
from camlib.head.pooling_call import averaged_features


@dataclass(frozen=True)
class Call:
    """One torch function that the network called, and what went in.

    ``keeps_values`` says that what came out holds the same values in the same order.
    """

    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    keeps_values: bool

    @property
    def name(self) -> str:
        """Return the function's name, as "linear" for ``torch.nn.functional.linear``."""
        return getattr(self.function, "__name__", repr(self.function))

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument that may have been passed by position or by name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)


def tensors_among(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """Return the tensors among a call's arguments, also those in a list (as ``torch.cat`` takes)."""
    found: list[Tensor] = []
    for argument in (*args, *kwargs.values()):
        if isinstance(argument, Tensor):
            found.append(argument)
        elif isinstance(argument, (list, tuple)):
            found += [item for item in argument if isinstance(item, Tensor)]
    return found


def same_values(source: Tensor, result: Tensor) -> bool:
    """Say whether both hold the same values in the same order, picture by picture."""
    return source.numel() == result.numel() and torch.equal(source.flatten(1), result.flatten(1))


@dataclass(frozen=True)
class Tail:
    """Feature maps, and the calls that turned their averages into one vector per picture.

    ``after`` is the last module that had finished when the features were averaged.
    """

    features: Float[Tensor, "n k h w"]
    calls: tuple[Call, ...]
    after: nn.Module | None


def is_vector(tensor: Tensor) -> bool:
    """Say whether a tensor holds one vector per picture: (n, k), (n, k, 1, 1) or (n, 1, 1, k)."""
    shape = tensor.shape
    return len(shape) > 1 and shape.numel() == shape[0] * max(shape[1:])


class Watch(TorchFunctionMode):
    """While active, note for every tensor that comes from a global average how it came about."""

    def __init__(self) -> None:
        super().__init__()
        # Weak keys: when the network drops a pooled tensor (squeeze-excitation makes many of them),
        # the feature maps that were kept for it go too. No value may hold its own key.
        self.tails: Any = WeakTensorKeyDictionary()
        # Where a tensor with fewer axes came from, for averages taken in several calls.
        self._grids: Any = WeakTensorKeyDictionary()
        self.finished: nn.Module | None = None
        self._met_convolution = False
        self._watching = False

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
        if isinstance(result, Tensor) and (result.ndim == 3 or is_vector(result)):
            tensors = tensors_among(args, kwargs)
            if tensors:
                self._note(func, args, kwargs, tensors, result)
        return result

    def _note(
        self,
        func: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        tensors: Sequence[Tensor],
        result: Tensor,
    ) -> None:
        source, *others = tensors
        features = self._averaged(getattr(func, "__name__", ""), source, result)
        if features is not None:
            self.tails[result] = Tail(features, (), self.finished)
        elif source in self.tails and not any(other in self.tails for other in others):
            tail, call = self.tails[source], Call(func, args, kwargs, same_values(source, result))
            self.tails[result] = replace(tail, calls=(*tail.calls, call))
        else:
            self.tails.pop(result, None)  # an in-place call may have had an entry before
            grid = source if source.ndim == 4 else self._grids.get(source)
            if grid is not None:
                self._grids[result] = grid

    def _averaged(self, name: str, source: Tensor, result: Tensor) -> Tensor | None:
        if is_vector(result):
            for maps in (source, self._grids.get(source)):
                features = None if maps is None else averaged_features(name, maps, result)
                if features is not None:
                    return features
        return None

    @contextmanager
    def noting_finished(self, modules: Iterable[nn.Module]) -> Iterator[None]:
        """While active, keep :attr:`finished` the module that finished last."""

        def note(module: nn.Module, *_: Any) -> None:
            self.finished = module

        handles = [module.register_forward_hook(note) for module in modules]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def from_the_end_of(self, module: nn.Module) -> Iterator[None]:
        """Start watching when ``module`` has finished, and stop at the end of the block."""
        started = ExitStack()

        def start(*_: Any) -> None:
            if not self._watching:
                self._watching = True
                started.enter_context(self)

        handle = module.register_forward_hook(start)
        try:
            with started:
                yield
        finally:
            handle.remove()
