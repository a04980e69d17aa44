"""Networks that nobody has seen: every way to pool, none known by a name."""

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
    "module": lambda f: nn.AdaptiveAvgPool2d((1, 1))(f).squeeze(-1).squeeze(-1),
    "einsum": lambda f: torch.einsum("nkhw->nk", f) / f[0, 0].numel(),
    "flattened places": lambda f: f.flatten(2).mean(-1),
    "avg_pool2d over all": lambda f: F.avg_pool2d(f, f.shape[2:]).reshape(len(f), -1),
    "rows, then columns": lambda f: f.mean(2).mean(2),
    "channels last": lambda f: f.permute(0, 2, 3, 1).mean((1, 2)),
}
HEADS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Sequential(nn.Dropout(0.4), nn.Linear(K, C)),
    "LayerNorm": lambda: nn.Sequential(nn.LayerNorm(K), nn.Linear(K, C)),
    "BatchNorm": lambda: nn.Sequential(nn.BatchNorm1d(K), nn.Linear(K, C, bias=False)),
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


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("pool", POOLS)
def test_exact(pool: str, head: str) -> None:
    """The second call looks where the first has found the head."""
    torch.manual_seed(0)
    unseen = Unseen(POOLS[pool], HEADS[head]()).eval()
    norm = unseen.gamma[0]
    if isinstance(norm, nn.BatchNorm1d):
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2)
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
