"""What is to be explained: classes, or any score made of a network's output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from camlib.errors import check_finite, describe
from camlib.inputs import as_logits

Score = Callable[[Any], Tensor]
Given = int | Sequence[int] | Int[Tensor, " n"] | Int[Tensor, "n t"] | Score | None

_FORMS = (
    "Pass a class index, a list of them (for every picture), a tensor of shape "
    "(pictures,) or (pictures, t) with each picture's own, None for all classes, or a function from "
    "the network's output to one number for each picture."
)


@dataclass(frozen=True)
class Target:
    """A checked target for n pictures: ``score``, or ``indices`` of shape (t,) or (n, t), or all."""

    n: int
    indices: Tensor | None = None
    score: Score | None = None

    def of_few(self, n: int) -> Target:
        """Return the target of the first n pictures."""
        indices = self.indices
        if indices is not None and indices.ndim == 2:
            indices = indices[:n]
        return Target(n, indices, self.score)

    def classes(self, logits: Float[Tensor, "n c *places"]) -> Tensor:
        """Return the indices, of shape (t,) or (n, t), that all lie in the logits."""
        assert self.indices is not None, "all of them are not picked"
        bounds = [int(bound) for bound in torch.aminmax(self.indices)]
        check_range("target", bounds, logits.shape[1])
        return self.indices.clone().to(logits.device)  # they may come out of inference mode

    def scores(self, output: Any) -> Float[Tensor, "n t"]:
        """Return the numbers whose gradients are wanted."""
        if self.score is not None:
            return self._scored(self.score(output))
        return self.of(as_logits(output, self.n))

    def of(self, numbers: Float[Tensor, "n c *places"]) -> Float[Tensor, "n t *places"]:
        """Return what belongs to the targets' classes, of what belongs to all of them."""
        if self.indices is None:
            return numbers
        classes = self.classes(numbers)
        if classes.ndim == 1:
            return numbers[:, classes]
        return numbers[torch.arange(len(classes), device=classes.device)[:, None], classes]

    def _scored(self, score: object) -> Tensor:
        shapes = [(self.n,), ()] if self.n == 1 else [(self.n,)]
        if isinstance(score, Tensor) and score.is_floating_point() and score.shape in shapes:
            check_finite("target(network(images))", score, "Look at what the target computes.")
            return score.reshape(self.n, 1)
        raise ValueError(
            f"target: expected a function that returns one number for each picture, shape "
            f"({self.n},), got {describe(score)}. For class 5 of logits: lambda logits: logits[:, 5]."
        )


def as_target(target: Given, n: int) -> Target:
    """Check a target as far as that can be done before the network has run on n pictures."""
    if target is None:
        return Target(n)
    if isinstance(target, Tensor) or (
        isinstance(target, np.ndarray) and target.dtype.kind in "iubfc"
    ):
        return Target(n, _of_pictures(torch.as_tensor(target), n))
    if callable(target):
        return Target(n, score=target)
    if isinstance(target, Sequence) and not isinstance(target, (str, bytes)):
        return Target(n, torch.tensor(whole_numbers("target", target)))
    if isinstance(target, (int, np.integer, str)):  # a name gets the hint how to look it up
        return Target(n, torch.tensor(whole_numbers("target", [target])))
    raise TypeError(f"target: expected classes or a function, got {describe(target)}. {_FORMS}")


def _of_pictures(indices: Tensor, n: int) -> Tensor:
    """Return a tensor's indices with the axis of the targets; a single number is for all pictures."""
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
        raise TypeError(
            f"target: expected whole numbers, got {describe(indices)}. "
            "Pass indices, for example logits.argmax(dim=1)."
        )
    if indices.ndim == 0:
        return indices.reshape(1)
    if indices.ndim > 2 or len(indices) != n or indices.numel() == 0:
        raise ValueError(
            f"target: expected a tensor with the classes of each of the {n} pictures, shape ({n},) or "
            f"({n}, t), got {describe(indices)}. For the same classes in every picture pass a list: "
            "target.tolist()."
        )
    return indices.long().reshape(n, -1)


def whole_numbers(name: str, numbers: Iterable[object]) -> list[int]:
    """Return the numbers if there are some and they are integers; raise an error otherwise."""
    numbers = list(numbers)
    # By their types, of which there are few: all classes may be a thousand numbers.
    wrong = {kind for kind in set(map(type, numbers)) if not _is_whole(kind)}
    for number in numbers if wrong else ():
        if type(number) in wrong:
            raise TypeError(
                f"{name}: expected whole numbers, got {number!r} of type {type(number).__name__}. "
                "Pass indices; for a name use camlib.networks.class_names().index(name)."
            )
    if not numbers:
        raise ValueError(
            f"{name}: expected at least one class index, got none. Pass None for all classes."
        )
    whole = [int(number) for number in cast("list[int]", numbers)]
    largest = max(whole, key=abs)
    if abs(largest) >= 2**63:  # no tensor holds it
        raise ValueError(f"{name}: expected class indices, got {largest}. Pass smaller ones.")
    return whole


def _is_whole(kind: type) -> bool:
    return issubclass(kind, (int, np.integer)) and kind is not bool


def check_range(name: str, numbers: Sequence[int], count: int) -> None:
    """Raise if a number is no index of ``count`` classes."""
    for number in (min(numbers), max(numbers)):
        if not 0 <= number < count:
            raise ValueError(
                f"{name}: expected indices from 0 to {count - 1}, got {number}. "
                "Count from the first class, not from the last."
            )
