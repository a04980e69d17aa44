"""Run a network in evaluation mode with hooks, and leave its modes, flags and hooks as they were."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.jit import ScriptModule

from camlib.errors import NotCAMReadyError

_Result = TypeVar("_Result")
Run = Callable[[nn.Module, Tensor], Any]
Hook = Callable[[nn.Module, tuple[Any, ...], Any], Any]

# A network's modes and hooks are the same for all threads, so that calls have to take turns.
_ONE_AT_A_TIME = threading.RLock()

# The seed of the pictures that a head is compared on: unlikely to be the one of the user's.
_OTHERS = 8_191_301

# Measured on two cores: EfficientNet-Lite0 has 22 weights per number of one picture and gains about
# a fifth; VGG-16 has 98 and gains a tenth; ResNet-50 has 156 and gains nothing, or loses; with eight
# pictures all gain an eighth or more.
_WEIGHTS_PER_PIXEL = 128
# Counted once per network: that takes a fifth of a millisecond. After a change of the network the
# count may be wrong, which can cost time but nothing else.
_CONVOLUTION_WEIGHTS: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()


def call(network: nn.Module, images: Tensor) -> Any:
    """Run a network as most are run: the default of ``run``."""
    return network(images)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[bool]:
    """Put a network into evaluation mode, and restore every module's mode afterwards.

    Inside, no gradients are recorded unless asked for, compiled parts run uncompiled, and no other
    thread evaluates a network in this way. Yields whether a module was in training mode.
    """
    with _ONE_AT_A_TIME, _no_inference(), torch.no_grad(), _uncompiled():
        training = {module for module in modules_of(network) if module.training}
        asked = [(one, one.requires_grad) for one in network.parameters()] if training else []
        try:
            if training:
                _set_evaluation(network)
            yield bool(training)
        finally:
            if training:
                _put_back(network, training, asked)


def _set_evaluation(network: nn.Module) -> None:
    try:
        network.eval()
    except NotImplementedError as error:
        raise ValueError(
            f"network: expected a module that can be put into evaluation mode, got a "
            f"{type(network).__name__} that cannot, such as an exported program. Pass the original network."
        ) from error


def _put_back(
    network: nn.Module, training: set[nn.Module], asked: list[tuple[nn.Parameter, bool]]
) -> None:
    """Undo ``eval()``, which does more than set flags in some layers: they move or freeze weights."""
    for module in network.modules():  # parents first: they set their children's modes too
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


@contextmanager
def buffers_kept(network: nn.Module) -> Iterator[None]:
    """Restore buffers that a forward pass writes to: it may run with other pictures than the user's."""
    before = [(buffer, buffer.clone()) for buffer in network.buffers()]
    try:
        yield
    finally:
        for buffer, values in before:
            if not torch.equal(buffer, values):  # batch normalisation counts no version
                buffer.copy_(values)


@contextmanager
def hooking(
    hooks: Mapping[nn.Module, Hook],
    before: Callable[[nn.Module, tuple[Any, ...]], None] | None = None,
) -> Iterator[None]:
    """While active, call each module's hook with (module, args, result) when it has returned.

    ``before`` is called with each of the modules and its arguments before it runs. Calls that other threads make, and
    scripted modules, which take no hooks, are left out.
    """
    owner = threading.get_ident()

    def after(module: nn.Module, args: tuple[Any, ...], result: Any) -> Any:
        return hooks[module](module, args, result) if threading.get_ident() == owner else None

    def first(module: nn.Module, args: tuple[Any, ...]) -> None:
        if before is not None and threading.get_ident() == owner:
            before(module, args)

    with ExitStack() as stack:
        for module in hooks:
            if isinstance(module, ScriptModule):
                continue
            if before is not None:
                stack.callback(module.register_forward_pre_hook(first).remove)
            # Also after an exception where ``before`` has to be undone.
            handle = module.register_forward_hook(after, always_call=before is not None)
            stack.callback(handle.remove)
        yield


def in_full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Leave mixed precision, which is for the network: maps are computed without more rounding."""
    mixed = torch.is_autocast_enabled(device.type)
    return torch.autocast(device.type, enabled=False) if mixed else nullcontext()


def _in_fast_layout(network: nn.Module, images: Tensor) -> Tensor:
    """Return the same images, with the channels last in memory where that is faster."""
    if images.device.type != "cpu" or images.ndim != 4:
        return images
    weights = _CONVOLUTION_WEIGHTS.get(network)
    if weights is None:
        weights = sum(p.numel() for p in network.parameters() if p.ndim == 4)
        _CONVOLUTION_WEIGHTS[network] = weights
    if weights > _WEIGHTS_PER_PIXEL * images.numel():
        return images
    return images.contiguous(memory_format=torch.channels_last)


def run_in_fast_layout(
    network: nn.Module, images: Tensor, run: Callable[[Tensor], _Result]
) -> _Result:
    """Call ``run`` with the images in the faster layout, if the network can read that.

    On a CPU convolutions are faster with the channels last in memory, but their weights are laid out
    again at each call, which only enough pixels repay.
    """
    laid_out = _in_fast_layout(network, images)
    try:
        return run(laid_out)
    except (RuntimeError, AssertionError):
        # A network that views its features in another shape, or has a kernel of its own, may be able
        # to read only the layout that was given. If that is not the reason, it raises again.
        if laid_out is images:
            raise
        return run(images)


def on_few_pictures(run: Callable[[Tensor], _Result], images: Tensor) -> _Result:
    """Call ``run`` with two pictures, or with all where a network needs them."""
    try:
        return run(images[:2])
    except NotCAMReadyError:
        raise  # more pictures change nothing
    except Exception:
        if len(images) <= 2:
            raise
        return run(images)


def other_pictures(images: Tensor) -> Tensor:
    """Return as many pictures that have little in common with these."""
    generator = torch.Generator().manual_seed(_OTHERS)
    noise = torch.randn(images.shape, generator=generator, dtype=torch.float64)
    return (images.detach().flip(-1) + noise.to(images)) / 2


def version_of(tensor: Tensor) -> int:
    """Return how often a tensor was written to in place; inference mode does not count that."""
    return 0 if tensor.is_inference() else tensor._version


def storage_of(tensor: Tensor) -> int:
    """Return the address of a tensor's storage: the same for all its views, 0 if not known."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # inside torch.vmap there is none
        return 0


def _no_inference() -> AbstractContextManager[object]:
    """Leave inference mode: it does not count what is written in place, and keeps no gradient."""
    inference = torch.is_inference_mode_enabled()
    return torch.inference_mode(False) if inference else nullcontext()


def _uncompiled() -> AbstractContextManager[object]:
    """Run compiled parts of a network uncompiled: compiled code hides its calls."""
    set_stance = getattr(torch.compiler, "set_stance", None)  # since PyTorch 2.6
    return set_stance("force_eager") if set_stance else nullcontext()
