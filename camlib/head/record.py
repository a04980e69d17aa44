"""Record the calls of a network's forward pass, and what its modules return."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from camlib.inputs import check_channels
from camlib.running import Run, hooking, storage_of, version_of

# So many numbers are kept before they are written to: a batch of logits, but no feature maps.
_KEPT = 2**16


@dataclass(frozen=True, eq=False)
class Step:
    """One call of a function, made inside a layer of this name and type (``kind``), if any.

    ``written`` are the tensors that it changed in place; ``part_of`` is the name of the function of
    which this call is a part.
    """

    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    result: Any
    layer: str = ""
    kind: str = ""
    written: tuple[Tensor, ...] = ()
    part_of: str = ""

    @property
    def name(self) -> str:
        """Return the function's name, as "linear" for ``torch.nn.functional.linear``."""
        return self.part_of or getattr(self.function, "__name__", repr(self.function))

    @property
    def place(self) -> str:
        """Name the layer, or the call where no layer made it."""
        if not self.layer:
            return f"the call {self.name}"
        return f"layer {self.layer!r} of type {self.kind} ({self.name})"

    @cached_property
    def inputs(self) -> list[Tensor]:
        """Return the tensors among its arguments."""
        return tensors_in((self.args, self.kwargs))

    @cached_property
    def tensors(self) -> list[Tensor]:
        """Return the tensors that it returned; an assignment to an index returns what it wrote to."""
        return tensors_in(self.args[0] if self.result is None and self.args else self.result)


@dataclass(frozen=True, eq=False)
class Output:
    """What one call of a module was given and returned; ``call`` counts from 1.

    ``version`` is the result's at that time, ``position`` the number of steps before.
    """

    module: nn.Module
    name: str
    call: int
    given: Any
    result: Any
    version: int
    position: int


class Constants:
    """The recorded numbers that stay the same in all replays, in the precision of the replays.

    That is float64 where the device supports it.
    """

    def __init__(self, device: torch.device, overwritten: Mapping[int, Tensor]) -> None:
        self.dtype = torch.float32 if device.type == "mps" else torch.float64
        self._overwritten = overwritten
        self._known: dict[int, tuple[Tensor, Tensor]] = {}

    def before_writing(self, leaf: Tensor) -> Tensor:
        """Return a tensor as it was before the network wrote to it, where that is known."""
        kept = self._overwritten.get(storage_of(leaf))
        if kept is not None and kept.dtype == leaf.dtype:
            leaf = kept.as_strided(leaf.shape, leaf.stride(), leaf.storage_offset())
        return self._converted(leaf)

    def get(self, leaf: Any) -> Any:
        """Return an argument of a call in this precision."""
        if isinstance(leaf, torch.dtype):
            return self.dtype if leaf.is_floating_point else leaf
        if not isinstance(leaf, Tensor):
            return leaf
        if id(leaf) not in self._known:
            self._known[id(leaf)] = leaf, self._converted(leaf.detach())
        return self._known[id(leaf)][1]

    def _converted(self, tensor: Tensor) -> Tensor:
        if tensor.is_complex():
            return tensor.to(self.dtype.to_complex())
        return tensor.to(self.dtype) if tensor.is_floating_point() else tensor


class Record(TorchFunctionMode):
    """The steps and the modules' outputs of one forward pass, in their order.

    ``buffers`` are the ids of the network's, ``overwritten`` holds the numbers of small tensors before
    they were first written to in place, by their storage.
    """

    images: Tensor
    output: Any

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.outputs: list[Output] = []
        self.buffers: set[int] = set()
        self.overwritten: dict[int, Tensor] = {}
        self._running: list[tuple[str, str]] = []  # names and types of the modules that are running
        self._met_convolution = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if not self._met_convolution and getattr(func, "__name__", "").startswith("conv"):
            self._met_convolution = True
            check_channels(args, kwargs)
        if may_write(func):
            self._keep(args[0])
        versions = [(tensor, version_of(tensor)) for tensor in tensors_in((args, kwargs))]
        result = func(*args, **kwargs)
        written = tuple(tensor for tensor, version in versions if version_of(tensor) != version)
        layer, kind = self._running[-1] if self._running else ("", "")
        self.steps.append(Step(func, args, kwargs, result, layer, kind, written))
        return result

    def _keep(self, tensor: object) -> None:
        if isinstance(tensor, Tensor):
            whole = tensor if tensor._base is None else tensor._base
            if whole.numel() <= _KEPT:
                self.overwritten.setdefault(storage_of(whole), whole.detach().clone())

    def run(
        self,
        network: nn.Module,
        images: Tensor,
        run: Run,
        start: tuple[nn.Module, int] | None = None,
        others: Sequence[nn.Module] = (),
    ) -> Record:
        """Record a forward pass: all of it, or what follows a call of the module ``start``.

        Then only the outputs of ``start`` and of the modules ``others`` are recorded.
        """
        if start is None:
            names = {module: name for name, module in network.named_modules()}
        else:
            names = dict.fromkeys([start[0], *others], "")
        calls: Counter[nn.Module] = Counter()
        with ExitStack() as recording:

            def enter(module: nn.Module, args: tuple[Any, ...]) -> None:
                name = names[module]
                self._running.append((name, type(module).__name__) if name else ("", ""))

            def leave(module: nn.Module, args: tuple[Any, ...], result: Any) -> None:
                self._running.pop()
                calls[module] += 1
                if (module, calls[module]) == start:
                    recording.enter_context(self)
                with torch._C.DisableTorchFunction():  # not a call of the network's
                    version = version_of(result) if isinstance(result, Tensor) else 0
                output = (calls[module], args[0] if args else None, result, version)
                self.outputs.append(Output(module, names[module], *output, len(self.steps)))

            self.images, self.buffers = images, {id(buffer) for buffer in network.buffers()}
            with hooking(dict.fromkeys(names, leave), before=enter):
                if start is None:
                    recording.enter_context(self)
                self.output = run(network, images)
        return self

    @cached_property
    def constants(self) -> Constants:
        """The recorded numbers, in the precision of replays."""
        return Constants(self.images.device, self.overwritten)

    def label(self, output: Output) -> str:
        """Return a module's name, with the number of the call where there are several."""
        calls = sum(other.module is output.module for other in self.outputs)
        return output.name if calls == 1 else f"{output.name} (call {output.call})"


def may_write(function: Callable[..., Any]) -> bool:
    """Say whether a function may write to its first argument, as ``add_`` and assignments do."""
    name = getattr(function, "__name__", "")
    return name.startswith(("__i", "__set")) or (name.endswith("_") and name[-2:] != "__")


def tensors_in(values: Any) -> list[Tensor]:
    """Return all tensors in nested lists, tuples and dicts."""
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
