"""Finding the head: however the network wrote it, refused with the layer in the way, and the door."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision.models as zoo
from torch import Tensor, nn

import camlib

K, C = 5, 4


class Net(nn.Module):
    """A convolution and a head written as a function of the features and of the module."""

    def __init__(self, head: Callable[["Net", Tensor], object], relu: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, K, 3, padding=1)
        self.fc = nn.Linear(K, C)
        self.wide = nn.Linear(K, K)
        self.free = nn.Linear(K, C, bias=False)
        self.one_by_one = nn.Conv2d(K, C, 1)
        self.to_maps = nn.Conv2d(K, C, 1)
        self.layer_norm = nn.LayerNorm(K)
        self.plain_norm = nn.LayerNorm(K, elementwise_affine=False)
        self.batch_norm = nn.BatchNorm1d(K)
        self.bare_norm = nn.BatchNorm1d(K, affine=False)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.whole = nn.AvgPool2d(6)
        self.grouped = nn.Conv2d(K, 2 * K, 1, groups=K)
        self.over_all_axes = nn.LayerNorm((K, 1, 1))
        self.peak = nn.AdaptiveMaxPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.hidden = nn.Sequential(nn.Linear(K, K), nn.Tanh(), nn.Linear(K, C))
        self.all_places = nn.Linear(K * 36, C)
        for norm in (self.layer_norm, self.batch_norm):
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
        for norm in (self.batch_norm, self.bare_norm):
            nn.init.normal_(norm.running_mean)
            nn.init.uniform_(norm.running_var, 0.5, 2)
        self.head = head

    def features(self, images: Tensor) -> Tensor:
        return self.conv(images)

    def forward(self, images: Tensor) -> object:
        return self.head(self, self.features(images))


def without_the_first(vector: Tensor) -> Tensor:
    vector[:, 0] = 0
    return vector


READY: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "module pool, flatten, linear": lambda n, f: n.fc(n.pool(f).flatten(1)),
    "mean over two axes": lambda n, f: n.fc(f.mean([2, 3])),
    "mean over negative axes": lambda n, f: n.fc(f.mean((-1, -2))),
    "mean that keeps the axes, squeezed": lambda n, f: n.fc(
        f.mean((2, 3), keepdim=True)[:, :, 0, 0]
    ),
    "two means in a row": lambda n, f: n.fc(f.mean(3).mean(2)),
    "flattened places, then mean": lambda n, f: n.fc(f.flatten(2).mean(-1)),
    "sum over places, then division": lambda n, f: n.fc(torch.einsum("nkhw->nk", f) / 36),
    "average pooling of the right size": lambda n, f: n.fc(n.whole(f).view(len(f), -1)),
    "einsum of the mean": lambda n, f: n.fc(
        torch.einsum("nkhw,hw->nk", f, torch.full((6, 6), 1 / 36))
    ),
    "channels last": lambda n, f: n.fc(f.permute(0, 2, 3, 1).mean((1, 2))),
    "no bias": lambda n, f: n.free(f.mean((2, 3))),
    "dropout": lambda n, f: n.fc(n.dropout(f.mean((2, 3)))),
    "1x1 convolution after the pool": lambda n, f: n.one_by_one(n.pool(f)).flatten(1),
    "1x1 convolution, ReLU, pool": lambda n, f: n.pool(n.to_maps(f).relu()).flatten(1),
    "LayerNorm": lambda n, f: n.fc(n.layer_norm(f.mean((2, 3)))),
    "LayerNorm without weights": lambda n, f: n.fc(n.plain_norm(f.mean((2, 3)))),
    "LayerNorm on four axes": lambda n, f: n.fc(
        n.layer_norm(n.pool(f).permute(0, 2, 3, 1)).permute(0, 3, 1, 2).flatten(1)
    ),
    "BatchNorm": lambda n, f: n.fc(n.batch_norm(f.mean((2, 3)))),
    "BatchNorm without weights": lambda n, f: n.fc(n.bare_norm(f.mean((2, 3)))),
    "two linear layers with nothing between": lambda n, f: n.fc(n.wide(f.mean((2, 3)))),
    "LayerNorm over all axes": lambda n, f: n.fc(n.over_all_axes(n.pool(f)).flatten(1)),
    "BatchNorm as torch has it": lambda n, f: n.fc(
        torch.batch_norm(
            f.mean((2, 3)),
            n.batch_norm.weight,
            None,
            n.batch_norm.running_mean,
            n.batch_norm.running_var,
            False,
            0.1,
            1e-5,
            False,
        )
    ),
    "pooled twice": lambda n, f: n.fc(n.pool(f).mean((2, 3))),
    "pooled, normalised, pooled again": lambda n, f: n.fc(
        n.pool(n.batch_norm(n.pool(f).flatten(1))[:, :, None, None]).flatten(1)
    ),
    "two means that keep the axes": lambda n, f: n.fc(
        f.mean(3, keepdim=True).mean(2, keepdim=True).flatten(1)
    ),
    "einsum with the features last": lambda n, f: n.fc(
        torch.einsum("hw,nkhw->nk", torch.full((6, 6), 1 / 36), f)
    ),
    "features that average to zero": lambda n, f: n.fc(
        n.whole(nn.functional.instance_norm(f)).flatten(1)
    ),
    "grouped 1x1 convolution": lambda n, f: n.grouped(n.pool(f)).flatten(1),
    "matrix product and sum": lambda n, f: f.mean((2, 3)) @ n.free.weight.T + n.fc.bias,
    "addmm": lambda n, f: torch.addmm(n.fc.bias, f.mean((2, 3)), n.free.weight.T),
    "constants in the likeness of what was computed": lambda n, f: (
        n.fc(f.flatten(2) @ f.new_full((36,), 1 / 36) + torch.ones_like(f[:1, :, 0, 0]))
        @ torch.eye(C).type_as(f)
    ),
    "number times logits": lambda n, f: 2.5 * n.fc(f.mean((2, 3))) / n.layer_norm.weight[0] - 1,
    "gain and shift of each channel": lambda n, f: n.fc(
        n.layer_norm.bias + f.mean((2, 3)) * n.layer_norm.weight
    ),
    "gain and shift in place": lambda n, f: n.fc(
        f.mean((2, 3)).mul_(n.layer_norm.weight).div_(3).add_(n.layer_norm.bias).sub_(2)
    ),
    "one channel left out": lambda n, f: n.fc(without_the_first(f.mean((2, 3)))),
    "a single number for the vector": lambda n, f: n.fc(
        nn.functional.linear(n.pool(f), f.new_full((1, 1), 2)).flatten(1)
    ),
    "two pools added": lambda n, f: (
        n.fc(f.mean((2, 3))) + n.free(n.to_maps(f).mean((2, 3)) @ torch.ones(C, K))
    ),
    "everything at once": lambda n, f: n.fc(
        n.dropout(n.wide(n.layer_norm(n.batch_norm(f.mean((2, 3))))))
    ),
}


@pytest.mark.parametrize("name", READY)
def test_reads_heads_however_they_are_written(name: str) -> None:
    network = Net(READY[name])
    images = torch.randn(3, 3, 6, 6)
    for _ in range(2):  # the second call goes by what the first one learnt
        head = camlib.find_head(network, images)
        weight = head.weight if head.held else head.weight.expand(3, -1, -1)
        maps = camlib.gradients.weighted_maps(head.features, weight)
        torch.testing.assert_close(maps.mean((2, 3)) + head.offset, head.logits)
        torch.testing.assert_close(camlib.class_activation_maps(network, images).maps, maps)
    torch.testing.assert_close(head.logits, network.eval()(images))
    assert head.features.shape[0] == 3
    assert head.features.shape[2:] == (6, 6)


def test_layer_norm_by_hand() -> None:
    """Pooled vector (1, 3): mean 2, standard deviation 1; with weight rows (1, 1) and (2, 0).

    Normalised it is (-1, 1), so the logits are 0 and -2. Centring is linear: (a, b) becomes
    (a - b)/2 and (b - a)/2. So the weights are (0, 0) and (1, -1), over the spread 1, the offsets 0;
    the map of class 1 is f1 - f2, here (0 - 6, 2 - 0), with the mean -2.
    """

    class Normalised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.LayerNorm(2, eps=0.0)
            self.fc = nn.Linear(2, 2, bias=False)
            self.fc.weight.data = torch.tensor([[1.0, 1.0], [2.0, 0.0]])

        def forward(self, images: Tensor) -> Tensor:
            return self.fc(self.norm(images.mean((2, 3))))

    images = torch.tensor([[[[0.0, 2.0]], [[6.0, 0.0]]]])
    head = camlib.find_head(Normalised(), images)
    torch.testing.assert_close(head.logits, torch.tensor([[0.0, -2.0]]))
    torch.testing.assert_close(head.weight, torch.tensor([[[0.0, 0.0], [1.0, -1.0]]]))
    torch.testing.assert_close(head.offset, torch.zeros(1, 2))
    assert head.held == ("norm",)
    maps = camlib.class_activation_maps(Normalised(), images).maps
    torch.testing.assert_close(maps, torch.tensor([[[[0.0, 0.0]], [[-6.0, 2.0]]]]))


RETRAIN = (
    "Put global average pooling and one linear layer on its last feature maps and retrain, or use "
    "a method that needs no special head, such as Grad-CAM."
)
NEEDED = "network: expected feature maps, then global average pooling, then one linear layer, got "


REFUSED: dict[str, tuple[Callable[[Net, Tensor], object], str]] = {
    "hidden layer": (
        lambda n, f: n.hidden(f.mean((2, 3))),
        "layer 'hidden.1' of type Tanh (tanh) stands behind the pooling and is not linear. "
        + RETRAIN,
    ),
    "hidden layer behind an average in two steps": (
        lambda n, f: n.hidden(f.flatten(2).mean(2)),
        "layer 'hidden.1' of type Tanh (tanh) stands behind the pooling and is not linear. "
        + RETRAIN,
    ),
    "hidden layer behind a sum that is divided later": (
        lambda n, f: n.hidden(torch.einsum("nkhw->nk", f) / 36),
        "layer 'hidden.1' of type Tanh (tanh) stands behind the pooling and is not linear. "
        + RETRAIN,
    ),
    "ReLU that happens to change nothing": (
        lambda n, f: n.fc(f.square().mean((2, 3)).relu()),
        "the call relu stands behind the pooling and is not linear. " + RETRAIN,
    ),
    "minimum that happens to change nothing": (
        lambda n, f: n.fc(f.square().mean((2, 3)).clamp_min(0)),
        "the call clamp_min stands behind the pooling and is not linear. " + RETRAIN,
    ),
    "activation in place": (
        lambda n, f: n.fc(nn.functional.threshold(f.square().mean((2, 3)), 0, 0, inplace=True)),
        "the call _threshold stands behind the pooling and is not linear. " + RETRAIN,
    ),
    "activation that overwrites the average": (
        lambda n, f: n.fc(f.mean((2, 3)).relu_()),
        "the call relu_ stands behind the pooling and is not linear. " + RETRAIN,
    ),
    "activation that overwrites an average in two steps": (
        lambda n, f: n.fc(n.pool(f.square()).flatten(1).relu_()),
        "the call relu_ stands behind the pooling and is not linear. " + RETRAIN,
    ),
    "hidden layer, and a number that is learnt": (
        lambda n, f: n.hidden(f.mean((2, 3))) * n.layer_norm.bias[0].exp(),
        "layer 'hidden.1' of type Tanh (tanh) stands behind the pooling and is not linear. "
        + RETRAIN,
    ),
    "weights that depend on the picture": (
        lambda n, f: nn.functional.linear(f.mean((2, 3)), n.free.weight * f.std()),
        "the call std takes something else of each feature map, not its average over all places. "
        + RETRAIN,
    ),
    "a bias that depends on the picture": (
        lambda n, f: n.fc(f.mean((2, 3))) + f[:1, :C, 0, 0],
        "the call __getitem__ takes something else of each feature map, not its average over all "
        "places. " + RETRAIN,
    ),
    "maximum pooling of features that are the same everywhere": (
        lambda n, f: n.fc(n.peak(f * 0 + f.mean((2, 3), keepdim=True)).flatten(1)),
        "layer 'peak' of type AdaptiveMaxPool2d (adaptive_max_pool2d) takes the maximum of each "
        "feature map, not its average over all places. " + RETRAIN,
    ),
    "softmax": (
        lambda n, f: n.fc(f.mean((2, 3))).softmax(1),
        "the call softmax turns the logits into probabilities. Leave the softmax out of forward: "
        "the maps explain logits, and the order of the classes stays the same.",
    ),
    "flatten": (
        lambda n, f: n.all_places(f.flatten(1)),
        "layer 'all_places' of type Linear (linear) reads all 180 = 5x6x6 flattened values, so that "
        "each place has weights of its own. " + RETRAIN,
    ),
    "maximum pooling": (
        lambda n, f: n.fc(n.peak(f).flatten(1)),
        "layer 'peak' of type AdaptiveMaxPool2d (adaptive_max_pool2d) takes the maximum of each "
        "feature map, not its average over all places. " + RETRAIN,
    ),
    "pooling by the sum of squares": (
        lambda n, f: n.fc(f.square().sum((2, 3)).sqrt()),
        "the call sqrt stands behind the pooling and is not linear. " + RETRAIN,
    ),
    "average and maximum side by side": (
        lambda n, f: nn.functional.linear(
            torch.cat([f.mean((2, 3)), f.amax((2, 3))], 1), torch.ones(C, 2 * K)
        ),
        "the call amax takes the maximum of each feature map, not its average over all places. "
        + RETRAIN,
    ),
    "one token of a sequence": (
        lambda n, f: n.fc(f.flatten(2).transpose(1, 2)[:, 0]),
        "layer 'fc' of type Linear (linear) reads one of 36 tokens, not their average. Average the "
        "tokens and retrain, or use Grad-CAM at the tokens of an earlier layer.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_and_names_what_is_in_the_way(name: str) -> None:
    head, reason = REFUSED[name]
    with pytest.raises(camlib.NotCAMReadyError) as caught:
        camlib.find_head(Net(head), torch.randn(2, 3, 6, 6))
    assert str(caught.value) == f"{NEEDED}Net, where {reason}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("alexnet", "layer 'classifier.1' of type Linear (linear) reads all 9216 = 256x6x6"),
        ("vgg11", "layer 'classifier.0' of type Linear (linear) reads all 25088 = 512x7x7"),
        ("mobilenet_v3_small", "layer 'classifier.1' of type Hardswish (hardswish) stands behind"),
        (
            "vit_b_16",
            "layer 'heads.head' of type Linear (linear) reads one of 197 tokens, not their average",
        ),
    ],
)
def test_refuses_torchvisions_networks_with_the_right_reason(name: str, reason: str) -> None:
    with pytest.raises(camlib.NotCAMReadyError) as caught:
        camlib.class_activation_maps(zoo.get_model(name, weights=None), torch.randn(1, 3, 224, 224))
    assert reason in str(caught.value)


class Plain(nn.Module):
    """A network that can be scripted."""

    def __init__(self, body: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body or nn.Sequential(nn.Conv2d(3, K, 1), nn.ReLU())
        self.fc = nn.Linear(K, C)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.body(images).mean(dim=(2, 3)))


def scripted(module: nn.Module, how: str) -> nn.Module:
    example = torch.randn(1, 3, 6, 6)
    with pytest.warns(FutureWarning, match="deprecated"):
        return torch.jit.script(module) if how == "script" else torch.jit.trace(module, example)


@pytest.mark.parametrize("how", ["trace", "script"])
def test_refuses_a_scripted_network(how: str) -> None:
    with pytest.raises(camlib.NotCAMReadyError, match="Pass the original module"):
        camlib.find_head(scripted(Plain(), how), torch.randn(1, 3, 6, 6))


def test_a_part_may_be_scripted() -> None:
    network = Plain(scripted(Plain().body, "script"))
    for _ in range(2):
        assert camlib.find_head(network, torch.randn(2, 3, 6, 6)).features.shape == (2, K, 6, 6)


@pytest.mark.parametrize("images", [torch.randn(3, 3, 6, 6), torch.randn(1, 3, 6, 6)])
@pytest.mark.parametrize("head", ["two means in a row", "mean over two axes", "module pool"])
def test_one_feature_map_only(head: str, images: Tensor) -> None:
    """Then a half-averaged map looks like a vector of as many channels as it has rows."""
    heads: dict[str, Callable[[Tensor], Tensor]] = {
        "two means in a row": lambda f: f.mean(2).mean(2),
        "mean over two axes": lambda f: f.mean((2, 3)),
        "module pool": lambda f: nn.AdaptiveAvgPool2d(1)(f).flatten(1),
    }
    network = Net(lambda n, f: n.fc(heads[head](f))).eval()
    network.conv, network.fc = nn.Conv2d(3, 1, 1), nn.Linear(1, C)
    for _ in range(2):
        assert camlib.find_head(network, images).features.shape == (len(images), 1, 6, 6)


def test_squeeze_drops_the_axis_of_a_single_picture() -> None:
    network = Net(lambda n, f: n.fc(f.mean((2, 3)).squeeze()).view(len(f), -1))
    for count in (2, 1):
        head = camlib.find_head(network, torch.randn(count, 3, 6, 6))
        assert head.features.shape == (count, K, 6, 6)
        assert head.weight.shape == (C, K)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_an_average_over_a_part_of_the_places_is_none(dtype: torch.dtype) -> None:
    """Pooling 7x7 of 8x8 cells is near to the average, in 16 bits nearer than a rough look sees."""
    network = Net(lambda n, f: n.fc(nn.functional.avg_pool2d(f.relu(), 7).flatten(1))).to(dtype)
    with pytest.raises(camlib.NotCAMReadyError, match="takes something else of each feature map"):
        camlib.find_head(network, torch.randn(2, 3, 8, 8, dtype=dtype))


def test_a_large_average_may_be_rounded() -> None:
    """9216 nearly equal numbers, added one after the other, miss their sum by a hundred roundings."""
    network = Net(lambda n, f: n.fc(nn.functional.avg_pool2d(f * 1e-4 + 0.1, 96).flatten(1)))
    head = camlib.find_head(network, torch.randn(1, 3, 96, 96))
    assert head.features.shape == (1, K, 96, 96)


def test_features_written_to_after_the_pooling_are_refused() -> None:
    """Here each average stays what it was, so that only the places would be wrong."""

    def turn_over(network: Net, features: Tensor) -> Tensor:
        pooled = features.mean((2, 3))
        features.copy_(features.flip(3))
        return network.fc(pooled)

    network = Net(turn_over)
    for _ in range(2):
        with pytest.raises(camlib.NotCAMReadyError) as caught:
            camlib.find_head(network, torch.randn(2, 3, 6, 6))
        assert str(caught.value) == (
            "network: expected feature maps that stay as they were when they were averaged, got "
            "some that are written to in place afterwards. Leave out the in-place call behind the "
            "pooling, for example ReLU(inplace=True)."
        )


def test_arguments_may_be_passed_by_name() -> None:
    def by_name(network: Net, features: Tensor) -> Tensor:
        one = nn.functional.conv2d(input=features, weight=network.to_maps.weight)
        return nn.functional.linear(input=one.mean(dim=(2, 3)), weight=torch.eye(C))

    network = Net(by_name)
    network.features = lambda images: images.repeat(1, 2, 1, 1)[:, :K]  # type: ignore[method-assign]
    assert (
        camlib.find_head(network, torch.randn(2, 3, 6, 6)).weight.tolist() == torch.eye(C).tolist()
    )


def test_wrong_channels_are_named_on_every_call() -> None:
    """Also when the first call was fine, and the next one goes by what it learnt."""
    network = Net(READY["no bias"])
    camlib.find_head(network, torch.randn(1, 3, 6, 6))
    with pytest.raises(ValueError, match="images: expected 3 channels, which the network's first"):
        camlib.find_head(network, torch.randn(1, 1, 6, 6))


def test_a_grey_picture_three_pixels_wide_is_not_taken_for_colours_last() -> None:
    network = Plain(nn.Conv2d(1, K, 1))
    assert camlib.find_head(network, torch.randn(1, 1, 3, 3)).features.shape == (1, K, 3, 3)


class Empty(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


def _images(**changes: object) -> Tensor:
    images = torch.randn(1, 3, 6, 6)
    for value in changes.values():
        images[0, 0, 0, 0] = value
    return images


GOOD = Net(READY["no bias"])
BAD_INPUT: list[tuple[object, object, type[Exception], str]] = [
    (
        "resnet50",
        _images(),
        TypeError,
        "network: expected a torch.nn.Module, got str 'resnet50'. Pass the network itself, for "
        "example camlib.networks.efficientnet_lite0().",
    ),
    (
        Empty(),
        _images(),
        ValueError,
        "network: expected a network with parameters, got Empty without any. "
        "Pass the trained classifier.",
    ),
    (
        Net(READY["no bias"]).to("meta"),
        _images(),
        ValueError,
        "network: expected parameters that hold numbers, got Net on the meta device. Give it memory "
        'with network.to_empty(device="cpu"), then load its weights.',
    ),
    (
        GOOD,
        _images().to("meta"),
        ValueError,
        "images: expected torch.float32 on cpu like the network's weights, got torch.float32 on "
        'meta. Convert them: images.to("cpu", torch.float32).',
    ),
    (
        GOOD,
        _images()[0],
        ValueError,
        "images: expected 4 axes, which the network's first convolution reads, got Tensor of shape "
        "(3, 6, 6) and dtype float32. If the first axis (n) is missing, add it: images[None].",
    ),
    (
        GOOD,
        np.zeros((1, 3, 6, 6)),
        TypeError,
        "images: expected a torch.Tensor, got ndarray of shape (1, 3, 6, 6) and dtype float64. "
        "Convert it first, for example with torch.as_tensor(images).",
    ),
    (
        GOOD,
        _images().permute(0, 2, 3, 1),
        ValueError,
        "images: expected 3 channels, which the network's first convolution reads, got 6. Move the "
        "channels: images.permute(0, 3, 1, 2).",
    ),
    (
        GOOD,
        torch.zeros(1, 3, 6, 6, dtype=torch.uint8),
        TypeError,
        "images: expected a floating-point tensor, got Tensor of shape (1, 3, 6, 6) and dtype "
        "uint8. Convert it first, for example with images.float().",
    ),
    (
        GOOD,
        torch.zeros(0, 3, 6, 6),
        ValueError,
        "images: expected at least one element along every axis, got Tensor of shape (0, 3, 6, 6) and "
        "dtype float32. Pass a batch (n, channels, *places) that holds a picture.",
    ),
    (
        GOOD,
        torch.zeros(1, 3, 0, 6),
        ValueError,
        "images: expected at least one element along every axis, got Tensor of shape (1, 3, 0, 6) and "
        "dtype float32. Pass a batch (n, channels, *places) that holds a picture.",
    ),
    (
        GOOD,
        _images(value=float("nan")),
        ValueError,
        "images: expected finite numbers, got NaN or infinity in 1 of 108 elements. "
        "Look for a division by zero in the preprocessing.",
    ),
    (
        GOOD,
        _images(value=float("-inf")),
        ValueError,
        "images: expected finite numbers, got NaN or infinity in 1 of 108 elements. "
        "Look for a division by zero in the preprocessing.",
    ),
    (
        GOOD,
        torch.randn(1, 1, 6, 6),
        ValueError,
        "images: expected 3 channels, which the network's first convolution reads, got 1. "
        "Repeat the grey channel: images.repeat(1, 3, 1, 1).",
    ),
    (
        GOOD,
        torch.randn(1, 4, 6, 6),
        ValueError,
        "images: expected 3 channels, which the network's first convolution reads, got 4. "
        "Drop or add channels, for example images[:, :3].",
    ),
    (
        GOOD,
        torch.randn(1, 3, 6, 6, dtype=torch.float64),
        ValueError,
        "images: expected torch.float32 on cpu like the network's weights, got torch.float64 on "
        'cpu. Convert them: images.to("cpu", torch.float32).',
    ),
    (
        Net(lambda n, f: {"out": f}),
        _images(),
        ValueError,
        "network: expected an output of shape (n, classes) = (1, classes), got dict. "
        "Pass run=lambda network, images: network(images)['out'].",
    ),
    (
        Net(lambda n, f: f),
        _images(),
        ValueError,
        "network: expected an output of shape (n, classes) = (1, classes), got Tensor of shape "
        "(1, 5, 6, 6) and dtype float32. Pass run=lambda network, images: ..., a function that "
        "returns the logits.",
    ),
    (
        Net(lambda n, f: n.fc((f / 0).mean((2, 3)))),
        _images(),
        ValueError,
        "network(images): expected finite numbers, got NaN or infinity in 4 of 4 elements. "
        "Look for damaged weights or an overflow.",
    ),
]


@pytest.mark.parametrize(("network", "images", "error", "message"), BAD_INPUT)
def test_bad_input_is_named(
    network: nn.Module, images: Tensor, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        camlib.find_head(network, images)
    assert str(caught.value) == message


NORMALISE = (
    "Normalise them as the network was trained (camlib.networks.preprocess for efficientnet_lite0, "
    "weights.transforms() for torchvision); if the network was trained on such values, pass "
    "check_values=False to silence this warning."
)


@pytest.mark.parametrize(
    ("low", "high", "looks"),
    [
        (0, 255, "raw pixels from 0 to 255"),
        (0, 1, "pixels from 0 to 1 that were not normalised"),
        (-1024, 1024, "measurements that were not normalised"),
    ],
)
def test_values_that_look_raw_warn_and_never_raise(low: int, high: int, looks: str) -> None:
    images = torch.linspace(low, high, 108).view(1, 3, 6, 6)
    with pytest.warns(UserWarning, match="images: expected normalised values") as caught:
        head = camlib.find_head(GOOD, images)
    assert [str(one.message) for one in caught] == [
        f"images: expected normalised values, got {low:.3g} to {high:.3g}, which look like {looks}. "
        + NORMALISE
    ]
    assert caught[0].filename == __file__
    assert torch.equal(camlib.find_head(GOOD, images, check_values=False).logits, head.logits)


@pytest.mark.parametrize("low", [0.3, 0.0])
def test_bright_and_flat_pictures_are_no_reason_to_warn(low: float) -> None:
    """Normalised, a photograph without a dark pixel has positive values alone; a flat one just one."""
    images = torch.full((1, 3, 6, 6), low)
    images[0, 0, 0, 0] = 2.2 if low else 0
    assert camlib.find_head(GOOD, images).logits.shape == (1, C)
