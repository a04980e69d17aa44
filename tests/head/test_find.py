"""Finding the head: whatever the network does beside it, and bad input that is named."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision.models as zoo
from torch import Tensor, nn

import camlib
from tests.head.heads import Net as TableNet

K, C = 5, 4


class Net(nn.Module):
    """A convolution and a head written as a function of the features and of the module."""

    def __init__(self, head: Callable[["Net", Tensor], object], maps: int = K) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, maps, 3, padding=1)
        self.fc = nn.Linear(maps, C)
        self.head = head

    def forward(self, images: Tensor) -> object:
        return self.head(self, self.conv(images))


def average(network: Net, features: Tensor) -> Tensor:
    return network.fc(features.mean((2, 3)))


class TwoNumbers(nn.Module):
    """The picture's two channels as features, averaged, changed, and two rows of weights."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.change, self.fc = change, nn.Linear(2, 2, bias=False)
        self.fc.weight.data = torch.tensor([[1.0, 1.0], [2.0, 0.0]])

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.change(images.mean((2, 3))))


# Two channels of 1x2 cells, by their averages.
ONE_AND_THREE = torch.tensor([[[[0.0, 2.0]], [[6.0, 0.0]]]])
ONE_AND_SEVEN = torch.tensor([[[[0.0, 2.0]], [[6.0, 8.0]]]])
THREE_AND_FOUR = torch.tensor([[[[3.0, 3.0]], [[8.0, 0.0]]]])


@pytest.mark.parametrize(
    ("normaliser", "images", "logits", "weight"),
    [
        # Mean 2, spread 1, so (-1, 1); centred rows (0, 0) and (1, -1).
        (nn.LayerNorm(2, eps=0.0), ONE_AND_THREE, [0.0, -2.0], [[0.0, 0.0], [1.0, -1.0]]),
        (nn.GroupNorm(1, 2, eps=0.0), ONE_AND_THREE, [0.0, -2.0], [[0.0, 0.0], [1.0, -1.0]]),
        # Root of the mean square of (1, 7): sqrt(50 / 2) = 5, so (0.2, 1.4).
        (nn.RMSNorm(2, eps=0.0), ONE_AND_SEVEN, [1.6, 0.4], [[0.2, 0.2], [0.4, 0.0]]),
        # Length of (3, 4): 5, so (0.6, 0.8).
        (nn.functional.normalize, THREE_AND_FOUR, [1.4, 1.2], [[0.2, 0.2], [0.4, 0.0]]),
        # Spread of (3, 4): 0.5, so (6, 8); nothing is centred.
        (
            lambda v: v / v.std(1, correction=0, keepdim=True),
            THREE_AND_FOUR,
            [14.0, 12.0],
            [[2.0, 2.0], [4.0, 0.0]],
        ),
    ],
    ids=["LayerNorm", "GroupNorm", "RMSNorm", "length", "standard deviation"],
)
def test_a_held_spread_by_hand(
    normaliser: Callable[[Tensor], Tensor],
    images: Tensor,
    logits: list[float],
    weight: list[list[float]],
) -> None:
    """logit = weight row · average, the rows (1, 1) and (2, 0) over the spread; the offset is 0."""
    network = TwoNumbers(normaliser)
    head = camlib.find_head(network, images)
    torch.testing.assert_close(head.logits, torch.tensor([logits]))
    torch.testing.assert_close(head.weight, torch.tensor([weight]))
    torch.testing.assert_close(head.offset, torch.zeros(1, 2))
    assert len(head.held) == 1
    maps = torch.einsum("nck,nkhw->nchw", head.weight, images)
    torch.testing.assert_close(camlib.class_activation_maps(network, images).maps, maps)


def test_centring_alone_is_linear_by_hand() -> None:
    """(3, 4) less its mean is (-0.5, 0.5): the rows (1, 1) and (2, 0) become (0, 0) and (1, -1)."""
    head = camlib.find_head(TwoNumbers(lambda v: v - v.mean(1, keepdim=True)), THREE_AND_FOUR)
    torch.testing.assert_close(head.logits, torch.tensor([[0.0, -1.0]]))
    torch.testing.assert_close(head.weight, torch.tensor([[0.0, 0.0], [1.0, -1.0]]))
    torch.testing.assert_close(head.offset, torch.zeros(1, 2))
    assert head.held == ()


def test_what_is_remembered_of_a_held_spread_follows_the_network() -> None:
    """Other pictures, weights and biases than at the first call: maps of the layers written out."""
    network = TableNet(lambda n, f: n.fc(n.layer_norm(f.mean((2, 3)))))
    norm, last = network.layer_norm, network.fc
    with torch.no_grad():
        for count in (2, 5, 3):
            images = torch.randn(count, 3, 5, 7, dtype=torch.float64)
            cam = camlib.class_activation_maps(network, images)
            features = camlib.find_head(network, images).features
            spread = features.mean((2, 3)).var(1, correction=0).add(norm.eps).sqrt()
            normed = (features - features.mean(1, keepdim=True)) / spread[:, None, None, None]
            expected = torch.einsum("nkhw,ck->nchw", normed, last.weight * norm.weight)
            torch.testing.assert_close(cam.maps, expected)
            torch.testing.assert_close(cam.offset, (last(norm.bias)).expand(count, -1))
            for parameter in (*norm.parameters(), *last.parameters()):
                parameter.normal_()


def test_a_head_that_is_no_longer_affine_is_refused() -> None:
    """Its calls are the same as at the first call, where a clamp changed nothing."""
    bounds = [-1e9]
    network = TableNet(lambda n, f: n.fc(n.layer_norm(f.mean((2, 3))).clamp(min=bounds[0])))
    images = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    assert camlib.class_activation_maps(network, images).held
    bounds[0] = 0.0
    with pytest.raises(camlib.NotCAMReadyError, match="clamp"):
        camlib.class_activation_maps(network, images)


def test_a_held_spread_is_that_of_its_picture() -> None:
    """Each picture's map is the same alone and among others."""
    network = TableNet(lambda n, f: n.fc(n.layer_norm(f.mean((2, 3)))))
    images = torch.randn(3, 3, 5, 7, dtype=torch.float64)
    together = camlib.class_activation_maps(network, images).maps
    alone = [camlib.class_activation_maps(network, images[i : i + 1]).maps for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("alexnet", "layer 'classifier.1' of type Linear (linear) reads all 9216 = 256x6x6"),
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


@pytest.mark.parametrize("count", [3, 1])
@pytest.mark.parametrize(
    "pool",
    [
        lambda f: f.mean(2).mean(2),
        lambda f: f.mean((2, 3)),
        lambda f: nn.AdaptiveAvgPool2d(1)(f).flatten(1),
    ],
    ids=["in steps", "at once", "module"],
)
def test_one_feature_map_only(pool: Callable[[Tensor], Tensor], count: int) -> None:
    """Then a half-averaged map looks like a vector of as many channels as it has rows."""
    network = Net(lambda n, f: n.fc(pool(f)), maps=1)
    for _ in range(2):
        head = camlib.find_head(network, torch.randn(count, 3, 6, 6))
        assert head.features.shape == (count, 1, 6, 6)


def test_squeeze_drops_the_axis_of_a_single_picture() -> None:
    network = Net(lambda n, f: n.fc(f.mean((2, 3)).squeeze()).view(len(f), -1))
    for count in (2, 1):
        head = camlib.find_head(network, torch.randn(count, 3, 6, 6))
        assert head.features.shape == (count, K, 6, 6)
        assert head.weight.shape == (C, K)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
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
        with pytest.raises(camlib.NotCAMReadyError, match="written to in place afterwards"):
            camlib.find_head(network, torch.randn(2, 3, 6, 6))


def test_features_that_are_written_to_only_later_are_refused() -> None:
    """The first call finds a pooling module and a linear layer, and the second reads hooks on both."""

    def head(network: Net, features: Tensor) -> Tensor:
        pooled = network.pool(features)
        if network.writes:
            features.copy_(features.flip(3))
        return network.fc(pooled.flatten(1))

    network = Net(head)
    network.pool, network.writes = nn.AdaptiveAvgPool2d(1), False
    camlib.find_head(network, torch.randn(2, 3, 6, 6))
    network.writes = True
    with pytest.raises(camlib.NotCAMReadyError, match="written to in place afterwards"):
        camlib.find_head(network, torch.randn(2, 3, 6, 6))


def test_the_pooling_may_be_called_otherwise_later() -> None:
    """Its hook then sees no features, or other ones: the head is searched again."""
    calls: list[Callable[[Net, Tensor], Tensor]] = [
        lambda n, f: n.pool(f),
        lambda n, f: n.pool(input=f),
        lambda n, f: n.pool(f),
        lambda n, f: n.pool(f[:1]).expand(len(f), -1, -1, -1) * 0 + n.pool(f.tanh()),
    ]
    network = Net(lambda n, f: n.fc(calls[n.which](n, f).flatten(1)))
    network.pool = nn.AdaptiveAvgPool2d(1)
    images = torch.randn(2, 3, 6, 6)
    for network.which in range(len(calls)):
        cam = camlib.class_activation_maps(network, images)
        torch.testing.assert_close(cam.maps.mean((2, 3)) + cam.offset, network(images).detach())


def test_the_second_call_runs_the_network_once_with_two_hooks() -> None:
    """The first one runs it with hooks on all modules, and with other pictures on what comes first."""
    network = nn.Sequential(
        nn.Conv2d(3, K, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(K, C)
    )
    hooked: list[list[int]] = []

    def run(network: nn.Module, images: Tensor) -> Tensor:
        hooked.append([number for number, one in enumerate(network) if one._forward_hooks])
        return network(images)

    for _ in range(2):
        camlib.find_head(network, torch.randn(2, 3, 6, 6), run=run)
    first, others, second = hooked
    assert first == [0, 1, 2, 3]
    assert others == [0]
    assert second == [1, 3]


def test_averaged_tokens_have_the_rows_and_columns_of_their_patches() -> None:
    """Also at the second call, which could read the tokens from the module that averages them."""
    patches = nn.Sequential(nn.Conv2d(3, K, 3, padding=1), nn.Flatten(2), nn.Tanh())
    network = nn.Sequential(patches, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(K, C))
    for n in (2, 1):
        images = torch.randn(n, 3, 6, 5)
        head = camlib.find_head(network, images)
        with torch.no_grad():
            expected = patches(images).reshape(n, K, 6, 5)
        torch.testing.assert_close(head.features, expected)


def test_arguments_may_be_passed_by_name() -> None:
    def by_name(network: Net, features: Tensor) -> Tensor:
        one = nn.functional.conv2d(input=features, weight=torch.ones(C, K, 1, 1))
        return nn.functional.linear(input=one.mean(dim=(2, 3)), weight=2 * torch.eye(C))

    head = camlib.find_head(Net(by_name), torch.randn(2, 3, 6, 6))
    torch.testing.assert_close(head.weight, 2 * torch.eye(C))


def test_wrong_channels_are_named_on_every_call() -> None:
    """Also when the first call was fine, and the next one looks where the head was found."""
    network = Net(average)
    camlib.find_head(network, torch.randn(1, 3, 6, 6))
    with pytest.raises(ValueError, match="images: expected 3 channels, which the network's first"):
        camlib.find_head(network, torch.randn(1, 1, 6, 6))


def test_a_grey_picture_three_pixels_wide_is_not_taken_for_colours_last() -> None:
    network = Plain(nn.Conv2d(1, K, 1))
    assert camlib.find_head(network, torch.randn(1, 1, 3, 3)).features.shape == (1, K, 3, 3)


class Empty(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


def with_first(value: float) -> Tensor:
    images = torch.randn(1, 3, 6, 6)
    images[0, 0, 0, 0] = value
    return images


GOOD, IMAGES = Net(average), torch.randn(1, 3, 6, 6)
# Network, images, error, and what its message says: argument, expectation, what was given, remedy.
BAD_INPUT: list[tuple[object, object, type[Exception], str]] = [
    (
        "resnet50",
        IMAGES,
        TypeError,
        r"network: expected a torch\.nn\.Module, got str 'resnet50'\. Pass the network itself",
    ),
    (
        Empty(),
        IMAGES,
        ValueError,
        r"network: expected .* parameters, got Empty .*\. Pass the trained",
    ),
    (
        Net(average).to("meta"),
        IMAGES,
        ValueError,
        r"network: expected parameters that hold numbers, got Net on the meta .*to_empty",
    ),
    (
        GOOD,
        IMAGES.to("meta"),
        ValueError,
        r'images: expected torch\.float32 on cpu .* got .* on meta\. .*images\.to\("cpu"',
    ),
    (
        GOOD,
        IMAGES[0],
        ValueError,
        r"images: expected 4 axes, .* got .* \(3, 6, 6\) .* add it: images\[None\]",
    ),
    (
        GOOD,
        np.zeros((1, 3, 6, 6)),
        TypeError,
        r"images: expected a torch\.Tensor, got ndarray .* torch\.as_tensor\(images\)",
    ),
    (
        GOOD,
        IMAGES.permute(0, 2, 3, 1),
        ValueError,
        r"images: expected 3 channels, .* got 6\. Move the channels: .*permute\(0, 3, 1, 2\)",
    ),
    (
        GOOD,
        torch.zeros(1, 3, 6, 6, dtype=torch.uint8),
        TypeError,
        r"images: expected a floating-point tensor, got .* uint8\. .*images\.float\(\)",
    ),
    (
        GOOD,
        torch.zeros(0, 3, 6, 6),
        ValueError,
        r"images: expected at least one element along every axis, got .*\(0, 3, 6, 6\).* Pass",
    ),
    (
        GOOD,
        with_first(float("nan")),
        ValueError,
        r"images: expected finite numbers, got NaN or infinity in 1 of 108 elements\. Look",
    ),
    (
        GOOD,
        with_first(float("-inf")),
        ValueError,
        r"images: expected finite numbers, got NaN or infinity in 1 of 108 elements\. Look",
    ),
    (
        GOOD,
        torch.randn(1, 1, 6, 6),
        ValueError,
        r"images: expected 3 channels, .* got 1\. Repeat the grey channel: .*repeat\(1, 3, 1, 1\)",
    ),
    (
        GOOD,
        torch.randn(1, 4, 6, 6),
        ValueError,
        r"images: expected 3 channels, .* got 4\. Drop or add .* images\[:, :3\]",
    ),
    (
        GOOD,
        IMAGES.double(),
        ValueError,
        r"images: expected torch\.float32 .* got torch\.float64 .*images\.to\(",
    ),
    (
        Net(lambda n, f: {"out": f}),
        IMAGES,
        ValueError,
        r"network: expected an output of shape .* got dict\. Pass run=.*\['out'\]",
    ),
    (
        Net(lambda n, f: f),
        IMAGES,
        ValueError,
        r"network: expected an output of shape .* got Tensor .* Pass run=.*the logits",
    ),
    (
        Net(lambda n, f: n.fc((f / 0).mean((2, 3)))),
        IMAGES,
        ValueError,
        r"network\(images\): expected finite numbers, got .* in 4 of 4 elements\. Look",
    ),
]


@pytest.mark.parametrize(("network", "images", "error", "words"), BAD_INPUT)
def test_bad_input_is_named(
    network: nn.Module, images: Tensor, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        camlib.find_head(network, images)


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
    with pytest.warns(
        UserWarning, match=f"images: expected normalised values, got .*{looks}"
    ) as it:
        head = camlib.find_head(GOOD, images)
    assert len(it) == 1
    assert it[0].filename == __file__
    assert "check_values=False" in str(it[0].message)
    assert torch.equal(camlib.find_head(GOOD, images, check_values=False).logits, head.logits)


@pytest.mark.parametrize("low", [0.3, 0.0])
def test_bright_and_flat_pictures_are_no_reason_to_warn(low: float) -> None:
    """Normalised, a photograph without a dark pixel has positive values alone; a flat one just one."""
    images = torch.full((1, 3, 6, 6), low)
    images[0, 0, 0, 0] = 2.2 if low else 0
    assert camlib.find_head(GOOD, images).logits.shape == (1, C)


def test_single_numbers_of_feature_maps_are_refused_by_name() -> None:
    """Read one by one, and written into a vector of their own."""

    class OneByOne(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            maps, corners = self.features(x), torch.zeros(len(x), 4)
            for picture in range(len(x)):
                for channel in range(4):
                    corners[picture, channel] = 2 + maps[picture, channel, 0, 0]
            return self.fc(corners)

    with pytest.raises(camlib.NotCAMReadyError, match="__getitem__ takes something else of each"):
        camlib.find_head(OneByOne(), torch.randn(2, 3, 8, 8))
