"""Assignment 4, Grad-CAM and doubt: the gradient of a score."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from camlib.checks.exercise import Case, Exercise, Function, Mistake

Score = Callable[[Tensor, list[int]], Tensor]  # of logits (n, c) and classes: what is explained


def _chosen(scores: Tensor, classes: list[int]) -> Tensor:
    return scores[torch.arange(len(classes)), classes]


def _gradient_of(score: Score, *, relu: bool = True) -> Function:
    """A head_gradient that explains this score."""

    def gradient(
        features: Tensor,
        hidden_weight: Tensor,
        hidden_bias: Tensor,
        weight: Tensor,
        bias: Tensor,
        classes: list[int],
    ) -> Tensor:
        leaf = features.clone().requires_grad_()
        hidden = leaf.flatten(1) @ hidden_weight.T + hidden_bias
        logits = (hidden.relu() if relu else hidden) @ weight.T + bias
        return torch.autograd.grad(score(logits, classes).sum(), leaf)[0]

    return gradient


def _heads() -> tuple[Case, ...]:
    two = torch.tensor([[[[1.0, 2.0]]], [[[3.0, 1.0]]]])
    head = (
        torch.tensor([[1.0, 1.0], [1.0, -1.0]]),
        torch.tensor([0.0, 0.5]),
        torch.tensor([[2.0, 5.0], [0.5, 1.0]]),
        torch.tensor([0.0, 1.0]),
    )
    return (
        Case("one picture; the second hidden unit is off", (two[:1], *head, [0])),
        Case("two pictures, a class for each", (two, *head, [1, 0])),
    )


EXERCISES = (
    Exercise(
        "head_gradient",
        _gradient_of(_chosen),
        _heads,
        (
            Mistake(
                "you left the ReLU of the hidden layer out.",
                _gradient_of(_chosen, relu=False),
            ),
            Mistake(
                "you explained all classes at once; each picture has one class.",
                _gradient_of(lambda logits, classes: logits),
            ),
            Mistake(
                "you explained the probability; the logit is asked for.",
                _gradient_of(lambda logits, classes: _chosen(logits.softmax(1), classes)),
            ),
            Mistake(
                "you took the first class for all pictures.",
                _gradient_of(lambda logits, classes: logits[:, classes[0]]),
            ),
            Mistake(
                "you averaged over the pictures, so that each gradient is too small: add them up.",
                _gradient_of(lambda logits, classes: _chosen(logits, classes) / len(classes)),
            ),
        ),
    ),
)
