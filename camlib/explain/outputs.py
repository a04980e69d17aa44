"""Note what a network's modules return."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.jit import ScriptModule

from camlib.explain.layers import Place
from camlib.head.watch import version_of


@dataclass(frozen=True)
class Output:
    """What one call of a module returned; ``call`` counts from 1, ``version`` is the tensor's then."""

    name: str
    module: nn.Module
    call: int
    tensor: Tensor
    version: int


class Outputs:
    """Notes what a network's modules return, in the order in which they finish."""

    def __init__(self, network: nn.Module) -> None:
        self.seen: list[Output] = []
        self._names = {module: name for name, module in network.named_modules() if name}
        self._calls: dict[nn.Module, int] = {}

    @contextmanager
    def noting(self) -> Iterator[None]:
        """While active, keep all outputs alive, so that each is known by its identity."""
        owner = threading.get_ident()

        def note(module: nn.Module, _: Any, output: Any) -> None:
            if threading.get_ident() == owner:
                self._calls[module] = self._calls.get(module, 0) + 1
                if isinstance(output, Tensor) and output.is_floating_point():
                    name, call = self._names[module], self._calls[module]
                    self.seen.append(Output(name, module, call, output, version_of(output)))

        handles = []
        try:
            for module in self._names:
                if not isinstance(module, ScriptModule):  # it takes no hooks
                    handles.append(module.register_forward_hook(note))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def place(self, output: Output) -> Place:
        """Return where an output comes from."""
        once = self._calls[output.module] == 1
        return Place(output.module, output.name, None if once else output.call)
