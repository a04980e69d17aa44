"""Layer 2: three small networks that differ in nothing but the way from the feature maps to the logits."""

from __future__ import annotations

from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, nn

Pooling = Literal["average", "maximum"]
SIDE = 64  # pixels: the pictures' side, fixed for FlattenNet
CHANNELS = 128  # of the last feature maps
STRIDE = 4  # pixels: 64 x 64 pixels become 16 x 16 cells
# Output channels, kernel and stride of each convolution. The last one mixes channels, not places: a
# cell then sees 23 x 23 pixels, less than a garment's 28, and thin garments keep thin maps.
_LAYERS = ((24, 3, 2), (48, 3, 2), (96, 3, 1), (96, 3, 1), (CHANNELS, 1, 1))


class GapNet(nn.Module):
    r"""Convolutions, global pooling, one linear layer: a network that is ready for CAM.

    .. math:: z_c = b_c + \sum_k w_{ck} \, \mathrm{pool}(f_k)

    Parameters
    ----------
    pooling
        "average": the logit is a sum over places, so there is an exact class activation map;
        "maximum": each channel's highest value alone counts, and there is none.
    classes
        How many logits.

    Attributes
    ----------
    features
        The convolutions, each with batch normalisation and ReLU: images (n, 1, H, W) to feature
        maps (n, 128, H/4, W/4).
    pool, classifier
        The head.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    The head of Lin et al. 2014, section 3.2, as in Zhou et al. 2016, section 2; maximum pooling as
    in Oquab et al. 2015.
    """

    def __init__(self, pooling: Pooling = "average", classes: int = 10) -> None:
        super().__init__()
        if pooling not in get_args(Pooling):
            raise ValueError(
                f'pooling: expected "average" or "maximum", got {pooling!r}. Start with "average".'
            )
        _check_count("classes", classes)
        self.features = convolutions()
        self.pool: nn.Module = (
            nn.AdaptiveAvgPool2d(1) if pooling == "average" else nn.AdaptiveMaxPool2d(1)
        )
        self.classifier = nn.Linear(CHANNELS, classes)

    def forward(self, images: Float[Tensor, "n 1 H W"]) -> Float[Tensor, "n c"]:
        """Return the logits."""
        return self.classifier(self.pool(self.features(images)).flatten(1))


class FlattenNet(nn.Module):
    """The same convolutions, then all cells of all maps side by side into fully connected layers.

    So end AlexNet and VGG. Every place has weights of its own, which no map can be read from.

    Parameters
    ----------
    classes
        How many logits.
    hidden
        Units of the hidden layer.

    Attributes
    ----------
    features
        As in :class:`GapNet`.
    classifier
        The head: flattened maps (n, 128·16·16), a hidden layer with ReLU, the logits.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """

    def __init__(self, classes: int = 10, hidden: int = 32) -> None:
        super().__init__()
        _check_count("classes", classes)
        _check_count("hidden", hidden)
        cells = (SIDE // STRIDE) ** 2
        self.features = convolutions()
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(CHANNELS * cells, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, classes),
        )

    def forward(self, images: Float[Tensor, "n 1 64 64"]) -> Float[Tensor, "n c"]:
        """Return the logits."""
        return self.classifier(self.features(images))


def convolutions() -> nn.Sequential:
    """Build the convolutions that the small networks share: (n, 1, H, W) to (n, 128, H/4, W/4)."""
    layers: list[nn.Module] = []
    before = 1
    for channels, kernel, stride in _LAYERS:
        # Batch normalisation shifts by itself, so the convolution needs no bias.
        layers += [
            nn.Conv2d(before, channels, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
        before = channels
    return nn.Sequential(*layers)


def _check_count(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(
            f"{name}: expected a whole number of at least 1, got {value!r}. "
            "A garment network has 10 classes."
        )
