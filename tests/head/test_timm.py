"""Architectures of another library, from all its families: exact or refused, and none wrong."""

import pytest
import timm
import torch
from torch import Tensor, nn

import camlib

# What is averaged, as (rows, columns) or (tokens,), or what is in the way.
EXACT: dict[str, tuple[int, ...]] = {
    "resnet18d": (2, 2),
    "resnext26ts": (2, 2),
    "seresnet18": (2, 2),
    "ecaresnet26t": (2, 2),
    "skresnet18": (2, 2),
    "resnest14d": (2, 2),
    "res2net50_14w_8s": (2, 2),
    "cspresnet50": (2, 2),
    "darknet17": (2, 2),
    "dla34": (2, 2),
    "dpn48b": (2, 2),
    "densenet121": (2, 2),
    "efficientnet_lite0": (2, 2),
    "mnasnet_small": (2, 2),
    "mobilenetv2_035": (2, 2),
    "regnety_002": (2, 2),
    "nfnet_f0": (6, 6),
    "repvgg_a0": (2, 2),
    "hrnet_w18_small": (2, 2),
    "xception41": (3, 3),
    "convnext_atto": (2, 2),
    "convnextv2_atto": (2, 2),
    "edgenext_xx_small": (2, 2),
    "poolformer_s12": (2, 2),
    "mobilevit_xxs": (2, 2),
    "pvt_v2_b0": (2, 2),
    "efficientformerv2_s0": (7, 7),
    "swin_tiny_patch4_window7_224": (7, 7),
    "mixer_s32_224": (7, 7),
    "gmlp_ti16_224": (14, 14),
    "resmlp_12_224": (14, 14),
}
REFUSED: dict[str, str] = {
    "vgg11": "'pre_logits.fc1' of type Conv2d (conv2d) leaves maps of one cell",
    "mobilenetv3_small_050": "'act2' of type Hardswish (hardswish) stands behind the pooling",
    "ghostnet_100": "'act2' of type ReLU (relu) stands behind the pooling",
    "vit_tiny_patch16_224": "reads one of 197 tokens, not their average",
    "cait_xxs24_224": "reads one of 197 tokens, not their average",
    "xcit_nano_12_p16_224": "reads one of 197 tokens, not their average",
}
# Fewer hidden numbers and fewer equal blocks, which would cost most of the time.
OPTIONS = {
    "vgg11": {"mlp_ratio": 0.01},
    "swin_tiny_patch4_window7_224": {"depths": (1, 2, 2, 1)},
    "vit_tiny_patch16_224": {"depth": 2},
    "cait_xxs24_224": {"depth": 2},
    "xcit_nano_12_p16_224": {"depth": 2},
}
HELD = {"convnext_atto", "convnextv2_atto", "edgenext_xx_small", "poolformer_s12"}


def build(name: str) -> tuple[nn.Module, Tensor]:
    """Build a network with random weights, none of them zero, and two pictures that it can read."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = timm.create_model(name, num_classes=20, **OPTIONS.get(name, {})).eval()
        for parameter in network.parameters():
            if not parameter.detach().any():  # a head of zeros would prove nothing
                nn.init.normal_(parameter, std=0.02)
    side = network.default_cfg["input_size"][-1]
    flexible = not network.default_cfg.get("fixed_input_size", False)
    side = 64 if flexible and side >= 224 and not name.startswith(("xception", "vgg")) else side
    side = 96 if name.startswith("xception") else side
    generator = torch.Generator().manual_seed(1)
    return network, torch.randn(2, 3, side, side, generator=generator)


@pytest.mark.parametrize("name", EXACT)
def test_exact(name: str) -> None:
    """Twice; the second time with the pictures turned over, so that nothing is kept of the first."""
    network, images = build(name)
    for pictures in (images, images.flip(0, 3)):
        cam = camlib.class_activation_maps(network, pictures)
        assert cam.maps.shape == (2, 20, *EXACT[name])
        assert bool(cam.held) == (name in HELD)
        with torch.no_grad():
            logits = network(pictures)
        gap = (cam.maps.flatten(2).mean(2) + cam.offset - logits).abs().max()
        assert gap <= 1e-4 * logits.abs().max()
        assert cam.maps.flatten(2).std(2).max() > 1e-3 * logits.abs().max()  # places differ


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_layer_in_the_way(name: str) -> None:
    network, images = build(name)
    with pytest.raises(camlib.NotCAMReadyError) as caught:
        camlib.class_activation_maps(network, images)
    assert REFUSED[name] in str(caught.value)
