"""Chapter 7: yes or no for each label, and what a second garment does to a logit."""

from __future__ import annotations

import torch
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise


def predicted_labels(logits: Tensor, threshold: float) -> Tensor:
    """Say yes where the sigmoid exceeds the threshold."""
    return logits.sigmoid() > threshold


def _answers() -> Cases:
    return {
        "one scene, three labels present and one absent": (
            torch.tensor([[3.0, 3.2, 3.1, -5.0]]),
            0.5,
        ),
        "small logits of both signs": (torch.tensor([[0.3, -0.3], [2.0, 0.7]]), 0.5),
        "a logit of 0, whose sigmoid is just the threshold": (torch.tensor([[0.0, 1.0]]), 0.5),
        "a strict threshold": (torch.tensor([[1.0, 3.0, -1.0], [2.5, 2.0, 0.5]]), 0.9),
        "a lax threshold": (torch.tensor([[-1.0, -4.0], [-2.0, 3.0]]), 0.2),
    }


def _only_the_largest(logits: Tensor, threshold: float) -> Tensor:
    return logits == logits.amax(1, keepdim=True)


def mean_logit_by_count(logits: Tensor, times: Tensor) -> Tensor:
    """Average the logits of all classes that a scene holds not at all, once, and twice."""
    return torch.stack([logits[times == count].mean() for count in range(3)])


def _counted() -> Cases:
    one = torch.tensor([[1.0, 5.0, 9.0]]), torch.tensor([[0, 1, 2]])
    rows = torch.tensor([[-3.0, 5.0, -1.0], [14.0, -2.0, 4.0], [-5.0, -6.0, 12.0]])
    return {
        "one scene with a class of each kind": one,
        "three scenes; the classes absent are spread unevenly": (
            rows,
            torch.tensor([[0, 1, 0], [2, 0, 1], [0, 0, 2]]),
        ),
        "classes that lie in a scene three and four times": (
            torch.tensor([[1.0, 20.0, 4.0], [9.0, -2.0, 30.0]]),
            torch.tensor([[1, 3, 0], [2, 0, 4]]),
        ),
    }


def _at_least(logits: Tensor, times: Tensor) -> Tensor:
    return torch.stack([logits[times >= count].mean() for count in range(3)])


def _by_scene(logits: Tensor, times: Tensor) -> Tensor:
    """The mean of the scenes' means: a scene with one such class counts as much as one with three."""
    means = [
        [row[at == count].mean() for row, at in zip(logits, times, strict=True)]
        for count in range(3)
    ]
    return torch.stack([torch.stack(row).nanmean() for row in means])


EXERCISES = (
    Exercise(
        "predicted_labels",
        predicted_labels,
        _answers,
        {
            "you shared out one unit of probability (softmax). Several labels may be present: "
            "ask each logit by itself, by the sigmoid.": (
                lambda logits, threshold: logits.softmax(1) > threshold
            ),
            "you compared the logits themselves with the threshold, which is a probability: "
            "take the sigmoid first.": lambda logits, threshold: logits > threshold,
            "you kept the largest logit of each scene alone. There may be several labels, "
            "or none.": _only_the_largest,
            "you said yes at the threshold as well; the text asks for more than the threshold.": (
                lambda logits, threshold: logits.sigmoid() >= threshold
            ),
            "you used one half, whatever the threshold: use the argument.": (
                lambda logits, threshold: logits > 0
            ),
            "you turned the question round: yes is for what lies above the threshold.": (
                lambda logits, threshold: logits.sigmoid() < threshold
            ),
            "you returned the probabilities; compare them with the threshold.": (
                lambda logits, threshold: logits.sigmoid()
            ),
            "you took the sigmoid twice: a probability is no logit any more.": (
                lambda logits, threshold: logits.sigmoid().sigmoid() > threshold
            ),
        },
    ),
    Exercise(
        "mean_logit_by_count",
        mean_logit_by_count,
        _counted,
        {
            "you counted “at least”: a class that lies there twice is not there once.": _at_least,
            "you averaged over each scene first and then over the scenes. Each pair of scene "
            "and class counts the same, so take one mean over all pairs of a kind.": _by_scene,
            "you added the logits up and did not divide by the number of pairs.": (
                lambda logits, times: torch.stack(
                    [logits[times == count].sum() for count in range(3)]
                )
            ),
            "you divided by the number of all pairs, and not by how many there are of a kind.": (
                lambda logits, times: torch.stack(
                    [(logits * (times == count)).mean() for count in range(3)]
                )
            ),
            "you averaged probabilities. A sigmoid is level near 1, where a second garment "
            "can hardly be seen any more: average the logits.": (
                lambda logits, times: mean_logit_by_count(logits.sigmoid(), times)
            ),
            "you left out the pairs of which the class is absent: three numbers are wanted, "
            "for none, one and two.": (
                lambda logits, times: mean_logit_by_count(logits, times)[1:]
            ),
        },
    ),
)
