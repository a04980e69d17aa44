"""Read the plainest head by two hooks: torch's own pooling module, then torch's own linear layer."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules import module

from camlib.head.calls import Call
from camlib.head.watch import Tail, version_of


@dataclass(frozen=True)
class Use:
    """A module's last call: what went in and what came out, each with its version at that time."""

    module: nn.Module
    source: Tensor
    result: Tensor
    source_version: int
    result_version: int


class Ends:
    """Notes the last average that a network's modules took, and the last linear layer it used.

    Each of torch's own modules makes one known call, so that what goes in and comes out says as
    much as watching the call would, and all other calls run unwatched.
    """

    def __init__(self) -> None:
        self.pooling: Use | None = None
        self.linear: Use | None = None

    @contextmanager
    def noting(self, modules: Iterable[nn.Module]) -> Iterator[None]:
        """While active, note the calls of those of the modules that are torch's own."""
        owner = threading.get_ident()  # another thread may be running the same modules

        def note(module: nn.Module, args: tuple[Any, ...], result: Tensor) -> None:
            if threading.get_ident() == owner:
                self._note(module, args, result)

        handles = []
        try:
            for module in modules:
                if _is_as_torch_wrote_it(module):
                    # First of the hooks: the next one may put something else in the result's place.
                    handles.append(module.register_forward_hook(note, prepend=True))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _note(self, module: nn.Module, args: tuple[Any, ...], result: Tensor) -> None:
        use = None
        if args:  # what was passed by name is not shown to a hook
            use = Use(module, args[0], result, version_of(args[0]), version_of(result))
        if type(module) is nn.Linear:
            self.linear = use
        else:
            self.pooling = use

    def tail_of(self, logits: Tensor) -> Tail | None:
        """Return how the logits came about, or None if not by these two calls and nothing else."""
        pooling, linear = self.pooling, self.linear
        if pooling is None or linear is None or linear.result is not logits:
            return None
        if logits.is_inference():
            return None  # nobody has counted what was written in place
        if module._global_forward_hooks or module._global_forward_pre_hooks:
            return None  # they come before ours: a result may be theirs
        features, pooled, vector = pooling.source, pooling.result, linear.source
        # The same memory in the same order, never written to: flattened, or through dropout that
        # does nothing. Numbers need no comparing then: what was pooled to 1x1 is the average.
        untouched = (
            vector.data_ptr() == pooled.data_ptr()
            and (*vector.shape, 1, 1) == pooled.shape
            and vector.stride() == pooled.stride()[:2]
            and version_of(pooled) == pooling.result_version
            and version_of(logits) == linear.result_version
        )
        # A grid of one row or column may itself be a step of an average; only watching shows that.
        if not untouched or 1 in features.shape[1:]:
            return None
        weight, bias = linear.module.weight, linear.module.bias
        if type(weight) is not nn.Parameter or not (bias is None or type(bias) is nn.Parameter):
            return None  # computed, perhaps from the picture
        call = Call(F.linear, (vector, weight, bias), {}, vector, keeps_values=False)
        return Tail(features, (call,), None, pooling.source_version)

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """Return the pooling module and the linear layer, as far as they were used."""
        return tuple(use.module for use in (self.pooling, self.linear) if use is not None)


def _is_as_torch_wrote_it(module: nn.Module) -> bool:
    return type(module) in (nn.AdaptiveAvgPool2d, nn.Linear) and "forward" not in vars(module)
