"""Remember where a network's head was found, and look only there the next time."""

from __future__ import annotations

from collections.abc import Sequence
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
from camlib.head.replay import NotReplayableError
from camlib.running import Run, hooking, version_of

# The relative rounding of a replay in float64, which divides by spreads.
_REPLAY = 4e-15


@dataclass(frozen=True, eq=False)
class Location:
    """Where a network's head was found: where to look the next time. It keeps no tensor of a run.

    ``position`` gives the features and their average among the ``calls``, whose names have to be the
    same. ``fingerprint`` is what the head returns for a fixed vector, ``layer`` the name of the layer
    that returns the features. ``modules`` may hold: "start", after whose call number ``call`` the
    recording begins; "linear", a linear layer that does the same as the head; "pooling", which averages
    the features; "grid", whose output has the rows and columns of averaged tokens.
    """

    channels: int
    layer: str
    held: tuple[str, ...]
    call: int
    calls: tuple[str, ...]
    position: Position
    fingerprint: Float[Tensor, " c"]
    modules: dict[str, ref[nn.Module]]

    def existing_modules(self) -> dict[str, nn.Module] | None:
        """Return the modules, or None if one of them is gone."""
        modules = {key: reference() for key, reference in self.modules.items()}
        existing = {key: module for key, module in modules.items() if module is not None}
        return existing if len(existing) == len(modules) else None


@dataclass
class Memory:
    """What is remembered of a network: where its head is, or the layer that Grad-CAM chose."""

    head: Location | None = None
    layer: Any = None


# With weak references, so that neither a network nor a layer taken out of one is kept alive.
_MEMORIES: WeakKeyDictionary[nn.Module, Memory] = WeakKeyDictionary()


def memory_of(network: nn.Module) -> Memory:
    """Return what is remembered of a network, to be read and changed."""
    return _MEMORIES.setdefault(network, Memory())


def locate(
    network: nn.Module, pooled: PooledFeatures, head: HeadFunction, others: Tensor, run: Run
) -> Location | None:
    """Return where a head was found; None unless it is affine, and the same for other pictures."""
    if head.kind != "affine":
        return None
    record, position, outputs = pooled.record, pooled.position, pooled.record.outputs
    start = next((one for one in reversed(outputs) if one.position <= position.read), None)
    layer = next((one for one in reversed(outputs) if _returns(one, pooled.tensor)), None)
    grid = next((one for one in outputs if _has_grid(one.result, pooled)), None)
    first = 0 if start is None else start.position
    average = position.average and (position.average[0] - first, position.average[1])
    found = {"start": start, "grid": grid, **_plain_layers(pooled, head)}
    location = Location(
        channels=record.images.shape[1],
        layer="" if layer is None else record.label(layer),
        held=tuple(dict.fromkeys(head.held)),
        call=0 if start is None else start.call,
        calls=tuple(step.name for step in record.steps[first:]),
        position=replace(position, read=position.read - first, average=average),
        fingerprint=_fingerprint(pooled),
        modules={key: ref(one.module) for key, one in found.items() if one is not None},
    )
    other = _look(location, network, others, run)
    if other is None or torch.equal(other.features, pooled.features):  # not of the pictures
        return None
    return None if _head_function(location, other) is None else location


def recall(location: Location, network: nn.Module, images: Tensor, run: Run) -> FoundHead | None:
    """Run the network and look where its head was found; None if that is not the same head."""
    modules = location.modules
    if {"linear", "pooling"} <= modules.keys() and "grid" not in modules:
        return _recall_plain(location, network, images, run)
    pooled = _look(location, network, images, run)
    if pooled is None:
        return None
    head = None
    if "linear" not in modules:
        head = _head_function(location, pooled, sizes=(1.0, 100.0))  # all were tried before
        if head is None:
            return None
    return found_head(location, pooled, head)


def _look(
    location: Location, network: nn.Module, images: Tensor, run: Run
) -> PooledFeatures | None:
    """Run the network and return the features at a location; None if the network has other calls."""
    modules = location.existing_modules()
    if modules is None:
        return None
    start = (modules["start"], location.call) if "start" in modules else None
    grid = [modules["grid"]] if "grid" in modules else []
    record = Record().run(network, images, run, start, grid)
    if tuple(step.name for step in record.steps) != location.calls:
        return None
    pooled = PooledFeatures(record, location.position)
    tensor, n = pooled.tensor, len(images)
    fits = has_places(tensor) and len(tensor) % n == 0 and _has_maps(pooled.features, n)
    return pooled if fits else None


def _has_maps(features: Tensor, n: int) -> bool:
    """Say whether a tensor holds maps of several cells for each picture."""
    return has_places(features) and len(features) == n and features[0, 0].numel() > 1


def _head_function(
    location: Location, pooled: PooledFeatures, sizes: Sequence[float] = SIZES
) -> HeadFunction | None:
    """Return the head behind these features; None if it is not affine, or not the head that was found."""
    try:
        head = pooled.head_function(sizes)
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


def _plain_layers(pooled: PooledFeatures, head: HeadFunction) -> dict[str, Output | None]:
    """Return the linear layer that does the same as the head, and the pooling before it, if any."""
    vectors, outputs = _vector(pooled), pooled.record.outputs
    values, size = pooled.run(head, vectors), pooled.features.shape[:2].numel()
    for output in reversed(outputs):
        linear, shape = output.module, (values.shape[2], vectors.shape[2])
        if isinstance(linear, nn.Linear) and linear.weight.shape == shape:
            bias = None if linear.bias is None else linear.bias.to(vectors)
            if _same(F.linear(vectors, linear.weight.to(vectors), bias), values):
                poolings = (one for one in outputs if _pools(one, pooled, size))
                return {"linear": output, "pooling": next(poolings, None)}
    return {}


def _pools(output: Output, pooled: PooledFeatures, size: int) -> bool:
    """Say whether a module was given the feature maps, channels first, and returned one vector each."""
    return (
        output.given is pooled.tensor
        and output.given.stride() == pooled.features.stride()
        and isinstance(output.result, Tensor)
        and output.result.numel() == size
    )


def _recall_plain(
    location: Location, network: nn.Module, images: Tensor, run: Run
) -> FoundHead | None:
    """Run the network with hooks on its pooling and linear layer; the proof tells if nothing else counts."""
    modules = location.existing_modules()
    if modules is None:
        return None
    linear, pooling = modules["linear"], modules["pooling"]
    assert isinstance(linear, nn.Linear)
    seen: dict[nn.Module, tuple[Any, Any, int]] = {}

    def note(module: nn.Module, args: tuple[Any, ...], result: Any) -> None:
        version = version_of(args[0]) if args and isinstance(args[0], Tensor) else -1
        seen[module] = args, result, version

    with hooking({pooling: note, linear: note}):
        logits = run(network, images)
    if len(seen) < 2 or seen[pooling][2] < 0:
        return None
    (features, *_), _, version = seen[pooling]
    # Written to since they were averaged, or of one cell where the pictures are smaller than before.
    if version_of(features) != version or not _has_maps(features, len(images)):
        return None
    rounding = coarsest_rounding([*tensors_in(list(seen.values())), linear.weight, logits])
    return _plain_head(features, logits, linear, rounding, location.layer)


def found_head(location: Location, pooled: PooledFeatures, head: HeadFunction | None) -> FoundHead:
    """Return the head of a record at a location; its function is not needed for a plain one."""
    record, features, logits = pooled.record, pooled.features, pooled.record.output.detach()
    modules = location.existing_modules() or {}
    steps = record.steps[pooled.position.read :]
    read = [tensor for step in steps for tensor in step.inputs]
    convolves = any("conv" in step.name for step in steps)
    rounding = max(coarsest_rounding([pooled.tensor, logits, *read], convolves), _REPLAY)
    for output in record.outputs:
        if output.module is modules.get("grid"):
            features = features.reshape(*features.shape[:2], *output.result.shape[2:])
            break
    linear = modules.get("linear")
    if isinstance(linear, nn.Linear):
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
    """Say whether a module returned this tensor, and nothing has written to it since."""
    return output.result is tensor and output.version == version_of(tensor)


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
