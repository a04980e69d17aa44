"""What Grad-CAM refuses, and how it says so."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import camlib
from tests.explain.networks import With, build, random_pictures, small, tiny_transformer

PICTURES = random_pictures(2, 1, 4)
PATCHES = random_pictures(2, 3, 32)


def forward(self: With, images: Tensor) -> Tensor:
    return self.fc(self.act(self.conv(images)).flatten(1))


def beside(self: With, images: Tensor) -> Tensor:
    self.other(images)
    return forward(self, images)


def with_other(call: Callable[[With, Tensor], object]) -> With:
    network = small(call)
    network.add_module("other", nn.Conv2d(1, 2, 1))
    return network


def root_of_zero(self: With, images: Tensor) -> Tensor:
    norms = (0 * self.conv(images)).pow(2).sum((2, 3), keepdim=True).sqrt()
    return self.fc(norms.expand(-1, -1, 4, 4).flatten(1))


def made_in_inference_mode() -> nn.Module:
    with torch.inference_mode():
        return small(forward)


def patches(tokens: Tensor) -> Tensor:
    return tokens[:, 1:].transpose(1, 2).unflatten(2, (4, 4))


NO_GRADIENT = (
    "target: expected a score that has a gradient at layer 'conv', got one without. Leave no_grad, "
    "inference_mode, detach, argmax and rounding out of what lies between them, or choose another "
    "layer."
)
ALL_NAMES = "dict(network.named_modules()) has all names."
NO_LAYER = "layer: found no layer of shape (n, k, *places) on which the score depends. "
FORMS = (
    "Pass a class index, a list of them (for every picture), a tensor of shape (pictures,) or "
    "(pictures, t) with each picture's own, None for all classes, or a function from the network's "
    "output to one number for each picture."
)
ONE_NUMBER = (
    "target: expected a function that returns one number for each picture, shape (2,), got {}. For "
    "class 5 of logits: lambda logits: logits[:, 5]."
)
LENGTH = (
    "target: expected a tensor with the classes of each of the 2 pictures, shape (2,) or (2, t), got "
    "Tensor of shape {} and dtype int64. For the same classes in every picture pass a list: "
    "target.tolist()."
)


def refused(error: type[Exception], message: str, *arguments: object, **options: object) -> None:
    """Both methods refuse alike."""
    for method in (camlib.grad_cam, camlib.grad_cam_plus_plus):
        with pytest.raises(error) as caught:
            method(*arguments, **options)  # type: ignore[call-overload]
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("network", "layer", "error", "message"),
    [
        (
            lambda: small(forward),
            "convolution",
            ValueError,
            "layer: expected the name of a layer of With, got 'convolution'. Close to it: 'conv'.",
        ),
        (
            lambda: small(forward),
            "zzz",
            ValueError,
            f"layer: expected the name of a layer of With, got 'zzz'. {ALL_NAMES}",
        ),
        (
            lambda: small(forward),
            3,
            TypeError,
            f"layer: expected a layer's name or the layer itself, got int 3. {ALL_NAMES}",
        ),
        (
            lambda: small(forward),
            [None],
            TypeError,
            f"layer: expected a layer's name or the layer itself, got NoneType. {ALL_NAMES}",
        ),
        (
            lambda: small(forward),
            [],
            ValueError,
            "layer: expected at least one layer, got an empty list. Pass None for the default.",
        ),
        (
            lambda: small(forward),
            nn.ReLU(),
            ValueError,
            "layer: expected a layer of this With, got a ReLU that is not in it. Pass a name, or "
            "take the layer from this very network, not from a copy.",
        ),
        (
            lambda: small(forward),
            "fc",
            ValueError,
            "layer: expected an output of shape (2, k, h, w), got Tensor of shape (2, 3) and dtype "
            "float32 from 'fc'. Choose a layer before the places are pooled or flattened.",
        ),
        (
            lambda: with_other(forward),
            "other",
            ValueError,
            "layer: expected a layer that the network runs, got 'other', which it does not reach "
            "with these images. Choose one that takes part in the forward pass.",
        ),
        (
            lambda: with_other(beside),
            "other",
            ValueError,
            "layer: expected a layer on which the score depends, got one that it does not read, or "
            "reads only through detach, argmax or rounding. Choose one on the way to the score.",
        ),
        (
            lambda: small(
                lambda self, images: self.fc(self.act(self.act(self.conv(images))).flatten(1))
            ),
            "act",
            ValueError,
            "layer: expected a layer that runs once, got 'act', which runs 2 times in a forward pass. "
            "Choose a call, counted from 1: layer=('act', 1).",
        ),
        (
            lambda: torch.jit.trace(small(forward), PICTURES),
            "conv",
            ValueError,
            "layer: expected a layer that shows its output, got 'conv', which is scripted or traced. "
            "Pass the original network.",
        ),
        (
            lambda: small(lambda self, images: forward(self, images).detach()),
            "conv",
            ValueError,
            NO_GRADIENT,
        ),
        (
            lambda: small(lambda self, images: forward(self, images).detach()),
            None,
            ValueError,
            NO_GRADIENT.replace("conv", "act"),
        ),
        (
            lambda: With(lambda self, images: self.fc(images.flatten(1)), fc=nn.Linear(16, 3)),
            None,
            ValueError,
            f'{NO_LAYER}Name one: layer="features.12", or the layer itself.',
        ),
        (
            lambda: torch.jit.trace(small(forward), PICTURES),
            None,
            ValueError,
            f"{NO_LAYER}Pass the original network: a scripted or traced one hides its layers.",
        ),
        (
            made_in_inference_mode,
            "conv",
            ValueError,
            "network: expected parameters that a gradient can pass, got some that were made under "
            "torch.inference_mode. Build the network outside of it.",
        ),
        (
            lambda: small(root_of_zero),
            "conv",
            ValueError,
            "gradients: expected finite numbers, got NaN or infinity in 8 of 8 elements. Look for "
            "the root or the norm of zero, 0/0, or an overflow of float16: "
            "torch.autograd.detect_anomaly() names the call.",
        ),
        (
            lambda: small(lambda self, images: {"logits": forward(self, images)}),
            "conv",
            ValueError,
            "network: expected an output of shape (n, classes) = (2, classes), got dict. Pass "
            "run=lambda network, images: network(images)['logits'].",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.torch.jit")  # torch.jit.trace is on its way out
def test_layers_that_are_refused(
    network: Callable[[], nn.Module], layer: object, error: type[Exception], message: str
) -> None:
    refused(error, message, network(), PICTURES, 1, layer)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (
            3,
            ValueError,
            "target: expected indices from 0 to 2, got 3. Count from the first class, not from the "
            "last.",
        ),
        (
            [0, -1],
            ValueError,
            "target: expected indices from 0 to 2, got -1. Count from the first class, not from the "
            "last.",
        ),
        (
            [],
            ValueError,
            "target: expected at least one class index, got none. Pass None for all classes.",
        ),
        (
            "coat",
            TypeError,
            "target: expected whole numbers, got 'coat' of type str. Pass indices; for a name use "
            "camlib.networks.class_names().index(name).",
        ),
        (
            True,
            TypeError,
            "target: expected whole numbers, got True of type bool. Pass indices; for a name use "
            "camlib.networks.class_names().index(name).",
        ),
        (1.5, TypeError, f"target: expected classes or a function, got float 1.5. {FORMS}"),
        ({}, TypeError, f"target: expected classes or a function, got dict. {FORMS}"),
        (torch.tensor([1, 2, 0]), ValueError, LENGTH.format("(3,)")),
        (torch.tensor([1]), ValueError, LENGTH.format("(1,)")),
        (torch.ones(2, 1, 1, dtype=torch.long), ValueError, LENGTH.format("(2, 1, 1)")),
        (
            torch.tensor([1.0, 2.0]),
            TypeError,
            "target: expected whole numbers, got Tensor of shape (2,) and dtype float32. Pass "
            "indices, for example logits.argmax(dim=1).",
        ),
        (
            lambda logits: logits,
            ValueError,
            ONE_NUMBER.format("Tensor of shape (2, 3) and dtype float32"),
        ),
        (
            lambda logits: logits.sum(),
            ValueError,
            ONE_NUMBER.format("Tensor of shape () and dtype float32"),
        ),
        (lambda logits: 3.0, ValueError, ONE_NUMBER.format("float 3.0")),
        (
            lambda logits: logits[:, 0] / 0,
            ValueError,
            "target(network(images)): expected finite numbers, got NaN or infinity in 2 of 2 "
            "elements. Look at what the target computes.",
        ),
        (lambda logits: logits.argmax(1).float(), ValueError, NO_GRADIENT),
    ],
)
def test_targets_that_are_refused(target: object, error: type[Exception], message: str) -> None:
    refused(error, message, small(forward), PICTURES, target, "conv")
    averages = small(lambda self, images: self.fc(self.conv(images).mean((2, 3)).repeat(1, 16)))
    with pytest.raises(error, match="target"):  # nor does a network without a named layer take them
        camlib.grad_cam(averages, PICTURES, target)  # type: ignore[call-overload]


def test_a_score_that_the_head_does_not_feel_is_refused() -> None:
    message = (
        "target: expected a score with a gradient, got one that does not depend on the network's "
        "output, or only by detach, argmax or rounding. Return a number taken from the output."
    )
    network, images = build("resnet18"), random_pictures(2)
    refused(ValueError, message, network, images, lambda logits: logits.argmax(1).float())
    refused(ValueError, message, network, images, lambda logits: torch.ones(2, requires_grad=True))


RESHAPE = "pass reshape=lambda tokens: tokens[:, 1:].transpose(1, 2).unflatten(2, (4, 4))."


@pytest.mark.parametrize(
    ("layer", "reshape", "message"),
    [
        (
            None,
            None,
            "layer: found no feature maps (n, k, *places) at the end of the network, but 'encoder' of "
            f"shape (2, 17, 16), a sequence of 17 tokens. Name a layer and {RESHAPE} Behind the last "
            "attention a score may read the class token alone.",
        ),
        (
            "encoder.ln",
            None,
            "layer: expected an output of shape (2, k, h, w), got Tensor of shape (2, 17, 16) and "
            "dtype float32 from 'encoder.ln'. Its 17 tokens have no rows and columns: "
            f"{RESHAPE}",
        ),
        (
            "encoder.ln",
            patches,
            "reshape: expected places on which the score depends, got gradients of exactly 0 at all "
            "of them: the score reads only what reshape leaves out, such as the class token. Choose "
            "a layer in front of the last attention, such as its normalisation.",
        ),
        (
            "encoder.ln",
            lambda tokens: tokens,
            "reshape: expected a function that returns feature maps of shape (2, k, h, w), got Tensor "
            "of shape (2, 17, 16) and dtype float32 from Tensor of shape (2, 17, 16) and dtype "
            "float32. Make the last axes those of the places, as many as the images have.",
        ),
        (
            None,
            patches,
            "layer: expected a layer whose output is reshaped, got None. Name the layer that reshape "
            "was written for.",
        ),
        (
            "encoder.layers.encoder_layer_1.self_attention",
            patches,
            "layer: expected a layer whose output is one floating-point tensor, got "
            "'encoder.layers.encoder_layer_1.self_attention', which returns tuple. Choose a layer "
            "inside it.",
        ),
    ],
)
def test_a_sequence_of_tokens_is_explained(
    layer: str | None, reshape: Callable[[Tensor], Tensor] | None, message: str
) -> None:
    refused(ValueError, message, tiny_transformer(), PATCHES, [1, 2], layer, reshape=reshape)


def test_channels_last_are_explained() -> None:
    class Highest(nn.Module):
        def forward(self, maps: Tensor) -> Tensor:
            return maps.amax((1, 2))

    network = build("swin_t")
    network.permute, network.avgpool, network.flatten = nn.Identity(), Highest(), nn.Identity()
    message = (
        "layer: found no feature maps (n, k, *places) at the end of the network, but 'permute' of shape "
        "(1, 3, 3, 768), which has the channels last. Name a layer and pass reshape=lambda maps: "
        "maps.permute(0, 3, 1, 2)."
    )
    refused(ValueError, message, network, random_pictures(1, side=96), 1)


def test_images_are_checked_as_everywhere() -> None:
    with pytest.raises(ValueError, match=r"images: expected 1 channels, which the network's first"):
        camlib.grad_cam(small(forward), PICTURES.repeat(1, 3, 1, 1), 1)
    with pytest.warns(UserWarning, match="images: expected normalised values"):
        camlib.grad_cam(small(forward), PICTURES.abs() * 100, 1)
    with pytest.raises(TypeError, match=r"network: expected a torch\.nn\.Module"):
        camlib.grad_cam("resnet", PICTURES, 1)  # type: ignore[call-overload]


def test_a_map_without_a_positive_value_is_said_to_be_one() -> None:
    """Class 1 of a score that only falls: all weights negative on features that are not."""

    class Falls(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 1, 1, bias=False), nn.Linear(16, 2, bias=False)
            self.conv.weight.data.fill_(1.0)
            self.fc.weight.data = torch.tensor([[1.0], [-1.0]]).expand(2, 16).clone()

        def forward(self, images: Tensor) -> Tensor:
            return self.fc(self.conv(images).relu().flatten(1))

    found = camlib.grad_cam(Falls(), PICTURES.abs(), [0, 1])
    assert found.has_positive.tolist() == [[True, False], [True, False]]
    assert camlib.scaling.positive(found.maps)[:, 1].max() == 0


def test_whole_numbers_are_no_logits() -> None:
    message = (
        "network: expected logits that are floating-point numbers, got Tensor of shape (2, 3) and dtype "
        "int64. Leave argmax and rounding out of forward."
    )
    refused(ValueError, message, small(lambda n, images: forward(n, images).long()), PICTURES, 0)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (2**70, ValueError, f"target: expected class indices, got {2**70}. Pass smaller ones."),
        (
            np.array(["cat", "dog"]),
            TypeError,
            f"target: expected classes or a function, got ndarray of shape (2,) and dtype <U3. {FORMS}",
        ),
    ],
)
def test_targets_that_no_tensor_holds(target, error: type[Exception], message: str) -> None:
    refused(error, message, small(forward), PICTURES, target)


def test_a_reshape_that_is_no_function() -> None:
    message = (
        "reshape: expected a function from a layer's output to feature maps, got int 3. For tokens "
        "behind a class token: lambda tokens: tokens[:, 1:].transpose(1, 2).unflatten(2, (rows, "
        "columns))."
    )
    refused(TypeError, message, small(forward), PICTURES, 0, "conv", reshape=3)


def test_a_target_may_write_to_what_it_is_given() -> None:
    """To its own copy: the map is that of the same number without writing."""
    pooled = small(lambda n, images: n.fc(n.conv(images).mean((2, 3)).repeat(1, 16)))
    for network in (pooled, small(forward)):
        written = camlib.grad_cam(network, PICTURES, lambda logits: logits.mul_(2)[:, 1])
        plain = camlib.grad_cam(network, PICTURES, lambda logits: 2 * logits[:, 1])
        torch.testing.assert_close(written.maps, plain.maps)


def test_an_empty_output_on_the_way_is_passed_over() -> None:
    """As of a part that looks at detected boxes, when there are none."""

    def without_boxes(network: With, images: Tensor) -> Tensor:
        maps = network.act(network.conv(images))
        network.other(images[:0])
        return network.fc(maps.flatten(1))

    assert camlib.grad_cam(with_other(without_boxes), PICTURES, 0).layer == "act"
