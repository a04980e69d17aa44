"""Remember where a network's head was found, and look only there the next time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, ref

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from camlib.head.features import Cut, Recipe, head_function
from camlib.head.head import FoundHead, coarsest_rounding
from camlib.head.linearity import HeadFunction
from camlib.head.record import Output, Record, tensors_in
from camlib.head.replay import NotReplayableError
from camlib.running import Run, hooking, version_of

# The relative rounding of a replay in float64, which divides by spreads.
_REPLAY = 4e-15


@dataclass(frozen=True, eq=False)
class Location:
    """Where a network's head was found: where to look the next time. It keeps no tensor of a run.

    The calls are recorded from the end of a ``call`` of ``start`` on, and the ``recipe`` finds features
    and average among them. ``says`` is what the head returns for a vector chosen in advance: the same
    as long as it is the same head. ``linear`` is the layer that does all that the head does, if one
    does; if ``pooling`` is known too, hooks on both show all, and no call is recorded. ``grid`` is the
    module whose output has the rows and columns of averaged tokens.
    """

    channels: int
    layer: str
    held: tuple[str, ...]
    start: ref[nn.Module] | None
    call: int
    grid: ref[nn.Module] | None
    recipe: Recipe
    says: Float[Tensor, " c"]
    linear: ref[nn.Linear] | None
    pooling: ref[nn.Module] | None


@dataclass
class Memory:
    """What is remembered of a network: where its head is, or the layer that Grad-CAM chose."""

    head: Location | None = None
    layer: Any = None


# Weak on both sides: neither a network nor a layer that was taken out of one is kept alive.
_MEMORIES: WeakKeyDictionary[nn.Module, Memory] = WeakKeyDictionary()


def memory_of(network: nn.Module) -> Memory:
    """Return what is remembered of a network, to be read and changed."""
    return _MEMORIES.setdefault(network, Memory())


def recall(location: Location, network: nn.Module, images: Tensor, run: Run) -> FoundHead | None:
    """Run the network and look where its head was found; None if that is not the same head."""
    linear, pooling, start, grid = (
        None if reference is None else reference()
        for reference in (location.linear, location.pooling, location.start, location.grid)
    )
    if isinstance(linear, nn.Linear) and pooling is not None:
        return _recall_plain(location, linear, pooling, network, images, run)
    if (location.start and start is None) or (location.grid and grid is None):
        return None
    begin = None if start is None else (start, location.call)
    record = Record().run(network, images, run, begin, [] if grid is None else [grid])
    cut = location.recipe.cut(record, len(images))
    if cut is None:
        return None
    if isinstance(linear, nn.Linear):
        return head_from(record, cut, None, location)
    try:
        function = head_function(cut, sizes=(1.0, 100.0))  # it has been looked at closely before
        if function.kind == "affine" and same(says(cut), location.says):
            return head_from(record, cut, function, location)
    except NotReplayableError:
        pass
    return None


def _recall_plain(
    location: Location,
    linear: nn.Linear,
    pooling: nn.Module,
    network: nn.Module,
    images: Tensor,
    run: Run,
) -> FoundHead | None:
    """Run the network with hooks on its pooling and its linear layer, between which nothing happens."""
    seen: dict[nn.Module, Output] = {}

    def note(module: nn.Module, args: tuple[Any, ...], result: Any) -> None:
        version = version_of(result) if isinstance(result, Tensor) else 0
        seen[module] = Output(module, "", 0, args[0] if args else None, result, version, 0)
        if isinstance(seen[module].given, Tensor):
            versions[module] = version_of(seen[module].given)

    versions: dict[nn.Module, int] = {}
    # Before the network's own hooks, which may put something else in the place of a result.
    with hooking({pooling: note, linear: note}, prepend=True):
        logits = run(network, images)
    if len(versions) < 2 or not _nothing_between(seen[pooling], seen[linear], logits):
        return None
    features = seen[pooling].given
    if version_of(features) != versions[pooling] or len(features) != len(images):
        return None
    # Smaller pictures than before may leave one cell, which the search refuses.
    if features[0, 0].numel() < 2:
        return None
    rounding = coarsest_rounding([features, seen[linear].given, linear.weight, logits])
    return _plain_head(features, logits, linear, rounding, location.layer)


def _nothing_between(pooling: Output, linear: Output, logits: Tensor) -> bool:
    """Say whether a linear layer read a pooling's result as it was, and returned the logits."""
    pooled, vector, result = pooling.result, linear.given, linear.result
    return (
        all(isinstance(tensor, Tensor) for tensor in (pooled, vector, result))
        # The same memory, never written to: flattened, or through dropout that does nothing.
        and vector.data_ptr() == pooled.data_ptr()
        and vector.numel() == pooled.numel()
        and version_of(pooled) == pooling.version
        and result.data_ptr() == logits.data_ptr()
        and version_of(result) == linear.version
        and not logits.is_inference()  # which does not count what is written
    )


def is_plain(
    record: Record, cut: Cut, function: HeadFunction
) -> tuple[nn.Linear | None, nn.Module | None]:
    """Return the linear layer that does all that the head does, and the pooling before it, if any."""
    vectors = _vector(cut)
    values, count = cut.run(function, vectors), cut.features.shape[:2].numel()
    for output in reversed(record.outputs):
        linear = output.module
        if not isinstance(linear, nn.Linear) or linear.weight.shape != (
            values.shape[2],
            vectors.shape[2],
        ):
            continue
        bias = None if linear.bias is None else linear.bias.to(vectors)
        if not same(F.linear(vectors, linear.weight.to(vectors), bias), values):
            continue
        for other in record.outputs:
            pools = other.given is cut.tensor and cut.layout.first and cut.factor is not None
            pools = pools and isinstance(other.result, Tensor) and other.result.numel() == count
            if pools and _nothing_between(other, output, record.output):
                return linear, other.module
        return linear, None
    return None, None


def _vector(cut: Cut) -> Float[Tensor, "1 n k"]:
    """Return one vector, chosen in advance, for each of the pictures."""
    n, k = cut.features.shape[:2]
    vector = torch.randn(k, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
    return vector.to(cut.tensor.device, cut.tail.dtype).expand(1, n, k)


def says(cut: Cut) -> Float[Tensor, " c"]:
    """Return what a head makes of a vector chosen in advance, with nothing held."""
    values = cut.tail.run(cut.start(_vector(cut)))
    assert values is not None, "the output depends on it"
    return values[0, :1].flatten()


def same(one: Tensor, other: Tensor) -> bool:
    """Say whether two tensors hold the same numbers, up to the rounding of replays."""
    return one.shape == other.shape and bool((one - other).abs().max() <= 1e-6 * other.abs().max())


def head_from(
    record: Record, cut: Cut, function: HeadFunction | None, location: Location
) -> FoundHead:
    """Return a head that was found in a record; its function is not needed for a plain one."""
    steps = record.steps[cut.position :]
    read = tensors_in([(step.args, step.kwargs) for step in steps])
    convolves = any("conv" in step.name for step in steps)
    rounding = coarsest_rounding([cut.tensor, record.output, *read], convolves)
    rounding = max(rounding, _REPLAY)
    logits, features = record.output.detach(), cut.features
    for output in record.outputs:
        if location.grid is not None and output.module is location.grid():
            features = features.reshape(*features.shape[:2], *output.result.shape[2:])
            break
    linear = None if location.linear is None else location.linear()
    if linear is not None:
        return _plain_head(features, logits, linear, rounding, location.layer)
    assert function is not None
    # Where no norm is zero: with the spread held, the head's slope is the same everywhere. As large as
    # the features are, so that little is lost in the difference.
    away = (float(cut.features.abs().max()) or 1.0) * _vector(cut)[0]
    there, opposite = cut.run(function, torch.stack([away, -away]))

    def slopes(vectors: Float[Tensor, "m n k"]) -> Float[Tensor, "m n c"]:
        return cut.run(function, vectors.to(away) + away) - there

    offset = (there + opposite) / 2
    exact = torch.promote_types(features.dtype, torch.float32)
    held = location.held if function.held else ()
    return FoundHead(
        features, offset.to(exact), logits, rounding, held, location.layer, None, slopes
    )


def _plain_head(
    features: Tensor, logits: Tensor, linear: nn.Linear, rounding: float, layer: str
) -> FoundHead:
    exact = torch.promote_types(features.dtype, torch.float32)
    offset = logits.new_zeros(logits.shape[1], dtype=exact)
    if linear.bias is not None:  # a copy: nobody can write to the bias through it
        offset = linear.bias.detach().to(exact, copy=True)
    features, logits = features.detach(), logits.detach()
    offset, weight = offset.expand(len(logits), -1), linear.weight.detach()
    return FoundHead(features, offset, logits, rounding, (), layer, weight, None)
