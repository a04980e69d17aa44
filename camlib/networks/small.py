"""Layer 2: three small networks that differ in nothing but the way from the feature maps to the logits."""

from __future__ import annotations

from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, nn

from camlib.errors import check_choice, check_whole

Pooling = Literal["average", "maximum"]
SIDE = 64  # pixels: the pictures' side, fixed for FlattenNet
CHANNELS = 128  # of the last feature maps
STRIDE = 4  # pixels: 64 x 64 pixels become 16 x 16 cells, unless another stride is asked for
FINEST = 1  # pixels: the smallest stride, at which networks are measured
_TEN = "A garment network has 10 classes."
POOLED = 4  # cells: FlattenNet makes one of 4 x 4 before it flattens
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
    stride
        Pixels from cell to cell: 4, or with the same weights 2 or 1, see :meth:`at_stride`.

    Attributes
    ----------
    features
        The convolutions, each with batch normalisation and ReLU: images (n, 1, H, W) to feature
        maps (n, 128, H/stride, W/stride).
    pool, classifier
        The head.
    pooling, stride
        As given.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    The head of Lin et al. 2014, section 3.2, as in Zhou et al. 2016, section 2; maximum pooling as
    in Oquab et al. 2015.
    """

    def __init__(
        self, pooling: Pooling = "average", classes: int = 10, stride: int = STRIDE
    ) -> None:
        super().__init__()
        check_choice("pooling", pooling, get_args(Pooling))
        check_whole("classes", classes, 1, advice=_TEN)
        self.features = convolutions(stride)
        self.pooling, self.stride = pooling, stride
        self.pool: nn.Module = (
            nn.AdaptiveAvgPool2d(1) if pooling == "average" else nn.AdaptiveMaxPool2d(1)
        )
        self.classifier = nn.Linear(CHANNELS, classes)

    def forward(self, images: Float[Tensor, "n 1 H W"]) -> Float[Tensor, "n c"]:
        """Return the logits."""
        return self.classifier(self.pool(self.features(images)).flatten(1))

    def at_stride(self, stride: int) -> GapNet:
        """Return the same network with finer maps: its filters asked at more places.

        Where a convolution would skip every second place it now skips none, and those behind it
        reach as much further between their weights (dilation). The cells of the coarse maps keep
        their values; three or fifteen new cells for each lie between them. No weight changes.

        Parameters
        ----------
        stride
            Pixels from cell to cell: 1, 2 or 4.

        Returns
        -------
        GapNet
            A copy, in evaluation mode. Its logits pool more cells, and so differ a little.

        Raises
        ------
        ValueError
            If the stride is another one.

        Notes
        -----
        The "hole algorithm" (à trous) of Chen et al. 2015, section 3.1.
        """
        finer = GapNet(self.pooling, self.classifier.out_features, stride)
        weight = self.classifier.weight
        finer.load_state_dict(self.state_dict())
        return finer.to(weight.device, weight.dtype).eval()


class FlattenNet(nn.Module):
    """The same convolutions, maximum pooling to 4x4 cells, then all cells side by side.

    AlexNet and VGG end like this: every place has its own weights, in fully connected layers, and no
    map can be read from them.

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
        The head: maps of 4x4 cells flattened to (n, 128·4·4), a hidden layer with ReLU, the logits.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """

    def __init__(self, classes: int = 10, hidden: int = 32) -> None:
        super().__init__()
        check_whole("classes", classes, 1, advice=_TEN)
        check_whole("hidden", hidden, 1)
        cells = (SIDE // STRIDE // POOLED) ** 2
        self.features = convolutions()
        self.classifier = nn.Sequential(
            nn.MaxPool2d(POOLED),
            nn.Flatten(),
            nn.Linear(CHANNELS * cells, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, classes),
        )

    def forward(self, images: Float[Tensor, "n 1 64 64"]) -> Float[Tensor, "n c"]:
        """Return the logits."""
        return self.classifier(self.features(images))


def convolutions(stride: int = STRIDE) -> nn.Sequential:
    """Build the convolutions that the small networks share: (n, 1, H, W) to (n, 128, H/s, W/s).

    Once the stride s is reached, a layer that would skip places skips none, and the layers behind
    it reach further instead.
    """
    if isinstance(stride, bool) or stride not in (1, 2, STRIDE):
        raise ValueError(f"stride: expected 1, 2 or {STRIDE} pixels, got {stride!r}. Start with 2.")
    layers: list[nn.Module] = []
    before, taken, reach = 1, 1, 1
    for channels, kernel, step in _LAYERS:
        skip = step if taken * step <= stride else 1
        around = reach * (kernel // 2)
        # Batch normalisation shifts by itself, so the convolution needs no bias.
        layers += [
            nn.Conv2d(before, channels, kernel, skip, around, dilation=reach, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
        before, taken, reach = channels, taken * skip, reach * step // skip
    return nn.Sequential(*layers)
