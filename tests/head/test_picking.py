"""Some of the logits, or in another order; einsum as a layer; what is linear and yet unreadable."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import camlib

K, C = 6, 5


class Net(nn.Module):
    """A convolution, then a head written as a function of module and features."""

    def __init__(self, head: Callable[["Net", Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, K, 3, padding=1)
        self.fc = nn.Linear(K, C)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.along = nn.Conv1d(K, C, 1)
        self.matrix = nn.Parameter(torch.randn(C, K))
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self, self.conv(images))


def logits(network: Net, features: Tensor) -> Tensor:
    return network.fc(features.mean((2, 3)))


EXACT: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "the first logits": lambda n, f: logits(n, f)[:, :2],
    "the last logits": lambda n, f: logits(n, f)[..., 1:],
    "logits by their indices": lambda n, f: logits(n, f)[:, [3, 0, 3]],
    "logits by a mask": lambda n, f: logits(n, f)[
        :, torch.tensor([True, False, True, True, False])
    ],
    "narrowed": lambda n, f: logits(n, f).narrow(1, 1, 3),
    "split": lambda n, f: logits(n, f).split([2, 3], dim=1)[1],
    "in chunks": lambda n, f: logits(n, f).chunk(2, 1)[0],
    "index_select": lambda n, f: logits(n, f).index_select(1, torch.tensor([4, 1])),
    "turned over": lambda n, f: logits(n, f).flip(1),
    "some channels only": lambda n, f: nn.functional.linear(
        f.mean((2, 3))[:, 1:4], n.matrix[:, :3]
    ),
    "the averages themselves, some of them": lambda n, f: f.mean((2, 3))[:, 1:4],
    "scaled averages, some of them": lambda n, f: (f.mean((2, 3)) * n.matrix[0])[:, 1:4],
    "einsum": lambda n, f: torch.einsum("nk,ck->nc", f.mean((2, 3)), n.matrix),
    "einsum, a list, the vector last": lambda n, f: torch.einsum(
        "ck, nk -> nc", [n.matrix, f.mean((2, 3))]
    ),
    "einsum, weights turned, then a bias": lambda n, f: (
        torch.einsum("bi,io->bo", f.mean((2, 3)), n.matrix.T) + n.fc.bias
    ),
    "einsum on four axes": lambda n, f: torch.einsum("nkhw,ck->nc", n.pool(f), n.matrix),
    "einsum that keeps the axes": lambda n, f: torch.einsum(
        "nkhw,ck->nchw", n.pool(f), n.matrix
    ).flatten(1),
    "einsum of three": lambda n, f: torch.einsum(
        "nk,dk,cd->nc", f.mean((2, 3)), n.matrix, n.matrix[:, :C]
    ),
    "einsum pools and weighs": lambda n, f: torch.einsum(
        "nk,ck->nc", torch.einsum("nkhw->nk", f) / 35, n.matrix
    ),
    "a convolution along one cell": lambda n, f: n.along(f.mean((2, 3))[:, :, None]).flatten(1),
    "running sums": lambda n, f: logits(n, f).cumsum(1),
    "einsum without names for its axes": lambda n, f: torch.einsum(
        "...k,ck->...c", f.mean((2, 3)), n.matrix
    ),
    "inner product": lambda n, f: torch.inner(f.mean((2, 3)), n.matrix),
}


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", EXACT)
def test_exact(name: str, n: int) -> None:
    """Against the network, and the weights against autograd: d logit / d feature, times the places."""
    network = Net(EXACT[name])
    for seed in range(2):  # the second call goes by what the first one learnt
        images = torch.randn(n, 3, 5, 7, generator=torch.Generator().manual_seed(seed))
        head = camlib.find_head(network, images)
        features = network.conv(images).detach().requires_grad_()
        expected = network.head(network, features)
        maps = camlib.weighted_sum(head.features, head.weight)
        torch.testing.assert_close(maps.mean((2, 3)) + head.offset, expected.detach())
        for c in range(expected.shape[1]):
            (slope,) = torch.autograd.grad(expected[0, c], features, retain_graph=True)
            torch.testing.assert_close(slope[0].sum((1, 2)), head.weight[c])


RETRAIN = "Put global average pooling and one linear layer on its last feature maps and retrain"
REFUSED: dict[str, tuple[Callable[[Net, Tensor], Tensor], str]] = {
    "einsum of one tensor with itself": (
        lambda n, f: (lambda v: n.fc(torch.einsum("nk,nk->nk", v, v)))(f.mean((2, 3))),
        "the call einsum stands behind the pooling and is not linear. " + RETRAIN,
    ),
    "other pictures' logits": (
        lambda n, f: logits(n, f).flip(0),
        "the call flip mixes the pictures of a batch. Let it treat each picture by itself.",
    ),
    "another picture's logits for each": (
        lambda n, f: logits(n, f)[torch.tensor([1, 2, 0])[: len(f)] % len(f)],
        "the call __getitem__ mixes the pictures of a batch. Let it treat each picture by itself.",
    ),
    "the largest logits": (
        lambda n, f: logits(n, f).topk(2, dim=1).values,
        "the call topk stands behind the pooling and is not linear. " + RETRAIN,
    ),
    "a gate from a half of the logits": (
        lambda n, f: (lambda a, b: a * b.sigmoid())(*logits(n, f)[:, :4].chunk(2, 1)),
        "the call sigmoid stands behind the pooling and is not linear. " + RETRAIN,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_reason(name: str) -> None:
    head, reason = REFUSED[name]
    with pytest.raises(camlib.NotCAMReadyError) as caught:
        camlib.find_head(Net(head), torch.randn(3, 3, 5, 7))
    assert f"got Net, where {reason}" in str(caught.value)
