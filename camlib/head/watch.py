"""Watch every torch function that a network calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.jit import ScriptModule
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from camlib.head.affine import NotAffineError
from camlib.head.calls import (
    Call,
    distinct,
    keeps_values,
    name_of,
    outcomes,
    tensors_among,
    tensors_read,
)
from camlib.head.doors import check_channels
from camlib.head.folds import ACTIVATIONS, as_affine
from camlib.head.held import make_a_statistic, vector_and_number
from camlib.head.pooling_call import averaged_features, picks


@dataclass(frozen=True)
class Tail:
    """Feature maps, and the calls that turned their averages into one vector per picture.

    ``after`` is the last module that had finished when the features were averaged, ``version``
    counts how often they had been written to by then.
    """

    features: Float[Tensor, "n k h w"]
    calls: tuple[Call, ...]
    after: nn.Module | None
    version: int

    def followed_by(self, call: Call) -> Tail:
        """Return the tail with one more call."""
        return Tail(self.features, (*self.calls, call), self.after, self.version)

    @property
    def is_affine(self) -> bool:
        """Say whether the calls can be folded into one affine map."""
        try:
            as_affine(self.calls, like=self.features)
        except NotAffineError:
            return False
        return True


def version_of(tensor: Tensor) -> int:
    """Return how often a tensor was written to in place; inference mode does not count it."""
    return 0 if tensor.is_inference() else tensor._version


def is_vector(tensor: Tensor) -> bool:
    """Say whether a tensor holds one vector per picture: (n, k), (n, k, 1, 1) or (n, 1, 1, k)."""
    shape = tensor.shape
    return len(shape) > 1 and shape.numel() == shape[0] * max(shape[1:])


class Watch(TorchFunctionMode):
    """While active, note for every tensor that comes from a global average how it came about.

    It also notes what was computed from the picture, and so cannot take a number that depends on it
    for a constant of the head. Not computed are parameters, the given constants, and what calls have
    made of them alone: all other tensors may come from calls that cannot be watched (scripted code,
    other threads) or that were made before the watch began.
    """

    def __init__(self, constants: WeakTensorKeyDictionary) -> None:
        super().__init__()
        # Weak keys: when the network drops a pooled tensor (squeeze-excitation makes many of them),
        # the feature maps that were kept for it go too. No value may hold its own key.
        self.tails: Any = WeakTensorKeyDictionary()
        # What a tensor with fewer places was made of, for averages taken in several calls.
        self._grids: Any = WeakTensorKeyDictionary()
        self._constants = constants
        self._computed: Any = WeakTensorKeyDictionary()
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
        name = name_of(func)
        if name == "conv2d" and not self._met_convolution:
            self._met_convolution = True
            check_channels(args, kwargs)
        result = func(*args, **kwargs)
        if result is None and args and isinstance(args[0], Tensor):
            self.tails.pop(args[0], None)  # an assignment to an index has changed it
        self._note_computed(tensors_read(name, args, kwargs), args, result)
        for function, item in outcomes(func, result):
            if item.ndim in (1, 2, 3) or 1 in item.shape[1:]:
                read = tensors_read(name, args, kwargs)
                tensors = distinct([t for t in read if type(t) is not nn.Parameter])
                if tensors:
                    self._note(function, args, kwargs, tensors, item)
        return result

    def _note_computed(self, read: Sequence[Tensor], args: Sequence[Any], result: Any) -> None:
        computed = any(map(self._is_computed, read))
        written = args[:1] if result is None else [result]
        for tensor in tensors_among(written, {}):
            self._computed[tensor] = computed

    def _is_computed(self, tensor: Tensor) -> bool:
        if type(tensor) is nn.Parameter:
            return False
        known: bool | None = self._computed.get(tensor)
        return tensor not in self._constants if known is None else known

    def _note(
        self,
        func: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        tensors: Sequence[Tensor],
        result: Tensor,
    ) -> None:
        name = name_of(func)
        pooled = [tensor for tensor in tensors if tensor in self.tails]
        held = self._held_among(pooled)
        pooled = [tensor for tensor in pooled if tensor is not held]
        computed = [t for t in tensors if self._is_computed(t) and t is not held]
        source = pooled[0] if pooled else tensors[0]
        joins = len(pooled) > 1 or len(computed) > 1
        tail = self.tails[source] if pooled and not joins else None
        keeps = tail is not None and keeps_values(name, source, result)
        call = Call(func, args, kwargs, source, keeps, held)
        features = None if joins else self._averaged(call, tensors, result)
        # The average of one cell adds nothing to a vector that was averaged already.
        if features is not None and not (keeps and tail is not None and tail.is_affine):
            self.tails[result] = Tail(features, (), self.finished, version_of(features))
        elif tail is not None:
            self.tails[result] = tail.followed_by(call)
        else:
            self.tails.pop(result, None)  # an in-place call may have had an entry before
        if result is not source and not picks(name):
            grids = self._grids.get(source, ()) + ((source,) if source.ndim == 4 else ())
            self._grids[result] = grids[-2:]

    def _held_among(self, pooled: Sequence[Tensor]) -> Tensor | None:
        """Return which of two tensors is a statistic of the other, or of what that was made of."""
        found = vector_and_number(pooled)
        if found is None:
            return None
        of_vector, of_number = (self.tails[tensor] for tensor in found)
        own = [call.name for call in of_number.calls if call not in of_vector.calls]
        same = of_vector.features is of_number.features
        return found[1] if same and make_a_statistic(own) else None

    def _averaged(self, call: Call, tensors: Sequence[Tensor], result: Tensor) -> Tensor | None:
        """Return the features whose average the result is: the finest ones, before any step."""
        if not is_vector(result) or call.name.strip("_") in ACTIVATIONS:
            return (
                None  # an activation in place may leave an average taken in several calls as it was
            )
        candidates: list[Tensor] = []
        for tensor in tensors:
            candidates += [] if call.keeps_values else self._grids.get(tensor, ())
            candidates.append(tensor)
        for maps in candidates:
            if is_vector(maps) and result.numel() < maps.numel():
                continue  # a mean over the channels of what was pooled already
            features = averaged_features(call.name, maps, result)
            if features is not None:
                return features
        return None

    @contextmanager
    def noting_finished(self, modules: Iterable[nn.Module]) -> Iterator[None]:
        """While active, keep :attr:`finished` the module that finished last."""

        owner = threading.get_ident()

        def note(module: nn.Module, *_: Any) -> None:
            if threading.get_ident() == owner:
                self.finished = module

        handles = []
        try:
            for module in modules:
                if not isinstance(module, ScriptModule):  # it takes no hooks
                    handles.append(module.register_forward_hook(note))
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def from_the_end_of(self, module: nn.Module) -> Iterator[None]:
        """Start watching when ``module`` has finished, and stop at the end of the block."""
        started = ExitStack()
        owner = threading.get_ident()  # another thread may be running the same module

        def start(*_: Any) -> None:
            if not self._watching and threading.get_ident() == owner:
                self._watching = True
                started.enter_context(self)

        handle = module.register_forward_hook(start)
        try:
            with started:
                yield
        finally:
            handle.remove()
