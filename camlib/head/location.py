"""Remember where a network's head was found, and look only there the next time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary, ref

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from camlib.head.features import PooledFeatures, Position, has_places
from camlib.head.head import FoundHead, coarsest_rounding
from camlib.head.linearity import SIZES, HeadFunction
from camlib.head.record import Output, Record, tensors_in
from camlib.head.replay import Constants, NotReplayableError
from camlib.running import Run, hooking, version_of

# The relative rounding of a replay in float64, which divides by spreads.
_REPLAY = 4e-15


@dataclass(frozen=True, eq=False)
class Location:
    """Where a network's head was found: where to look the next time. It keeps no tensor of a run.

    The calls are recorded from the end of a ``call`` of ``start`` on: as long as they have these names,
    ``position`` finds features and average among them. ``fingerprint`` is what the head returns for a
    fixed vector. ``linear`` is the layer that does all that the head does, if one does; if the module
    ``pooling`` averages the features, hooks on both are enough. ``layer`` names the module that returns
    the features, and ``grid`` is one whose output has the rows and columns of averaged tokens.
    """

    channels: int
    layer: str
    held: tuple[str, ...]
    start: ref[nn.Module] | None
    call: int
    grid: ref[nn.Module] | None
    calls: tuple[str, ...]
    position: Position
    fingerprint: Float[Tensor, " c"]
    linear: ref[nn.Linear] | None = None
    pooling: ref[nn.Module] | None = None


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


def locate(
    network: nn.Module, pooled: PooledFeatures, head: HeadFunction, others: Tensor, run: Run
) -> Location | None:
    """Return where a head was found; None if other pictures have another head, or the same features."""
    record, read = pooled.record, pooled.position.read
    outputs = record.outputs[::-1]
    start = next((output for output in outputs if output.position <= read), None)
    grid = next((output for output in record.outputs if _has_grid(output.result, pooled)), None)
    layer = next((output for output in outputs if _returns(output, pooled.tensor)), None)
    first = 0 if start is None else start.position
    average = pooled.position.average
    average = average and (average[0] - first, average[1])
    location = Location(
        channels=record.images.shape[1],
        layer="" if layer is None else record.label(layer),
        held=tuple(dict.fromkeys(head.held)),
        start=None if start is None else ref(start.module),
        call=0 if start is None else start.call,
        grid=None if grid is None else ref(grid.module),
        calls=tuple(step.name for step in record.steps[first:]),
        position=replace(pooled.position, read=read - first, average=average),
        fingerprint=_fingerprint(pooled),
    )
    other = _pooled_features(location, network, others, run)
    if other is None or torch.equal(other.features, pooled.features):
        return None
    if _function(location, other) is None:
        return None
    linear, pooling = _plain_layers(pooled, head)
    return replace(
        location,
        linear=None if linear is None else ref(linear),
        pooling=None if pooling is None else ref(pooling),
    )


def recall(location: Location, network: nn.Module, images: Tensor, run: Run) -> FoundHead | None:
    """Run the network and look where its head was found; None if that is not the same head."""
    linear = None if location.linear is None else location.linear()
    pooling = None if location.pooling is None else location.pooling()
    if linear is not None and pooling is not None and location.grid is None:
        return _recall_plain(location, linear, pooling, network, images, run)
    pooled = _pooled_features(location, network, images, run)
    if pooled is None:
        return None
    # It has been looked at closely before.
    function = None if linear is not None else _function(location, pooled, (1.0, 100.0))
    return None if linear is None and function is None else found_head(location, pooled, function)


def _pooled_features(
    location: Location, network: nn.Module, images: Tensor, run: Run
) -> PooledFeatures | None:
    """Run the network and return the features at a location; None if the network has other calls."""
    start = None if location.start is None else location.start()
    grid = None if location.grid is None else location.grid()
    if (location.start and start is None) or (location.grid and grid is None):
        return None
    begin = None if start is None else (start, location.call)
    record = Record().run(network, images, run, begin, [] if grid is None else [grid])
    if tuple(step.name for step in record.steps) != location.calls:
        return None
    constants = Constants(images.device, record.overwritten)
    pooled = PooledFeatures(record, location.position, constants)
    tensor = pooled.tensor
    if not has_places(tensor) or len(tensor) % len(images) or pooled.features[0, 0].numel() < 2:
        return None
    return pooled


def _function(
    location: Location, pooled: PooledFeatures, sizes: tuple[float, ...] = SIZES
) -> HeadFunction | None:
    """Return the head behind these features; None if it is not affine, or not the head that was found."""
    try:
        head = pooled.function(sizes)
    except NotReplayableError:
        return None
    known = head.kind == "affine" and _same(_fingerprint(pooled), location.fingerprint)
    return head if known else None


def _vector(pooled: PooledFeatures) -> Float[Tensor, "1 n k"]:
    """Return a fixed vector, the same for each of the pictures."""
    n, k = pooled.features.shape[:2]
    vector = torch.randn(k, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
    return vector.to(pooled.tensor.device, pooled.tail.dtype).expand(1, n, k)


def _fingerprint(pooled: PooledFeatures) -> Float[Tensor, " c"]:
    """Return what a head makes of a fixed vector, with nothing held."""
    values = pooled.tail.run(pooled.start(_vector(pooled)))
    assert values is not None, "the output depends on it"
    return values[0, :1].flatten()


def _same(one: Tensor, other: Tensor) -> bool:
    """Say whether two tensors hold the same numbers, up to the rounding of replays."""
    return one.shape == other.shape and bool((one - other).abs().max() <= 1e-6 * other.abs().max())


def _plain_layers(
    pooled: PooledFeatures, head: HeadFunction
) -> tuple[nn.Linear | None, nn.Module | None]:
    """Return the linear layer that does all that the head does, and the pooling before it, if any."""
    vectors = _vector(pooled)
    values, outputs = pooled.run(head, vectors), pooled.record.outputs
    shape = values.shape[2], vectors.shape[2]
    for linear in (output.module for output in reversed(outputs)):
        if isinstance(linear, nn.Linear) and linear.weight.shape == shape:
            bias = None if linear.bias is None else linear.bias.to(vectors)
            if _same(F.linear(vectors, linear.weight.to(vectors), bias), values):
                size = pooled.features.shape[:2].numel()
                poolings = (output.module for output in outputs if _pools(output, pooled, size))
                return linear, next(poolings, None)
    return None, None


def _pools(output: Output, pooled: PooledFeatures, size: int) -> bool:
    """Say whether a module was given the feature maps, channels first, and returned one vector each."""
    return (
        output.given is pooled.tensor
        and output.given.data_ptr() == pooled.features.data_ptr()
        and output.given.shape == pooled.features.shape
        and isinstance(output.result, Tensor)
        and output.result.numel() == size
    )


def _recall_plain(
    location: Location,
    linear: nn.Linear,
    pooling: nn.Module,
    network: nn.Module,
    images: Tensor,
    run: Run,
) -> FoundHead | None:
    """Run the network with hooks on its pooling and its linear layer: the proof tells if that is all."""
    seen: dict[nn.Module, tuple[Any, Any, int]] = {}

    def note(module: nn.Module, args: tuple[Any, ...], result: Any) -> None:
        version = version_of(args[0]) if args and isinstance(args[0], Tensor) else -1
        seen[module] = args, result, version

    with hooking({pooling: note, linear: note}):
        logits = run(network, images)
    if len(seen) < 2:
        return None
    (features, *_), _, version = seen[pooling]
    # Written to since they were averaged; or of one cell, where the pictures are smaller than before.
    if version_of(features) != version or features[0, 0].numel() < 2:
        return None
    rounding = coarsest_rounding([*tensors_in(list(seen.values())), linear.weight, logits])
    return _plain_head(features, logits, linear, rounding, location.layer)


def found_head(location: Location, pooled: PooledFeatures, head: HeadFunction | None) -> FoundHead:
    """Return the head of a record at a location; its function is not needed for a plain one."""
    record, features = pooled.record, pooled.features
    steps = record.steps[pooled.position.read :]
    read = [tensor for step in steps for tensor in step.inputs]
    convolves = any("conv" in step.name for step in steps)
    rounding = coarsest_rounding([pooled.tensor, record.output, *read], convolves)
    rounding, logits = max(rounding, _REPLAY), record.output.detach()
    for output in record.outputs:
        if location.grid is not None and output.module is location.grid():
            features = features.reshape(*features.shape[:2], *output.result.shape[2:])
            break
    linear = None if location.linear is None else location.linear()
    if linear is not None:
        return _plain_head(features, logits, linear, rounding, location.layer)
    assert head is not None
    # Where no norm is zero: with the spread held, the head's slope is the same everywhere. As large as
    # the features are, so that little is lost in the difference.
    away = (float(features.abs().max()) or 1.0) * _vector(pooled)[0]
    there, opposite = pooled.run(head, torch.stack([away, -away]))

    def slopes(vectors: Float[Tensor, "m n k"]) -> Float[Tensor, "m n c"]:
        return pooled.run(head, vectors.to(away) + away) - there

    exact = torch.promote_types(features.dtype, torch.float32)
    offset = ((there + opposite) / 2).to(exact)
    held = location.held if head.held else ()
    return FoundHead(features, offset, logits, rounding, held, location.layer, None, slopes)


def _plain_head(
    features: Tensor, logits: Tensor, linear: nn.Linear, rounding: float, layer: str
) -> FoundHead:
    features, logits, weight = features.detach(), logits.detach(), linear.weight.detach()
    exact = torch.promote_types(features.dtype, torch.float32)
    offset = logits.new_zeros(logits.shape[1], dtype=exact)
    if linear.bias is not None:  # a copy: nobody can write to the bias through it
        offset = linear.bias.detach().to(exact, copy=True)
    offset = offset.expand(len(logits), -1)
    return FoundHead(features, offset, logits, rounding, (), layer, weight, None)


def _returns(output: Output, tensor: Tensor) -> bool:
    """Say whether a module returned this tensor, or a view that has all of it in the same layout."""
    one = output.result
    return (
        isinstance(one, Tensor)
        and one.shape == tensor.shape
        and one.data_ptr() == tensor.data_ptr()
        and one.stride() == tensor.stride()
        and output.version == version_of(tensor)
    )


def _has_grid(result: object, pooled: PooledFeatures) -> bool:
    """Say whether a module's output has rows and columns for averaged tokens, as patches have."""
    places, images = pooled.features.shape[2:], pooled.record.images
    return (
        len(places) < images.ndim - 2
        and isinstance(result, Tensor)
        and result.ndim == images.ndim
        and len(result) == len(images)
        and result.shape[2:].numel() == places.numel()
    )
