"""Class activation maps: by hand, on torchvision's networks, and on networks that do odd things."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import camlib
from camlib import networks, photos
from tests.explain.networks import build, random_pictures, unchanged

PICTURE = torch.tensor([[[[1.0, -2.0], [3.0, 4.0]]]])


class Tiny(nn.Module):
    """Two channels that are the picture and its negative; then pool and a linear layer of two rows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.fc = nn.Linear(2, 2)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
        self.fc.weight.data = torch.tensor([[3.0, 1.0], [0.0, -2.0]])
        self.fc.bias.data = torch.tensor([0.5, -1.0])

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.conv(images).mean(dim=(2, 3)))


def assert_identity(cam: camlib.ClassActivationMaps, tolerance: float = 1e-5) -> None:
    gap = (cam.maps.mean(dim=(2, 3)) + cam.offset - cam.logits).abs().max()
    assert gap <= tolerance * cam.logits.abs().max()


def test_by_hand() -> None:
    """The picture is [1 -2; 3 4], its mean 1.5.

    Class 0: 3·x + 1·(-x) = 2x, bias 0.5, logit 2·1.5 + 0.5 = 3.5.
    Class 1: -2·(-x) = 2x, bias -1, logit 2.
    """
    cam = camlib.class_activation_maps(Tiny(), PICTURE)
    assert cam.maps.tolist() == [[[[2.0, -4.0], [6.0, 8.0]], [[2.0, -4.0], [6.0, 8.0]]]]
    assert cam.offset.tolist() == [[0.5, -1.0]]
    assert cam.logits.tolist() == [[3.5, 2.0]]
    assert cam.classes.tolist() == [0, 1]


def test_the_cat_photograph() -> None:
    network = networks.efficientnet_lite0()
    images = networks.preprocess(photos.load("cat"))
    cam = camlib.class_activation_maps(network, images)
    assert cam.maps.shape == (1, 1000, 7, 7)
    assert "cat" in networks.class_names()[int(cam.logits.argmax())]
    assert_identity(cam)
    with torch.no_grad():
        torch.testing.assert_close(cam.logits, network(images), rtol=1e-4, atol=1e-4)
        by_hand = torch.einsum(
            "nkhw,ck->nchw", network.features(images), network.classifier[1].weight
        )
    torch.testing.assert_close(cam.maps, by_hand, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(cam.offset[0], network.classifier[1].bias.detach())


def test_two_classes_in_one_picture_find_their_own_half() -> None:
    images = networks.preprocess(photos.load("cat_and_coffee"), resize=None, crop=None)
    cat, espresso = (networks.class_names().index(name) for name in ("Egyptian cat", "espresso"))
    cam = camlib.class_activation_maps(networks.efficientnet_lite0(), images, [cat, espresso])
    left, right = cam.maps[0, :, :, :7].mean((1, 2)), cam.maps[0, :, :, 7:].mean((1, 2))
    assert left[0] - right[0] > 5
    assert right[1] - left[1] > 5


@pytest.mark.parametrize(
    "name", ["resnet18", "densenet121", "inception_v3", "swin_t", "convnext_tiny", "squeezenet1_1"]
)
def test_the_identity_holds(name: str) -> None:
    """Twice: the first call learns where the network pools, the second watches from there."""
    network, images = build(name).train(), random_pictures(2, side=128)
    first = camlib.class_activation_maps(network, images)
    assert_identity(first)
    assert_identity(camlib.class_activation_maps(network, images.flip(0)))
    with torch.no_grad():
        expected = network.eval()(images)
    assert (first.logits - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 160), (321, 224)])
def test_any_size_of_picture(height: int, width: int) -> None:
    cam = camlib.class_activation_maps(build("resnet10"), torch.randn(1, 3, height, width))
    assert cam.maps.shape[2:] == (-(-height // 32), -(-width // 32))
    assert_identity(cam)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("resnet18", "'layer4.0.conv1' of type Conv2d"),
        ("densenet121", "'features.transition3.pool' of type AvgPool2d"),
        ("squeezenet1_1", "'features.8' of type MaxPool2d"),
        ("swin_t", "'features.6' of type PatchMerging"),
    ],
)
def test_a_map_of_one_cell_is_refused(name: str, layer: str) -> None:
    """Also if the network has been explained with larger pictures before."""
    network = build(name)
    for size in (32, 96, 32):
        images = torch.randn(2, 3, size, size)
        if size == 96:
            assert camlib.class_activation_maps(network, images).maps.shape[2:].numel() > 8
            continue
        with pytest.raises(camlib.NotCAMReadyError, match=layer) as refusal:
            camlib.class_activation_maps(network, images)
        if name != "swin_t":
            assert "leaves maps of one cell" in str(refusal.value)
            assert "Pass larger pictures" in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "reason"), [("vgg11", "flattened values"), ("mobilenet_v3_small", "Hardswish")]
)
def test_where_larger_pictures_would_not_help_the_other_reason_is_given(
    name: str, reason: str
) -> None:
    """Both leave one cell of 32x32 pixels, and are refused for 224x224 too."""
    with pytest.raises(camlib.NotCAMReadyError, match=reason):
        camlib.class_activation_maps(build(name), torch.randn(1, 3, 32, 32))


def test_a_few_classes_only() -> None:
    network, images = build("resnet10"), random_pictures(2)
    every = camlib.class_activation_maps(network, images)
    few = camlib.class_activation_maps(network, images, classes=[7, 3, 7])
    assert few.classes.tolist() == [7, 3, 7]
    for found, expected in ((few.maps, every.maps), (few.logits, every.logits)):
        torch.testing.assert_close(found, expected[:, [7, 3, 7]])
    assert_identity(few)


@pytest.mark.parametrize(
    "classes",
    [torch.tensor([1, 0]), np.array([1, 0]), [np.int64(1), np.int32(0)], range(1, -1, -1)],
)
def test_classes_in_other_forms(classes: object) -> None:
    cam = camlib.class_activation_maps(Tiny(), PICTURE, classes)  # type: ignore[arg-type]
    assert cam.classes.tolist() == [1, 0]
    assert cam.offset.tolist() == [[-1.0, 0.5]]


@pytest.mark.parametrize(
    ("classes", "error", "message"),
    [
        ([2], ValueError, "expected indices from 0 to 1, got 2. Count from the first class"),
        ([0, -1], ValueError, "expected indices from 0 to 1, got -1. Count from the first class"),
        ([2**70], ValueError, "expected class indices, got 1180591620717411303424. Pass smaller"),
        ([], ValueError, "expected at least one class index, got none. Pass None for all"),
        (1, TypeError, r"expected a sequence .* got 1. .* pass a list of one: classes=\[281\]"),
        ("cat", TypeError, "expected a sequence of class indices, got 'cat'"),
        (torch.tensor([True, False]), TypeError, "expected whole numbers, got True of type bool"),
        (np.array([0.5]), TypeError, "expected whole numbers, got 0.5 of type float"),
        ([0, "tabby"], TypeError, r"whole numbers, got 'tabby' of type str. .*class_names\(\)"),
    ],
)
def test_bad_classes_are_named(classes: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^classes: .*{message}"):
        camlib.class_activation_maps(Tiny(), PICTURE, classes)  # type: ignore[arg-type]


def test_maps_may_be_used_in_training_afterwards() -> None:
    network = Tiny()
    with torch.inference_mode():
        cam = camlib.class_activation_maps(network, PICTURE)
    (network.fc.weight.sum() * cam.maps).sum().backward()
    assert network.fc.weight.grad is not None


def test_nothing_is_left_behind_after_a_refusal() -> None:
    network, images = build("mobilenet_v3_small").train(), random_pictures(1)
    next(network.children()).eval()
    for _ in range(2):
        with unchanged(network, images), pytest.raises(camlib.NotCAMReadyError):
            camlib.class_activation_maps(network, images)


def test_follows_the_weights_when_they_change_but_a_copy_does_not() -> None:
    network = Tiny()
    before = camlib.class_activation_maps(network, PICTURE).maps
    same = copy.deepcopy(network)
    with torch.no_grad():
        network.fc.weight.mul_(2)
    torch.testing.assert_close(camlib.class_activation_maps(network, PICTURE).maps, 2 * before)
    assert torch.equal(camlib.class_activation_maps(same, PICTURE).maps, before)


def test_follows_the_network_when_its_forward_changes() -> None:
    """What was learnt about where it pools no longer holds, so it is looked for again."""
    network, images = build("resnet10"), random_pictures(1)
    camlib.class_activation_maps(network, images)
    network.layer4 = nn.Sequential(nn.Conv2d(256, 512, 3, padding=1), nn.ReLU())
    cam = camlib.class_activation_maps(network, images)
    assert cam.maps.shape == (1, 1000, 4, 4)
    assert_identity(cam)


class Views(Tiny):
    """Flattens its features with a view, which the channels-last layout does not allow."""

    def forward(self, images: Tensor) -> Tensor:
        features = self.conv(images)
        return self.fc(features.view(len(images), -1).view(len(images), 2, -1).mean(2))


class WritesBehind(Tiny):
    """Doubles the averages through a view of them, in place: a linear head all the same."""

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.conv(images).mean(dim=(2, 3))
        pooled.view(-1).mul_(2)
        return self.fc(pooled)


class Nothing(torch.overrides.TorchFunctionMode):
    """A function mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        return func(*args, **(kwargs or {}))


class Modal(Tiny):
    """Runs its parts under function modes."""

    def forward(self, images: Tensor) -> Tensor:
        with Nothing():
            features = self.conv(images)
        with torch.device("cpu"), Nothing():
            return self.fc(features.mean((2, 3)))


@pytest.mark.parametrize(
    ("network", "factor"),
    [
        (Views, 2),
        (WritesBehind, 4),  # the features count twice
        (Modal, 2),
        # Compiled code would hide its calls, or be compiled again with what watches it.
        (lambda: torch.compile(Tiny(), backend="eager"), 2),
    ],
)
def test_other_ways_to_run_the_same_network(
    network: Callable[[], nn.Module], factor: float
) -> None:
    """Tiny's maps are 2x for both classes."""
    built = network()
    for _ in range(3):
        cam = camlib.class_activation_maps(built, PICTURE)
        torch.testing.assert_close(cam.maps, (factor * PICTURE).expand(1, 2, 2, 2))
        assert cam.offset.tolist() == [[0.5, -1.0]]
        assert len(torch.overrides._get_current_function_mode_stack()) == 0


class ChangesItsMind(Tiny):
    """From its fourth run on it multiplies the averages, unseen by whoever looks at calls."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor, self.runs = factor, 0

    def forward(self, images: Tensor) -> Tensor:
        self.runs += 1
        pooled = self.conv(images).mean(dim=(2, 3))
        if self.runs > 3:
            pooled.numpy()[...] *= self.factor
        return self.fc(pooled)


@pytest.mark.parametrize("factor", [2.0, 1.01, 0.999])
def test_maps_that_do_not_average_to_the_logits_are_not_handed_out(factor: float) -> None:
    network, images = ChangesItsMind(factor), torch.rand(1, 1, 4, 4) - 2
    camlib.class_activation_maps(network, images)
    network.runs = 3
    with pytest.raises(camlib.NotCAMReadyError):
        camlib.class_activation_maps(network, images)
