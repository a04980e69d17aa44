"""What is to be explained: images of a network, and classes or any score made of its output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from camlib.errors import check_finite, describe
from camlib.inputs import as_logits, class_indices
from camlib.running import Run

Score = Callable[[Any], Tensor]
Given = int | Sequence[int] | Int[Tensor, " n"] | Int[Tensor, "n t"] | Score | None


@dataclass(frozen=True)
class Target:
    """A checked target for n pictures: ``score``, or ``indices`` of shape (t,) or (n, t), or all."""

    n: int
    indices: Tensor | None = None
    score: Score | None = None

    def part(self, pictures: slice) -> Target:
        """Return the target of some of the pictures."""
        indices = self.indices
        if indices is not None and indices.ndim == 2:
            indices = indices[pictures]
        return replace(self, n=len(range(self.n)[pictures]), indices=indices)

    def classes(self, logits: Float[Tensor, "n c *places"]) -> Tensor:
        """Return the indices, of shape (t,) or (n, t), that all lie in the logits."""
        assert self.indices is not None, "all of them are not picked"
        bounds = [int(bound) for bound in torch.aminmax(self.indices)]
        class_indices("target", bounds, logits.shape[1])
        return self.indices.clone().to(logits.device)  # they may come out of inference mode

    def scores(self, output: Any) -> Float[Tensor, "n t"]:
        """Return the numbers whose gradients are wanted."""
        if self.score is None:
            return self.of(as_logits(output, self.n))
        score = self.score(output)
        shapes = [(self.n,), ()] if self.n == 1 else [(self.n,)]
        if isinstance(score, Tensor) and score.is_floating_point() and score.shape in shapes:
            check_finite("target(network(images))", score, "Look at what the target computes.")
            return score.reshape(self.n, 1)
        raise ValueError(
            f"target: expected a function that returns one number for each picture, shape "
            f"({self.n},), got {describe(score)}. For class 5 of logits: lambda logits: logits[:, 5]."
        )

    def of(self, numbers: Float[Tensor, "n c *places"]) -> Float[Tensor, "n t *places"]:
        """Return what belongs to the targets' classes, of what belongs to all of them."""
        if self.indices is None:
            return numbers
        classes = self.classes(numbers)
        if classes.ndim == 1:
            return numbers[:, classes]
        return numbers[torch.arange(len(classes), device=classes.device)[:, None], classes]


@dataclass(frozen=True)
class Request:
    """What was asked for: a network, how it is run, its images, and the target."""

    network: nn.Module
    run: Run
    images: Tensor
    target: Target

    def scores(self, images: Tensor) -> Float[Tensor, "n t"]:
        """Run the network on other images and return their scores."""
        return self.target.scores(self.run(self.network, images))

    def part(self, pictures: slice) -> Request:
        """Return the same for some of the pictures."""
        return replace(self, images=self.images[pictures], target=self.target.part(pictures))


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
    if isinstance(target, (int, np.integer, str)):  # a name gets the hint how to look it up
        target = [target]
    if not isinstance(target, Sequence) or isinstance(target, bytes):
        raise TypeError(
            f"target: expected classes or a function, got {describe(target)}. Pass a class index, a "
            "list of them (for every picture), a tensor of shape (pictures,) or (pictures, t) with "
            "each picture's own, None for all classes, or a function from the network's output to "
            "one number for each picture."
        )
    return Target(n, torch.tensor(class_indices("target", target)))


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
