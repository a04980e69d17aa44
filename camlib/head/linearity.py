"""Decide by numbers, not by the names of its calls, whether a network's head is affine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils._pytree import tree_leaves

from camlib.head.record import Step
from camlib.head.replay import Tail
from camlib.running import storage_of

Kind = Literal["constant", "affine", "mixing", "other"]

# Activations differ from a line at different sizes: a hard tanh between -1 and 1 only.
SIZES = (0.1, 1.0, 10.0, 100.0, 1e4)
# Rounding of one result, relative to the largest of its values: what is not affine is far above.
_ROUNDING = {torch.float64: 1e-8, torch.float32: 1e-3}
# A spread's square is a times the sum of squares plus an epsilon, up to this.
_FIT, _EPSILON = 1e-2, 2e-2


def probes_around(
    vector: Tensor, sizes: Sequence[float] = SIZES, draws: int = 3
) -> Float[Tensor, "m n *axes"]:
    """Return vectors to try a head with: this one, then triples of two random ones and their middle.

    There are several triples of each size, for a kink of a single number lies between two ends half of
    the time. With several pictures there is one more vector at the end: the second, but for the first
    picture.
    """
    generator = torch.Generator().manual_seed(0)
    vector = vector.detach()

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    def draw() -> Tensor:
        numbers = normal(*vector.shape)
        if vector.ndim > 2:  # else the averages over many places are all near zero
            n, first, last, ones = *vector.shape[:2], vector.shape[-1], [1] * (vector.ndim - 2)
            numbers += normal(n, first, *ones)
            numbers += normal(n, 1, *ones[1:], last)
        return numbers.to(vector)

    unit = max(1.0, float(vector.abs().max()))
    pairs = [[size * unit * draw() for _ in range(2)] for size in sizes for _ in range(draws)]
    probes = [vector]
    for first, second in [*pairs, [vector, unit * draw()]]:
        probes += [first, second, (first + second) / 2]
    if len(vector) > 1:
        probes.append(torch.cat([probes[2][:1], probes[1][1:]]))
    return torch.stack(probes)


def _triples(stacked: Tensor) -> Tensor:
    count = len(stacked)
    return stacked[1 : count - (count - 1) % 3].reshape(-1, 3, *stacked.shape[1:])


def _bend(stacked: Tensor) -> Tensor:
    """Return by how much each middle misses the middle of its two ends."""
    first, second, middle = _triples(stacked).unbind(1)
    return (first + second) / 2 - middle


@dataclass(eq=False)
class Node:
    """A tensor that depends on the head's input: how, by which step, and made of which others."""

    kind: Kind
    step: Step
    parents: list[Node] = field(default_factory=list)
    values: tuple[dict[int, Tensor], Tensor] | None = None  # read and returned, for all probes

    @property
    def is_affine(self) -> bool:
        """Say whether it is an affine function of the input, or does not depend on it."""
        return self.kind in ("constant", "affine")

    @property
    def culprit(self) -> Node:
        """Return the first node on the way here that is not affine."""
        return next((one.culprit for one in self.parents if not one.is_affine), self)


@dataclass(frozen=True)
class Spread:
    """The spread by which a step divides a vector: its result is shift + vector / spread.

    The spread is the step's "argument" at a place, or the "inverse argument"; or the "inverse result",
    which normalisers return beside the vector.
    """

    source: str
    place: int
    shift: Tensor

    def of(self, read: dict[int, Tensor], results: list[Tensor]) -> Tensor:
        """Return the spreads of a step's vectors."""
        return _spread(self.source, self.place, read, results)

    def hold(self, held: Tensor, read: dict[int, Tensor], results: list[Tensor]) -> list[Tensor]:
        """Return a step's results, the first of them as if the spread had been ``held``."""
        expanded = _expanded(self.of(read, results) / held, results[0])
        assert expanded is not None, "it had this shape before"
        vector = (results[0] - self.shift) * expanded
        return [self.shift + vector, *results[1:]]


def _spread(source: str, place: int, read: dict[int, Tensor], results: list[Tensor]) -> Tensor:
    number = results[place] if source == "inverse result" else read[place]
    return number if source == "argument" else 1 / number


def _expanded(spread: Float[Tensor, "m ..."], like: Tensor) -> Tensor | None:
    """Expand a spread to the shape of the vector: as in a division, or for each group of channels."""
    if not spread.is_floating_point() or spread.ndim > like.ndim:
        return None
    of_pictures = spread.shape[:2] == like.shape[:2]
    aligned = spread.reshape(len(spread), *[1] * (like.ndim - spread.ndim), *spread.shape[1:])
    broadcast = all(one in (1, other) for one, other in zip(aligned.shape, like.shape, strict=True))
    if broadcast and not (of_pictures and spread.ndim == 2):
        return aligned.expand_as(like)
    times, rest = divmod(like[0].numel(), spread[0].numel())
    if rest or not of_pictures:
        return None
    return spread.reshape(*spread.shape[:2], -1).repeat_interleave(times, 2).view_as(like)


class HeadFunction:
    """The calls of a head, which spreads have to be held, and whether they are affine then.

    ``values`` are the outputs for the probes, ``spreads`` are given by the numbers of their steps, and
    ``held`` names the layers that divide by them.
    """

    def __init__(self, tail: Tail, probes: Float[Tensor, "m n *axes"]) -> None:
        self.tail = tail
        self.held: list[str] = []
        self._pictures = probes.shape[1]
        self.spreads: dict[int, Spread] = {}
        self._nodes: dict[int, Node] = {}
        self._writers: dict[int, Node] = {}  # of storage that was written to in place
        self._vectors: list[Tensor] = []
        self._tolerance = _ROUNDING[tail.dtype]
        self.values = tail.run(probes, self._observe)
        self.node = None if self.values is None else self._node(tail.output, self.values)

    @property
    def kind(self) -> Kind:
        """Say how the output depends on the vector."""
        return "constant" if self.node is None else self.node.kind

    # ------------------------------------------------------------------ looking at one step

    def _observe(
        self, number: int, step: Step, read: dict[int, Tensor], results: list[Tensor]
    ) -> list[Tensor] | None:
        leaves = tree_leaves((step.args, step.kwargs))
        parents = {place: self._node(leaves[place], value) for place, value in read.items()}
        kinds = [self._kind_of(result) for result in results]
        if not {"mixing", "other"}.isdisjoint(kinds):
            spread = self._find_spread(parents, read, results)
            if spread is not None:
                self.spreads[number] = spread
                self.held.append(step.layer or step.name)
                results = spread.hold(spread.of(read, results)[:1], read, results)
                kinds[0] = "affine"
                parents = {place: one for place, one in parents.items() if one.is_affine}
            elif all(one.is_affine for one in parents.values()) and self.tail.open(number):
                return None
        for recorded, result, kind in zip(step.tensors, results, kinds, strict=True):
            node = Node(kind, step, list(parents.values()), (read, result))
            self._nodes[id(recorded)] = node
            if step.written:
                self._writers[storage_of(recorded)] = node
            if kind == "affine":
                self._note_vector(recorded, result)
        return results

    def _note_vector(self, recorded: Tensor, value: Tensor) -> None:
        overwritten = storage_of(recorded) in self.tail.written
        self._vectors.append(value.clone() if overwritten else value)

    def _node(self, leaf: Tensor, value: Tensor) -> Node:
        """Return what is known of an argument; the head's input itself is affine."""
        if id(leaf) not in self._nodes:
            if leaf is self.tail.start:
                self._note_vector(leaf, value)
            kind: Kind = "affine" if leaf is self.tail.start else "constant"
            self._nodes[id(leaf)] = Node(kind, Step(type(self), (), {}, leaf))
        node, writer = self._nodes[id(leaf)], self._writers.get(storage_of(leaf))
        if writer is None or writer is node:
            return node
        # Written to through another view of the same storage.
        return Node(self._kind_of(value), writer.step, [node, writer])

    def _kind_of(self, stacked: Tensor) -> Kind:
        if stacked.is_complex():
            stacked = torch.view_as_real(stacked)
        values = stacked.to(self.tail.dtype)
        scale = values.abs().amax(0)
        if ((values - values[0]).abs() <= self._tolerance * scale).all():
            return "constant"
        if self._mixes_pictures(values):
            return "mixing"
        if not stacked.is_floating_point():
            return "other"
        sizes = _triples(values).abs().amax(1)
        # A value may be the small difference of large ones, whose rounding it has.
        rows = sizes.reshape(len(sizes), -1).amax(1).view(-1, *[1] * (sizes.ndim - 1))
        allowed = self._tolerance * torch.maximum(sizes, 1e-3 * rows)
        return "affine" if (_bend(values).abs() <= allowed).all() else "other"

    def _mixes_pictures(self, values: Tensor) -> bool:
        """Say whether a picture's row changes when only the first picture's vector does."""
        n = self._pictures
        if n == 1 or values.ndim < 2 or values.shape[1] != n:
            return False
        before, after = values[1, 1:], values[-1, 1:]
        return bool(((before - after).abs() > self._tolerance * before.abs().amax()).any())

    # ------------------------------------------------------------------ spreads

    def _find_spread(
        self, parents: dict[int, Node], read: dict[int, Tensor], results: list[Tensor]
    ) -> Spread | None:
        """Find the spread by which a step divides a vector: the only argument that is not affine."""
        others = [place for place, one in parents.items() if not one.is_affine]
        divides = len(others) == 1 and any(one.kind == "affine" for one in parents.values())
        sources = [("argument", others), ("inverse argument", others)] if divides else []
        for source, places in [*sources, ("inverse result", range(1, len(results)))]:
            for place in places:
                spread = _spread(source, place, read, results)
                expanded = _expanded(spread, results[0])
                if expanded is None or not self._is_spread(spread):
                    continue
                shift = self._shift(results[0], expanded)
                if self._kind_of((results[0] - shift) * expanded) == "affine":
                    return Spread(source, place, shift)
        return None

    def _shift(self, result: Tensor, spread: Tensor) -> Tensor:
        """Return the shift for which (result - shift) · spread is affine, if there is one.

        Three vectors on a line determine it, best those whose spreads differ most. Axes along which it
        is the same, as that of the pictures, have length 1.
        """
        product, factor = _bend(result * spread), _bend(spread)
        best = (factor / spread.amax(0)).abs().argmax(0, keepdim=True)
        shift = (product.gather(0, best) / factor.gather(0, best))[0]
        for axis in range(shift.ndim):
            first = shift.narrow(axis, 0, 1)
            if ((shift - first).abs() <= self._tolerance * result.abs().amax()).all():
                shift = first
        return shift

    def _is_spread(self, spread: Float[Tensor, "m n ..."]) -> bool:
        """Compare with the norm and the standard deviation of the vectors met so far.

        Of a whole vector or of each of as many equal groups of channels; up to a factor and an epsilon.
        """
        if spread.ndim < 2 or spread.shape[1] != self._pictures:
            return False
        shape = len(spread) - 1, self._pictures  # without the network's own vector
        found = spread[1:].reshape(*shape, -1)
        if not (found.isfinite().all() and (found > 0).all()):
            return False
        for vector in reversed(self._vectors):
            if vector.ndim < 2 or vector.shape[:2] != spread.shape[:2]:
                continue
            channels = vector[0, 0].numel()
            for groups in {1, found.shape[2]}:
                if channels % groups or channels <= groups or channels < found.shape[2]:
                    continue
                parts = vector[1:].reshape(*shape, groups, -1)
                size = parts.shape[3]
                if (
                    _fits(found.square(), parts.square().sum(3), size)
                    or _fits(found.square(), parts.var(3, correction=0) * size, size)
                    or _fits(found, parts.abs().sum(3), size)
                ):
                    return True
        return False


class HeldHead:
    """The calls of a head with their spreads held: an affine function.

    ``values`` are those of the given vectors, each with the spreads held at those of the vector whose
    number stands in ``held_at``; all further vectors have the spreads of the first one.
    """

    def __init__(
        self,
        tail: Tail,
        spreads: Mapping[int, Spread],
        vectors: Float[Tensor, "m n *axes"],
        held_at: Sequence[int],
    ) -> None:
        self._tail, self._spreads = tail, spreads
        self._held: dict[int, Tensor] = {}
        self.values = self._run(vectors, list(held_at))

    def run(self, vectors: Float[Tensor, "m n *axes"]) -> Float[Tensor, "m n c"]:
        """Return the values of other vectors."""
        return self._run(vectors, None)

    def _run(self, vectors: Tensor, held_at: list[int] | None) -> Tensor:
        def hold(
            number: int, step: Step, read: dict[int, Tensor], results: list[Tensor]
        ) -> list[Tensor]:
            spread = self._spreads.get(number)
            if spread is None:
                return results
            if held_at is None:
                return spread.hold(self._held[number], read, results)
            held = spread.of(read, results)[held_at]
            self._held[number] = held[:1]
            return spread.hold(held, read, results)

        found = self._tail.run(vectors, hold)
        assert found is not None, "the output was found to depend on them"
        return found


def _fits(found: Float[Tensor, "m n e"], known: Float[Tensor, "m n g"], size: int) -> bool:
    """Say whether found = a · known + b for each e, with b no more than an epsilon (least squares)."""
    x = (known / found).flatten(0, 1)  # (samples, e): a · x + b · y = 1
    y = (1 / found).flatten(0, 1).expand_as(x)
    xx, xy, yy = (x * x).sum(0), (x * y).sum(0), (y * y).sum(0)
    b = (y.sum(0) * xx - x.sum(0) * xy) / (xx * yy - xy * xy)
    b = torch.where(b.isfinite(), b, 0)
    a = (x.sum(0) - b * xy) / xx
    good = (a * x + b * y - 1).abs().amax() <= _FIT
    return bool(good and (a > 0).all() and (b.abs() <= _EPSILON * size * a).all())
