"""Networks that nobody has seen: every way to pool before every head, none known by a name."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import camlib

K, C = 12, 7

Pool = Callable[[Tensor], Tensor]
POOLS: dict[str, Pool] = {
    "mean": lambda f: f.mean((2, 3)),
    "adaptive_avg_pool2d": lambda f: F.adaptive_avg_pool2d(f, 1).flatten(1),
    "module": lambda f: nn.AdaptiveAvgPool2d((1, 1))(f).squeeze(-1).squeeze(-1),
    "einsum": lambda f: torch.einsum("nkhw->nk", f) / f[0, 0].numel(),
    "sum": lambda f: f.sum((2, 3)).div(f.shape[2] * f.shape[3]),
    "flattened places": lambda f: f.flatten(2).mean(-1),
    "avg_pool2d over all": lambda f: F.avg_pool2d(f, f.shape[2:]).reshape(len(f), -1),
    "rows, then columns": lambda f: f.mean(2).mean(2),
    "channels last": lambda f: f.permute(0, 2, 3, 1).mean((1, 2)),
    "channels last, einsum": lambda f: (
        torch.einsum("nhwk->nk", f.permute(0, 2, 3, 1)) / (f.shape[2] * f.shape[3])
    ),
}


class OneByOne(nn.Module):
    """A 1x1 convolution as the classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.classify = nn.Conv2d(K, C, 1)

    def forward(self, vector: Tensor) -> Tensor:
        return self.classify(vector[:, :, None, None]).flatten(1)


class Cosine(nn.Module):
    """Directions compared, times a temperature that is learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(C, K))
        self.temperature = nn.Parameter(torch.tensor(2.3))

    def forward(self, vector: Tensor) -> Tensor:
        return self.temperature.exp() * F.normalize(vector) @ F.normalize(self.weight).T


class Einsum(nn.Module):
    """An einsum as the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(C, K))

    def forward(self, vector: Tensor) -> Tensor:
        return torch.einsum("nk,ck->nc", vector, self.weight)


class Some(nn.Module):
    """More outputs than classes, as where some are kept for later."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(K, C + 5)

    def forward(self, vector: Tensor) -> Tensor:
        return self.layer(vector)[:, :C]


HEADS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(K, C),
    "no bias": lambda: nn.Linear(K, C, bias=False),
    "1x1 convolution": OneByOne,
    "dropout": lambda: nn.Sequential(nn.Dropout(0.4), nn.Linear(K, C)),
    "LayerNorm": lambda: nn.Sequential(nn.LayerNorm(K), nn.Linear(K, C)),
    "RMSNorm": lambda: nn.Sequential(nn.RMSNorm(K), nn.Linear(K, C)),
    "GroupNorm": lambda: nn.Sequential(nn.GroupNorm(1, K), nn.Linear(K, C)),
    "BatchNorm": lambda: nn.Sequential(nn.BatchNorm1d(K), nn.Dropout(0.1), nn.Linear(K, C)),
    "two linear layers": lambda: nn.Sequential(nn.Linear(K, 4), nn.Linear(4, C, bias=False)),
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(K, C)),
    "cosine": Cosine,
    "einsum": Einsum,
    "some of the logits": Some,
}


class Unseen(nn.Module):
    """A small network with a residual block; only its convolutions have names, and odd ones."""

    def __init__(self, pool: Pool, head: nn.Module) -> None:
        super().__init__()
        self.alpha = nn.Conv2d(3, K, 3, stride=2, padding=1)
        self.beta = nn.Conv2d(K, K, 3, padding=1)
        self.gamma = head
        self.pool = pool

    def forward(self, pictures: Tensor) -> Tensor:
        stem = self.alpha(pictures).relu_()
        gate = stem.mean((2, 3), keepdim=True).sigmoid()  # an average that is none of the head's
        return self.gamma(self.pool(F.gelu(stem + self.beta(stem * gate))))


def network(pool: str, head: str) -> Unseen:
    torch.manual_seed(0)
    made = Unseen(POOLS[pool], HEADS[head]())
    for module in made.modules():
        if isinstance(module, (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.BatchNorm1d)):
            nn.init.normal_(module.weight)
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return made.eval()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("pool", POOLS)
def test_exact(pool: str, head: str) -> None:
    """Twice, for the second call looks where the first has found the head."""
    unseen = network(pool, head)
    for seed in range(2):
        images = torch.randn(2, 3, 12, 16, generator=torch.Generator().manual_seed(seed))
        cam = camlib.class_activation_maps(unseen, images)
        with torch.no_grad():
            expected = unseen(images)
        assert cam.maps.shape == (2, C, 6, 8)
        torch.testing.assert_close(cam.maps.mean((2, 3)) + cam.offset, expected)


@pytest.mark.parametrize("pool", POOLS)
def test_a_hidden_layer_is_refused_behind_every_pooling(pool: str) -> None:
    """Also where it is as wide as there are channels, and the shapes would fit."""
    hidden = nn.Sequential(nn.Linear(K, K), nn.ReLU(), nn.Linear(K, C))
    with pytest.raises(camlib.NotCAMReadyError, match=r"layer 'gamma\.1' of type ReLU \(relu\)"):
        camlib.class_activation_maps(Unseen(POOLS[pool], hidden), torch.randn(2, 3, 12, 16))
