"""Record every call of a network's forward pass, and the module that made it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.jit import ScriptModule
from torch.overrides import TorchFunctionMode

from camlib.head.calls import Call, distinct, keeps_values, name_of, outcomes, tensors_read
from camlib.head.held import vector_and_number
from camlib.head.watch import is_vector


@dataclass(frozen=True)
class Step:
    """A call, the tensors that went in, what came out, and the module in whose forward it was.

    ``value`` is what came out as it was then, where a later call may have written to a vector.
    """

    call: Call
    tensors: Sequence[Tensor]
    result: Tensor
    value: Tensor
    module: str

    @property
    def place(self) -> str:
        """Name the layer, or the call where no layer made it."""
        return (
            f"layer {self.module} ({self.call.name})"
            if self.module
            else f"the call {self.call.name}"
        )


class Record(TorchFunctionMode):
    """Notes every call that returns a tensor, with the innermost module that made it.

    ``computed`` holds what depends on the picture, by identity; ``constant`` what does not.
    """

    def __init__(self, image: Tensor, constants: Iterable[Tensor]) -> None:
        super().__init__()
        self.constant = {id(tensor): tensor for tensor in constants}
        self.steps: list[Step] = []
        self.modules: list[str] = []
        self.computed = {id(image): image}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = name_of(func)
        tensors = tensors_read(name, args, kwargs)
        written = args[0] if result is None and args else result  # None: assignment to an index
        read = self.read(tensors)
        beside = vector_and_number(read)
        source = beside[0] if beside else next(iter((*read, *tensors)), None)
        module = self.modules[-1] if self.modules else ""
        for function, item in outcomes(func, written):
            among = self.computed if read or self.unknown(tensors) else self.constant
            among[id(item)] = item
            if source is not None:
                call = Call(function, args, kwargs, source, keeps_values(name, source, item))
                value = item.clone() if is_vector(item) else item
                self.steps.append(Step(call, tensors, item, value, module))
        return result

    def read(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return those of the tensors that depend on the picture."""
        return [tensor for tensor in distinct(tensors) if id(tensor) in self.computed]

    def unknown(self, tensors: Sequence[Tensor]) -> bool:
        """Say whether one of the tensors came about where no call is seen."""
        return any(
            type(one) is not nn.Parameter
            and id(one) not in self.computed
            and id(one) not in self.constant
            for one in tensors
        )


@contextmanager
def module_names(network: nn.Module, record: Record) -> Iterator[None]:
    """While active, keep ``record.modules`` the stack of the modules that are running."""
    handles = []
    owner = threading.get_ident()

    def enter(module: nn.Module, _: Any) -> None:
        if threading.get_ident() == owner:
            record.modules.append(labels[module])

    def leave(*_: Any) -> None:
        if threading.get_ident() == owner:
            record.modules.pop()

    labels = {
        module: f"'{name}' of type {type(module).__name__}" if name else ""
        for name, module in network.named_modules()
        if not isinstance(module, ScriptModule)  # it takes no hooks
    }
    try:
        for module in labels:
            handles.append(module.register_forward_pre_hook(enter))
            handles.append(module.register_forward_hook(leave, always_call=True))
        yield
    finally:
        for handle in handles:
            handle.remove()
