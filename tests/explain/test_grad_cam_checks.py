"""What Grad-CAM refuses, and how it says so: argument, expectation, what it got, what to do."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import camlib
from tests.explain.networks import With, build, random_pictures, small, tiny_transformer

PICTURES = random_pictures(2, 1, 4)
Network = Callable[[], nn.Module]


def forward(self: With, images: Tensor) -> Tensor:
    return self.fc(self.act(self.conv(images)).flatten(1))


def plain() -> With:
    return small(forward)


def detached() -> With:
    return small(lambda self, images: forward(self, images).detach())


def traced() -> nn.Module:
    return torch.jit.trace(plain(), PICTURES)


def twice() -> With:
    return small(lambda self, images: self.fc(self.act(self.act(self.conv(images))).flatten(1)))


def with_other(runs: bool) -> With:
    """Add a layer on which the score does not depend; perhaps the network runs it."""
    network = small(
        lambda self, images: (self.other(images) if runs else None, forward(self, images))[1]
    )
    network.add_module("other", nn.Conv2d(1, 2, 1))
    return network


def without_layers() -> With:
    return With(lambda self, images: self.fc(images.flatten(1)), fc=nn.Linear(16, 3))


def made_in_inference_mode() -> nn.Module:
    with torch.inference_mode():
        return plain()


def root_of_zero(self: With, images: Tensor) -> Tensor:
    norms = (0 * self.conv(images)).pow(2).sum((2, 3), keepdim=True).sqrt()
    return self.fc(norms.expand(-1, -1, 4, 4).flatten(1))


def refused(error: type[Exception], message: str, *arguments: object, **options: object) -> None:
    """Both methods refuse alike."""
    for method in (camlib.grad_cam, camlib.grad_cam_plus_plus):
        with pytest.raises(error, match=f"^{message}"):
            method(*arguments, **options)  # type: ignore[call-overload]


NO_GRADIENT = "target: expected a score that has a gradient at layer '{}', .* Leave no_grad"
SOME_LAYER = r"layer: found no layer of shape \(n, k, \*places\) on which the score depends\. "
NO_NAME = "layer: expected a layer's name or the layer itself, got {}. .* has all names"


@pytest.mark.parametrize(
    ("network", "layer", "message"),
    [
        (plain, "convolution", "layer: expected the name .* of With, .* Close to it: 'conv'"),
        (plain, "zzz", "layer: expected the name .* got 'zzz'. .*named_modules.* has all names"),
        (plain, [], "layer: expected at least one layer, got an empty list. Pass None"),
        (plain, nn.ReLU(), "layer: expected a layer of this With, got a ReLU .* not from a copy"),
        (
            plain,
            "fc",
            r"layer: expected .* shape \(2, k, h, w\), got .* from 'fc'. .* before the pl",
        ),
        (
            lambda: with_other(False),
            "other",
            "layer: expected a layer that the network runs, got 'o",
        ),
        (lambda: with_other(True), "other", "layer: expected a layer on which the score depends"),
        (twice, "act", r"layer: .* runs once, got 'act', .* 2 times .* layer=\('act', 1\)"),
        (twice, ("act",), "layer: expected a layer that runs once, got 'act', which runs 2 times"),
        (twice, ("act", 3), "layer: expected a call from 1 to 2 of 'act', got call 3. Choose one"),
        (twice, ("act", 0), r"layer: expected \(name, call\) .* from 1, got \('act', 0\). .*, 2\)"),
        (twice, ("act", True), r"layer: expected \(name, call\) with a call counted from 1"),
        (twice, ("acts", 1), "layer: expected the name of a layer of With, got 'acts'. Close to"),
        (traced, "conv", "layer: expected a layer that shows its output, got 'conv', .* original"),
        (traced, None, f"{SOME_LAYER}Pass the original network"),
        (without_layers, None, f'{SOME_LAYER}Name one: layer="features.12"'),
        (detached, "conv", NO_GRADIENT.format("conv")),
        (detached, None, NO_GRADIENT.format("act")),
        (
            made_in_inference_mode,
            "conv",
            "network: .* parameters that a gradient can pass.*outside",
        ),
        (lambda: small(root_of_zero), "conv", "gradients: .* finite .* 8 of 8 .*detect_anomaly"),
        (
            lambda: small(lambda self, images: {"logits": forward(self, images)}),
            "conv",
            r"network: expected an output of shape \(n, classes\) = \(2, classes\), got dict.*\['logits",
        ),
        (
            lambda: small(lambda self, images: forward(self, images).long()),
            None,
            "network: expected logits that are floating-point numbers, .* int64. Leave argmax",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.torch.jit")  # torch.jit.trace is on its way out
def test_layers_and_networks_that_are_refused(
    network: Network, layer: object, message: str
) -> None:
    refused(ValueError, message, network(), PICTURES, 1, layer)


@pytest.mark.parametrize(("layer", "got"), [(3, "int 3"), ([None], "NoneType"), ([3], "int 3")])
def test_what_is_no_layer_is_refused(layer: object, got: str) -> None:
    refused(TypeError, NO_NAME.format(got), plain(), PICTURES, 1, layer)


INDICES = "target: expected indices from 0 to 2, got {}. Count from the first class"
FORMS = "target: expected classes or a function, got {}. Pass a class index, .* or a function"
NO_INDEX = r"target: expected whole numbers, got {} of type {}. .*class_names\(\)\.index\(name\)"
LENGTH = (
    r"target: expected a tensor .* each of the 2 pictures, shape \(2,\) .* got Tensor of shape {} "
)
ONE_NUMBER = r"target: expected a function .* one number for each picture, shape \(2,\), got {}"


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (3, ValueError, INDICES.format(3)),
        ([0, -1], ValueError, INDICES.format(-1)),
        ([], ValueError, "target: expected at least one class index, got none. Pass None"),
        (2**70, ValueError, f"target: expected class indices, got {2**70}. Pass smaller ones"),
        ("coat", TypeError, NO_INDEX.format("'coat'", "str")),
        (True, TypeError, NO_INDEX.format("True", "bool")),
        ([1, 0.5], TypeError, NO_INDEX.format("0.5", "float")),
        (1.5, TypeError, FORMS.format("float 1.5")),
        ({}, TypeError, FORMS.format("dict")),
        (b"coat", TypeError, FORMS.format("bytes")),
        (np.array(["cat", "dog"]), TypeError, FORMS.format(r"ndarray of shape \(2,\) .* <U3")),
        (torch.tensor([1, 2, 0]), ValueError, LENGTH.format(r"\(3,\)")),
        (torch.tensor([1]), ValueError, LENGTH.format(r"\(1,\)")),
        (torch.ones(2, 1, 1, dtype=torch.long), ValueError, LENGTH.format(r"\(2, 1, 1\)")),
        (torch.ones(2, 0, dtype=torch.long), ValueError, LENGTH.format(r"\(2, 0\)")),
        (torch.ones(2), TypeError, "target: expected whole numbers, .* float32. .*logits.argmax"),
        (torch.ones(2).bool(), TypeError, "target: expected whole numbers, got .* dtype bool"),
        (torch.ones(2) * 1j, TypeError, "target: expected whole numbers, got .* complex64"),
        (lambda logits: logits, ValueError, ONE_NUMBER.format(r"Tensor of shape \(2, 3\)")),
        (lambda logits: logits.sum(), ValueError, ONE_NUMBER.format(r"Tensor of shape \(\)")),
        (lambda logits: 3.0, ValueError, ONE_NUMBER.format("float 3.0. For class 5 of logits")),
        (
            lambda logits: logits[:, 0] / 0,
            ValueError,
            r"target\(network\(images\)\): expected finite numbers, .* 2 of 2 .* target computes",
        ),
        (lambda logits: logits.argmax(1).float(), ValueError, NO_GRADIENT.format("conv")),
    ],
)
def test_targets_that_are_refused(target: object, error: type[Exception], message: str) -> None:
    refused(error, message, plain(), PICTURES, target, "conv")
    averages = small(lambda self, images: self.fc(self.conv(images).mean((2, 3)).repeat(1, 16)))
    refused(error, "target", averages, PICTURES, target)  # nor in closed form


@pytest.mark.parametrize(
    "score", [lambda logits: logits.argmax(1).float(), lambda _: torch.ones(2, requires_grad=True)]
)
def test_a_score_that_the_head_does_not_feel_is_refused(score: Callable[[Tensor], Tensor]) -> None:
    message = "target: expected a score with a gradient, .* Return a number taken from the output"
    refused(ValueError, message, build("resnet10"), random_pictures(2), score)


def patches(tokens: Tensor) -> Tensor:
    return tokens[:, 1:].transpose(1, 2).unflatten(2, (4, 4))


RESHAPE = (
    r"pass reshape=lambda tokens: tokens\[:, 1:\]\.transpose\(1, 2\)\.unflatten\(2, \(4, 4\)\)\."
)


@pytest.mark.parametrize(
    ("layer", "reshape", "message"),
    [
        (
            None,
            None,
            rf"layer: found no feature maps .* 'encoder' of shape \(2, 17, 16\), a sequence of 17 tokens."
            f" Name a layer and {RESHAPE} Behind the last attention",
        ),
        (
            "encoder.ln",
            None,
            rf"layer: expected .* \(2, k, h, w\), got .* \(2, 17, 16\) .* 17 tokens .*: {RESHAPE}",
        ),
        (
            "encoder.ln",
            patches,
            "reshape: expected places on which the score depends, .* exactly 0 at all .* normalisation",
        ),
        (
            "encoder.ln",
            lambda tokens: tokens,
            r"reshape: expected .* maps of shape \(2, k, h, w\), got .* \(2, 17, 16\) .* Make the last",
        ),
        (
            None,
            patches,
            "layer: expected a layer whose output is reshaped, got None. Name the layer",
        ),
        (
            "encoder.layers.encoder_layer_1.self_attention",
            patches,
            "layer: expected a layer whose output is one .* tensor, got .*, which returns tuple. Choose",
        ),
    ],
)
def test_a_sequence_of_tokens_is_explained(
    layer: str | None, reshape: Callable[[Tensor], Tensor] | None, message: str
) -> None:
    pictures = random_pictures(2, 3, 32)
    refused(ValueError, message, tiny_transformer(), pictures, [1, 2], layer, reshape=reshape)


def test_channels_last_are_explained() -> None:
    class Highest(nn.Module):
        def forward(self, maps: Tensor) -> Tensor:
            return maps.amax((1, 2))

    network = build("swin_t")
    network.permute, network.avgpool, network.flatten = nn.Identity(), Highest(), nn.Identity()
    message = (
        r"layer: found no feature maps .* 'permute' of shape \(1, 3, 3, 768\), which has the channels "
        r"last. Name a layer and pass reshape=lambda maps: maps\.permute\(0, 3, 1, 2\)\."
    )
    refused(ValueError, message, network, random_pictures(1, side=96), 1)


def test_other_arguments_are_checked_as_everywhere() -> None:
    message = (
        "reshape: expected a function .* to feature maps, got int 3. For tokens behind a class"
    )
    refused(TypeError, message, plain(), PICTURES, 0, "conv", reshape=3)
    refused(TypeError, "run: expected a function", plain(), PICTURES, 0, run=3)
    refused(TypeError, r"network: expected a torch\.nn\.Module", "resnet", PICTURES, 1)
    channels = "images: expected 1 channels, which the network's first"
    refused(ValueError, channels, plain(), PICTURES.repeat(1, 3, 1, 1), 1)
    with pytest.warns(UserWarning, match="images: expected normalised values"):
        camlib.grad_cam(plain(), PICTURES.abs() * 100, 1)
    camlib.grad_cam(plain(), PICTURES.abs() * 100, 1, check_values=False)


def test_a_map_without_a_positive_value_is_said_to_be_one() -> None:
    """Class 1 of a score that only falls: all weights negative on features that are not."""
    network = With(
        lambda self, images: self.fc(self.conv(images).relu().flatten(1)),
        conv=nn.Conv2d(1, 1, 1, bias=False),
        fc=nn.Linear(16, 2, bias=False),
    )
    network.conv.weight.data.fill_(1.0)
    network.fc.weight.data = torch.tensor([[1.0], [-1.0]]).expand(2, 16).clone()
    found = camlib.grad_cam(network, PICTURES.abs(), [0, 1])
    assert found.has_positive.tolist() == [[True, False], [True, False]]
    assert camlib.scaling.positive(found.maps)[:, 1].max() == 0


def test_a_target_may_write_to_what_it_is_given() -> None:
    """To its own copy: the map is that of the same number without writing."""
    pooled = small(lambda n, images: n.fc(n.conv(images).mean((2, 3)).repeat(1, 16)))
    for network in (pooled, plain()):
        written = camlib.grad_cam(network, PICTURES, lambda logits: logits.mul_(2)[:, 1])
        expected = camlib.grad_cam(network, PICTURES, lambda logits: 2 * logits[:, 1])
        torch.testing.assert_close(written.maps, expected.maps)
