"""Chapter 3: the linear weighted sum."""

from __future__ import annotations

import torch
from torch import Tensor

from camcourse.checks.exercise import Cases, Exercise
from camlib.weighting import weighted_sum


def _sums() -> Cases:
    by_hand = torch.tensor([[[[4.0, 2.0], [0.0, 2.0]], [[0.0, 1.0], [8.0, 3.0]]]])
    counted = torch.arange(24.0)
    rows = torch.tensor([[1.0, 0.0], [2.0, -1.0], [-1.0, 0.5]])
    return {
        "the two maps of “By hand”, one class": (by_hand, torch.tensor([[3.0, -1.0]])),
        "two channels, two classes": (by_hand, torch.tensor([[0.0, 1.0], [2.0, 1.0]])),
        "two pictures of two channels, three classes": (counted[:8].reshape(2, 2, 1, 2), rows),
        "three channels, maps wider than high": (
            counted[:18].reshape(1, 3, 2, 3) % 5 - 2,
            torch.tensor([[1.0, -2.0, 0.5]]),
        ),
    }


def _mixed(features: Tensor, weight: Tensor) -> Tensor:
    n, k, h, w = features.shape
    return (features.reshape(n, h * w, k) @ weight.T).transpose(1, 2).reshape(n, -1, h, w)


SUM = Exercise(
    "weighted_sum",
    weighted_sum,
    _sums,
    {
        "you averaged over the channels; they are added up.": (
            lambda features, weight: weighted_sum(features, weight) / weight.shape[1]
        ),
        "you cut the negative values away (ReLU); evidence against a class belongs to its map.": (
            lambda features, weight: weighted_sum(features, weight).clamp(min=0)
        ),
        "you divided each map by its largest value; the raw sum is asked for, so that its mean "
        "is the logit.": (
            lambda f, weight: (m := weighted_sum(f, weight)) / m.amax((2, 3), keepdim=True)
        ),
        "you took the pooled score of each class; stop one step earlier, before the mean over "
        "the places.": lambda features, weight: features.mean((2, 3)) @ weight.T,
        "you took the classes for the channels: weight is (c, k), a row for each class.": (
            lambda features, weight: weighted_sum(features, weight.T)
        ),
        "you added the maps up without their weights.": (
            lambda f, weight: f.sum(1, keepdim=True).expand(-1, len(weight), -1, -1)
        ),
        "you used the weights' sizes without their signs; a negative weight speaks against.": (
            lambda features, weight: weighted_sum(features, weight.abs())
        ),
        "classes come before pictures in your answer; the axes are (n, c, h, w).": (
            lambda features, weight: weighted_sum(features, weight).transpose(0, 1)
        ),
        "you brought the cells into the shape (n, h · w, k) by reshape, which mixes the "
        "channels; move the axis (movedim), or flatten the last two.": _mixed,
    },
)


def _leads() -> Cases:
    tensor = torch.tensor
    return {
        "three channels, a lead of 2.5": (tensor([1.0, 3.0, 0.5]), tensor(2.5)),
        "two must go": (tensor([0.5, 2.0, -4.0, 1.5, 0.0]), tensor(3.0)),
        "after three the lead is 0, and not yet lost": (tensor([1.0, 2.0, 0.25, 3.0]), tensor(6.0)),
        "four of six": (tensor([0.5, -1.0, 0.75, 1.25, 0.25, 1.0]), tensor(3.25)),
    }


def _until_lost(order: Tensor, value: Tensor, lead: Tensor, tie: bool = False) -> list[int]:
    """Take channels in this order until the lead is below 0, or (tie) no longer above it."""
    left = lead - value[order].cumsum(0)
    lost = (left <= 0 if tie else left < 0).nonzero().flatten().tolist()
    return order[: lost[0] + 1 if lost else None].tolist()


def _off(value: Tensor, lead: Tensor, tie: bool = False) -> list[int]:
    return _until_lost(value.argsort(descending=True), value, lead, tie)


def _weakest(value: Tensor, lead: Tensor) -> list[int]:
    order = value.argsort()
    return _until_lost(order[value[order] > 0], value, lead)


FEWEST = Exercise(
    "fewest_off",
    lambda value, lead: _off(value, lead),
    _leads,
    {
        "you began with the channels that are worth least; the most valuable ones come first.": _weakest,
        "you sorted by size without the sign; switching a negative channel off raises the lead.": (
            lambda v, lead: _until_lost(v.abs().argsort(descending=True), v, lead)
        ),
        "you stopped one channel too early: the lead is not gone yet.": (
            lambda value, lead: _off(value, lead)[:-1]
        ),
        "you stopped at a lead of exactly 0; that is a tie. Below 0 it is lost.": (
            lambda value, lead: _off(value, lead, tie=True)
        ),
        "you switched every helpful channel off; stop as soon as the lead is lost.": (
            lambda value, lead: [k for k in value.argsort(descending=True).tolist() if value[k] > 0]
        ),
        "you returned the values; give the numbers of the channels.": (
            lambda value, lead: value[_off(value, lead)].tolist()
        ),
        "you returned how many; give the channels themselves, in a list.": (
            lambda value, lead: len(_off(value, lead))
        ),
    },
)

EXERCISES = (SUM, FEWEST)
