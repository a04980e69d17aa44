"""Layer 2: the book's own small networks, which tell the garments in a scene."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

CLASSES = 10
SIZE = 64  # pixels: the side of the scenes they read
# Output channels and stride of each convolution: 64x64 pixels become 96 maps of 16x16 cells.
_LAYERS = ((24, 2), (48, 2), (64, 1), (96, 1), (96, 1))
_CELLS = 16


def convolutions() -> nn.Sequential:
    """Build the convolutions that both networks share: (n, 1, 64, 64) to (n, 96, 16, 16)."""
    layers: list[nn.Module] = []
    before = 1
    for channels, stride in _LAYERS:
        layers += [
            nn.Conv2d(before, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
        before = channels
    return nn.Sequential(*layers)


class GapNet(nn.Module):
    """Convolutions, global pooling, one linear layer: a network that has class activation maps.

    Parameters
    ----------
    pooling
        "average", or "maximum", which has no exact map: it asks whether there is any, not how much.
    """

    def __init__(self, pooling: Literal["average", "maximum"] = "average") -> None:
        super().__init__()
        if pooling not in ("average", "maximum"):
            raise ValueError(
                f'pooling: expected "average" or "maximum", got {pooling!r}. Start with "average".'
            )
        self.features = convolutions()
        self.pool = nn.AdaptiveAvgPool2d(1) if pooling == "average" else nn.AdaptiveMaxPool2d(1)
        self.classifier = nn.Linear(_LAYERS[-1][0], CLASSES)

    def forward(self, images: Float[Tensor, "n 1 S S"]) -> Float[Tensor, "n 10"]:
        """Return the logits."""
        return self.classifier(self.pool(self.features(images)).flatten(1))


class FlattenNet(nn.Module):
    """The same convolutions, flattened into a hidden layer: a network without exact maps."""

    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.features = convolutions()
        self.classifier = nn.Sequential(
            nn.Linear(_LAYERS[-1][0] * _CELLS * _CELLS, hidden),
            nn.ReLU(),
            nn.Linear(hidden, CLASSES),
        )

    def forward(self, images: Float[Tensor, "n 1 64 64"]) -> Float[Tensor, "n 10"]:
        """Return the logits."""
        return self.classifier(self.features(images).flatten(1))
