"""Is what a network's head does affine? Asked of numbers, not of the names of its calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils._pytree import tree_flatten

from camlib.head.record import Step
from camlib.head.replay import Tail
from camlib.running import memory_of

Kind = Literal["constant", "affine", "mixing", "other"]

# Activations differ from a line at different sizes: a hard tanh between -1 and 1 only.
SIZES = (0.1, 1.0, 10.0, 100.0, 1e4)
# Rounding of one result, relative to the largest of its values: what is not affine is far above.
_ROUNDING = {torch.float64: 1e-8, torch.float32: 1e-3}
# A spread's square is a times the sum of squares plus an epsilon, up to this.
_FIT, _EPSILON = 1e-2, 2e-2


@dataclass(frozen=True)
class Probes:
    """Vectors of which every third is the middle of the two before; the first is the network's own.

    With several pictures there is one more, at the end: the second vector, but for the first picture.
    """

    values: Float[Tensor, "m n *axes"]

    @property
    def triples(self) -> slice:
        """Return where the triples are."""
        count = len(self.values)
        return slice(1, count - (count - 1) % 3)

    @staticmethod
    def around(own: Tensor, sizes: Sequence[float] = SIZES, draws: int = 3) -> Probes:
        """Make random ones for tensors (n, *axes) like this one, several triples of each size.

        A kink of a single number lies between two ends half of the time.
        """
        generator = torch.Generator().manual_seed(0)
        own = own.detach()

        def draw() -> Tensor:
            numbers = torch.randn(own.shape, generator=generator, dtype=torch.float64)
            if own.ndim > 2:  # else the averages over many places are all near zero
                n, first, last, ones = *own.shape[:2], own.shape[-1], [1] * (own.ndim - 2)
                numbers += torch.randn(n, first, *ones, generator=generator, dtype=torch.float64)
                numbers += torch.randn(
                    n, 1, *ones[1:], last, generator=generator, dtype=torch.float64
                )
            return numbers.to(own)

        unit = max(1.0, float(own.abs().max()))
        values = [own]
        pairs = [[size * unit * draw() for _ in range(2)] for size in sizes for _ in range(draws)]
        for first, second in [*pairs, [own, unit * draw()]]:
            values += [first, second, (first + second) / 2]
        if len(own) > 1:
            mixed = values[1].clone()
            mixed[0] = values[2][0]
            values.append(mixed)
        return Probes(torch.stack(values))


@dataclass(eq=False)
class Node:
    """A tensor that depends on the head's input: how, by which step, and made of which others."""

    kind: Kind
    step: Step
    parents: list[Node] = field(default_factory=list)
    values: tuple[dict[int, Tensor], Tensor] | None = None  # read and returned, for all probes

    @property
    def culprit(self) -> Node:
        """Return the first node on the way here that is not affine."""
        for parent in self.parents:
            if parent.kind in ("mixing", "other"):
                return parent.culprit
        return self


@dataclass(frozen=True)
class Hold:
    """What stands in a step's result for numbers that change with the vector.

    The spread ``own`` of the network's own vector is put in the place of an argument; or, where the
    call returns one over the spread as its result ``beside``, the rest (result - shift) is multiplied
    by the ratio of both.
    """

    own: Tensor
    argument: int | None = None
    beside: int | None = None
    shift: Tensor | None = None


class HeadFunction:
    """The calls of a head, what of them is held, and whether they are affine then."""

    def __init__(self, tail: Tail, probes: Probes) -> None:
        self.tail, self.probes = tail, probes
        self.held: list[str] = []
        self._holds: dict[int, Hold] = {}
        self._nodes: dict[int, Node] = {}
        self._writers: dict[int, Node] = {}  # of memory that was written to in place
        self._vectors: list[Tensor] = []
        self._tolerance = _ROUNDING.get(tail.dtype, 1e-3)
        found = tail.run(probes.values, self._observe)
        self.node = None if found is None else self._node(tail.output, found)

    @property
    def kind(self) -> Kind:
        """Say how the output depends on the vector."""
        return "constant" if self.node is None else self.node.kind

    def run(self, values: Float[Tensor, "m n *axes"]) -> Float[Tensor, "m n c"]:
        """Return the head's values for other vectors, what is held held."""
        found = self.tail.run(values, self._hold)
        assert found is not None, "it was found to depend on them"
        return found

    def _hold(
        self, number: int, step: Step, read: dict[int, Tensor], results: list[Tensor]
    ) -> list[Tensor]:
        hold = self._holds.get(number)
        return results if hold is None else self._held_results(hold, step, read, results)

    def _held_results(
        self, hold: Hold, step: Step, read: dict[int, Tensor], results: list[Tensor]
    ) -> list[Tensor]:
        if hold.argument is not None:
            leaves, spec = tree_flatten((step.args, step.kwargs))
            held = hold.own.expand_as(read[hold.argument])
            read = {place: value.clone() for place, value in read.items()} if step.written else read
            return self.tail.call(step, leaves, spec, {**read, hold.argument: held})
        assert hold.beside is not None
        assert hold.shift is not None
        beside = results[hold.beside]
        inverse = _per_channel(beside, results[0])
        own = _per_channel(hold.own.expand_as(beside), results[0])
        assert inverse is not None
        assert own is not None
        return [hold.shift + (results[0] - hold.shift) * own / inverse, *results[1:]]

    # ------------------------------------------------------------------ looking at one step

    def _observe(
        self, number: int, step: Step, read: dict[int, Tensor], results: list[Tensor]
    ) -> list[Tensor] | None:
        leaves, _ = tree_flatten((step.args, step.kwargs))
        parents = {place: self._node(leaves[place], read[place]) for place in read}
        kinds = [self._kind_of(result) for result in results]
        if not {"mixing", "other"}.isdisjoint(kinds):
            hold = self._spread_among(step, parents, read) or self._spread_beside(results)
            if hold is not None:
                self._holds[number] = hold
                self.held.append(step.layer or step.name)
                results = self._held_results(hold, step, read, results)
                parents = {place: one for place, one in parents.items() if place != hold.argument}
                kinds = [self._kind_of(results[0]), *kinds[1:]]
            elif self._all_affine(parents) and self.tail.open(number):
                return None
        for recorded, result, kind in zip(step.tensors, results, kinds, strict=True):
            node = Node(kind, step, list(parents.values()), (read, result))
            self._nodes[id(recorded)] = node
            if step.written:
                self._writers[memory_of(recorded)] = node
            if kind == "affine":
                self._note_vector(recorded, result)
        return results

    def _note_vector(self, recorded: Tensor, value: Tensor) -> None:
        overwritten = memory_of(recorded) in self.tail.written
        self._vectors.append(value.clone() if overwritten else value)

    def _node(self, leaf: Tensor, value: Tensor) -> Node:
        """Return what is known of an argument; the head's input itself is affine."""
        node = self._nodes.get(id(leaf))
        if node is None and leaf is self.tail.start:
            self._note_vector(leaf, value)
            node = self._nodes[id(leaf)] = Node("affine", Step(type(self), (), {}, leaf))
        node = node or Node("constant", Step(type(self), (), {}, leaf))
        writer = self._writers.get(memory_of(leaf))
        if writer is None or writer is node:
            return node
        # Written to through another view of the same memory.
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
        sizes = self._triples(values).abs().amax(1)
        # A value may be the small difference of large ones, whose rounding it has.
        rows = sizes.reshape(len(sizes), -1).amax(1).view(-1, *[1] * (sizes.ndim - 1))
        allowed = self._tolerance * torch.maximum(sizes, 1e-3 * rows)
        return "affine" if (self._bend(values).abs() <= allowed).all() else "other"

    def _mixes_pictures(self, values: Tensor) -> bool:
        """Say whether a picture's row changes when only the first picture's vector does."""
        n = self.probes.values.shape[1]
        if n == 1 or values.ndim < 2 or values.shape[1] != n:
            return False
        before, after = values[1, 1:], values[-1, 1:]
        return bool(((before - after).abs() > self._tolerance * before.abs().amax()).any())

    # ------------------------------------------------------------------ spreads

    @staticmethod
    def _all_affine(parents: dict[int, Node]) -> bool:
        return all(parent.kind in ("constant", "affine") for parent in parents.values())

    def _spread_among(
        self, step: Step, parents: dict[int, Node], read: dict[int, Tensor]
    ) -> Hold | None:
        """Find the argument by which a step divides a vector, if it is a spread."""
        others = [place for place, one in parents.items() if one.kind in ("mixing", "other")]
        if len(others) != 1 or not any(one.kind == "affine" for one in parents.values()):
            return None
        (place,) = others
        hold = Hold(read[place][:1].clone(), argument=place)
        double = Hold(2 * hold.own, argument=place)
        if not read[place].is_floating_point():
            return None
        held, doubled = (self._held_results(one, step, read, [])[0] for one in (hold, double))
        spread = read[place]
        if self._near(doubled, 2 * held):
            spread = 1 / spread
        elif not self._near(2 * doubled, held):
            return None
        return hold if self._kind_of(held) == "affine" and self._is_spread(spread) else None

    def _spread_beside(self, results: list[Tensor]) -> Hold | None:
        """Find one over the spread among what a normaliser returns beside its vector."""
        for beside in range(1, len(results)):
            inverse = _per_channel(results[beside], results[0])
            if inverse is None or not self._is_spread(1 / results[beside]):
                continue
            # (result - shift) · spread is affine: three vectors on a line tell the shift, best those
            # whose spreads differ most.
            spread = 1 / inverse
            product, factor = self._bend(results[0] * spread), self._bend(spread)
            best = (factor / spread.amax(0)).abs().argmax(0, keepdim=True)
            shift = (product.gather(0, best) / factor.gather(0, best))[0]
            if self._kind_of((results[0] - shift) * spread) == "affine":
                return Hold(results[beside][:1].clone(), beside=beside, shift=shift)
        return None

    def _triples(self, stacked: Tensor) -> Tensor:
        return stacked[self.probes.triples].reshape(-1, 3, *stacked.shape[1:])

    def _bend(self, stacked: Tensor) -> Tensor:
        """Return by how much each middle misses the middle of its two ends."""
        first, second, middle = self._triples(stacked).unbind(1)
        return (first + second) / 2 - middle

    def _near(self, one: Tensor, other: Tensor) -> bool:
        return bool((one - other).abs().max() <= self._tolerance * other.abs().max())

    def _is_spread(self, spread: Float[Tensor, "m n ..."]) -> bool:
        """Compare with the norm and the standard deviation of the vectors met so far.

        Of a whole vector or of each of as many equal groups of channels; up to a factor and an epsilon.
        """
        if spread.ndim < 2 or spread.shape[1] != self.probes.values.shape[1]:
            return False
        found = spread[1:].flatten(2) if spread.ndim > 2 else spread[1:, :, None]
        if not (found.isfinite().all() and (found > 0).all()):
            return False
        for vector in reversed(self._vectors):
            if vector.ndim < 2 or vector.shape[:2] != spread.shape[:2]:
                continue
            flat = vector[1:].flatten(2) if vector.ndim > 2 else vector[1:, :, None]
            if flat.shape[2] < found.shape[2]:
                continue
            for groups in {1, found.shape[2]}:
                if flat.shape[2] % groups or flat.shape[2] <= groups:
                    continue
                parts = flat.reshape(*flat.shape[:2], groups, -1)
                size = parts.shape[3]
                squares = parts.square().sum(3), parts.var(3, correction=0) * size
                if any(_fits(found.square(), one, size) for one in squares):
                    return True
                if _fits(found, parts.abs().sum(3), size):
                    return True
        return False


def _per_channel(groups: Float[Tensor, "m n *g"], like: Float[Tensor, "m n *k"]) -> Tensor | None:
    """Repeat numbers of groups of channels to the shape of what they belong to; None if that fails."""
    if groups.ndim < 2 or groups.shape[:2] != like.shape[:2] or not groups.is_floating_point():
        return None
    times, rest = divmod(like[0, 0].numel(), groups[0, 0].numel())
    if rest or times < 2:
        return None
    return groups.reshape(*groups.shape[:2], -1).repeat_interleave(times, 2).view_as(like)


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
