"""Answers to "Make it CAM-ready" by function: wrong ones, with what is wrong, and right ones of other forms."""

import copy
import functools
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional as F

from camlib import networks

Head = tuple[Tensor, Tensor]


@functools.cache
def _old() -> nn.Module:
    return networks.garment_network("flatten")


@torch.no_grad()
def _features(images: Tensor, coarse: bool = False) -> Tensor:
    maps = _old().features(images)
    return F.max_pool2d(maps, 4) if coarse else maps


@torch.no_grad()
def _in_training(images: Tensor) -> Tensor:
    return copy.deepcopy(_old()).train().features(images).mean((2, 3))


def _kept(tensors: dict[str, Tensor], head: Head, where: str = "features.") -> dict[str, Tensor]:
    kept = {name: one for name, one in tensors.items() if name.startswith(where)}
    return {**kept, "classifier.weight": head[0], "classifier.bias": head[1]}


def _no_statistics(tensors: dict[str, Tensor], *head: Tensor) -> dict[str, Tensor]:
    result = _kept(tensors, (head[0], head[1]))
    return {
        name: one for name, one in result.items() if "running" not in name and "num_" not in name
    }


def _containing(tensors: dict[str, Tensor], *head: Tensor) -> dict[str, Tensor]:
    kept = {name: one for name, one in tensors.items() if "features." in name}
    return {**kept, "classifier.weight": head[0], "classifier.bias": head[1]}


def _as_floats(tensors: dict[str, Tensor], *head: Tensor) -> dict[str, Tensor]:
    return {name: one.float() for name, one in _kept(tensors, (head[0], head[1])).items()}


def _fresh(tensors: dict[str, Tensor], *head: Tensor) -> dict[str, Tensor]:
    result = _kept(tensors, (head[0], head[1]))
    return {name: one * 0 if "running_mean" in name else one for name, one in result.items()}


def _naive(logits: Tensor, labels: Tensor, least: float = 0.0) -> Tensor:
    p = logits.sigmoid().clamp(least, 1 - least)
    return -(labels * p.log() + (1 - labels) * (1 - p).log()).mean()


def _shares(scores: Tensor, present: Tensor, descending: bool = True) -> tuple[Tensor, Tensor]:
    hits = present[scores.argsort(descending=descending)].float()
    return hits, hits.cumsum(0) / torch.arange(1, len(hits) + 1)


def _unsorted(scores: Tensor, present: Tensor) -> Tensor:
    return (present.cumsum(0) / torch.arange(1, len(present) + 1))[present == 1].mean()


def _rising(scores: Tensor, present: Tensor) -> Tensor:
    hits, shares = _shares(scores, present, descending=False)
    return shares[hits == 1].mean()


def _descended(
    pooled: Tensor,
    labels: Tensor,
    steps: int,
    rate: float,
    *,
    count: str = "all",
    sign: float = 1.0,
    with_bias: bool = True,
    piled: bool = False,
) -> Head:
    """Gradient descent with one thing wrong."""
    (n, c), k = labels.shape, pooled.shape[1]
    weight, bias = torch.zeros(c, k), torch.zeros(c)
    piles = torch.zeros(c, k), torch.zeros(c)
    for _ in range(steps):
        error = ((pooled @ weight.T + bias).sigmoid() - labels) * sign
        error = error / {"all": n * c, "scenes": n, "none": 1}[count]
        slopes = error.T @ pooled, error.sum(0)
        piles = (piles[0] + slopes[0], piles[1] + slopes[1]) if piled else slopes
        weight = weight - rate * piles[0]
        bias = bias - rate * piles[1] * with_bias
    return weight, bias


def _adam(pooled: Tensor, labels: Tensor, steps: int, rate: float) -> Head:
    head = nn.Linear(pooled.shape[1], labels.shape[1])
    nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)
    optimizer = torch.optim.Adam(head.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(head(pooled), labels).backward()
        optimizer.step()
    return head.weight.detach(), head.bias.detach()


def _not_folded(pooled: Tensor, labels: Tensor) -> Head:
    standard = (pooled - pooled.mean(0)) / pooled.std(0)
    return _descended(standard, labels, 400, 2.0)


def _by_another(pooled: Tensor, labels: Tensor) -> Head:
    return _descended(pooled * 50, labels.roll(1, dims=1), 400, 2.0)


@torch.no_grad()
def _maps(images: Tensor, weight: Tensor, classes: list[int], coarse: bool = False) -> Tensor:
    return torch.einsum("nkhw,ck->nchw", _features(images, coarse), weight[classes])


def _peak(
    map: Tensor, owner: np.ndarray, garments: Any, *, corner: bool = False, turned: bool = False
) -> int:
    row, column = divmod(int(map.argmax()), map.shape[1])
    high, wide = owner.shape[0] // map.shape[0], owner.shape[1] // map.shape[1]
    inside = (0, 0) if corner else (high // 2, wide // 2)
    place = row * high + inside[0], column * wide + inside[1]
    return int(owner[place[::-1]] if turned else owner[place])


def _looked_up(slot: int, garments: Any) -> int:
    return int(garments[slot]) if slot >= 0 else -1


WRONG = {
    "head_parameters": {
        "no biases": lambda k, h, w, m, c: (k * h * w * m + m * c, k * c),
        "no hidden layer": lambda k, h, w, m, c: (k * h * w * c + c, k * c + c),
        "no bias behind the hidden layer": lambda k, h, w, m, c: (
            k * h * w * m + m + m * c,
            k * c + c,
        ),
        "a weight for each cell": lambda k, h, w, m, c: (
            (k * h * w + 1) * m + (m + 1) * c,
            k * h * w * c + c,
        ),
        "the other order": lambda k, h, w, m, c: (
            (k + 1) * c,
            (k * h * w + 1) * m + (m + 1) * c,
        ),
    },
    "operate": {
        "parameters without statistics": _no_statistics,
        "the old head kept": lambda tensors, weight, bias: _kept(tensors, (weight, bias), ""),
        "every name with features in it": _containing,
        "all as floats": _as_floats,
        "statistics reset": _fresh,
        "weights negated": lambda tensors, weight, bias: _kept(tensors, (-weight, bias)),
        "names shortened": lambda tensors, weight, bias: {
            name.removeprefix("features."): one
            for name, one in _kept(tensors, (weight, bias)).items()
        },
    },
    "pooled_features": {
        "of the coarse maps": lambda images: _features(images, coarse=True).mean((2, 3)),
        "in training mode": _in_training,
        "sums": lambda images: _features(images).sum((2, 3)),
        "the maximum": lambda images: _features(images).amax((2, 3)),
        "the first hundred": lambda images: _features(images[:100]).mean((2, 3)),
        "the hidden layer": lambda images: _old().classifier[:3](_old().features(images)).detach(),
    },
    "multi_label_loss": {
        "by the formula": _naive,
        "with a limit": lambda logits, labels: _naive(logits, labels, 1e-7),
        "a sum": lambda logits, labels: F.binary_cross_entropy_with_logits(
            logits, labels, reduction="sum"
        ),
        "a sum over classes": lambda logits, labels: (
            F.binary_cross_entropy_with_logits(logits, labels) * logits.shape[1]
        ),
        "softmax": lambda logits, labels: F.cross_entropy(logits, labels),
        "yes alone": lambda logits, labels: -(labels * F.logsigmoid(logits)).mean(),
        "one infinity left": lambda logits, labels: (
            labels * (1 + (-logits).exp()).log() + (1 - labels) * (1 + logits.exp()).log()
        ).mean(),
    },
    "average_precision": {
        "not sorted": _unsorted,
        "the lowest first": _rising,
        "the mean over all places": lambda scores, present: _shares(scores, present)[1].mean(),
        "divided by all": lambda scores, present: (
            _shares(scores, present)[0] * _shares(scores, present)[1]
        ).mean(),
        "the area under the ROC": lambda scores, present: float(
            roc_auc_score(present.numpy(), scores.numpy())
        ),
        "a place without itself": lambda scores, present: (
            (_shares(scores, present)[0].cumsum(0) - 1) / torch.arange(1, len(scores) + 1)
        )[_shares(scores, present)[0] == 1].mean(),
    },
    "train_head": {
        "gradients pile up": lambda *given: _descended(*given, piled=True),
        "a mean over scenes alone": lambda *given: _descended(*given, count="scenes"),
        "a sum": lambda *given: _descended(*given, count="none"),
        "uphill": lambda *given: _descended(*given, sign=-1.0),
        "no bias": lambda *given: _descended(*given, with_bias=False),
        "a step too few": lambda p, y, steps, rate: _descended(p, y, steps - 1, rate),
        "Adam": _adam,
        "weights turned": lambda *given: (_descended(*given)[0].T, _descended(*given)[1]),
    },
    "fold": {
        "the bias as it was": lambda w, b, mean, std: (w / std, b),
        "the mean not divided": lambda w, b, mean, std: (w / std, b - w @ mean),
        "multiplied": lambda w, b, mean, std: (w * std, b - (w * std) @ mean),
        "the mean added": lambda w, b, mean, std: (w / std, b + (w / std) @ mean),
        "the bias divided": lambda w, b, mean, std: (
            w / std,
            (b / std.mean()) - (w / std) @ mean,
        ),
    },
    "retrain": {
        "not trained": lambda p, y: (torch.zeros(y.shape[1], p.shape[1]), torch.zeros(y.shape[1])),
        "hardly trained": lambda p, y: _descended(p, y, 200, 1.0),
        "not folded": _not_folded,
        "labels of another class": _by_another,
        "standardised, no bias": lambda p, y: (
            _not_folded(p, y)[0] / p.std(0),
            torch.zeros(y.shape[1]),
        ),
    },
    "scene_maps": {
        "of the coarse maps": lambda images, weight, classes: _maps(images, weight, classes, True),
        "a ReLU": lambda images, weight, classes: _maps(images, weight, classes).clamp(min=0),
        "in the order of their numbers": lambda images, weight, classes: _maps(
            images, weight, sorted(classes)
        ),
        "all classes": lambda images, weight, classes: _maps(images, weight, list(range(10))),
        "enlarged": lambda images, weight, classes: F.interpolate(
            _maps(images, weight, classes), 64, mode="bilinear"
        ),
        "each on its own scale": lambda images, weight, classes: F.normalize(
            _maps(images, weight, classes), float("inf"), dim=(2, 3)
        ),
    },
    "decisions": {
        "softmax": lambda logits, threshold: logits.softmax(1) > threshold,
        "the logit above the threshold": lambda logits, threshold: logits > threshold,
        "the best class alone": lambda logits, threshold: F.one_hot(
            logits.argmax(1), logits.shape[1]
        ).bool(),
        "always one half": lambda logits, threshold: logits > 0,
        "below": lambda logits, threshold: logits.sigmoid() < threshold,
        "probabilities": lambda logits, threshold: logits.sigmoid(),
    },
    "under_the_peak": {
        "the slot": _peak,
        "the last slot for none": lambda map, owner, garments: int(
            garments[_peak(map, owner, garments)]
        ),
        "the largest magnitude": lambda map, owner, garments: _looked_up(
            _peak(map.abs(), owner, garments), garments
        ),
        "a corner of the cell": lambda map, owner, garments: _looked_up(
            _peak(map, owner, garments, corner=True), garments
        ),
        "the lowest cell": lambda map, owner, garments: _looked_up(
            _peak(-map, owner, garments), garments
        ),
        "rows for columns": lambda map, owner, garments: _looked_up(
            _peak(map, np.pad(owner, 40), garments, turned=True), garments
        ),
    },
}


def _counted(channels: int, height: int, width: int, hidden: int, classes: int) -> list[int]:
    heads = (
        nn.Sequential(nn.Linear(channels * height * width, hidden), nn.Linear(hidden, classes)),
        nn.Linear(channels, classes),
    )
    return [sum(p.numel() for p in head.parameters()) for head in heads]


def _through_a_network(tensors: dict[str, Tensor], *head: Tensor) -> dict[str, Tensor]:
    """Start from the old dictionary and take out what is to go."""
    result = dict(tensors)
    for name in tensors:
        if name.split(".")[0] != "features":
            del result[name]
    result["classifier.weight"], result["classifier.bias"] = head
    return result


def _one_by_one(images: Tensor) -> Tensor:
    return torch.stack([_features(image[None])[0].mean((1, 2)) for image in images])


def _found(scores: Tensor, present: Tensor) -> float:
    order = sorted(range(len(scores)), key=lambda i: -float(scores[i]))
    found, shares = 0, []
    for rank, scene in enumerate(order, 1):
        if present[scene]:
            found += 1
            shares.append(found / rank)
    return sum(shares) / len(shares)


def _by_autograd(pooled: Tensor, labels: Tensor, steps: int, rate: float) -> Head:
    head = nn.Linear(pooled.shape[1], labels.shape[1])
    nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)
    optimizer = torch.optim.SGD(head.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(head(pooled), labels).backward()
        optimizer.step()
    return head.weight, head.bias


ALSO_RIGHT = {
    "head_parameters": (_counted,),
    "operate": (_through_a_network,),
    "pooled_features": (_one_by_one,),
    "multi_label_loss": (
        lambda logits, labels: (torch.logaddexp(logits, logits * 0) - labels * logits).mean(),
        lambda logits, labels: (
            logits.clamp(min=0) - labels * logits + torch.log1p(torch.exp(-logits.abs()))
        ).mean(),
    ),
    "average_precision": (_found,),
    "train_head": (_by_autograd,),
    "fold": (lambda w, b, mean, std: (w @ torch.diag(1 / std), b - (w * mean / std).sum(1)),),
    "retrain": (
        lambda pooled, labels: _adam(pooled, labels, 1000, 0.02),
        lambda pooled, labels: _by_autograd(pooled, labels, 3000, 10.0),
    ),
    "scene_maps": (
        lambda images, weight, classes: torch.stack(
            [(weight[c][:, None, None] * _features(images)).sum(1) for c in classes], 1
        ),
    ),
    "decisions": (
        lambda logits, threshold: logits > np.log(threshold / (1 - threshold)),
        lambda logits, threshold: (1 / (1 + (-logits).exp()) > threshold).int(),
    ),
    "under_the_peak": (
        lambda map, owner, garments: _looked_up(
            _peak(map, np.asarray(owner), garments), torch.tensor(np.asarray(garments))
        ),
    ),
}
