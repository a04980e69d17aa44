"""Find the feature maps whose average all that follows depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from camlib.errors import NotCAMReadyError
from camlib.head.linearity import SIZES, HeadFunction, Probes
from camlib.head.record import Record, Step, may_write, tensors_in
from camlib.head.replay import Constants, NotReplayableError, Tail
from camlib.running import memory_of

# Numbers that one replay may hold at once: 128 megabytes in float64.
_NUMBERS = 2**24
# So many tensors may have no effect on the output: parts that are dropped, or have weights of zero.
_WITHOUT_EFFECT = 8
# So many steps before feature maps are looked at for one that does not keep places.
_STEPS_BACK = 16


@dataclass(frozen=True)
class Layout:
    """Where in a tensor channels and places are: ``maps`` gives (n, k, *places), ``tensor`` undoes it.

    ``name`` tells them apart; ``first`` means that it is (n, k, *places) already.
    """

    name: str
    maps: Callable[[Tensor], Float[Tensor, "n k *places"]]
    tensor: Callable[[Float[Tensor, "n k *places"]], Tensor]

    @property
    def first(self) -> bool:
        """Say whether the channels come first."""
        return self.name == "first"

    def spread_out(self, vector: Float[Tensor, "n k"], like: Tensor) -> Tensor:
        """Return a tensor that has the same vector at every place."""
        maps = self.maps(like)
        return self.tensor(vector.reshape(*vector.shape, *[1] * (maps.ndim - 2)).expand_as(maps))


def layouts(tensor: Tensor, n: int) -> Iterator[Layout]:
    """Yield the ways to read a tensor: channels first, channels last, several frames of a picture."""
    if len(tensor) == n:
        yield Layout("first", lambda one: one, lambda maps: maps)
        yield Layout("last", lambda one: one.movedim(-1, 1), lambda maps: maps.movedim(1, -1))
    elif len(tensor) % n == 0 and tensor.ndim > 3:
        yield Layout(
            "frames",
            lambda one: one.reshape(n, -1, *one.shape[1:]).movedim(1, 2),
            lambda maps: maps.movedim(2, 1).flatten(0, 1),
        )


def has_places(tensor: Tensor) -> bool:
    """Say whether a tensor holds more than one vector per picture, as (n, k, 1, 1) does not."""
    return (
        tensor.ndim > 2
        and tensor.is_floating_point()
        and tensor.numel() > len(tensor) * max(tensor.shape[1:])
    )


@dataclass(frozen=True, eq=False)
class Cut:
    """Feature maps, and the calls that lead from their average to the output.

    The calls begin at ``tail.start``: at the average, ``factor`` times the mean over the places, or,
    where several calls read the maps, at the maps themselves.
    """

    tensor: Tensor
    layout: Layout
    position: int  # how many steps came before the maps were complete
    read: int  # how many before they were read
    tail: Tail
    factor: float | None
    end: int  # how many before their average was complete

    @property
    def features(self) -> Float[Tensor, "n k *places"]:
        """Return the feature maps, channels first."""
        return self.layout.maps(self.tensor).detach()

    @property
    def pooled(self) -> Float[Tensor, "n k"]:
        """Return the average of the maps, in the precision of the replays."""
        return self.features.to(self.tail.dtype).flatten(2).mean(2)

    def start(self, vectors: Float[Tensor, "m n k"]) -> Tensor:
        """Return what the calls begin with where the maps average to these vectors."""
        if self.factor is not None:
            return (self.factor * vectors).reshape(len(vectors), *self.tail.start.shape)
        return torch.stack([self.layout.spread_out(one, self.tensor) for one in vectors])

    def recipe(self, record: Record, n: int) -> Recipe:
        """Return how to find the same in the record of other pictures."""
        at = self.read, _index(tensors_in(_given(record.steps[self.read])), self.tensor)
        which = [layout.name for layout in layouts(self.tensor, n)].index(self.layout.name)
        step = record.steps[self.end - 1] if self.factor is not None else None
        pooled = 0 if step is None else _index(step.tensors, self.tail.start)
        return Recipe(_names(record), self.position, at, which, self.factor, self.end, pooled)

    def run(self, head: HeadFunction, vectors: Float[Tensor, "m n k"]) -> Float[Tensor, "m n c"]:
        """Return the head's values for vectors, as many at a time as fit into memory."""
        size = max(1, _NUMBERS // self.tail.start.numel())
        return torch.cat([head.run(self.start(some)) for some in torch.split(vectors, size)])


@dataclass(frozen=True)
class Recipe:
    """The places of features and average among the calls, as long as these are the same calls."""

    calls: tuple[str, ...]
    position: int
    features: tuple[int, int]  # which step reads them, as which of its tensors
    layout: int
    factor: float | None
    end: int
    pooled: int

    def cut(self, record: Record, n: int) -> Cut | None:
        """Return the feature maps of a record and what follows; None if it has other calls."""
        if _names(record) != self.calls:
            return None
        read, which = self.features
        tensor = tensors_in(_given(record.steps[read]))[which]
        found = list(layouts(tensor, n)) if has_places(tensor) and len(tensor) % n == 0 else []
        if len(found) <= self.layout or found[self.layout].maps(tensor)[0, 0].numel() < 2:
            return None
        start, first = tensor, self.position
        if self.factor is not None:
            start, first = record.steps[self.end - 1].tensors[self.pooled], self.end
        tail = Tail(
            record.steps[first:], start, record.output, Constants(tensor.device, record.overwritten)
        )
        layout = found[self.layout]
        return Cut(tensor, layout, self.position, read, tail, self.factor, self.end)


def _names(record: Record) -> tuple[str, ...]:
    return tuple(step.name for step in record.steps)


def _given(step: Step) -> tuple[Any, Any]:
    return step.args, step.kwargs


def _index(tensors: Sequence[Tensor], tensor: Tensor) -> int:
    return next(number for number, one in enumerate(tensors) if one is tensor)


def head_function(cut: Cut, sizes: Sequence[float] = SIZES) -> HeadFunction:
    """Return the function from the average to the output, looked at with vectors of several sizes."""
    return HeadFunction(cut.tail, Probes(cut.start(Probes.around(cut.pooled, sizes).values)))


def cuts_of(record: Record, images: Tensor, own: set[int]) -> list[Cut]:
    """Return the feature maps on whose average the output depends, the finest first.

    Of several that are as fine those with most axes, channels first, nearest to the average. There are
    several where a network adds up branches: each is a cut as long as the others stay as they were.
    """
    cuts = list(_find_cuts(record, images, own))
    # A tensor made of the average may look like maps whose places are channels.
    cuts = [cut for cut in cuts if cut.position < cuts[-1].end]
    cuts.sort(key=lambda cut: (*_fineness(cut), cut.layout.first, cut.position), reverse=True)
    return cuts


def check_unwritten(record: Record, cut: Cut) -> None:
    """Raise if a call has written to the feature maps in place since they were averaged."""
    written = (tensor for step in record.steps[cut.position :] for tensor in step.written)
    if any(memory_of(tensor) == memory_of(cut.tensor) for tensor in written):
        raise NotCAMReadyError(
            "network: expected feature maps that stay as they were when they were averaged, got "
            "some that are written to in place afterwards. Leave out the in-place call behind the "
            "pooling, for example ReLU(inplace=True)."
        )


def _fineness(cut: Cut) -> tuple[int, int]:
    places = cut.features.shape[2:]
    return places.numel(), len(places)


def candidates(record: Record, images: Tensor, own: set[int]) -> list[tuple[int, Tensor]]:
    """Return all feature maps, the last ones first, each with the number of steps before it.

    Those are tensors with places that were made of tensors with places, from the images on or from
    calls that cannot be watched; not the network's ``own``, and none that were made of averages.
    """
    found, known, placed = [(0, images)], {id(images), *own}, {id(images)}
    for number, step in enumerate(record.steps):
        read = tensors_in(_given(step))
        for tensor in read:
            if id(tensor) not in known and not isinstance(tensor, nn.Parameter):
                found.append((number, tensor))
                placed |= {id(tensor)} if has_places(tensor) else set()
        known |= {id(tensor) for tensor in read}
        from_places = any(id(tensor) in placed for tensor in read)
        for tensor in step.tensors:
            known.add(id(tensor))
            if from_places and has_places(tensor):
                placed.add(id(tensor))
                found.append((number + 1, tensor))
    return [
        (position, tensor)
        for position, tensor in reversed(found)
        if id(tensor) in placed and has_places(tensor) and len(tensor) % len(images) == 0
    ]


def loses_places(record: Record, position: int, maps: Tensor) -> Step | None:
    """Return a step on the way to maps that gives the same for places in reverse order, if any.

    Sorting does, and summing the products of all channels: what looks like places are ranks or channels.
    """
    for step in reversed(record.steps[max(0, position - _STEPS_BACK) : position]):
        sources = [one for one in tensors_in(_given(step)) if _is_maps(one)]
        which = [number for number, made in enumerate(step.tensors) if made is maps]
        if which and sources and not may_write(step.function):
            turns = (range(2, sources[0].ndim), range(1, sources[0].ndim - 1))
            # Where the result is the same at all places, nothing can be seen of it.
            flat = maps.ndim == sources[0].ndim and any(
                _close(maps.flip(*axes), maps) for axes in turns
            )
            if not flat and any(_is_indifferent(step, which[0], axes) for axes in turns):
                return step
            maps = sources[0]
    return None


def _is_maps(tensor: Tensor) -> bool:
    return has_places(tensor) and not isinstance(tensor, nn.Parameter)


def _is_indifferent(step: Step, which: int, axes: Sequence[int]) -> bool:
    """Say whether a call gives the same for all that it reads with some axes reversed."""
    result, source = step.tensors[which], next(filter(_is_maps, tensors_in(_given(step))))
    if _close(source.flip(*axes), source):
        return False

    def turned(leaf: Any) -> Any:
        same = isinstance(leaf, Tensor) and _is_maps(leaf) and leaf.ndim == source.ndim
        return leaf.flip(*axes) if same else leaf

    args, kwargs = tree_map(turned, _given(step))
    return _close(tensors_in(step.function(*args, **kwargs))[which], result)


def _close(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= 1e-4 * other.abs().max())


def _find_cuts(record: Record, images: Tensor, own: set[int]) -> Iterator[Cut]:
    """Yield feature maps on whose average alone the output depends, the last ones first.

    The search ends where the way to the output is no longer affine.
    """
    constants, without, found = Constants(images.device, record.overwritten), 0, False
    for position, tensor in candidates(record, images, own):
        tail = Tail(record.steps[position:], tensor, record.output, constants)
        probes = Probes.around(tensor.to(tail.dtype), sizes=[1.0], draws=1)
        try:
            if tail.run(probes.values[:1]) is None:
                continue
            kind = HeadFunction(tail, probes).kind
            for layout in layouts(tensor, len(images)) if kind != "constant" else ():
                cut = _cut(record, tail, layout, position, probes.values)
                if cut is not None and loses_places(record, position, tensor) is None:
                    found = True
                    yield cut
                    break
            without += kind == "constant"
            if kind in ("mixing", "other") or without > _WITHOUT_EFFECT:
                return
        except NotReplayableError:
            if not found:
                raise
            return


def _cut(record: Record, tail: Tail, layout: Layout, position: int, given: Tensor) -> Cut | None:
    """Compare what comes of two tensors with what comes of their averages, put at every place."""
    given = given[1:3]
    values = tail.run(given)
    if values is not None and not values.isfinite().all():  # of roots and logarithms
        given = given.abs()
        values = tail.run(given)
    maps = torch.stack([layout.maps(one) for one in given])
    n, k = maps.shape[1:3]
    if maps[0, 0, 0].numel() < 2:
        return None
    means = maps.flatten(3).mean(3)
    flat = torch.stack([layout.spread_out(mean, tail.start) for mean in means])
    levelled = tail.run(flat)
    if values is None or levelled is None or not _near(levelled, values):
        return None
    seen: list[tuple[int, Tensor, Tensor]] = []
    # Of each tensor that depends on the maps: which step made it, and the last one that reads it.
    made, last_read = {id(tail.start): -1}, {id(tail.start): -1}
    decisions: list[int] = []  # steps that read a number out: the way behind them may depend on it

    def note(
        number: int, step: Step, read: dict[int, Tensor], results: list[Tensor]
    ) -> list[Tensor]:
        leaves = tree_leaves(_given(step))
        if isinstance(step.result, (bool, float)):
            decisions.append(number)
        for place in read:  # what the network had written to before may be read first
            made.setdefault(id(leaves[place]), -1)
            last_read[id(leaves[place])] = number
        for recorded, result in zip(step.tensors, results, strict=True):
            made.setdefault(id(recorded), number)
            if result.is_floating_point() and result[0].numel() == n * k:
                seen.append((number + 1, recorded, result.clone()))
        return results

    tail.run(given, note)
    read = position + next(i for i, step in enumerate(tail.steps) if reads(step, tail.start))
    for number, pooled, result in seen:
        average = result.reshape(2, n, k)
        factor = float((average * means).sum() / means.square().sum())
        alone = all(
            last < number
            for one, last in last_read.items()
            if made[one] < number and one != id(pooled)
        )
        alone = alone and not any(decision < number for decision in decisions)
        if alone and _near(average, factor * means):
            behind = Tail(tail.steps[number:], pooled, tail.output, tail.constants)
            again = behind.run(result)
            if again is not None and _near(again, values):
                return Cut(tail.start, layout, position, read, behind, factor, position + number)
    return Cut(tail.start, layout, position, read, tail, None, len(record.steps))


def reads(step: Step, tensor: Tensor) -> bool:
    """Say whether a step has this tensor among its arguments."""
    return any(one is tensor for one in tensors_in((step.args, step.kwargs)))


def _near(one: Tensor, other: Tensor) -> bool:
    tolerance = 1e-8 if one.dtype == torch.float64 else 1e-4
    return bool((one - other).abs().max() <= tolerance * other.abs().max())
