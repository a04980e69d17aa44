"""Heads of networks: affine ones, ones that divide by a spread, and ones that have no exact map."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

K, C = 6, 4
EPS = 1e-5
SMALLEST = torch.finfo(torch.float64).eps

# The images' axes of places, by the kind of network that reads them.
PLACES = {"pictures": (5, 7), "signals": (35,), "volumes": (3, 4, 5), "tokens": (5, 7)}


class Tokens(nn.Module):
    """One token (k) for each place of a picture: (n, 3, h, w) to (n, h·w, k)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, K, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images).flatten(2).transpose(1, 2)


class Net(nn.Module):
    """A convolution, a tanh, and a head written as a function of the module and the features."""

    def __init__(self, head: Callable[["Net", Tensor], Tensor], kind: str = "pictures") -> None:
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
            features = self.trunk(images)
            self.typical = channels_first(features, kind).flatten(2).mean((0, 2))

    def _make_layers(self, kind: str) -> None:
        first = {
            "pictures": lambda: nn.Conv2d(3, K, 3, padding=1),
            "signals": lambda: nn.Conv1d(3, K, 3, padding=1),
            "volumes": lambda: nn.Conv3d(3, K, 3, padding=1),
            "tokens": Tokens,
        }
        self.trunk = nn.Sequential(first[kind](), nn.Tanh())
        # What reads the average.
        self.fc, self.second = nn.Linear(K, C), nn.Linear(K, C)
        self.free = nn.Linear(K, C, bias=False)
        self.wide, self.double_width = nn.Linear(K, K), nn.Linear(K, 2 * C)
        self.of_nine, self.of_twelve = nn.Linear(9, C), nn.Linear(2 * K, C)
        self.with_table = nn.Linear(K + 2, C)
        self.hidden_relu = nn.Sequential(
            nn.Linear(K, 8, bias=False), nn.ReLU(), nn.Linear(8, C, bias=False)
        )
        self.hidden_tanh = nn.Sequential(nn.Linear(K, K), nn.Tanh(), nn.Linear(K, C))
        self.hidden_linear = nn.Sequential(nn.Linear(K, 8), nn.Identity(), nn.Linear(8, C))
        self.weight_normalised = parametrizations.weight_norm(nn.Linear(K, C))
        self.one_by_one = nn.Conv2d(K, C, 1)
        self.of_one_cell = nn.Conv1d(K, C, 1)
        self.along = nn.Conv1d(1, 2, 3, padding=1)
        self.all_places = nn.Linear(K * 35, C)
        self.place_weights = nn.Parameter(torch.rand(5, 7))
        self.gate, self.score = nn.Linear(K, K), nn.Linear(K, 1)
        self.pool, self.peak = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.batch_norm = nn.BatchNorm1d(K)
        self.on_maps = nn.BatchNorm2d(K)
        self.of_the_batch = nn.BatchNorm1d(K, track_running_stats=False)
        # Normalisers.
        self.layer_norm = nn.LayerNorm(K)
        self.layer_norm_of_logits = nn.LayerNorm(C)
        self.over_all_axes = nn.LayerNorm((K, 1, 1))
        self.rms_norm = nn.RMSNorm(K)
        self.one_group, self.two_groups = nn.GroupNorm(1, K), nn.GroupNorm(2, K)
        self.three_groups = nn.GroupNorm(3, K)
        self.cosine = nn.CosineSimilarity(dim=2)
        # Constants.
        self.gain, self.shift = nn.Parameter(torch.randn(K)), nn.Parameter(torch.randn(K))
        self.square = nn.Parameter(torch.eye(K) + 0.3 * torch.randn(K, K))
        self.matrix = nn.Parameter(torch.randn(C, K))
        self.temperature = nn.Parameter(torch.tensor(0.7))
        self.mix = nn.Parameter(torch.randn(2))
        self.register_buffer("typical", torch.zeros(K))  # average of several pictures
        self.register_buffer("table", torch.randn(2))
        self.register_buffer("prototypes", torch.randn(C, K))
        self.register_buffer("prior", torch.rand(C) + 0.1)
        self.register_buffer("order", torch.randperm(K))
        self.register_buffer("mask", torch.arange(K) % 3 == 0)
        norms = [self.batch_norm, self.on_maps, self.layer_norm, self.layer_norm_of_logits]
        norms += [self.over_all_axes, self.one_group, self.two_groups, self.three_groups]
        for norm in norms:
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
        nn.init.normal_(self.rms_norm.weight)
        for norm in (self.batch_norm, self.on_maps):
            nn.init.normal_(norm.running_mean)
            nn.init.uniform_(norm.running_var, 0.5, 2)

    def forward(self, images: Tensor) -> Tensor:
        self.blank = torch.zeros(len(images), C, dtype=images.dtype)  # made before the features
        return self.head(self, self.trunk(images))


def channels_first(features: Tensor, kind: str) -> Tensor:
    """Return features as (n, k, *places)."""
    return features.movedim(-1, 1) if kind == "tokens" else features


Head = Callable[[Net, Tensor], Tensor]
# The same head once more: of a vector, with the spreads of another one.
Twin = Callable[[Net, Tensor, Tensor], Tensor]

# The names of heads that read something else than pictures.
KINDS = {
    "a signal": "signals",
    "a signal, average pooling": "signals",
    "a signal, layer norm": "signals",
    "a signal, maximum": "signals",
    "a volume": "volumes",
    "a volume, average pooling": "volumes",
    "a volume, RMS norm": "volumes",
    "a volume, maximum": "volumes",
    "averaged tokens": "tokens",
    "averaged tokens, one more linear layer": "tokens",
    "averaged tokens, layer norm": "tokens",
    "the first token": "tokens",
    "attention over tokens": "tokens",
    "attention with a mean query": "tokens",
}


def mean(features: Tensor) -> Tensor:
    return features.mean((2, 3))


def deviation(n: Net, features: Tensor) -> Tensor:
    """Return an average whose signs and whose largest channel differ from picture to picture."""
    return mean(features) - n.typical


# ------------------------------------------------------------------ affine


def written_by_slices(n: Net, f: Tensor) -> Tensor:
    vector = mean(f)
    out = vector.new_zeros(len(vector), C)
    out[:, :2] = n.fc(vector)[:, :2]
    out[:, 2:] = n.second(vector)[:, 2:]
    return out


def written_in_part(n: Net, f: Tensor) -> Tensor:
    """Logit 3 stays zero."""
    vector = mean(f)
    out = vector.new_zeros(len(vector), C)
    out[:, :3] = n.fc(vector)[:, :3]
    return out


def written_before(n: Net, f: Tensor) -> Tensor:
    vector, out = mean(f), n.blank
    out[:, :2] = n.fc(vector)[:, :2]
    out[:, 2:] += n.second(vector)[:, 2:]
    return out


def written_with_copy(n: Net, f: Tensor) -> Tensor:
    out = n.blank
    out.copy_(n.fc(mean(f)))
    return out


def written_in_a_loop(n: Net, f: Tensor) -> Tensor:
    vector = mean(f)
    out = torch.empty(len(vector), C, dtype=f.dtype)
    for c, row in enumerate(n.matrix):
        out[:, c] = vector @ row
    return out


def added_to_zeros(n: Net, f: Tensor) -> Tensor:
    out = n.blank
    out += n.fc(mean(f))
    return out


def copied_into_slices(n: Net, f: Tensor) -> Tensor:
    vector = mean(f)
    out = vector.new_zeros(len(vector), C)
    out[:, :2].copy_(n.fc(vector)[:, :2])
    return out


def slices_changed_in_place(n: Net, f: Tensor) -> Tensor:
    logits = n.fc(mean(f))
    logits[:, :2].add_(1).mul_(2)
    return logits


def slices_added_in_place(n: Net, f: Tensor) -> Tensor:
    vector = mean(f)
    logits = n.fc(vector)
    logits[:, :2].add_(n.second(vector)[:, 2:])
    return logits


def checked(n: Net, f: Tensor) -> Tensor:
    vector = mean(f)
    if not vector.isfinite().all() or vector.shape[1] != K:
        raise ValueError("damaged")
    return n.fc(vector)


def one_channel_set(vector: Tensor) -> Tensor:
    vector = vector.clone()
    vector[:, 0] = 0.5
    return vector


def turned_in_the_complex_plane(n: Net, vector: Tensor) -> Tensor:
    pairs = torch.view_as_complex(vector.reshape(len(vector), 3, 2).contiguous())
    factors = torch.view_as_complex(n.gain.reshape(3, 2))
    return torch.view_as_real(pairs * factors).flatten(1)


def summed_by_index(n: Net, vector: Tensor) -> Tensor:
    index = torch.tensor([0, 1, 2, 3, 0, 1])
    return vector.new_zeros(len(vector), C).index_add(1, index, vector)


AFFINE: dict[str, Head] = {
    # Averages.
    "average and linear layer": lambda n, f: n.fc(mean(f)),
    "no bias": lambda n, f: n.free(mean(f)),
    "pooling module": lambda n, f: n.fc(n.pool(f).flatten(1)),
    "average in steps": lambda n, f: n.fc(f.mean(3).mean(2)),
    "average in steps, by pooling": lambda n, f: n.fc(F.avg_pool2d(f, (5, 1)).mean((2, 3))),
    "average of flattened places": lambda n, f: n.fc(f.flatten(2).mean(2)),
    "average by a product": lambda n, f: n.fc(f.flatten(2) @ f.new_full((35,), 1 / 35)),
    "average by einsum": lambda n, f: n.fc(torch.einsum("nkhw->nk", f) / 35),
    "sum pooling": lambda n, f: n.fc(f.sum((2, 3))),
    "sum pooling, divided later": lambda n, f: n.fc(f.sum((2, 3))) / 35,
    "channels last": lambda n, f: n.fc(f.permute(0, 2, 3, 1).mean((1, 2))),
    "channels last in memory": lambda n, f: n.fc(
        mean(f.contiguous(memory_format=torch.channels_last))
    ),
    "two poolings of the same maps": lambda n, f: (
        n.fc(mean(f)) + n.second(F.adaptive_avg_pool2d(f, 1).flatten(1))
    ),
    "a signal": lambda n, f: n.fc(f.mean(2)),
    "a signal, average pooling": lambda n, f: n.fc(F.adaptive_avg_pool1d(f, 1)[:, :, 0]),
    "a volume": lambda n, f: n.fc(f.mean((2, 3, 4))),
    "a volume, average pooling": lambda n, f: n.fc(F.adaptive_avg_pool3d(f, 1).flatten(1)),
    "averaged tokens": lambda n, f: n.fc(f.mean(1)),
    "averaged tokens, one more linear layer": lambda n, f: n.fc(n.wide(f.mean(1))),
    # Layers.
    "1x1 convolution": lambda n, f: n.one_by_one(n.pool(f)).flatten(1),
    "convolution of one cell": lambda n, f: n.of_one_cell(mean(f)[:, :, None])[:, :, 0],
    "dropout": lambda n, f: n.fc(n.dropout(mean(f))),
    "several dropouts averaged": lambda n, f: (
        lambda v: torch.stack([n.fc(n.dropout(v)) for _ in range(3)]).mean(0)
    )(mean(f)),
    "several dropouts added up": lambda n, f: (
        lambda v: sum(n.fc(n.dropout(v)) for _ in range(5)) / 5
    )(mean(f)),
    "batch norm": lambda n, f: n.fc(n.batch_norm(mean(f))),
    "batch norm with places": lambda n, f: n.fc(n.on_maps(n.pool(f)).flatten(1)),
    "two linear layers": lambda n, f: n.hidden_linear(mean(f)),
    "linear layer with normalised weights": lambda n, f: n.weight_normalised(mean(f)),
    "normalised constants": lambda n, f: F.linear(mean(f), F.normalize(n.fc.weight)),
    "residual": lambda n, f: (lambda v: n.fc(v + n.wide(v)))(mean(f)),
    "low-rank update": lambda n, f: (
        lambda v: n.fc(v) + (v @ n.matrix[:2].T) @ n.matrix[2:, :2].T @ n.prior[None, :2].T
    )(mean(f)),
    "convolution along the channels": lambda n, f: n.of_twelve(
        n.along(mean(f)[:, None]).flatten(1)
    ),
    "interpolation along the channels": lambda n, f: n.of_nine(
        F.interpolate(mean(f)[:, None], size=9, mode="linear")[:, 0]
    ),
    "averages along the channels": lambda n, f: (
        n.matrix[:, :3].matmul(F.avg_pool1d(mean(f)[:, None], 2)[:, 0].T).T
    ),
    "bilinear with a constant": lambda n, f: F.bilinear(
        mean(f), n.gain.expand(len(f), K), n.square.expand(C, K, K)
    ),
    # Arithmetic with logits.
    "negative logits": lambda n, f: -n.fc(mean(f)),
    "one minus logits": lambda n, f: 1 - n.fc(mean(f)),
    "sum of two layers": lambda n, f: (lambda v: n.fc(v) + n.second(v))(mean(f)),
    "difference of two layers": lambda n, f: (lambda v: n.fc(v) - n.second(v))(mean(f)),
    "temperature": lambda n, f: n.fc(mean(f)) / n.temperature,
    "temperature by its logarithm": lambda n, f: n.fc(mean(f)) * n.temperature.exp(),
    "a number read out of a parameter": lambda n, f: n.fc(mean(f)) * n.temperature.item(),
    "logarithm of a constant": lambda n, f: n.fc(mean(f)) + n.prior.log(),
    "changes in place": lambda n, f: n.fc(mean(f)).add_(1).mul_(n.temperature).neg_(),
    "centred logits": lambda n, f: (lambda z: z - z.mean(1, keepdim=True))(n.fc(mean(f))),
    "logits less the first": lambda n, f: (lambda z: z - z[:, :1])(n.fc(mean(f))),
    "differences of neighbours": lambda n, f: n.fc(mean(f)).diff(dim=1),
    "running sums": lambda n, f: n.fc(mean(f)).cumsum(1),
    "interpolated layers": lambda n, f: (lambda v: torch.lerp(n.fc(v), n.second(v), 0.3))(mean(f)),
    "layers weighed by a softmax of constants": lambda n, f: torch.einsum(
        "e,enc->nc", n.mix.softmax(0), torch.stack([n.fc(mean(f)), n.second(mean(f))])
    ),
    "one logit": lambda n, f: n.fc(mean(f))[:, 0],
    "one logit by a product": lambda n, f: mean(f) @ n.gain + n.temperature,
    "some logits, in another order": lambda n, f: n.fc(mean(f))[:, [2, 0, 2]],
    "two halves joined": lambda n, f: (lambda v: torch.cat([n.fc(v), n.second(v)], 1))(mean(f)),
    "split and joined the other way": lambda n, f: torch.cat(
        n.double_width(mean(f)).chunk(2, 1)[::-1], 1
    ),
    "two layers stacked and averaged": lambda n, f: (
        lambda v: torch.stack([n.fc(v), n.second(v)], 1).mean(1)
    )(mean(f)),
    # Arithmetic with the vector.
    "the vector twice": lambda n, f: (lambda v: n.fc(v + v))(mean(f)),
    "the negative of a copy": lambda n, f: n.fc(mean(f).clone().neg_()),
    "centred vector": lambda n, f: (lambda v: n.fc(v - v.mean(1, keepdim=True)))(mean(f)),
    "less a constant": lambda n, f: n.fc(mean(f) - n.prototypes[0]),
    "gain and shift": lambda n, f: n.fc(torch.addcmul(n.shift, mean(f), n.gain)),
    "permuted channels": lambda n, f: n.fc(mean(f)[:, n.order]),
    "permuted channels by index_select": lambda n, f: n.fc(mean(f).index_select(1, n.order)),
    "permuted channels by gather": lambda n, f: n.fc(mean(f).gather(1, n.order.expand(len(f), K))),
    "channels added up by index": lambda n, f: summed_by_index(n, mean(f)),
    "padded channels": lambda n, f: n.of_nine(F.pad(mean(f), (1, 2), value=0.5)),
    "rolled channels": lambda n, f: n.fc(mean(f).roll(2, 1)),
    "flipped channels": lambda n, f: n.fc(mean(f).flip(1)),
    "shuffled channels": lambda n, f: n.fc(F.channel_shuffle(n.pool(f), 2).flatten(1)),
    "repeated channels": lambda n, f: n.of_twelve(mean(f).repeat(1, 2)),
    "channels chosen by a constant": lambda n, f: (lambda v: n.fc(torch.where(n.mask, v, -2 * v)))(
        mean(f)
    ),
    "channels masked by a constant": lambda n, f: n.fc(mean(f).masked_fill(n.mask, 0.25)),
    "one channel set to a number": lambda n, f: n.fc(one_channel_set(mean(f))),
    "stacked and unbound": lambda n, f: (lambda v: n.fc(torch.stack(v.unbind(1)[::-1], 1)))(
        mean(f)
    ),
    "picture by picture": lambda n, f: torch.stack([n.fc(one) for one in mean(f)]),
    "class by class": lambda n, f: torch.stack([mean(f) @ row for row in n.matrix], 1),
    "image and table": lambda n, f: n.with_table(
        torch.cat([mean(f), n.table.expand(len(f), 2)], 1)
    ),
    # Products with matrices.
    "batched product": lambda n, f: torch.bmm(mean(f)[:, None], n.matrix.T.expand(len(f), K, C))[
        :, 0
    ],
    "batched product with a sum": lambda n, f: torch.baddbmm(
        n.prior, mean(f)[:, None], n.matrix.T.expand(len(f), K, C)
    )[:, 0],
    "einsum": lambda n, f: torch.einsum("nk,ck->nc", mean(f), n.matrix),
    "einsum with dots": lambda n, f: torch.einsum("...k,ck->...c", mean(f), n.matrix),
    "tensordot": lambda n, f: torch.tensordot(mean(f), n.matrix, ([1], [1])),
    "product, then another shape": lambda n, f: (
        (mean(f) @ n.square).view(len(f), 2, 3).transpose(1, 2).reshape(len(f), K)
    ),
    "power of a learned matrix": lambda n, f: n.fc(
        mean(f) @ torch.linalg.matrix_power(n.square, 3)
    ),
    "inverse of a learned matrix": lambda n, f: n.fc(mean(f) @ torch.linalg.inv(n.square)),
    "solution of a learned system": lambda n, f: n.fc(torch.linalg.solve(n.square, mean(f).T).T),
    "kronecker product with a constant": lambda n, f: n.of_twelve(
        torch.kron(mean(f), n.table[None])
    ),
    "fourier transform and back": lambda n, f: n.fc(torch.fft.irfft(torch.fft.rfft(mean(f)), n=K)),
    "filter in the frequencies": lambda n, f: n.fc(
        torch.fft.irfft(torch.fft.rfft(mean(f)) * n.prior, n=K)
    ),
    "real part of a fourier transform": lambda n, f: n.fc(torch.fft.fft(mean(f)).real),
    "turned in the complex plane": lambda n, f: n.fc(turned_in_the_complex_plane(n, mean(f))),
    # Written into another tensor.
    "written by slices": written_by_slices,
    "written in part": written_in_part,
    "written into zeros made before the features": written_before,
    "copied into zeros made before the features": written_with_copy,
    "added to zeros made before the features": added_to_zeros,
    "copied into slices": copied_into_slices,
    "slices changed in place": slices_changed_in_place,
    "slices added in place": slices_added_in_place,
    "written in a loop": written_in_a_loop,
    "checked for infinite numbers": checked,
    # Affine, although their steps are not.
    "two rectifiers that make one line": lambda n, f: (lambda v: n.fc(v.relu() - (-v).relu()))(
        mean(f)
    ),
    "differences of logarithmic probabilities": lambda n, f: (lambda z: z[:, 1:] - z[:, :1])(
        n.fc(mean(f)).log_softmax(1)
    ),
}


# ------------------------------------------------------------------ divided by a spread


def over_norm(v: Tensor, v0: Tensor, p: float = 2) -> Tensor:
    return v / v0.abs().pow(p).sum(1, keepdim=True).pow(1 / p)


def over_rms(v: Tensor, v0: Tensor, eps: float = EPS) -> Tensor:
    return v / (v0.square().mean(1, keepdim=True) + eps).sqrt()


def centred(v: Tensor) -> Tensor:
    return v - v.mean(1, keepdim=True)


def over_deviation(v: Tensor, v0: Tensor, eps: float = EPS) -> Tensor:
    return centred(v) / (centred(v0).square().mean(1, keepdim=True) + eps).sqrt()


def in_groups(function: Callable[..., Tensor], count: int, *vectors: Tensor) -> Tensor:
    """Apply a function to each of several equal groups of channels."""
    chunks = zip(*(vector.chunk(count, 1) for vector in vectors), strict=True)
    return torch.cat([function(*parts) for parts in chunks], 1)


def with_gain(norm: nn.Module, vector: Tensor) -> Tensor:
    return vector * norm.weight.flatten() + norm.bias.flatten()


def by_variance(v: Tensor) -> Tensor:
    variance, middle = torch.var_mean(v, 1, correction=0, keepdim=True)
    return (v - middle) / (variance + EPS).sqrt()


def by_square_root(v: Tensor) -> Tensor:
    middle = v - v.mean(1, keepdim=True)
    return middle / torch.sqrt(middle.pow(2).mean(1, keepdim=True) + EPS)


def by_inverse_root(v: Tensor) -> Tensor:
    middle = v - v.mean(1, keepdim=True)
    return middle * torch.rsqrt((middle * middle).mean(1, keepdim=True) + EPS)


def rms(v: Tensor) -> Tensor:
    return v * torch.rsqrt(v.pow(2).mean(-1, keepdim=True) + EPS)


def groups_by_hand(v: Tensor, count: int) -> Tensor:
    parts = v.view(len(v), count, -1)
    return (parts / (parts.pow(2).mean(2, keepdim=True) + EPS).sqrt()).flatten(1)


def centred_groups_by_hand(v: Tensor, count: int) -> Tensor:
    parts = v.view(len(v), count, -1)
    variance, middle = torch.var_mean(parts, 2, correction=0, keepdim=True)
    return ((parts - middle) / (variance + EPS).sqrt()).view(len(v), -1)


def cosine_by_hand(v: Tensor, weight: Tensor) -> Tensor:
    return (v @ weight.T) / (v.norm(dim=1, keepdim=True) * weight.norm(dim=1))


def cosine(v: Tensor, v0: Tensor, weight: Tensor) -> Tensor:
    return over_norm(v, v0) @ (weight / weight.norm(dim=1, keepdim=True)).T


def two_in_a_row(n: Net, v: Tensor, v0: Tensor) -> Tensor:
    first = with_gain(n.layer_norm, over_deviation(v0, v0))
    return over_rms(with_gain(n.layer_norm, over_deviation(v, v0)), first)


HELD: dict[str, tuple[Head, Twin]] = {
    "layer norm": (
        lambda n, f: n.fc(n.layer_norm(mean(f))),
        lambda n, v, v0: n.fc(with_gain(n.layer_norm, over_deviation(v, v0))),
    ),
    "layer norm, no weights": (
        lambda n, f: n.fc(F.layer_norm(mean(f), (K,))),
        lambda n, v, v0: n.fc(over_deviation(v, v0)),
    ),
    "layer norm, channels last": (
        lambda n, f: n.fc(
            n.layer_norm(n.pool(f).permute(0, 2, 3, 1)).permute(0, 3, 1, 2).flatten(1)
        ),
        lambda n, v, v0: n.fc(with_gain(n.layer_norm, over_deviation(v, v0))),
    ),
    "layer norm over all axes": (
        lambda n, f: n.fc(n.over_all_axes(n.pool(f)).flatten(1)),
        lambda n, v, v0: n.fc(with_gain(n.over_all_axes, over_deviation(v, v0))),
    ),
    "layer norm of the logits": (
        lambda n, f: n.layer_norm_of_logits(n.fc(mean(f))),
        lambda n, v, v0: with_gain(n.layer_norm_of_logits, over_deviation(n.fc(v), n.fc(v0))),
    ),
    "layer norm and residual": (
        lambda n, f: (lambda v: n.fc(v + n.layer_norm(v)))(mean(f)),
        lambda n, v, v0: n.fc(v + with_gain(n.layer_norm, over_deviation(v, v0))),
    ),
    "layer norm behind batch norm and dropout": (
        lambda n, f: n.fc(n.layer_norm(n.dropout(n.batch_norm(mean(f))))),
        lambda n, v, v0: n.fc(
            with_gain(n.layer_norm, over_deviation(n.batch_norm(v), n.batch_norm(v0)))
        ),
    ),
    "a signal, layer norm": (
        lambda n, f: n.fc(n.layer_norm(f.mean(2))),
        lambda n, v, v0: n.fc(with_gain(n.layer_norm, over_deviation(v, v0))),
    ),
    "averaged tokens, layer norm": (
        lambda n, f: n.fc(n.layer_norm(f.mean(1))),
        lambda n, v, v0: n.fc(with_gain(n.layer_norm, over_deviation(v, v0))),
    ),
    "RMS norm": (
        lambda n, f: n.fc(n.rms_norm(mean(f))),
        lambda n, v, v0: n.fc(over_rms(v, v0, SMALLEST) * n.rms_norm.weight),
    ),
    "RMS norm, no weights": (
        lambda n, f: n.fc(F.rms_norm(mean(f), (K,), eps=EPS)),
        lambda n, v, v0: n.fc(over_rms(v, v0)),
    ),
    "a volume, RMS norm": (
        lambda n, f: n.fc(n.rms_norm(f.mean((2, 3, 4)))),
        lambda n, v, v0: n.fc(over_rms(v, v0, SMALLEST) * n.rms_norm.weight),
    ),
    "group norm, one group": (
        lambda n, f: n.fc(n.one_group(mean(f))),
        lambda n, v, v0: n.fc(with_gain(n.one_group, over_deviation(v, v0))),
    ),
    "group norm, two groups": (
        lambda n, f: n.fc(n.two_groups(mean(f))),
        lambda n, v, v0: n.fc(with_gain(n.two_groups, in_groups(over_deviation, 2, v, v0))),
    ),
    "group norm, two groups, with places": (
        lambda n, f: n.fc(n.two_groups(n.pool(f)).flatten(1)),
        lambda n, v, v0: n.fc(with_gain(n.two_groups, in_groups(over_deviation, 2, v, v0))),
    ),
    "group norm, three groups": (
        lambda n, f: n.fc(n.three_groups(mean(f))),
        lambda n, v, v0: n.fc(with_gain(n.three_groups, in_groups(over_deviation, 3, v, v0))),
    ),
    "length one": (
        lambda n, f: n.fc(F.normalize(mean(f))),
        lambda n, v, v0: n.fc(over_norm(v, v0)),
    ),
    "length one, with places": (
        lambda n, f: n.fc(F.normalize(n.pool(f)).flatten(1)),
        lambda n, v, v0: n.fc(over_norm(v, v0)),
    ),
    "length one by absolute values": (
        lambda n, f: n.fc(F.normalize(mean(f), p=1)),
        lambda n, v, v0: n.fc(over_norm(v, v0, 1)),
    ),
    "logits of length one": (
        lambda n, f: F.normalize(n.fc(mean(f)), dim=-1),
        lambda n, v, v0: over_norm(n.fc(v), n.fc(v0)),
    ),
    "cosine by its function": (
        lambda n, f: F.cosine_similarity(mean(f)[:, None], n.matrix[None], dim=2),
        lambda n, v, v0: cosine(v, v0, n.matrix),
    ),
    "cosine by its module": (
        lambda n, f: n.cosine(n.matrix[None], mean(f)[:, None]),
        lambda n, v, v0: cosine(v, v0, n.matrix),
    ),
    "cosine by hand": (
        lambda n, f: cosine_by_hand(mean(f), n.matrix),
        lambda n, v, v0: cosine(v, v0, n.matrix),
    ),
    "cosine, scaled linear layer of normalised weights": (
        lambda n, f: 9 * F.linear(F.normalize(mean(f)), F.normalize(n.matrix)),
        lambda n, v, v0: 9 * cosine(v, v0, n.matrix),
    ),
    "cosine with a learned temperature": (
        lambda n, f: F.normalize(mean(f)) @ F.normalize(n.matrix).T * n.temperature.exp() + n.prior,
        lambda n, v, v0: cosine(v, v0, n.matrix) * n.temperature.exp() + n.prior,
    ),
    "by hand: layer norm by the variance": (
        lambda n, f: n.fc(by_variance(mean(f))),
        lambda n, v, v0: n.fc(over_deviation(v, v0)),
    ),
    "by hand: layer norm by a square root": (
        lambda n, f: n.fc(by_square_root(mean(f)) * n.gain + n.shift),
        lambda n, v, v0: n.fc(over_deviation(v, v0) * n.gain + n.shift),
    ),
    "by hand: layer norm by an inverse root": (
        lambda n, f: n.fc(by_inverse_root(mean(f))),
        lambda n, v, v0: n.fc(over_deviation(v, v0)),
    ),
    "by hand: RMS norm": (
        lambda n, f: n.fc(rms(mean(f)) * n.gain),
        lambda n, v, v0: n.fc(over_rms(v, v0) * n.gain),
    ),
    "by hand: standard deviation": (
        lambda n, f: (lambda v: n.fc(v / v.std(1, keepdim=True)))(mean(f)),
        lambda n, v, v0: n.fc(v / (centred(v0).square().sum(1, keepdim=True) / (K - 1)).sqrt()),
    ),
    "by hand: standard score": (
        lambda n, f: (
            lambda v: n.fc((v - v.mean(1, keepdim=True)) / (v.std(1, keepdim=True) + EPS))
        )(mean(f)),
        lambda n, v, v0: n.fc(
            centred(v) / ((centred(v0).square().sum(1, keepdim=True) / (K - 1)).sqrt() + EPS)
        ),
    ),
    "by hand: length": (
        lambda n, f: (lambda v: n.fc(v / v.norm(dim=1, keepdim=True).clamp_min(EPS)))(mean(f)),
        lambda n, v, v0: n.fc(over_norm(v, v0)),
    ),
    "by hand: length of a copy without gradient": (
        lambda n, f: (lambda v: n.fc(v / v.detach().norm(dim=1, keepdim=True)))(mean(f)),
        lambda n, v, v0: n.fc(over_norm(v, v0)),
    ),
    "by hand: length to the power -1": (
        lambda n, f: (lambda v: n.fc(v * v.norm(dim=1, keepdim=True) ** -1))(mean(f)),
        lambda n, v, v0: n.fc(over_norm(v, v0)),
    ),
    "by hand: root of the sum of squares, in place": (
        lambda n, f: (lambda v: n.fc(v.div_(v.square().sum(1, keepdim=True).sqrt())))(mean(f)),
        lambda n, v, v0: n.fc(over_norm(v, v0)),
    ),
    "by hand: logits over the length of the vector": (
        lambda n, f: (lambda v: n.fc(v) / torch.linalg.vector_norm(v, dim=1, keepdim=True))(
            mean(f)
        ),
        lambda n, v, v0: n.fc(v) / v0.square().sum(1, keepdim=True).sqrt(),
    ),
    "by hand: two groups": (
        lambda n, f: n.fc(groups_by_hand(mean(f), 2)),
        lambda n, v, v0: n.fc(in_groups(over_rms, 2, v, v0)),
    ),
    "by hand: three centred groups": (
        lambda n, f: n.fc(centred_groups_by_hand(mean(f), 3)),
        lambda n, v, v0: n.fc(in_groups(over_deviation, 3, v, v0)),
    ),
    "linear layer in front of a normaliser": (
        lambda n, f: n.fc(n.layer_norm(n.wide(mean(f)))),
        lambda n, v, v0: n.fc(with_gain(n.layer_norm, over_deviation(n.wide(v), n.wide(v0)))),
    ),
    "linear layer behind a normaliser": (
        lambda n, f: n.hidden_linear(F.normalize(mean(f))),
        lambda n, v, v0: n.hidden_linear(over_norm(v, v0)),
    ),
    "two normalisers in a row": (
        lambda n, f: n.fc(rms(n.layer_norm(mean(f)))),
        lambda n, v, v0: n.fc(two_in_a_row(n, v, v0)),
    ),
    "two normalisers side by side": (
        lambda n, f: (lambda v: n.fc(n.layer_norm(v)) + n.second(F.normalize(v)))(mean(f)),
        lambda n, v, v0: (
            n.fc(with_gain(n.layer_norm, over_deviation(v, v0))) + n.second(over_norm(v, v0))
        ),
    ),
    "sum of a head with a normaliser and one without": (
        lambda n, f: (lambda v: n.fc(v) - n.second(n.rms_norm(v)))(mean(f)),
        lambda n, v, v0: n.fc(v) - n.second(over_rms(v, v0, SMALLEST) * n.rms_norm.weight),
    ),
}


# ------------------------------------------------------------------ no exact map


def softmax_by_hand(n: Net, f: Tensor) -> Tensor:
    powers = n.fc(mean(f)).exp()
    return powers / powers.sum(1, keepdim=True)


def second_half_gated(n: Net, f: Tensor) -> Tensor:
    logits = n.fc(mean(f))
    logits[:, 2:] *= logits[:, :2].sigmoid()
    return logits


def attention(n: Net, tokens: Tensor) -> Tensor:
    return n.fc((n.score(tokens).softmax(1).transpose(1, 2) @ tokens)[:, 0])


def attention_with_a_mean_query(n: Net, tokens: Tensor) -> Tensor:
    query = tokens.mean(1, keepdim=True)
    return n.fc(F.scaled_dot_product_attention(query, tokens, tokens)[:, 0])


def attention_over_places(n: Net, f: Tensor) -> Tensor:
    scores = torch.einsum("nkp,k->np", f.flatten(2), n.gain)
    return n.fc((f.flatten(2) @ scores.softmax(1)[:, :, None])[:, :, 0])


def rectified_by_copy(n: Net, f: Tensor) -> Tensor:
    logits, out = n.fc(mean(f)), n.blank
    out[:, :2].copy_(logits[:, :2].relu())
    return out


def rectified_by_index(n: Net, f: Tensor) -> Tensor:
    logits, out = n.fc(mean(f)), n.blank
    out[:, :2] = logits[:, :2].relu()
    return out


def rectified_chunk_that_changes_nothing(n: Net, f: Tensor) -> Tensor:
    logits = n.fc(mean(f)) + 10
    logits.chunk(2, 1)[0].relu_()
    return logits


def rectified_slice_that_changes_nothing(n: Net, f: Tensor) -> Tensor:
    logits = n.fc(mean(f)) + 10
    logits[:, :2].relu_()
    return logits


def clamped_column_that_changes_nothing(n: Net, f: Tensor) -> Tensor:
    logits = n.fc(mean(f)) + 10
    logits[:, 0].clamp_(min=0)
    return logits


def rectified_view_of_the_vector(n: Net, f: Tensor) -> Tensor:
    vector = mean(f) + 2
    F.relu(vector[:, :3], inplace=True)
    return n.fc(vector)


def set_by_a_mask(n: Net, f: Tensor) -> Tensor:
    vector = mean(f) + 2
    vector[vector < 0] = 0
    return n.fc(vector)


def rectified_in_part(n: Net, f: Tensor) -> Tensor:
    logits = n.fc(mean(f))
    logits[:, :2].relu_()
    return logits


def hard_choice(n: Net, f: Tensor) -> Tensor:
    vector = mean(f)
    return n.fc(torch.where(vector > 0, vector, 2 * vector))


# Head, and a pattern in the message that names what is in the way.
REFUSED: dict[str, tuple[Head, str]] = {
    "picture by picture, by vmap": (lambda n, f: torch.vmap(n.fc)(mean(f)), "can be watched"),
    # Activations.
    "hidden layer with ReLU and no bias": (lambda n, f: n.hidden_relu(mean(f)), "'hidden_relu.1'"),
    "hidden layer with tanh": (lambda n, f: n.hidden_tanh(mean(f)), "'hidden_tanh.1'"),
    "ReLU": (lambda n, f: n.fc(mean(f).relu()), "call relu "),
    "leaky ReLU": (lambda n, f: n.fc(F.leaky_relu(mean(f))), "leaky_relu"),
    "GELU": (lambda n, f: n.fc(F.gelu(mean(f))), "gelu"),
    "ELU": (lambda n, f: n.fc(F.elu(mean(f))), "elu"),
    "softplus": (lambda n, f: n.fc(F.softplus(mean(f))), "softplus"),
    "hard swish": (lambda n, f: n.fc(F.hardswish(mean(f))), "hardswish"),
    "hard tanh": (lambda n, f: n.fc(F.hardtanh(mean(f))), "hardtanh"),
    "soft shrink": (lambda n, f: n.fc(F.softshrink(mean(f), 0.1)), "softshrink"),
    "ReLU that changes nothing": (lambda n, f: n.fc((mean(f) + 2).relu()), "call relu "),
    "ReLU in place that changes nothing": (lambda n, f: n.fc((mean(f) + 2).relu_()), "relu_"),
    "clamp that changes nothing": (lambda n, f: n.fc(mean(f).clamp(-1, 1)), "clamp"),
    "clamp far away": (lambda n, f: n.fc(mean(f)).clamp(-100, 100), "clamp"),
    "absolute values that change nothing": (lambda n, f: n.fc((mean(f) + 2).abs()), "abs"),
    "absolute value of one channel": (
        lambda n, f: (lambda v: n.fc(v) + v[:, :1].abs())(mean(f)),
        "abs",
    ),
    "hard choice": (hard_choice, "gt|where"),
    "sign": (lambda n, f: n.fc(deviation(n, f).sign()), "sign"),
    # Gates.
    "SiLU": (lambda n, f: n.fc(F.silu(mean(f))), "silu"),
    "sigmoid gate": (lambda n, f: (lambda v: n.fc(v * n.gate(v).sigmoid()))(mean(f)), "sigmoid"),
    "one gate for all channels": (
        lambda n, f: (lambda v: n.fc(v * n.score(v).sigmoid()))(mean(f)),
        "sigmoid",
    ),
    "linear gate": (lambda n, f: (lambda v: n.fc(v * n.gate(v)))(mean(f)), "mul"),
    "gate as a division": (
        lambda n, f: (lambda v: n.fc(v / (1 + torch.exp(-v))))(mean(f)),
        "exp|div",
    ),
    "gate by the mean": (
        lambda n, f: (lambda v: n.fc(v / (1 + v.mean(1, keepdim=True))))(mean(f)),
        "div",
    ),
    "hard gate by the mean": (
        lambda n, f: (lambda v: n.fc(v * (v.mean(1, keepdim=True) / 6 + 0.5).clamp(0, 1)))(mean(f)),
        "clamp",
    ),
    "gate that is open": (
        lambda n, f: (lambda v: n.fc(v) * F.hardsigmoid(n.score(v) + 10))(mean(f)),
        "hardsigmoid",
    ),
    "gate that is open, of a second average": (
        lambda n, f: n.fc(mean(f)) * F.hardsigmoid(n.score(mean(f)) + 10),
        "hardsigmoid",
    ),
    "ReLU that is zero, of a second average": (
        lambda n, f: n.fc(mean(f)) + (n.second(mean(f)) - 10).relu(),
        "call relu ",
    ),
    "GLU": (lambda n, f: F.glu(n.double_width(mean(f)), 1), "glu"),
    "half of the logits gated": (second_half_gated, "sigmoid"),
    "mixture of experts": (
        lambda n, f: (
            lambda v: torch.einsum(
                "ne,enc->nc", v[:, :2].softmax(1), torch.stack([n.fc(v), n.second(v)])
            )
        )(mean(f)),
        "softmax",
    ),
    # Powers and products of the vector.
    "squares": (lambda n, f: n.fc(mean(f).square()), "square"),
    "vector times itself": (lambda n, f: (lambda v: n.fc(v * v))(mean(f)), "mul"),
    "all products of two channels": (
        lambda n, f: (lambda v: n.fc(torch.einsum("ni,nj,ij->nj", v, v, n.square)))(mean(f)),
        "einsum",
    ),
    "square root": (lambda n, f: n.fc((mean(f) + 2).sqrt()), "sqrt"),
    "logarithm": (lambda n, f: n.fc((mean(f) + 2).log()), "log"),
    "distances": (lambda n, f: -torch.cdist(mean(f), n.prototypes), "cdist"),
    "squared distances": (
        lambda n, f: -(mean(f)[:, None] - n.prototypes).square().sum(2),
        "square",
    ),
    "a curve for each channel and class": (
        lambda n, f: (mean(f)[:, None] * n.matrix).tanh().sum(2),
        "tanh",
    ),
    "polynomial": (lambda n, f: (lambda z: z + 0.1 * z**3)(n.fc(mean(f))), "pow"),
    "angle": (lambda n, f: F.cosine_similarity(mean(f)[:, None], n.matrix, dim=2).acos(), "acos"),
    "two hidden layers averaged along axis 0": (
        lambda n, f: (lambda v: torch.stack([n.hidden_tanh(v), n.hidden_relu(v)]).mean(0))(mean(f)),
        "'hidden_(tanh|relu).1'",
    ),
    "two hidden layers averaged along axis 1": (
        lambda n, f: (lambda v: torch.stack([n.hidden_tanh(v), n.hidden_relu(v)], 1).mean(1))(
            mean(f)
        ),
        "'hidden_(tanh|relu).1'",
    ),
    "two hidden layers averaged along axis 2": (
        lambda n, f: (lambda v: torch.stack([n.hidden_tanh(v), n.hidden_relu(v)], 2).mean(2))(
            mean(f)
        ),
        "'hidden_(tanh|relu).1'",
    ),
    # Numbers that look like a spread.
    "times the length": (
        lambda n, f: (lambda v: n.fc(v * v.norm(dim=1, keepdim=True)))(mean(f)),
        "norm|mul",
    ),
    "over the absolute mean": (
        lambda n, f: (lambda v: n.fc(v / v.mean(1, keepdim=True).abs()))(mean(f)),
        "abs|div",
    ),
    "over the mean": (lambda n, f: (lambda v: n.fc(v / v.mean(1, keepdim=True)))(mean(f)), "div"),
    "over the first channel": (
        lambda n, f: (lambda v: n.fc(v / v[:, :1].abs()))(mean(f)),
        "abs|div",
    ),
    "over the square of the length": (
        lambda n, f: (lambda v: n.fc(v / v.square().sum(1, keepdim=True)))(mean(f)),
        "square|div",
    ),
    "over the root of the length": (
        lambda n, f: (lambda v: n.fc(v / v.norm(dim=1, keepdim=True).sqrt()))(mean(f)),
        "norm|sqrt|div",
    ),
    "over one plus the length": (
        lambda n, f: (lambda v: n.fc(v / (1 + v.norm(dim=1, keepdim=True))))(mean(f)),
        "norm|div",
    ),
    "over the length, but at least one": (
        lambda n, f: (lambda v: n.fc(v / v.norm(dim=1, keepdim=True).clamp_min(1)))(mean(f)),
        "norm|clamp_min|div",
    ),
    "over the length of the features": (
        lambda n, f: n.fc(mean(f) / f.flatten(1).norm(dim=1, keepdim=True)),
        "norm|div",
    ),
    "over the deviation of the features": (
        lambda n, f: n.fc(mean(f) / f.flatten(1).std(1, keepdim=True)),
        "std|div",
    ),
    "the length over the vector": (
        lambda n, f: (lambda v: n.fc(v.norm(dim=1, keepdim=True) / (v + 2)))(mean(f)),
        "norm|div",
    ),
    "length as one more channel": (
        lambda n, f: (lambda v: n.fc(torch.cat([v[:, 1:], v.norm(dim=1, keepdim=True)], 1)))(
            mean(f)
        ),
        "norm",
    ),
    "layer norm and tanh": (lambda n, f: n.fc(n.layer_norm(mean(f)).tanh()), "call tanh "),
    "layer norm and its square": (lambda n, f: n.fc(n.layer_norm(mean(f)) ** 2), "pow"),
    "local response norm": (
        lambda n, f: n.fc(F.local_response_norm(n.pool(f), 3).flatten(1)),
        "local_response_norm",
    ),
    # Orders and steps.
    "sorted": (lambda n, f: n.fc(mean(f).sort(1).values), "sort"),
    "the largest logits": (lambda n, f: n.fc(mean(f)).topk(2, 1).values, "topk"),
    "less the largest": (
        lambda n, f: (lambda z: z - z.amax(1, keepdim=True))(n.fc(mean(f))),
        "amax",
    ),
    "less the median": (
        lambda n, f: (lambda v: n.fc(v - v.median(1, keepdim=True).values))(mean(f)),
        "median",
    ),
    "larger of two layers": (
        lambda n, f: (lambda v: torch.maximum(n.fc(v), n.second(v)))(mean(f)),
        "maximum",
    ),
    "running maximum": (lambda n, f: n.fc(mean(f)).cummax(1).values, "cummax"),
    "rounded": (lambda n, f: n.fc(mean(f)).round(decimals=2), "round"),
    "floor": (lambda n, f: (n.fc(mean(f)) * 64).floor() / 64, "floor"),
    "modulus": (lambda n, f: n.fc(mean(f)) % 1, "remainder"),
    "largest channel": (
        lambda n, f: n.fc(F.one_hot(deviation(n, f).argmax(1), K).to(f.dtype)),
        "argmax",
    ),
    "channels in the order of the first picture": (
        lambda n, f: (lambda v: n.fc(v[:, v[0].argsort()]))(mean(f)),
        "argsort",
    ),
    # Ends.
    "softmax at the end": (lambda n, f: n.fc(mean(f)).softmax(1), "call softmax "),
    "logarithmic softmax at the end": (lambda n, f: n.fc(mean(f)).log_softmax(1), "log_softmax"),
    "softmax by hand at the end": (softmax_by_hand, "exp|div"),
    "sigmoid at the end": (lambda n, f: n.fc(mean(f)).sigmoid(), "call sigmoid "),
    "one logit, sigmoid at the end": (lambda n, f: n.fc(mean(f))[:, 0].sigmoid(), "call sigmoid "),
    "tanh at the end": (lambda n, f: n.fc(mean(f)).tanh(), "call tanh "),
    # Other pictures of the batch.
    "less the average picture": (lambda n, f: (lambda v: n.fc(v - v.mean(0)))(mean(f)), "mean|sub"),
    "batch norm of this batch": (lambda n, f: n.fc(n.of_the_batch(mean(f))), "'of_the_batch'"),
    "logits of another picture": (lambda n, f: n.fc(mean(f)).flip(0), "flip"),
    "running sums over the pictures": (lambda n, f: n.fc(mean(f)).cumsum(0), "cumsum"),
    "length of all pictures together": (
        lambda n, f: (lambda v: n.fc(v / v.norm()))(mean(f)),
        "norm|div",
    ),
    "length across the pictures": (lambda n, f: n.fc(F.normalize(mean(f), dim=0)), "normalize"),
    # Poolings.
    "maximum pooling": (lambda n, f: n.fc(n.peak(f).flatten(1)), "'peak'"),
    "maximum over places": (lambda n, f: n.fc(f.amax((2, 3))), "amax"),
    "average and maximum": (
        lambda n, f: n.of_twelve(torch.cat([mean(f), f.amax((2, 3))], 1)),
        "amax|cat",
    ),
    "maximum over places, then averages of channels": (
        lambda n, f: f.amax((2, 3)).view(len(f), 2, 3).mean(2),
        "amax",
    ),
    "GeM pooling": (
        lambda n, f: n.fc(f.clamp_min(1e-6).pow(3).mean((2, 3)).pow(1 / 3)),
        "pow",
    ),
    "logsumexp pooling": (lambda n, f: n.fc(f.logsumexp((2, 3))), "logsumexp"),
    "median over places": (lambda n, f: n.fc(f.flatten(2).median(2).values), "median"),
    "deviation over places": (lambda n, f: n.fc(f.std((2, 3))), "std"),
    "the largest places": (lambda n, f: n.fc(f.flatten(2).topk(5, 2).values.mean(2)), "topk"),
    "attention over places": (attention_over_places, "matmul"),
    "attention over tokens": (attention, "matmul"),
    "attention with a mean query": (
        attention_with_a_mean_query,
        "scaled_dot_product_attention",
    ),
    "the first token": (lambda n, f: n.fc(f[:, 0]), "tokens"),
    "weights for each place": (lambda n, f: n.all_places(f.flatten(1)), "'all_places'"),
    "weights for each place, by hand": (
        lambda n, f: (f.flatten(1)[:, None] * n.all_places.weight).sum(2),
        "mul|sum",
    ),
    "one weight for each place": (
        lambda n, f: n.fc(torch.einsum("nkhw,hw->nk", f, n.place_weights)),
        "einsum",
    ),
    "products of channels over places": (
        lambda n, f: n.fc(torch.einsum("nkhw,njhw->nkj", f, f).mean(2)),
        "einsum",
    ),
    "a signal, maximum": (lambda n, f: n.fc(f.amax(2)), "amax"),
    "a volume, maximum": (
        lambda n, f: n.fc(F.adaptive_max_pool3d(f, 1).flatten(1)),
        "max_pool3d",
    ),
    # Numbers that leave the tensors.
    "times a number read out": (lambda n, f: n.fc(mean(f)) * mean(f).mean().item(), "item"),
    "over the length read out": (
        lambda n, f: (lambda v: n.fc(v) / v[0].norm().item())(mean(f)),
        "item",
    ),
    "times a float": (lambda n, f: n.fc(mean(f)) * float(mean(f).sum()), "float"),
    "numbers in a list": (
        lambda n, f: n.fc(torch.tensor(mean(f).tolist(), dtype=f.dtype)),
        "tolist",
    ),
    "numbers in an array": (
        lambda n, f: n.fc(torch.from_numpy(mean(f).detach().numpy() * 2)),
        "numpy",
    ),
    "a layer chosen by a comparison": (
        lambda n, f: n.fc(mean(f)) if deviation(n, f)[0].sum() > 0 else n.second(mean(f)),
        "bool|gt",
    ),
    # Written into another tensor.
    "rectified logits copied into slices": (rectified_by_copy, "call relu "),
    "rectified logits written by index": (rectified_by_index, "call relu "),
    "some logits rectified in place": (rectified_in_part, "call relu_ "),
    "a slice rectified in place, which changes nothing": (
        rectified_slice_that_changes_nothing,
        "call relu_ ",
    ),
    "a chunk rectified in place, which changes nothing": (
        rectified_chunk_that_changes_nothing,
        "call relu_ ",
    ),
    "a column clamped in place, which changes nothing": (
        clamped_column_that_changes_nothing,
        "call clamp_ ",
    ),
    "some channels rectified in place, which changes nothing": (
        rectified_view_of_the_vector,
        "call relu",
    ),
    "negative channels set to zero": (set_by_a_mask, "call (lt|__setitem__) "),
}

# Ends that are to be left out of forward.
LEAVE_OUT = {
    "softmax at the end": "softmax",
    "logarithmic softmax at the end": "softmax",
    "softmax by hand at the end": "softmax",
    "sigmoid at the end": "sigmoid",
    "one logit, sigmoid at the end": "sigmoid",
}

# With one picture these are another head: an affine one, a constant, or an error.
ONLY_TOGETHER = {
    "less the average picture",
    "batch norm of this batch",
    "logits of another picture",
    "running sums over the pictures",
    "length of all pictures together",
    "length across the pictures",
}
