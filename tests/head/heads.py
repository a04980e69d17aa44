"""Heads of networks: affine ones, ones that divide by a spread, and ones that have no exact map."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

K, C = 6, 4
EPS = 1e-5
SMALLEST = torch.finfo(torch.float64).eps

# The images' axes of places, by the first word of a head's name.
PLACES = {"signal": (35,), "volume": (3, 4, 5), "tokens": (5, 7), "picture": (5, 7)}


def kind_of(name: str) -> str:
    first = name.split(":")[0]
    return first if first in PLACES else "picture"


class Tokens(nn.Module):
    """One token (k) for each place of a picture: (n, 3, h, w) to (n, h·w, k)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, K, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images).flatten(2).transpose(1, 2)


class Net(nn.Module):
    """A convolution, a tanh, and a head written as a function of the module and the features."""

    def __init__(self, head: Callable[["Net", Tensor], Tensor], kind: str = "picture") -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self._make_layers(kind)
        self.head, self.kind = head, kind
        self.double().eval()
        images = torch.randn(
            8, 3, *PLACES[kind], generator=torch.Generator().manual_seed(8), dtype=torch.float64
        )
        with torch.no_grad():
            self.typical = self.channels_first(self.trunk(images)).flatten(2).mean((0, 2))

    def _make_layers(self, kind: str) -> None:
        first = {
            "picture": lambda: nn.Conv2d(3, K, 3, padding=1),
            "signal": lambda: nn.Conv1d(3, K, 3, padding=1),
            "volume": lambda: nn.Conv3d(3, K, 3, padding=1),
            "tokens": Tokens,
        }
        self.trunk = nn.Sequential(first[kind](), nn.Tanh())
        self.fc, self.second = nn.Linear(K, C), nn.Linear(K, C)
        self.free, self.wide = nn.Linear(K, C, bias=False), nn.Linear(K, K)
        self.double_width, self.of_twelve = nn.Linear(K, 2 * C), nn.Linear(2 * K, C)
        self.with_table = nn.Linear(K + 2, C)
        self.hidden_relu = nn.Sequential(
            nn.Linear(K, 8, bias=False), nn.ReLU(), nn.Linear(8, C, bias=False)
        )
        self.hidden_tanh = nn.Sequential(nn.Linear(K, K), nn.Tanh(), nn.Linear(K, C))
        self.hidden_linear = nn.Sequential(nn.Linear(K, 8), nn.Identity(), nn.Linear(8, C))
        self.weight_normalised = parametrizations.weight_norm(nn.Linear(K, C))
        self.one_by_one, self.along = nn.Conv2d(K, C, 1), nn.Conv1d(1, 2, 3, padding=1)
        self.all_places = nn.Linear(K * 35, C)
        self.place_weights = nn.Parameter(torch.rand(5, 7))
        self.gate, self.score = nn.Linear(K, K), nn.Linear(K, 1)
        self.pool, self.peak = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.batch_norm, self.on_maps = nn.BatchNorm1d(K), nn.BatchNorm2d(K)
        self.of_the_batch = nn.BatchNorm1d(K, track_running_stats=False)
        self.layer_norm, self.layer_norm_of_logits = nn.LayerNorm(K), nn.LayerNorm(C)
        self.over_all_axes = nn.LayerNorm((K, 1, 1))
        self.rms_norm, self.two_groups = nn.RMSNorm(K), nn.GroupNorm(2, K)
        self.gain, self.shift = nn.Parameter(torch.randn(K)), nn.Parameter(torch.randn(K))
        self.square = nn.Parameter(torch.eye(K) + 0.3 * torch.randn(K, K))
        self.matrix = nn.Parameter(torch.randn(C, K))
        self.temperature = nn.Parameter(torch.tensor(0.7))
        self.register_buffer("typical", torch.zeros(K))  # average of several pictures
        self.register_buffer("table", torch.randn(2))
        self.register_buffer("prior", torch.rand(C) + 0.1)
        self.register_buffer("order", torch.randperm(K))
        self.register_buffer("mask", torch.arange(K) % 3 == 0)
        norms = [self.batch_norm, self.on_maps, self.layer_norm, self.layer_norm_of_logits]
        for norm in [*norms, self.over_all_axes, self.two_groups]:
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
        nn.init.normal_(self.rms_norm.weight)
        for norm in (self.batch_norm, self.on_maps):
            nn.init.normal_(norm.running_mean)
            nn.init.uniform_(norm.running_var, 0.5, 2)

    def channels_first(self, features: Tensor) -> Tensor:
        return features.movedim(-1, 1) if self.kind == "tokens" else features

    def forward(self, images: Tensor) -> Tensor:
        self.blank = torch.zeros(len(images), C, dtype=images.dtype)  # made before the features
        return self.head(self, self.trunk(images))

    def of_features(self, features: Tensor) -> Tensor:
        self.blank = torch.zeros(len(features), C, dtype=features.dtype)
        return self.head(self, features)


# A head of the feature maps, or of their average; and the same again, with the spreads of another vector.
Head = Callable[[Net, Tensor], Tensor]
Twin = Callable[[Net, Tensor, Tensor], Tensor]


def mean(features: Tensor) -> Tensor:
    return features.mean((2, 3))


def of_average(head: Head) -> Head:
    return lambda n, f: head(n, mean(f))


# ------------------------------------------------------------------ affine

AFFINE: dict[str, Head] = {
    # Averages.
    "pooling module": lambda n, f: n.fc(n.pool(f).flatten(1)),
    "average in steps": lambda n, f: n.fc(f.mean(3).mean(2)),
    "average in steps, by pooling": lambda n, f: n.fc(F.avg_pool2d(f, (5, 1)).mean((2, 3))),
    "average of flattened places": lambda n, f: n.fc(f.flatten(2).mean(2)),
    "average by a product": lambda n, f: n.fc(f.flatten(2) @ f.new_full((35,), 1 / 35)),
    "average by einsum": lambda n, f: n.fc(
        torch.einsum("hw,nkhw->nk", torch.full((5, 7), 1 / 35).to(f), f)
    ),
    "sum pooling": lambda n, f: n.fc(f.sum((2, 3))),
    "sum pooling, divided later": lambda n, f: n.fc(f.sum((2, 3))) / 35,
    "channels last": lambda n, f: n.fc(f.permute(0, 2, 3, 1).mean((1, 2))),
    "channels last in memory": lambda n, f: n.fc(
        mean(f.contiguous(memory_format=torch.channels_last))
    ),
    "two poolings of the same maps": lambda n, f: n.fc(mean(f)) + n.second(n.pool(f).flatten(1)),
    "1x1 convolution": lambda n, f: n.one_by_one(n.pool(f)).flatten(1),
    "batch norm with places": lambda n, f: n.fc(n.on_maps(n.pool(f)).flatten(1)),
    "signal: average": lambda n, f: n.fc(F.adaptive_avg_pool1d(f, 1)[:, :, 0]),
    "volume: average": lambda n, f: n.fc(f.mean((2, 3, 4))),
    "tokens: average, then two layers": lambda n, f: n.fc(n.wide(f.mean(1))),
}


def written_by_slices(n: Net, v: Tensor) -> Tensor:
    """Logit 3 stays zero."""
    out = v.new_zeros(len(v), C)
    out[:, :2] = n.fc(v)[:, :2]
    out[:, 2:3].copy_(n.second(v)[:, 2:3])
    return out


def written_before(n: Net, v: Tensor) -> Tensor:
    out = n.blank
    out[:, :2] = n.fc(v)[:, :2]
    out[:, 2:] += n.second(v)[:, 2:]
    return out


def written_in_a_loop(n: Net, v: Tensor) -> Tensor:
    out = torch.empty(len(v), C, dtype=v.dtype)
    for c, row in enumerate(n.matrix):
        out[:, c] = v @ row
    return out


def added_to_zeros(n: Net, v: Tensor) -> Tensor:
    out = n.blank
    out += n.fc(v)
    return out


def slices_changed_in_place(n: Net, v: Tensor) -> Tensor:
    logits = n.fc(v)
    logits[:, :2].add_(n.second(v)[:, 2:]).mul_(2)
    return logits


def checked(n: Net, v: Tensor) -> Tensor:
    if not v.isfinite().all() or v.shape[1] != K:
        raise ValueError("damaged")
    return n.fc(v)


def one_channel_set(n: Net, v: Tensor) -> Tensor:
    v = v.clone()
    v[:, 0] = 0.5
    return n.fc(v)


def turned_in_the_complex_plane(n: Net, v: Tensor) -> Tensor:
    pairs = torch.view_as_complex(v.reshape(len(v), 3, 2).contiguous())
    factors = torch.view_as_complex(n.gain.reshape(3, 2))
    return n.fc(torch.view_as_real(pairs * factors).flatten(1))


AFFINE_OF_AVERAGE: dict[str, Head] = {
    # Layers.
    "linear layer": lambda n, v: n.fc(v),
    "no bias": lambda n, v: n.free(v),
    "several dropouts averaged": lambda n, v: torch.stack(
        [n.fc(n.dropout(v)) for _ in range(3)]
    ).mean(0),
    "several dropouts added up": lambda n, v: sum(n.fc(n.dropout(v)) for _ in range(5)) / 5,
    "batch norm": lambda n, v: n.fc(n.batch_norm(v)),
    "two linear layers": lambda n, v: n.hidden_linear(v),
    "linear layer with normalised weights": lambda n, v: n.weight_normalised(v),
    "residual": lambda n, v: n.fc(v + n.wide(v)),
    "convolution along the channels": lambda n, v: n.of_twelve(n.along(v[:, None]).flatten(1)),
    # Arithmetic with logits.
    "negative logits": lambda n, v: -n.fc(v),
    "one minus logits": lambda n, v: 1 - n.fc(v),
    "sum of two layers": lambda n, v: n.fc(v) + n.second(v),
    "difference of two layers": lambda n, v: n.fc(v) - n.second(v),
    "temperature": lambda n, v: n.fc(v) / n.temperature,
    "temperature by its logarithm, and a prior": lambda n, v: (
        n.fc(v) * n.temperature.exp() + n.prior.log()
    ),
    "a number read out of a parameter": lambda n, v: n.fc(v) * n.temperature.item(),
    "changes in place": lambda n, v: n.fc(v).add_(1).mul_(n.temperature).neg_(),
    "centred logits": lambda n, v: n.fc(v) - n.fc(v).mean(1, keepdim=True),
    "differences of neighbours": lambda n, v: n.fc(v).diff(dim=1),
    "running sums": lambda n, v: n.fc(v).cumsum(1),
    "layers weighed by a softmax of constants": lambda n, v: torch.einsum(
        "e,enc->nc", n.table.softmax(0), torch.stack([n.fc(v), n.second(v)])
    ),
    "one logit": lambda n, v: n.fc(v)[:, 0],
    "one logit by a product": lambda n, v: v @ n.gain + n.temperature,
    "some logits, in another order": lambda n, v: n.fc(v)[:, [2, 0, 2]],
    "two halves joined": lambda n, v: torch.cat([n.fc(v), n.second(v)], 1),
    "split and joined the other way": lambda n, v: torch.cat(
        n.double_width(v).chunk(2, 1)[::-1], 1
    ),
    # Arithmetic with the vector.
    "the averages themselves, some of them": lambda n, v: v[:, 1:4],
    "the negative of a copy": lambda n, v: n.fc(v.clone().neg_()),
    "centred vector": lambda n, v: n.fc(v - v.mean(1, keepdim=True)),
    "gain and shift": lambda n, v: n.fc(torch.addcmul(n.shift, v, n.gain)),
    "permuted channels": lambda n, v: n.fc(v[:, n.order]),
    "padded channels": lambda n, v: n.with_table(F.pad(v, (1, 1), value=0.5)),
    "channels chosen by a constant": lambda n, v: n.fc(torch.where(n.mask, v, -2 * v)),
    "one channel set to a number": one_channel_set,
    "picture by picture": lambda n, v: torch.stack([n.fc(one) for one in v]),
    "class by class": lambda n, v: torch.stack([v @ row for row in n.matrix], 1),
    "image and table": lambda n, v: n.with_table(torch.cat([v, n.table.expand(len(v), 2)], 1)),
    # Products with matrices.
    "batched product": lambda n, v: torch.bmm(v[:, None], n.matrix.T.expand(len(v), K, C))[:, 0],
    "einsum": lambda n, v: torch.einsum("...k,ck->...c", v, n.matrix),
    "inverse of a learned matrix": lambda n, v: n.fc(v @ torch.linalg.inv(n.square)),
    "filter in the frequencies": lambda n, v: n.fc(
        torch.fft.irfft(torch.fft.rfft(v) * n.prior, n=K)
    ),
    "turned in the complex plane": turned_in_the_complex_plane,
    # Written into another tensor.
    "written by slices": written_by_slices,
    "written into zeros made before the features": written_before,
    "added to zeros made before the features": added_to_zeros,
    "slices changed in place": slices_changed_in_place,
    "written in a loop": written_in_a_loop,
    "checked for infinite numbers": checked,
    # Affine, although their steps are not.
    "two rectifiers that make one line": lambda n, v: n.fc(v.relu() - (-v).relu()),
    "differences of logarithmic probabilities": lambda n, v: (lambda z: z[:, 1:] - z[:, :1])(
        n.fc(v).log_softmax(1)
    ),
}
AFFINE |= {name: of_average(head) for name, head in AFFINE_OF_AVERAGE.items()}


# ------------------------------------------------------------------ divided by a spread


def length(v: Tensor, p: float = 2) -> Tensor:
    return v.abs().pow(p).sum(1, keepdim=True).pow(1 / p)


def over_rms(v: Tensor, v0: Tensor, eps: float = EPS) -> Tensor:
    return v / (v0.square().mean(1, keepdim=True) + eps).sqrt()


def centred(v: Tensor) -> Tensor:
    return v - v.mean(1, keepdim=True)


def over_deviation(v: Tensor, v0: Tensor) -> Tensor:
    return centred(v) / (centred(v0).square().mean(1, keepdim=True) + EPS).sqrt()


def in_groups(function: Callable[..., Tensor], count: int, *vectors: Tensor) -> Tensor:
    """Apply a function to each of several equal groups of channels."""
    chunks = zip(*(vector.chunk(count, 1) for vector in vectors), strict=True)
    return torch.cat([function(*parts) for parts in chunks], 1)


def with_gain(norm: nn.Module, vector: Tensor) -> Tensor:
    return vector * norm.weight.flatten() + norm.bias.flatten()


def layer_norm(n: Net, v: Tensor, v0: Tensor) -> Tensor:
    return with_gain(n.layer_norm, over_deviation(v, v0))


def by_variance(v: Tensor) -> Tensor:
    variance, middle = torch.var_mean(v, -1, correction=0, keepdim=True)
    return (v - middle) / (variance + EPS).sqrt()


def cosine(v: Tensor, v0: Tensor, weight: Tensor) -> Tensor:
    return v / length(v0) @ (weight / weight.norm(dim=1, keepdim=True)).T


# Heads of the maps: the twins are functions of their average.
HELD: dict[str, tuple[Head, Twin]] = {
    "layer norm, channels last": (
        lambda n, f: n.fc(
            n.layer_norm(n.pool(f).permute(0, 2, 3, 1)).permute(0, 3, 1, 2).flatten(1)
        ),
        lambda n, v, v0: n.fc(layer_norm(n, v, v0)),
    ),
    "layer norm over all axes": (
        lambda n, f: n.fc(n.over_all_axes(n.pool(f)).flatten(1)),
        lambda n, v, v0: n.fc(with_gain(n.over_all_axes, over_deviation(v, v0))),
    ),
    "group norm, two groups, with places": (
        lambda n, f: n.fc(n.two_groups(n.pool(f)).flatten(1)),
        lambda n, v, v0: n.fc(with_gain(n.two_groups, in_groups(over_deviation, 2, v, v0))),
    ),
    "tokens: layer norm": (
        lambda n, f: n.fc(n.layer_norm(f.mean(1))),
        lambda n, v, v0: n.fc(layer_norm(n, v, v0)),
    ),
    "volume: RMS norm": (
        lambda n, f: n.fc(n.rms_norm(f.mean((2, 3, 4)))),
        lambda n, v, v0: n.fc(over_rms(v, v0, SMALLEST) * n.rms_norm.weight),
    ),
}
HELD_OF_AVERAGE: dict[str, tuple[Head, Twin]] = {
    "layer norm": (
        lambda n, v: n.fc(n.layer_norm(v)),
        lambda n, v, v0: n.fc(layer_norm(n, v, v0)),
    ),
    "layer norm of the logits": (
        lambda n, v: n.layer_norm_of_logits(n.fc(v)),
        lambda n, v, v0: with_gain(n.layer_norm_of_logits, over_deviation(n.fc(v), n.fc(v0))),
    ),
    "layer norm and residual": (
        lambda n, v: n.fc(v + n.layer_norm(v)),
        lambda n, v, v0: n.fc(v + layer_norm(n, v, v0)),
    ),
    "hidden linear layer in front of a layer norm": (
        lambda n, v: n.fc(n.layer_norm(n.wide(v))),
        lambda n, v, v0: n.fc(layer_norm(n, n.wide(v), n.wide(v0))),
    ),
    "RMS norm, no weights": (
        lambda n, v: n.fc(F.rms_norm(v, (K,), eps=EPS)),
        lambda n, v, v0: n.fc(over_rms(v, v0)),
    ),
    "group norm, two groups": (
        lambda n, v: n.fc(n.two_groups(v)),
        lambda n, v, v0: n.fc(with_gain(n.two_groups, in_groups(over_deviation, 2, v, v0))),
    ),
    "hidden linear layer behind length one": (
        lambda n, v: n.hidden_linear(F.normalize(v)),
        lambda n, v, v0: n.hidden_linear(v / length(v0)),
    ),
    "length one by absolute values": (
        lambda n, v: n.fc(F.normalize(v, p=1)),
        lambda n, v, v0: n.fc(v / length(v0, 1)),
    ),
    "logits of length one": (
        lambda n, v: F.normalize(n.fc(v), dim=-1),
        lambda n, v, v0: n.fc(v) / length(n.fc(v0)),
    ),
    "cosine": (
        lambda n, v: F.cosine_similarity(v[:, None], n.matrix[None], dim=2),
        lambda n, v, v0: cosine(v, v0, n.matrix),
    ),
    "cosine with a learned temperature": (
        lambda n, v: F.normalize(v) @ F.normalize(n.matrix).T * n.temperature.exp() + n.prior,
        lambda n, v, v0: cosine(v, v0, n.matrix) * n.temperature.exp() + n.prior,
    ),
    "by hand: cosine": (
        lambda n, v: (v @ n.matrix.T) / (v.norm(dim=1, keepdim=True) * n.matrix.norm(dim=1)),
        lambda n, v, v0: cosine(v, v0, n.matrix),
    ),
    "by hand: layer norm by the variance": (
        lambda n, v: n.fc(by_variance(v)),
        lambda n, v, v0: n.fc(over_deviation(v, v0)),
    ),
    "by hand: layer norm by a square root": (
        lambda n, v: n.fc(
            centred(v) * torch.rsqrt(centred(v).pow(2).mean(1, keepdim=True) + EPS) * n.gain
        ),
        lambda n, v, v0: n.fc(over_deviation(v, v0) * n.gain),
    ),
    "by hand: RMS norm": (
        lambda n, v: n.fc(v / torch.sqrt(v.pow(2).mean(-1, keepdim=True) + EPS) * n.gain),
        lambda n, v, v0: n.fc(over_rms(v, v0) * n.gain),
    ),
    "by hand: standard score": (
        lambda n, v: n.fc(centred(v) / (v.std(1, keepdim=True) + EPS)),
        lambda n, v, v0: n.fc(centred(v) / (v0.std(1, keepdim=True) + EPS)),
    ),
    "by hand: length of a copy without gradient": (
        lambda n, v: n.fc(v / v.detach().norm(dim=1)[:, None].clamp_min(EPS)),
        lambda n, v, v0: n.fc(v / length(v0)),
    ),
    "by hand: length to the power -1": (
        lambda n, v: n.fc(v * v.norm(dim=1, keepdim=True) ** -1),
        lambda n, v, v0: n.fc(v / length(v0)),
    ),
    "by hand: length, by einsum": (
        lambda n, v: n.fc(torch.einsum("nk,n->nk", v, 1 / v.norm(dim=1))),
        lambda n, v, v0: n.fc(v / length(v0)),
    ),
    "by hand: length, with the vectors as columns": (
        lambda n, v: n.fc((v.T / v.norm(dim=1)).T),
        lambda n, v, v0: n.fc(v / length(v0)),
    ),
    "by hand: root of the sum of squares, in place": (
        lambda n, v: n.fc(v.div_(v.square().sum(1, keepdim=True).sqrt())),
        lambda n, v, v0: n.fc(v / length(v0)),
    ),
    "by hand: logits over the length of the vector": (
        lambda n, v: n.fc(v) / torch.linalg.vector_norm(v, dim=1, keepdim=True),
        lambda n, v, v0: n.fc(v) / length(v0),
    ),
    "by hand: three centred groups": (
        lambda n, v: n.fc(by_variance(v.view(len(v), 3, -1)).view(len(v), -1)),
        lambda n, v, v0: n.fc(in_groups(over_deviation, 3, v, v0)),
    ),
    "two normalisers in a row": (
        lambda n, v: n.fc(n.rms_norm(n.layer_norm(v))),
        lambda n, v, v0: n.fc(
            over_rms(layer_norm(n, v, v0), layer_norm(n, v0, v0), SMALLEST) * n.rms_norm.weight
        ),
    ),
    "two normalisers side by side": (
        lambda n, v: n.fc(n.layer_norm(v)) + n.second(F.normalize(v)),
        lambda n, v, v0: n.fc(layer_norm(n, v, v0)) + n.second(v / length(v0)),
    ),
    "sum of a head with a normaliser and one without": (
        lambda n, v: n.fc(v) - n.second(n.rms_norm(v)),
        lambda n, v, v0: n.fc(v) - n.second(over_rms(v, v0, SMALLEST) * n.rms_norm.weight),
    ),
}
HELD |= {name: (of_average(head), twin) for name, (head, twin) in HELD_OF_AVERAGE.items()}


# ------------------------------------------------------------------ no exact map


def attention(n: Net, tokens: Tensor) -> Tensor:
    return n.fc((n.score(tokens).softmax(1).transpose(1, 2) @ tokens)[:, 0])


def attention_with_a_mean_query(n: Net, tokens: Tensor) -> Tensor:
    query = tokens.mean(1, keepdim=True)
    return n.fc(F.scaled_dot_product_attention(query, tokens, tokens)[:, 0])


RETRAIN = "Put global average pooling and one linear layer on its last feature maps and retrain"
MAXIMUM = r"takes the maximum of each feature map, not its average over all places\. " + RETRAIN
OTHERWISE = r"takes something else of each feature map, not its average over all places\. "
BEHIND = r" stands behind the pooling and is not linear\. " + RETRAIN
MIXES = r" mixes the pictures of a batch\. Let it treat each picture by itself"
NUMBERS = (
    r"cannot be made again with other numbers\. Behind the pooling keep to functions of tensors"
)
SOFTMAX, SIGMOID = "Leave the softmax out of forward", "Leave the sigmoid out of forward"

# Head, and a pattern in the message that names what is in the way, and what to do.
REFUSED: dict[str, tuple[Head, str]] = {
    "maximum pooling": (
        lambda n, f: n.fc(n.peak(f).flatten(1)),
        rf"layer 'peak' of type AdaptiveMaxPool2d \(adaptive_max_pool2d\) {MAXIMUM}",
    ),
    "average and maximum": (
        lambda n, f: n.of_twelve(torch.cat([mean(f), f.amax((2, 3))], 1)),
        f"call amax {MAXIMUM}",
    ),
    "maximum of features that are the same everywhere": (
        lambda n, f: n.fc(n.peak(f * 0 + f.mean((2, 3), keepdim=True)).flatten(1)),
        "'peak'.*" + MAXIMUM,
    ),
    "maximum over places, then averages of channels": (
        lambda n, f: f.amax((2, 3)).view(len(f), 2, 3).mean(2),
        f"call amax {MAXIMUM}",
    ),
    "GeM pooling": (
        lambda n, f: n.fc(f.clamp_min(1e-6).pow(3).mean((2, 3)).pow(1 / 3)),
        "call pow" + BEHIND,
    ),
    "logsumexp pooling": (lambda n, f: n.fc(f.logsumexp((2, 3))), f"call logsumexp {OTHERWISE}"),
    "deviation over places": (lambda n, f: n.fc(f.std((2, 3))), f"call std {OTHERWISE}"),
    "the largest places": (
        lambda n, f: n.fc(f.flatten(2).topk(5, 2).values.mean(2)),
        "topk gives the same for places in any order, so that no place has a value",
    ),
    "products of channels over places": (
        lambda n, f: n.fc(torch.einsum("nkhw,njhw->nkj", f, f).tanh().mean(2)),
        "einsum gives the same for places in any order|einsum takes something else",
    ),
    "tokens: attention": (attention, "matmul"),
    "tokens: attention with a mean query": (
        attention_with_a_mean_query,
        "scaled_dot_product_attention",
    ),
    "tokens: the first": (
        lambda n, f: n.fc(f[:, 0]),
        "'fc'.* reads one of 35 tokens, not their average. Average the tokens and retrain",
    ),
    "weights for each place": (
        lambda n, f: n.all_places(f.flatten(1)),
        "'all_places' .* reads all 210 = 6x5x7 flattened values, so that each place has weights",
    ),
    "one weight for each place": (
        lambda n, f: n.fc(torch.einsum("nkhw,hw->nk", f, n.place_weights)),
        f"call einsum {OTHERWISE}",
    ),
    "signal: maximum": (lambda n, f: n.fc(f.amax(2)), f"call amax {MAXIMUM}"),
    "volume: maximum": (
        lambda n, f: n.fc(F.adaptive_max_pool3d(f, 1).flatten(1)),
        f"max_pool3d {MAXIMUM}",
    ),
    "over the deviation of the features": (
        lambda n, f: n.fc(mean(f) / f.flatten(1).std(1, keepdim=True)),
        "std|div",
    ),
    "a bias that depends on the picture": (
        lambda n, f: n.fc(mean(f)) + f[:1, :C, 0, 0],
        f"call __getitem__ {OTHERWISE}",
    ),
    "gate that is open, of a second average": (
        lambda n, f: n.fc(mean(f)) * F.hardsigmoid(n.score(mean(f)) + 10),
        "hardsigmoid" + BEHIND,
    ),
    "ReLU that is zero, of a second average": (
        lambda n, f: n.fc(mean(f)) + (n.second(mean(f)) - 10).relu(),
        "call relu" + BEHIND,
    ),
    "hidden layer behind sum pooling": (
        lambda n, f: n.hidden_tanh(f.sum((2, 3)) / 35),
        r"layer 'hidden_tanh\.1' of type Tanh \(tanh\)" + BEHIND,
    ),
}


def softmax_by_hand(n: Net, v: Tensor) -> Tensor:
    powers = n.fc(v).exp()
    return powers / powers.sum(1, keepdim=True)


def second_half_gated(n: Net, v: Tensor) -> Tensor:
    logits = n.fc(v)
    logits[:, 2:] *= logits[:, :2].sigmoid()
    return logits


def rectified_into_zeros(n: Net, v: Tensor) -> Tensor:
    out = n.blank
    out[:, :2] = n.fc(v)[:, :2].relu()
    return out


def rectified_in_part(n: Net, v: Tensor) -> Tensor:
    logits = n.fc(v)
    logits[:, :2].relu_()
    return logits


def rectified_chunk_that_changes_nothing(n: Net, v: Tensor) -> Tensor:
    logits = n.fc(v) + 10
    logits.chunk(2, 1)[0].relu_()
    return logits


def rectified_channels_that_changes_nothing(n: Net, v: Tensor) -> Tensor:
    v = v + 2
    F.relu(v[:, :3], inplace=True)
    return n.fc(v)


def set_by_a_mask(n: Net, v: Tensor) -> Tensor:
    v = v + 2
    v[v < 0] = 0
    return n.fc(v)


REFUSED_OF_AVERAGE: dict[str, tuple[Head, str]] = {
    "picture by picture, by vmap": (lambda n, v: torch.vmap(n.fc)(v), "can be watched"),
    # Activations.
    "hidden layer with ReLU and no bias": (lambda n, v: n.hidden_relu(v), r"'hidden_relu\.1'"),
    "hidden layer with tanh": (
        lambda n, v: n.hidden_tanh(v) * n.prior.exp(),
        r"'hidden_tanh\.1'" + ".*" + BEHIND,
    ),
    "two hidden layers averaged": (
        lambda n, v: torch.stack([n.hidden_tanh(v), n.hidden_relu(v)]).mean(0),
        r"'hidden_(tanh|relu)\.1'",
    ),
    "ReLU that changes nothing": (lambda n, v: n.fc((v + 2).relu()), "call relu" + BEHIND),
    "ReLU in place that changes nothing": (lambda n, v: n.fc((v + 2).relu_()), "relu_" + BEHIND),
    "ReLU in place of the average": (lambda n, v: n.fc(v.relu_()), "call relu_" + BEHIND),
    "clamp far away": (lambda n, v: n.fc(v).clamp(-100, 100), "clamp" + BEHIND),
    "absolute value of one channel": (lambda n, v: n.fc(v) + v[:, :1].abs(), "abs" + BEHIND),
    "soft shrink": (lambda n, v: n.fc(F.softshrink(v, 0.1)), "softshrink" + BEHIND),
    "hard choice": (lambda n, v: n.fc(torch.where(v > 0, v, 2 * v)), "(gt|where)" + BEHIND),
    "sign": (lambda n, v: n.fc((v - n.typical).sign()), "sign" + BEHIND),
    # Gates.
    "sigmoid gate": (lambda n, v: n.fc(v * n.gate(v).sigmoid()), "sigmoid" + BEHIND),
    "one gate for all channels": (lambda n, v: n.fc(v * n.score(v).sigmoid()), "sigmoid" + BEHIND),
    "linear gate": (lambda n, v: n.fc(v * n.gate(v)), "mul" + BEHIND),
    "gate as a division": (lambda n, v: n.fc(v / (1 + torch.exp(-v))), "(exp|div)" + BEHIND),
    "gate by the mean": (lambda n, v: n.fc(v / (1 + v.mean(1, keepdim=True))), "div"),
    "gate that is open": (lambda n, v: n.fc(v) * F.hardsigmoid(n.score(v) + 10), "hardsigmoid"),
    "GLU": (lambda n, v: F.glu(n.double_width(v), 1), "glu" + BEHIND),
    "half of the logits gated": (second_half_gated, "sigmoid" + BEHIND),
    "mixture of experts": (
        lambda n, v: torch.einsum(
            "ne,enc->nc", v[:, :2].softmax(1), torch.stack([n.fc(v), n.second(v)])
        ),
        "softmax" + BEHIND,
    ),
    # Powers and products of the vector.
    "squares": (lambda n, v: n.fc(v.square()), "square" + BEHIND),
    "all products of two channels": (
        lambda n, v: n.fc(torch.einsum("ni,nj,ij->nj", v, v, n.square)),
        "einsum" + BEHIND,
    ),
    "square root": (lambda n, v: n.fc((v + 2).sqrt()), "sqrt" + BEHIND),
    "logarithm": (lambda n, v: n.fc((v + 2).log()), "log" + BEHIND),
    "distances": (lambda n, v: -torch.cdist(v, n.matrix), "cdist" + BEHIND),
    "polynomial": (lambda n, v: n.fc(v) + 0.1 * n.fc(v) ** 3, "pow" + BEHIND),
    # Numbers that look like a spread.
    "times the length": (lambda n, v: n.fc(v * v.norm(dim=1, keepdim=True)), "norm|mul"),
    "over the mean": (lambda n, v: n.fc(v / v.mean(1, keepdim=True).abs()), "abs|div"),
    "over the first channel": (lambda n, v: n.fc(v / v[:, :1].abs()), "abs|div"),
    "over the square of the length": (
        lambda n, v: n.fc(v / v.square().sum(1, keepdim=True)),
        "square|div",
    ),
    "over one plus the length": (
        lambda n, v: n.fc(v / (1 + v.norm(dim=1, keepdim=True))),
        "norm|div",
    ),
    "over the length, but at least one": (
        lambda n, v: n.fc(v / v.norm(dim=1, keepdim=True).clamp_min(1)),
        "norm|clamp_min|div",
    ),
    "the length over the vector": (
        lambda n, v: n.fc(v.norm(dim=1, keepdim=True) / (v + 2)),
        "norm|div",
    ),
    "length as one more channel": (
        lambda n, v: n.fc(torch.cat([v[:, 1:], v.norm(dim=1, keepdim=True)], 1)),
        "norm",
    ),
    "layer norm and tanh": (lambda n, v: n.fc(n.layer_norm(v).tanh()), "call tanh" + BEHIND),
    # Orders and steps.
    "sorted": (lambda n, v: n.fc(v.sort(1).values), "sort" + BEHIND),
    "the largest logits": (lambda n, v: n.fc(v).topk(2, 1).values, "topk" + BEHIND),
    "less the largest": (lambda n, v: n.fc(v) - n.fc(v).amax(1, keepdim=True), "amax" + BEHIND),
    "larger of two layers": (lambda n, v: torch.maximum(n.fc(v), n.second(v)), "maximum" + BEHIND),
    "rounded": (lambda n, v: n.fc(v).round(decimals=2), "round" + BEHIND),
    "modulus": (lambda n, v: n.fc(v) % 1, "remainder" + BEHIND),
    "largest channel": (
        lambda n, v: n.fc(F.one_hot((v - n.typical).argmax(1), K).to(v.dtype)),
        "argmax",
    ),
    # Ends.
    "softmax at the end": (
        lambda n, v: n.fc(v).softmax(1),
        "call softmax turns the logits into probabilities. " + SOFTMAX,
    ),
    "logarithmic softmax at the end": (
        lambda n, v: n.fc(v) - n.fc(v).logsumexp(1, keepdim=True),
        "logsumexp turns the logits into probabilities. " + SOFTMAX,
    ),
    "softmax by hand at the end": (softmax_by_hand, "(exp|div) .*" + SOFTMAX),
    "sigmoid at the end": (
        lambda n, v: n.fc(v).sigmoid(),
        "call sigmoid turns each logit into a probability. " + SIGMOID,
    ),
    "one logit, sigmoid at the end": (lambda n, v: n.fc(v)[:, 0].sigmoid(), SIGMOID),
    "tanh at the end": (lambda n, v: n.fc(v).tanh(), "call tanh" + BEHIND),
    # Other pictures of the batch.
    "together: less the average picture": (lambda n, v: n.fc(v - v.mean(0)), "(mean|sub)" + MIXES),
    "together: batch statistics": (lambda n, v: n.fc(n.of_the_batch(v)), "'of_the_batch'"),
    "together: logits of another picture": (lambda n, v: n.fc(v).flip(0), "flip" + MIXES),
    "together: length of all pictures": (lambda n, v: n.fc(v / v.norm()), "norm|div"),
    "together: length across the pictures": (
        lambda n, v: n.fc(F.normalize(v, dim=0)),
        "normalize" + BEHIND + "|normalize" + MIXES,
    ),
    # Numbers that leave the tensors.
    "times a number read out": (lambda n, v: n.fc(v) * v.mean().item(), "item " + NUMBERS),
    "times a float": (lambda n, v: n.fc(v) * float(v.sum()), "float"),
    "numbers in a list": (lambda n, v: n.fc(torch.tensor(v.tolist(), dtype=v.dtype)), "tolist"),
    "numbers in an array": (lambda n, v: n.fc(torch.from_numpy(v.numpy(force=True) * 2)), "numpy"),
    "a layer chosen by a comparison": (
        lambda n, v: n.fc(v) if (v - n.typical)[0].sum() > 0 else n.second(v),
        "bool|gt",
    ),
    # Written into another tensor.
    "rectified logits written into zeros": (rectified_into_zeros, "call relu" + BEHIND),
    "some logits rectified in place": (rectified_in_part, "call relu_" + BEHIND),
    "a chunk rectified in place, which changes nothing": (
        rectified_chunk_that_changes_nothing,
        "call relu_" + BEHIND,
    ),
    "some channels rectified in place, which changes nothing": (
        rectified_channels_that_changes_nothing,
        "call relu" + BEHIND,
    ),
    "negative channels set to zero": (set_by_a_mask, "call (lt|__setitem__)" + BEHIND),
}
REFUSED |= {name: (of_average(head), words) for name, (head, words) in REFUSED_OF_AVERAGE.items()}
