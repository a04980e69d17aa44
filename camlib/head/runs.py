"""Run a network, and watch no more of it than what is remembered of it leaves open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary, ref

from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from camlib.head.calls import constants_of
from camlib.head.doors import check_logits
from camlib.head.ends import Ends
from camlib.head.watch import Tail, Watch

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Run:
    """What a network said, and how that came about; ``tail`` is None if not from an average."""

    logits: Tensor
    tail: Tail | None


@dataclass(frozen=True)
class Memory:
    """Where a network's head was found, for images of so many channels.

    Two modules are the pooling and the linear layer of a plain head, and a hook on each shows all.
    One is the last module that finished before the pooling: watching from there on spares the next
    run the watching of some hundred other calls. ``constants`` are the tensors that the network
    held, themselves held weakly: should it hold others by now, they do not count, and all is watched.
    """

    channels: int
    modules: tuple[ref[nn.Module], ...]
    constants: WeakTensorKeyDictionary


# Weak on both sides: neither a network nor a layer that was taken out of one is kept alive.
_MEMORIES: WeakKeyDictionary[nn.Module, Memory] = WeakKeyDictionary()


def run_from_memory(network: nn.Module, images: Tensor) -> Run | None:
    """Run the network and look only where its head was last found; None if that is not known."""
    memory = _MEMORIES.get(network)
    if memory is None or memory.channels != images.shape[1]:
        return None
    modules = [module for reference in memory.modules if (module := reference()) is not None]
    if len(modules) < len(memory.modules):
        return None
    if len(modules) == 1:
        watch = Watch(memory.constants)
        with watch.from_the_end_of(modules[0]):
            logits = network(images)
        check_logits(logits, len(images))
        return Run(logits, watch.tails.get(logits))
    ends = Ends()
    with ends.noting(modules):
        logits = network(images)
    check_logits(logits, len(images))
    return Run(logits, ends.tail_of(logits))


def run_watched(network: nn.Module, images: Tensor) -> Run:
    """Run the network, watch every call, and remember where its head is."""
    _MEMORIES.pop(network, None)
    ends, parts = Ends(), list(network.modules())
    constants = WeakTensorKeyDictionary(dict.fromkeys(constants_of(network), True))
    with Watch(constants) as watch, watch.noting_finished(parts), ends.noting(parts):
        logits = network(images)
    check_logits(logits, len(images))
    tail = watch.tails.get(logits)
    if tail is not None and tail.is_affine:
        plain = ends.tail_of(logits)
        if plain is not None and plain.features is tail.features:
            _remember(network, images, ends.modules, constants)
        elif tail.after is not None:
            _remember(network, images, (tail.after,), constants)
    return Run(logits, tail)


def on_one_picture(run: Callable[[Tensor], _Result], images: Tensor) -> _Result:
    """Call ``run`` with the first picture alone, or with all where a network needs several."""
    try:
        return run(images[:1])
    except Exception:
        if len(images) == 1:
            raise
        return run(images)


def _remember(
    network: nn.Module,
    images: Tensor,
    modules: tuple[nn.Module, ...],
    constants: WeakTensorKeyDictionary,
) -> None:
    parts = tuple(ref(module) for module in modules)
    _MEMORIES[network] = Memory(images.shape[1], parts, constants)
