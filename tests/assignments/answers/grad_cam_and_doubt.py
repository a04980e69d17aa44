"""Answers to "Grad-CAM and doubt" by function: wrong ones, with what is wrong, and right ones of other forms."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn

from camlib import networks
from camlib.faithfulness import shuffled

PLACES = (2, 3)
PARTS = ("classifier", *(f"features.{i}" for i in (13, 12, 10, 9, 7, 6, 4, 3, 1, 0)))


def _own(scores: Tensor, classes: list[int]) -> Tensor:
    return scores[torch.arange(len(classes)), classes]


def _gradient(score: Callable[[Tensor, list[int]], Tensor] = _own, **how: bool) -> Callable:
    def gradient(
        features: Tensor, u: Tensor, a: Tensor, v: Tensor, b: Tensor, classes: list[int]
    ) -> Tensor:
        leaf = features.clone().requires_grad_()
        hidden = leaf.flatten(1) @ u.T + (0 if how.get("no_shift") else a)
        logits = (hidden if how.get("no_relu") else hidden.relu()) @ v.T + b
        return torch.autograd.grad(score(logits, classes).sum(), leaf)[0]

    return gradient


def _picture_by_picture(features: Tensor, *rest: Any) -> Tensor:
    *head, classes = rest
    pairs = zip(features, classes, strict=True)
    return torch.cat([_gradient()(one[None], *head, [c]) for one, c in pairs])


def _weigh(weights: Tensor, features: Tensor) -> Tensor:
    return torch.einsum("nk,nkhw->nhw", weights, features)


def _map(features: Tensor, gradients: Tensor, relu: bool = False) -> Tensor:
    maps = _weigh(gradients.mean(PLACES), features)
    return maps.relu() if relu else maps


def _products(features: Tensor, gradients: Tensor, relu: bool = False) -> Tensor:
    maps = (features * gradients).sum(1)
    return maps.relu() if relu else maps


def _relu_first(features: Tensor, gradients: Tensor, relu: bool = False) -> Tensor:
    products = gradients.mean(PLACES, keepdim=True) * features
    return (products.relu() if relu else products).sum(1)


def _of_the_batch(features: Tensor, gradients: Tensor, relu: bool = False) -> Tensor:
    return _map(features, gradients.mean(0, keepdim=True).expand_as(gradients), relu)


@functools.cache
def _flat() -> nn.Module:
    return networks.garment_network("flatten").requires_grad_(False)


def _explained(
    images: Tensor,
    classes: list[int],
    score: Callable[[Tensor, list[int]], Tensor] = _own,
    make: Callable[..., Tensor] = _map,
    layers: int = 15,
) -> Tensor:
    leaf = _flat().features[:layers](images).clone().requires_grad_()
    logits = _flat().classifier(_flat().features[layers:](leaf.clone()))
    (gradients,) = torch.autograd.grad(score(logits, classes).sum(), leaf)
    return make(leaf.detach(), gradients)


def _backward(images: Tensor, classes: list[int]) -> Tensor:
    maps = []
    for image, c in zip(images, classes, strict=True):
        features = _flat().features(image[None]).requires_grad_()
        _flat().classifier(features)[0, c].backward()
        maps.append(_map(features.detach(), features.grad)[0])
    return torch.stack(maps)


def _alphas(gradients: Tensor, features: Tensor, epsilon: float = 0.0, two: float = 2.0) -> Tensor:
    square, total = gradients**2, features.sum(PLACES, keepdim=True)
    return square / (two * square + gradients**3 * total + epsilon)


def _divided(gradients: Tensor, features: Tensor, two: float = 2.0) -> Tensor:
    positive = gradients.relu()
    return positive / (two + positive * features.sum(PLACES, keepdim=True))


def _misplaced(gradients: Tensor, features: Tensor) -> Tensor:
    cubes = (gradients**3 * features).sum(PLACES, keepdim=True)
    alphas = torch.where(gradients == 0, 0.0, gradients**2 / (2 * gradients**2 + cubes))
    return (alphas * gradients.relu()).sum(PLACES)


def _where_positive(gradients: Tensor, features: Tensor) -> np.ndarray:
    slopes = gradients.double().where(gradients > 0, 1.0)
    alphas = _alphas(slopes, features.double()).where(gradients > 0, 0.0)
    return (alphas * gradients.relu()).sum(PLACES).numpy()


def _correlated(one: np.ndarray, other: np.ndarray) -> float:
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _ranked(method: str) -> Callable[[Tensor, Tensor], float]:
    def correlation(one: Tensor, other: Tensor) -> float:
        if one.std() == 0 or other.std() == 0:
            return 0.0
        return _correlated(*(rankdata(map.numpy(), method=method) for map in (one, other)))

    return correlation


def _squares(one: Tensor, other: Tensor) -> float:
    difference, m = rankdata(one.numpy()) - rankdata(other.numpy()), one.numel()
    return 1 - 6 * float((difference**2).sum()) / (m * (m**2 - 1))


def _counted(one: Tensor, other: Tensor) -> Tensor:
    ranks = []
    for map in (one, other):
        _, place, count = map.flatten().unique(return_inverse=True, return_counts=True)
        shared = count.cumsum(0) - (count - 1) / 2
        ranks.append(shared[place] - shared[place].mean())
    size = ranks[0].norm() * ranks[1].norm()
    return (ranks[0] @ ranks[1]) / size if size > 0 else size


def _forgotten(
    images: Tensor,
    classes: list[int],
    seed: int,
    keep: str = "",
    factor: float = 1.0,
    training: bool = False,
) -> Tensor:
    """The maps; ``keep`` says what is kept that should be forgotten, or the other way round."""
    network = networks.garment_network("gap").train(training).requires_grad_(False)
    draw = torch.Generator().manual_seed(seed)
    first, maps = network.classifier.weight[classes].clone(), []
    for part in ("", *(reversed(PARTS) if keep == "input first" else PARTS)):
        if part and keep == "nothing":
            network = networks.garment_network("gap").requires_grad_(False)
        if keep == "the seed":
            draw.manual_seed(seed)
        parameters = list(network.get_submodule(part).parameters()) if part else []
        for parameter in parameters[: 1 if keep == "biases" else None]:
            parameter.copy_(shuffled(parameter, draw))
        weight = first if keep == "the first weights" else network.classifier.weight[classes]
        maps.append(factor * _weigh(weight, network.features(images)))
    return torch.stack(maps)


def _one_by_one(images: Tensor, classes: list[int], seed: int) -> Tensor:
    pairs = zip(images, classes, strict=True)
    return torch.cat([_forgotten(one[None], [c], seed) for one, c in pairs], 1)


def _diagnosed(maps: Tensor, logits: Tensor, bias: Tensor, order: str, **how: float) -> str:
    """Ask the questions in an order of letters: sound, stretched (t), lost, probability."""
    cells = how.get("cells", 0) and maps[0, 0].numel()
    total = maps.sum(PLACES) / (cells or 1) + how.get("bias", 1) * bias
    low, high = maps.amin(PLACES), maps.amax(PLACES)
    answers = {
        "s": ("sound", torch.allclose(total, logits, atol=how.get("within", 1e-4), rtol=0)),
        "t": ("stretched", bool((low == 0).all() and ((high - 1).abs() < 1e-5).all())),
        "l": ("sign lost", not bool((maps < 0).any())),
        "p": ("probability", bool(maps.sum(1).abs().max() < 1e-4 * maps.abs().max())),
    }
    return next((answers[one][0] for one in order if answers[one][1]), "wrong layer")


WRONG = {
    "head_gradient": {
        "no ReLU": _gradient(no_relu=True),
        "no hidden bias": _gradient(no_shift=True),
        "all classes": _gradient(lambda logits, classes: logits),
        "probabilities": _gradient(lambda logits, classes: _own(logits.softmax(1), classes)),
        "the first class for all": _gradient(lambda logits, classes: logits[:, classes[0]]),
        "a mean over the pictures": _gradient(
            lambda logits, classes: _own(logits, classes) / len(classes)
        ),
        "flattened": lambda *given: _gradient()(*given).flatten(1),
        "the features changed": lambda features, *rest: _gradient()(features.mul_(0), *rest),
    },
    "grad_cam_map": {
        "a ReLU before the sum": _relu_first,
        "place by place": _products,
        "a sum for a mean": lambda f, g, relu=False: _map(f, g, relu) * f[0, 0].numel(),
        "weights of the batch": _of_the_batch,
        "positive gradients": lambda f, g, relu=False: _map(f, g.relu(), relu),
        "always a ReLU": lambda f, g, relu=False: _map(f, g, True),
        "never a ReLU": lambda f, g, relu=False: _map(f, g),
        "a mean over the channels": lambda f, g, relu=False: _map(f, g, relu) / f.shape[1],
    },
    "cam_from_gradients": {
        "Grad-CAM": _map,
        "place by place": _products,
        "four cells": lambda f, g: 4 * _map(f, g),
        "times the height": lambda f, g: f.shape[2] * _map(f, g),
    },
    "missing_part": {
        "no offset": lambda maps, logits, offset: logits - maps.sum((1, 2)),
        "the other sign": lambda maps, logits, offset: maps.sum((1, 2)) + offset - logits,
        "no sign": lambda maps, logits, offset: (logits - offset - maps.sum((1, 2))).abs(),
        "a mean": lambda maps, logits, offset: logits - offset - maps.mean((1, 2)),
        "all pictures together": lambda maps, logits, offset: logits - offset - maps.sum(),
        "positive cells": lambda maps, logits, offset: logits - offset - maps.relu().sum((1, 2)),
    },
    "flatten_grad_cam": {
        "probabilities": lambda images, classes: _explained(
            images, classes, lambda logits, which: _own(logits.sigmoid(), which)
        ),
        "the first class for all": lambda images, classes: _explained(
            images, classes, lambda logits, which: logits[:, which[0]]
        ),
        "a mean over the pictures": lambda images, classes: _explained(
            images, classes, lambda logits, which: _own(logits, which) / len(which)
        ),
        "place by place": lambda images, classes: _explained(images, classes, make=_products),
        "weights of the batch": lambda images, classes: _explained(
            images, classes, make=_of_the_batch
        ),
        "a ReLU": lambda images, classes: _explained(images, classes).relu(),
        "before the last ReLU": lambda images, classes: _explained(images, classes, layers=14),
        "256 times as large": lambda images, classes: 256 * _explained(images, classes),
    },
    "grad_cam_plus_plus_weights": {
        "0/0": lambda g, f: (_alphas(g, f) * g.relu()).sum(PLACES),
        "a small number": lambda g, f: (_alphas(g, f, 1e-7) * g.relu()).sum(PLACES),
        "a very small number": lambda g, f: (_alphas(g, f, 1e-15) * g.relu()).sum(PLACES),
        "not a number, swept up": lambda g, f: (
            (_alphas(g, f) * g.relu()).nan_to_num(0, 0, 0).sum(PLACES)
        ),
        "infinite times zero": lambda g, f: (g.relu() / (2 + g * f.sum(PLACES, keepdim=True))).sum(
            PLACES
        ),
        "the sum misplaced": _misplaced,
        "negative gradients": lambda g, f: (g / (2 + g * f.sum(PLACES, keepdim=True))).sum(PLACES),
        "a mean": lambda g, f: _divided(g, f).mean(PLACES),
        "1 for 2": lambda g, f: _divided(g, f, 1.0).sum(PLACES),
        "no alpha": lambda g, f: g.relu().sum(PLACES) / 2,
        "the mean of the features": lambda g, f: _divided(g, f / f[0, 0].numel()).sum(PLACES),
    },
    "rank_correlation": {
        "of the values": lambda one, other: _correlated(one.numpy(), other.numpy()),
        "equal values numbered": _ranked("ordinal"),
        "equal values with the lowest": _ranked("min"),
        "equal values as one": _ranked("dense"),
        "the short formula": _squares,
        "NaN for a flat map": lambda one, other: (
            _ranked("average")(one, other) if one.std() * other.std() > 0 else float("nan")
        ),
        "no sign": lambda one, other: abs(_ranked("average")(one, other)),
    },
    "forgotten_maps": {
        "the first weights kept": lambda *given: _forgotten(*given, keep="the first weights"),
        "each part by itself": lambda *given: _forgotten(*given, keep="nothing"),
        "biases kept": lambda *given: _forgotten(*given, keep="biases"),
        "a new generator each time": lambda *given: _forgotten(*given, keep="the seed"),
        "from the input up": lambda *given: _forgotten(*given, keep="input first"),
        "always seed 0": lambda images, classes, seed: _forgotten(images, classes, 0),
        "Grad-CAM": lambda *given: _forgotten(*given, factor=1 / 256),
        "in training mode": lambda *given: _forgotten(*given, training=True),
        "without the first maps": lambda *given: _forgotten(*given)[1:],
    },
    "diagnose": {
        **{
            f"always {word}": lambda maps, logits, bias, word=word: word
            for word in ("sound", "stretched", "sign lost", "probability", "wrong layer")
        },
        "negative cells first": lambda *given: _diagnosed(*given, "tlsp"),
        "the classes' sum first": lambda *given: _diagnosed(*given, "pstl"),
        "never stretched": lambda *given: _diagnosed(*given, "slp"),
        "never a lost sign": lambda *given: _diagnosed(*given, "stp"),
        "never a probability": lambda *given: _diagnosed(*given, "stl"),
        "a mean for the sum": lambda *given: _diagnosed(*given, "stlp", cells=1),
        "without the bias": lambda *given: _diagnosed(*given, "stlp", bias=0),
        "no rounding allowed": lambda *given: _diagnosed(*given, "stlp", within=0),
    },
}

ALSO_RIGHT = {
    "head_gradient": (_picture_by_picture,),
    "grad_cam_map": (
        lambda f, g, relu=False: _map(f.double(), g.double(), relu).numpy(),
        lambda f, g, relu=False: torch.stack(
            [_map(f[[i]], g[[i]], relu)[0] for i in range(len(f))]
        ),
    ),
    "cam_from_gradients": (
        lambda f, g: f[0, 0].numel() * _weigh(g[:, :, 0, 0], f),
        lambda f, g: f[0, 0].numel() * (g * f).sum(1),
    ),
    "missing_part": (
        lambda maps, logits, offset: (logits - offset - maps.flatten(1).sum(1)).tolist(),
        lambda maps, logits, offset: (logits - offset).numpy() - maps.numpy().sum((1, 2)),
    ),
    "flatten_grad_cam": (_backward,),
    "grad_cam_plus_plus_weights": (
        _where_positive,
        lambda g, f: torch.where(g > 0, g / (2 + g.relu() * f.sum(PLACES, keepdim=True)), 0.0).sum(
            PLACES
        ),
    ),
    "rank_correlation": (_counted, _ranked("average")),
    "forgotten_maps": (_one_by_one, lambda *given: _forgotten(*given).numpy()),
    "diagnose": (
        lambda *given: _diagnosed(*given, "stlp"),
        lambda *given: _diagnosed(*given, "sptl", within=1e-3),
    ),
}
