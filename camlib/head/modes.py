"""Run a network alone, in evaluation mode and as it was written; leave its modes as they were.

No mode is left that is not on: behind a forward pass, caches full of other things, that alone takes
as long as weighing the feature maps for one class.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import RLock

import torch
from torch import nn

# A network's modes and hooks are the same for all threads: the next call waits for the last one.
_ONE_AT_A_TIME = RLock()


@contextmanager
def evaluating(network: nn.Module) -> Iterator[bool]:
    """Put a network into evaluation mode, and every module back into its own mode afterwards.

    Inside, no gradients are recorded unless asked for, compiled parts run as they were written, and
    no other thread evaluates a network in this way. Yields whether a module was in training mode.
    """
    with _ONE_AT_A_TIME, _no_inference(), torch.no_grad(), _uncompiled():
        training = {module for module in modules_of(network) if module.training}
        asked = [(one, one.requires_grad) for one in network.parameters()] if training else []
        try:
            if training:
                network.eval()
            yield bool(training)
        finally:
            if training:
                _put_back(network, training, asked)


def _put_back(
    network: nn.Module, training: set[nn.Module], asked: list[tuple[nn.Parameter, bool]]
) -> None:
    """Undo what ``eval()`` did, also beside setting flags: some layers move or freeze weights."""
    for module in network.modules():  # whoever holds others comes first, and sets their modes too
        if module.training != (module in training):
            module.train(module in training)
    for module in network.modules():
        module.training = module in training
    for parameter, wanted in asked:
        if parameter.requires_grad != wanted:
            parameter.requires_grad_(wanted)


def modules_of(network: nn.Module) -> Iterator[nn.Module]:
    """Yield all modules as ``network.modules()`` does, in two thirds of the time, for every call."""
    found: list[nn.Module | None] = [network]
    for module in found:
        if module is not None:
            yield module
            if module._modules:  # most have no children
                found.extend(module._modules.values())


def in_full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Leave mixed precision: it is the network's own, what is made of its numbers is not rounded."""
    mixed = torch.is_autocast_enabled(device.type)
    return torch.autocast(device.type, enabled=False) if mixed else nullcontext()


def _no_inference() -> AbstractContextManager[object]:
    """Leave inference mode: it would not count what is written in place, and keep no gradient."""
    inference = torch.is_inference_mode_enabled()
    return torch.inference_mode(False) if inference else nullcontext()


def _uncompiled() -> AbstractContextManager[object]:
    """Run compiled parts of a network as they were written: compiled code hides its calls."""
    set_stance = getattr(torch.compiler, "set_stance", None)  # since PyTorch 2.6
    return set_stance("force_eager") if set_stance else nullcontext()
