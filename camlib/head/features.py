"""Find the feature maps on whose average alone the output depends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from camlib.errors import NotCAMReadyError
from camlib.head.linearity import SIZES, HeadFunction, HeldHead, probes_around
from camlib.head.record import Record, Step, may_write, tensors_in
from camlib.head.replay import NotReplayableError, Tail
from camlib.running import storage_of

# Numbers that one replay may hold at once: 128 megabytes in float64.
_NUMBERS = 2**24
# So many tensors may have no effect on the output: parts that are dropped, or have weights of zero.
_WITHOUT_EFFECT = 8
# So many steps before feature maps are looked at for one that does not keep places.
_STEPS_BACK = 8


def has_places(tensor: Tensor) -> bool:
    """Say whether a tensor holds more than one vector per picture, as (n, k, 1, 1) does not."""
    return (
        tensor.ndim > 2
        and tensor.is_floating_point()
        and tensor.numel() > len(tensor) * max(tensor.shape[1:])
    )


@dataclass(frozen=True)
class Position:
    """Where feature maps and their average are among the calls of a record.

    The maps are the tensor number ``index`` that the call number ``read`` is the first to read. The
    average is ``factor`` times their mean: a result (call, number) or, where several calls read the
    maps, None.
    """

    read: int
    index: int
    channels_last: bool = False
    factor: float = 1.0
    average: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class PooledFeatures:
    """Feature maps of a record, and the calls that lead from their average to the output.

    The calls begin at ``tail.start``: at the average, or else at the maps themselves.
    """

    record: Record
    position: Position

    @property
    def tensor(self) -> Tensor:
        """The feature maps as the network has them: channels first or last, or frames as pictures."""
        return self.record.steps[self.position.read].inputs[self.position.index]

    @property
    def features(self) -> Float[Tensor, "n k *places"]:
        """The feature maps, channels first."""
        return self.channels_first(self.tensor.detach())

    @property
    def after(self) -> int:
        """The number of the first call behind the average."""
        return self.position.average[0] + 1 if self.position.average else self.position.read

    @property
    def losing_step(self) -> Step | None:
        """The step on the way to the maps that loses their places, if any."""
        return step_losing_places(self.record, self.position.read, self.tensor)

    @cached_property
    def tail(self) -> Tail:
        """The calls from the average to the output."""
        start, steps = self.tensor, self.record.steps
        if self.position.average:
            step, number = self.position.average
            start = steps[step].tensors[number]
        return Tail(steps[self.after :], start, self.record.output, self.record.constants)

    def channels_first(self, tensor: Tensor) -> Float[Tensor, "n k *places"]:
        """Return a tensor like the feature maps with its channels first."""
        n = len(self.record.images)
        if self.position.channels_last:
            return tensor.movedim(-1, 1)
        if len(tensor) > n:  # several frames of each picture
            return tensor.reshape(n, -1, *tensor.shape[1:]).movedim(1, 2)
        return tensor

    def start(self, vectors: Float[Tensor, "m n k"]) -> Tensor:
        """Return what the calls begin with where the maps average to these vectors."""
        if self.position.average:
            return (self.position.factor * vectors).reshape(len(vectors), *self.tail.start.shape)
        m, n, k = vectors.shape
        shape, ones = self.tensor.shape, [1] * (self.tensor.ndim - 2)
        if self.position.channels_last:
            return vectors.reshape(m, n, *ones, k).expand(m, *shape)
        frames = vectors.repeat_interleave(shape[0] // n, dim=1)
        return frames.reshape(m, shape[0], k, *ones).expand(m, *shape)

    @property
    def mean(self) -> Float[Tensor, "n k"]:
        """The average of the feature maps, in the precision of replays."""
        return self.features.to(self.tail.dtype).flatten(2).mean(2)

    def head_function(self) -> HeadFunction:
        """Return the function from the average to the output, tried with vectors of several sizes."""
        return HeadFunction(self.tail, self.start(probes_around(self.mean)))

    def run(self, head: HeldHead, vectors: Float[Tensor, "m n k"]) -> Float[Tensor, "m n c"]:
        """Return the head's values for vectors, as many at a time as fit into memory."""
        size = max(1, _NUMBERS // self.tail.start.numel())
        return torch.cat([head.run(self.start(some)) for some in torch.split(vectors, size)])

    def check_unwritten(self) -> None:
        """Raise if a call has written to the feature maps in place since they were averaged."""
        steps = self.record.steps[self.position.read :]
        written = {storage_of(tensor) for step in steps for tensor in step.written}
        if storage_of(self.tensor) in written:
            raise NotCAMReadyError(
                "network: expected feature maps that stay as they were when they were averaged, got "
                "some that are written to in place afterwards. Leave out the in-place call behind the "
                "pooling, for example ReLU(inplace=True)."
            )


def all_pooled_features(record: Record) -> list[PooledFeatures]:
    """Return the feature maps on whose average the output depends, those with most places first.

    Of several with as many places those with most axes, channels first, nearest to the average. There
    are several where a network adds up branches: the output depends on the average of each as long as
    the others stay as they were.
    """

    def rank(pooled: PooledFeatures) -> tuple[int, int, bool, int]:
        places = pooled.features.shape[2:]
        last = pooled.position.channels_last
        return places.numel(), len(places), not last, pooled.position.read

    found = list(_find(record))
    if found and found[-1].position.average:
        # A tensor made of the average may look like maps whose places are channels.
        found = [one for one in found if one.position.read < found[-1].after]
    return sorted(found, key=rank, reverse=True)


def _find(record: Record) -> Iterator[PooledFeatures]:
    """Yield the last ones first, until the calls from there to the output are no longer affine."""
    without_effect, found = 0, False
    for read, index, tensor in all_feature_maps(record):
        tail = Tail(record.steps[read:], tensor, record.output, record.constants)
        probes = probes_around(tensor.to(tail.dtype), sizes=[1.0], draws=1)
        try:
            head = HeadFunction(tail, probes)
            if head.node is None:  # the output does not read it
                continue
            kind = head.kind
            without_effect += kind == "constant"
            for channels_last in (False, True) if kind != "constant" else ():
                if channels_last and len(tensor) > len(record.images):
                    break
                maps = PooledFeatures(record, Position(read, index, channels_last))
                pooled = _with_average(maps, probes[1:3])
                if pooled is not None:
                    found = True
                    yield pooled
                    break
        except NotReplayableError:
            if not found:
                raise
            return
        if kind in ("mixing", "other") or without_effect > _WITHOUT_EFFECT:
            return


def _with_average(maps: PooledFeatures, tensors: Float[Tensor, "m n ..."]) -> PooledFeatures | None:
    """Return feature maps with the call that averages them; None if the output depends on more.

    If it depends on the average alone, it is the same for tensors and for their means at every place.
    """
    results: list[tuple[int, int, Tensor]] = []

    def note(number: int, step: Step, read: dict[int, Tensor], made: list[Tensor]) -> list[Tensor]:
        for index, result in enumerate(made):
            if result.is_floating_point() and 2 * result.numel() <= tensors.numel():
                results.append((number, index, result.clone()))
        return made

    output = maps.tail.run(tensors, note)
    if output is not None and not output.isfinite().all():  # of roots and logarithms
        tensors = tensors.abs()
        results.clear()
        output = maps.tail.run(tensors, note)
    means = torch.stack([maps.channels_first(one).flatten(2).mean(2) for one in tensors])
    level = maps.tail.run(maps.start(means))
    one_cell = maps.features[0, 0].numel() < 2
    if one_cell or output is None or level is None or not _near(level, output):
        return None
    # A second call that reads the maps has an effect at some size or sign.
    vectors = torch.cat([size * sign * means[:1] for size in SIZES for sign in (1, -1)])
    outputs = maps.tail.run(maps.start(vectors))
    for number, index, result in results:
        if result.numel() != means.numel():
            continue
        result = result.reshape(means.shape)
        factor = float((result * means).sum() / means.square().sum())
        if _near(result, factor * means):
            average = maps.position.read + number, index
            position = replace(maps.position, factor=factor, average=average)
            pooled = replace(maps, position=position)
            again = pooled.tail.run(pooled.start(vectors))
            if again is not None and outputs is not None and _near(again, outputs):
                return pooled
    return maps


def _near(one: Tensor, other: Tensor) -> bool:
    """Say whether results are the same, each up to the rounding of its largest number."""
    tolerance = 1e-8 if one.dtype == torch.float64 else 1e-4
    gaps, sizes = (one - other).abs().flatten(1).amax(1), other.abs().flatten(1).amax(1)
    return bool((gaps <= tolerance * sizes).all())


def all_feature_maps(record: Record) -> list[tuple[int, int, Tensor]]:
    """Return all feature maps, the last ones first, each with the first call that reads it.

    Those are tensors with places that were made of tensors with places, from the images on or from
    calls that cannot be watched; not the network's buffers, and none that were made of averages. The
    call is given by its number, and by the tensor's number among those that it reads.
    """
    n, found = len(record.images), [(0, record.images)]
    placed = {id(record.images)}
    known = placed | record.buffers
    for number, step in enumerate(record.steps):
        for tensor in step.inputs:
            if id(tensor) not in known and _is_maps(tensor):
                found.append((number, tensor))
                placed.add(id(tensor))
        known |= set(map(id, step.inputs + step.tensors))
        if not placed.isdisjoint(map(id, step.inputs)):
            made = [tensor for tensor in step.tensors if has_places(tensor)]
            placed |= set(map(id, made))
            found += [(number + 1, tensor) for tensor in made]
    return [
        (*reading, tensor)
        for position, tensor in reversed(found)
        if has_places(tensor) and len(tensor) % n == 0
        for reading in [_first_reading(record, position, tensor)]
        if reading is not None
    ]


def _first_reading(record: Record, position: int, tensor: Tensor) -> tuple[int, int] | None:
    for number, step in enumerate(record.steps[position:], position):
        for index, one in enumerate(step.inputs):
            if one is tensor:
                return number, index
    return None


def step_losing_places(record: Record, position: int, maps: Tensor) -> Step | None:
    """Return a step on the way to maps that gives the same for places in reverse order, if any.

    Sorting does, and summing the products of all channels: what looks like places are ranks or channels.
    """
    for step in reversed(record.steps[max(0, position - _STEPS_BACK) : position]):
        sources = [one for one in step.inputs if _is_maps(one)]
        index = next((number for number, one in enumerate(step.tensors) if one is maps), None)
        if index is not None and sources and not may_write(step.function):
            source = sources[0]
            turns = range(2, source.ndim), range(1, source.ndim - 1)
            # Nothing can be seen of maps that are the same at all places.
            flat = maps.ndim == source.ndim and any(
                _close(maps.flip(*axes), maps) for axes in turns
            )
            if not flat and any(_ignores_order(step, index, source, axes) for axes in turns):
                return step
            maps = source
    return None


def _is_maps(tensor: Tensor) -> bool:
    return has_places(tensor) and not isinstance(tensor, nn.Parameter)


def _ignores_order(step: Step, index: int, source: Tensor, axes: Sequence[int]) -> bool:
    """Say whether a call gives the same for all that it reads with some axes reversed."""
    if _close(source.flip(*axes), source):
        return False

    def flipped(leaf: Any) -> Any:
        same = isinstance(leaf, Tensor) and _is_maps(leaf) and leaf.ndim == source.ndim
        return leaf.flip(*axes) if same else leaf

    args, kwargs = tree_map(flipped, (step.args, step.kwargs))
    return _close(tensors_in(step.function(*args, **kwargs))[index], step.tensors[index])


def _close(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= 1e-4 * other.abs().max())
