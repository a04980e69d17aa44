"""Make recorded calls again with other numbers, many at a time."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_unflatten

from camlib.head.record import Constants as Constants  # part of this module's interface
from camlib.head.record import Step, tensors_in
from camlib.running import storage_of

# What a call reports to an observer: its number, the step, what it read and returned, all stacked.
Observer = Callable[[int, Step, dict[int, Tensor], list[Tensor]], list[Tensor] | None]
# A function, its arguments by position and by name, and its result.
Call = tuple[Any, Any, Any, Any]
# What a call may raise for arguments that are not the recorded ones.
_ERRORS = (RuntimeError, ValueError, TypeError)


class NotReplayableError(Exception):
    """A call that cannot be made again, or that returns numbers as something else than a tensor."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.place)
        self.step = step


class Tail:
    """The calls behind a tensor, to be made again with other numbers in its place.

    Only calls that depend on it are made; the recorded results of all others are kept. ``opened`` are
    the numbers of the steps that were replaced by their parts, in that order.
    """

    def __init__(
        self, steps: Sequence[Step], start: Tensor, output: Tensor, constants: Constants
    ) -> None:
        self.steps, self.start, self.output = list(steps), start, output
        self.constants, self.dtype = constants, constants.dtype
        self.opened: list[int] = []
        # Whatever shares memory with a tensor that is written to changes with it.
        self.written = {storage_of(tensor) for step in steps for tensor in step.written} - {0}

    def run(self, values: Tensor, observe: Observer | None = None) -> Tensor | None:
        """Return the outputs (m, *output) for stacked numbers (m, *start); None if they have no effect.

        ``observe`` may return other results, or None after it has changed the list of steps.
        """
        state = {id(self.start): values.to(self.dtype, copy=True)}
        number = 0
        while number < len(self.steps):
            step = self.steps[number]
            leaves, spec = tree_flatten((step.args, step.kwargs))
            read = self._stacked(leaves, state, len(values))
            if read:
                before = read
                if step.written and observe is not None:
                    before = {place: value.clone() for place, value in read.items()}
                results: list[Tensor] | None = self._call(step, leaves, spec, read)
                if observe is not None:
                    results = observe(number, step, before, results or [])
                    if results is None:
                        continue
                state |= zip(map(id, step.tensors), results or [], strict=True)
            number += 1
        return state.get(id(self.output))

    def _stacked(
        self, leaves: list[Any], state: dict[int, Tensor], count: int
    ) -> dict[int, Tensor]:
        """Return those arguments, by their places, that have other numbers, one set for each run."""
        read = {}
        for place, leaf in enumerate(leaves):
            if isinstance(leaf, Tensor):
                if id(leaf) not in state and storage_of(leaf) in self.written:
                    before = self.constants.before_writing(leaf)
                    state[id(leaf)] = before.expand(count, *before.shape).clone()
                if id(leaf) in state:
                    read[place] = state[id(leaf)]
        return read

    def _call(
        self, step: Step, leaves: Sequence[Any], spec: Any, read: dict[int, Tensor]
    ) -> list[Tensor]:
        """Make one call for all sets of numbers, and return the tensors in its result."""
        fixed = [self.constants.get(leaf) for leaf in leaves]

        def once(*values: Tensor) -> Any:
            filled = list(fixed)
            for place, value in zip(read, values, strict=True):
                filled[place] = value
            args, kwargs = tree_unflatten(filled, spec)
            result = step.function(*args, **kwargs)
            return args[0] if result is None and args else result

        stacks = list(read.values())
        try:
            if not step.tensors:
                for values in zip(*stacks, strict=True):
                    _check_same(step, once(*values))
                return []
            try:
                with warnings.catch_warnings():  # where a batched form is slow
                    warnings.simplefilter("ignore")
                    results = torch.vmap(lambda *values: tuple(tensors_in(once(*values))))(*stacks)
            except _ERRORS:  # no batched form: one after the other
                each = [tensors_in(once(*values)) for values in zip(*stacks, strict=True)]
                results = tuple(torch.stack(same) for same in zip(*each, strict=True))
        except (*_ERRORS, IndexError) as error:
            raise NotReplayableError(step) from error
        return [self._laid_out(one, stacks) for one in results]

    def _laid_out(self, result: Tensor, stacks: Sequence[Tensor]) -> Tensor:
        """Return a result in the precision of the replay, rows first in memory unless it is a view."""
        if result.is_floating_point() and result.dtype != self.dtype:
            coarse, result = 4 * torch.finfo(result.dtype).eps, result.to(self.dtype)
            given = stacks[0]
            if given.shape == result.shape and (
                ((result - given).abs() <= coarse * given.abs()).all()
            ):
                return given  # it only converts, as float() does
        known = {storage_of(stack) for stack in stacks}
        return result if storage_of(result) in known else result.contiguous()

    def open(self, number: int) -> bool:
        """Replace a call by the calls that it is made of, if there are several and they can be seen."""
        step, inside = self.steps[number], _Inside()
        if isinstance(step.function, torch._ops.OpOverload) or step.written:
            return False
        try:
            with inside:
                made = tensors_in(step.function(*step.args, **step.kwargs))
        except _ERRORS:
            return False
        known = {id(tensor) for *_, result in inside.calls for tensor in tensors_in(result)}
        if len(made) != len(step.tensors) or not known.issuperset(map(id, made)):
            return False
        pairs = zip(made, step.tensors, strict=True)
        results: list[Call] = [(_itself, (inner,), {}, outer) for inner, outer in pairs]
        self.steps[number : number + 1] = [
            Step(*call, step.layer, step.kind, part_of=step.name)
            for call in [*inside.calls, *results]
        ]
        self.opened.append(number)
        return True


def _check_same(step: Step, result: Any) -> None:
    """Raise if a call reads numbers out of tensors, as ``item`` does; a shape is always the same."""
    if not isinstance(result, torch.dtype) and not np.all(result == step.result):
        raise NotReplayableError(step)


class _Inside(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch gives no types
    """Notes the calls that a call is made of, such as the norm and the division of ``normalize``."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[Call] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, result))
        return result


def _itself(tensor: Tensor) -> Tensor:
    return tensor
