"""Normalisers of the pooled vector: by hand, however they are written, and refused where not exact."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import camlib

K, C = 6, 4
EPS = 1e-5


class Head(nn.Module):
    """The picture's own channels as features, pooled, normalised, and two rows of weights."""

    def __init__(self, normaliser: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.normaliser = normaliser
        self.fc = nn.Linear(2, 2, bias=False)
        self.fc.weight.data = torch.tensor([[1.0, 1.0], [2.0, 0.0]])

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.normaliser(images.mean((2, 3))))


# Two channels of 1x2 cells, by their averages.
ONE_AND_THREE = torch.tensor([[[[0.0, 2.0]], [[6.0, 0.0]]]])
ONE_AND_SEVEN = torch.tensor([[[[0.0, 2.0]], [[6.0, 8.0]]]])
THREE_AND_FOUR = torch.tensor([[[[3.0, 3.0]], [[8.0, 0.0]]]])


@pytest.mark.parametrize(
    ("normaliser", "images", "logits", "weight"),
    [
        # Mean 2, spread 1, so (-1, 1); centred rows (0, 0) and (1, -1).
        (nn.GroupNorm(1, 2, eps=0.0), ONE_AND_THREE, [0.0, -2.0], [[0.0, 0.0], [1.0, -1.0]]),
        # Root of the mean square of (1, 7): sqrt(50 / 2) = 5, so (0.2, 1.4).
        (nn.RMSNorm(2, eps=0.0), ONE_AND_SEVEN, [1.6, 0.4], [[0.2, 0.2], [0.4, 0.0]]),
        # Length of (3, 4): 5, so (0.6, 0.8).
        (F.normalize, THREE_AND_FOUR, [1.4, 1.2], [[0.2, 0.2], [0.4, 0.0]]),
        # Sum of the absolute values of (1, 3): 4, so (0.25, 0.75).
        (lambda v: F.normalize(v, p=1), ONE_AND_THREE, [1.0, 0.5], [[0.25, 0.25], [0.5, 0.0]]),
        # Spread of (3, 4): 0.5, so (6, 8); nothing is centred.
        (
            lambda v: v / v.std(1, correction=0, keepdim=True),
            THREE_AND_FOUR,
            [14.0, 12.0],
            [[2.0, 2.0], [4.0, 0.0]],
        ),
    ],
    ids=["GroupNorm", "RMSNorm", "length", "sum of absolute values", "standard deviation"],
)
def test_by_hand(
    normaliser: Callable[[Tensor], Tensor],
    images: Tensor,
    logits: list[float],
    weight: list[list[float]],
) -> None:
    """logit = weight row · average, the rows (1, 1) and (2, 0) over the spread; the offset is 0."""
    head = camlib.find_head(Head(normaliser), images)
    torch.testing.assert_close(head.logits, torch.tensor([logits]))
    torch.testing.assert_close(head.weight, torch.tensor([weight]))
    torch.testing.assert_close(head.offset, torch.zeros(1, 2))
    assert len(head.held) == 1


def test_centring_alone_is_linear() -> None:
    """(3, 4) less its mean is (-0.5, 0.5): the rows (1, 1) and (2, 0) become (0, 0) and (1, -1)."""
    head = camlib.find_head(Head(lambda v: v - v.mean(1, keepdim=True)), THREE_AND_FOUR)
    torch.testing.assert_close(head.logits, torch.tensor([[0.0, -1.0]]))
    torch.testing.assert_close(head.weight, torch.tensor([[0.0, 0.0], [1.0, -1.0]]))
    torch.testing.assert_close(head.offset, torch.zeros(1, 2))
    assert head.held == ()


def test_cosine_by_hand() -> None:
    """Averages (3, 4); to (3, 4) the angle is 0, to (4, -3) a right one; the cells' maps differ."""

    class Cosine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([[6.0, 8.0], [4.0, -3.0]]))

        def forward(self, images: Tensor) -> Tensor:
            return F.cosine_similarity(images.mean((2, 3))[:, None], self.weight[None], dim=2)

    cam = camlib.class_activation_maps(Cosine(), THREE_AND_FOUR)
    torch.testing.assert_close(cam.logits, torch.tensor([[1.0, 0.0]]))
    # Cells (3, 8) and (3, 0), each dot (0.6, 0.8) or (0.8, -0.6), over 5.
    by_hand = torch.tensor([[[[8.2 / 5, 1.8 / 5]], [[-2.4 / 5, 2.4 / 5]]]])
    torch.testing.assert_close(cam.maps, by_hand)


class Net(nn.Module):
    """A convolution, then a head written as a function of module and features."""

    def __init__(self, head: Callable[["Net", Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, K, 3, padding=1)
        self.fc = nn.Linear(K, C)
        self.gate = nn.Linear(K, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.gain = nn.Parameter(torch.randn(K))
        self.rms_norm, self.bare_rms_norm = nn.RMSNorm(K), nn.RMSNorm(K, elementwise_affine=False)
        self.one_group, self.two_groups = nn.GroupNorm(1, K), nn.GroupNorm(2, K)
        for norm in (self.rms_norm, self.one_group):
            nn.init.normal_(norm.weight)
        nn.init.normal_(self.one_group.bias)
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self, self.conv(images))


def mean(features: Tensor) -> Tensor:
    return features.mean((2, 3))


def layer_norm(vector: Tensor) -> Tensor:
    centred = vector - vector.mean(1, keepdim=True)
    return centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + EPS)


def by_variance(vector: Tensor) -> Tensor:
    variance, middle = torch.var_mean(vector, 1, keepdim=True)
    return (vector - middle) * (variance + EPS).rsqrt()


def rms(vector: Tensor) -> Tensor:
    return torch.rsqrt((vector * vector).mean(-1, keepdim=True) + EPS) * vector


def unit(vector: Tensor) -> Tensor:
    return vector / vector.norm(dim=1, keepdim=True).clamp_min(EPS)


EXACT: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "RMSNorm": lambda n, f: n.fc(n.rms_norm(mean(f))),
    "RMSNorm without weights": lambda n, f: n.fc(n.bare_rms_norm(mean(f))),
    "GroupNorm": lambda n, f: n.fc(n.one_group(mean(f))),
    "GroupNorm on four axes": lambda n, f: n.fc(n.one_group(n.pool(f)).flatten(1)),
    "GroupNorm, arguments by name": lambda n, f: n.fc(
        F.group_norm(mean(f), num_groups=1, weight=n.gain, eps=1e-3)
    ),
    "cosine": lambda n, f: 9 * F.linear(F.normalize(mean(f)), F.normalize(n.fc.weight)),
    "cosine on four axes": lambda n, f: F.linear(F.normalize(n.pool(f)).flatten(1), n.fc.weight),
    "cosine along the last axis": lambda n, f: F.normalize(mean(f), dim=-1) @ n.fc.weight.T,
    "cosine by its own function": lambda n, f: F.cosine_similarity(
        n.fc.weight, mean(f)[:, None], dim=-1
    ),
    "cosine behind a layer and its bias": lambda n, f: F.linear(
        F.normalize(n.fc(mean(f))), torch.eye(C)
    ),
    "by hand: LayerNorm": lambda n, f: n.fc(layer_norm(mean(f)) * n.gain),
    "by hand: LayerNorm on four axes": lambda n, f: n.fc(
        (layer_norm(n.pool(f)) * n.gain[:, None, None]).flatten(1)
    ),
    "by hand: LayerNorm by the variance": lambda n, f: n.fc(by_variance(mean(f))),
    "by hand: RMSNorm": lambda n, f: n.fc(rms(mean(f))),
    "by hand: cosine": lambda n, f: unit(mean(f)) @ n.fc.weight.T,
    "by hand: cosine, the axis put back": lambda n, f: (lambda v: n.fc(v / v.norm(dim=1)[:, None]))(
        mean(f)
    ),
    "two groups have two spreads": lambda n, f: n.fc(n.two_groups(n.pool(f)).flatten(1)),
    "two normalisers in a row": lambda n, f: n.fc(rms(n.one_group(n.rms_norm(mean(f))))),
}


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", EXACT)
def test_exact_with_the_statistics_held(name: str, n: int) -> None:
    """Each call twice: the second goes by what the first one learnt."""
    network = Net(EXACT[name])
    for seed in range(2):
        images = torch.randn(n, 3, 5, 7, generator=torch.Generator().manual_seed(seed))
        cam = camlib.class_activation_maps(network, images)
        with torch.no_grad():
            expected = network(images)
        torch.testing.assert_close(cam.maps.mean((2, 3)) + cam.offset, expected)
        assert cam.maps.shape == (n, C, 5, 7)
        assert camlib.find_head(network, images).held


def test_a_held_statistic_is_that_of_its_picture() -> None:
    """Each picture's map is the same alone and among others."""
    network = Net(EXACT["by hand: LayerNorm"])
    images = torch.randn(3, 3, 5, 7)
    together = camlib.class_activation_maps(network, images).maps
    alone = [camlib.class_activation_maps(network, images[i : i + 1]).maps for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_without_a_normaliser_nothing_is_held() -> None:
    assert not camlib.find_head(Net(lambda n, f: n.fc(mean(f))), torch.randn(2, 3, 5, 7)).held


BEHIND = "the call {} stands behind the pooling and is not linear. "
REFUSED: dict[str, tuple[Callable[[Net, Tensor], Tensor], str]] = {
    "a gate is no statistic": (
        lambda n, f: n.fc(mean(f)) * n.gate(mean(f)).sigmoid(),
        BEHIND.format("sigmoid"),
    ),
    "a gate of the same average": (
        lambda n, f: (lambda v: n.fc(v) * n.gate(v).sigmoid())(mean(f)),
        BEHIND.format("sigmoid"),
    ),
    "one channel for all": (
        lambda n, f: (lambda v: n.fc(v * v[:, :1]))(mean(f)),
        BEHIND.format("mul"),
    ),
    "a logarithmic softmax by hand": (
        lambda n, f: (lambda v: v - v.logsumexp(1, keepdim=True))(n.fc(mean(f))),
        "the call logsumexp turns the logits into probabilities. Leave the softmax out of forward",
    ),
    "a norm of all pictures together": (
        lambda n, f: (lambda v: n.fc(v / v.norm()))(mean(f)),
        BEHIND.format("norm"),
    ),
    "the spread of the features, not of their averages": (
        lambda n, f: n.fc(mean(f) / f.flatten(1).std(1, keepdim=True)),
        "the call std reads all 210 = 6x5x7 flattened values, so that each place has weights of its "
        "own. ",
    ),
    "the vector in the denominator": (
        lambda n, f: (lambda v: n.fc(v.norm(dim=1, keepdim=True) / v))(mean(f)),
        BEHIND.format("norm"),
    ),
    "the vector times itself": (
        lambda n, f: (lambda v: n.fc(v * v))(mean(f)),
        BEHIND.format("mul"),
    ),
    "normalised across the pictures": (
        lambda n, f: n.fc(F.normalize(mean(f), dim=0)),
        "the call normalize stands behind the pooling and is not linear. ",
    ),
    "a hidden layer behind a normaliser": (
        lambda n, f: n.fc(layer_norm(mean(f)).tanh()),
        "the call tanh stands behind the pooling and is not linear. ",
    ),
}


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_reason(name: str, n: int) -> None:
    head, reason = REFUSED[name]
    with pytest.raises(camlib.NotCAMReadyError) as caught:
        camlib.find_head(Net(head), torch.randn(n, 3, 5, 7))
    assert f"got Net, where {reason}" in str(caught.value)
