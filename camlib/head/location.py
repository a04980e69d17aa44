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
from camlib.head.linearity import HeadFunction, HeldHead, Spread
from camlib.head.record import Output, Record, tensors_in
from camlib.head.replay import NotReplayableError
from camlib.running import Run, hooking, version_of

# The relative rounding of a replay in float64, which divides by spreads.
_REPLAY = 4e-15


@dataclass(frozen=True, eq=False)
class Location:
    """Where a network's head was found: where to look the next time. It keeps no tensor of a run.

    ``position`` gives the features and their average among the ``calls``, whose names have to be the
    same. Of the calls behind the average, ``opened`` are replaced by their parts, and ``spreads`` are
    held; ``fingerprint`` is what they return for a fixed vector. ``layer`` is the name of the layer that
    returns the features. ``modules`` may hold: "start", after whose call number ``call`` the recording
    begins; "linear", a linear layer that does the same as the head; "pooling", which averages the
    features; "grid", whose output has the rows and columns of averaged tokens.
    """

    channels: int
    layer: str
    held: tuple[str, ...]
    call: int
    calls: tuple[str, ...]
    position: Position
    opened: tuple[int, ...]
    spreads: dict[int, Spread]
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
) -> tuple[Location, FoundHead] | None:
    """Return where a head was found; None unless it is affine, and the same for other pictures."""
    if head.kind != "affine":
        return None
    record, position, outputs = pooled.record, pooled.position, pooled.record.outputs
    start = next((one for one in reversed(outputs) if one.position <= position.read), None)
    layer = next((one for one in reversed(outputs) if _returns(one, pooled.tensor)), None)
    grid = next((one for one in outputs if _has_grid(one.result, pooled)), None)
    first = 0 if start is None else start.position
    average = position.average and (position.average[0] - first, position.average[1])
    held = _hold(pooled, head.spreads)
    found = {"start": start, "grid": grid, **_plain_layers(pooled, held)}
    location = Location(
        channels=record.images.shape[1],
        layer="" if layer is None else record.label(layer),
        held=tuple(dict.fromkeys(head.held)),
        call=0 if start is None else start.call,
        calls=tuple(step.name for step in record.steps[first:]),
        position=replace(position, read=position.read - first, average=average),
        opened=tuple(pooled.tail.opened),
        spreads=head.spreads,
        fingerprint=_fingerprint(held),
        modules={key: ref(one.module) for key, one in found.items() if one is not None},
    )
    other = _look(location, network, others, run)
    if other is None or torch.equal(other.features, pooled.features):  # not of the pictures
        return None
    same = _hold_again(location, other) is not None and other.head_function().kind == "affine"
    return (location, _found_head(location, pooled, held)) if same else None


def recall(location: Location, network: nn.Module, images: Tensor, run: Run) -> FoundHead | None:
    """Run the network and look where its head was found; None if that is not the same head."""
    modules = location.modules
    if {"linear", "pooling"} <= modules.keys() and "grid" not in modules:
        return _recall_plain(location, network, images, run)
    pooled = _look(location, network, images, run)
    if pooled is None:
        return None
    if "linear" in modules:
        return _found_head(location, pooled, None)
    held = _hold_again(location, pooled)
    return None if held is None else _found_head(location, pooled, held)


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


def _hold(pooled: PooledFeatures, spreads: dict[int, Spread]) -> HeldHead:
    """Hold the spreads at those of the pictures, and return the head's values for four vectors.

    They are the average, two opposite ones, and a fixed one whose own spreads are held.
    """
    # Away from zero, where a norm is zero: with the spread held, the head's slope is the same
    # everywhere. As large as the features are, so that little is lost in the difference.
    vector, away = _vector(pooled), _away(pooled)
    vectors = torch.stack([pooled.mean, away, -away, vector])
    return HeldHead(pooled.tail, spreads, pooled.start(vectors), held_at=(0, 0, 0, 3))


def _hold_again(location: Location, pooled: PooledFeatures) -> HeldHead | None:
    """Hold the spreads of the head that was found; None if this is another head.

    Whether it is affine for these pictures, too, is left to the proof.
    """
    try:
        if not all(map(pooled.tail.open, location.opened)):
            return None
        held = _hold(pooled, location.spreads)
    except NotReplayableError:
        return None
    return held if _same(_fingerprint(held), location.fingerprint) else None


def _away(pooled: PooledFeatures) -> Float[Tensor, "n k"]:
    return (float(pooled.features.abs().max()) or 1.0) * _vector(pooled)


def _vector(pooled: PooledFeatures) -> Float[Tensor, "n k"]:
    """Return a fixed vector, the same for each of the pictures."""
    n, k = pooled.features.shape[:2]
    vector = torch.randn(k, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
    return vector.to(pooled.tensor.device, pooled.tail.dtype).expand(n, k)


def _fingerprint(held: HeldHead) -> Float[Tensor, " c"]:
    """Return what a head makes of a fixed vector, with that vector's own spreads."""
    return held.values[3, 0]


def _same(one: Tensor, other: Tensor) -> bool:
    """Say whether two tensors hold the same numbers, up to the rounding of replays."""
    return one.shape == other.shape and bool((one - other).abs().max() <= 1e-6 * other.abs().max())


def _plain_layers(pooled: PooledFeatures, held: HeldHead) -> dict[str, Output | None]:
    """Return the linear layer that does the same as the head, and the pooling before it, if any."""
    vectors, outputs = _vector(pooled), pooled.record.outputs
    values, size = held.values[3], pooled.features.shape[:2].numel()
    for output in reversed(outputs):
        linear, shape = output.module, (values.shape[1], vectors.shape[1])
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


def _found_head(location: Location, pooled: PooledFeatures, held: HeldHead | None) -> FoundHead:
    """Return the head of a record at a location; its values are not needed for a plain one."""
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
    assert held is not None
    away, (_, there, opposite, _) = _away(pooled), held.values

    def slopes(vectors: Float[Tensor, "m n k"]) -> Float[Tensor, "m n c"]:
        return pooled.run(held, vectors.to(away) + away) - there

    exact = torch.promote_types(features.dtype, torch.float32)
    offset = ((there + opposite) / 2).to(exact)
    return FoundHead(
        features, offset, logits, rounding, location.held, location.layer, None, slopes
    )


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
