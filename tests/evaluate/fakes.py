"""Networks whose maps are their pictures, so that every figure can be worked by hand; and data."""

from typing import Any

import torch
from torch import nn

from camlib.networks import eval_transforms


class Pooled(nn.Module):
    """The mean of each channel times a weight for each class."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.first = nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(*reversed(weight.shape), bias=False)
        self.classifier.weight.data = weight

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.pool(self.first(images)).flatten(1))


def mirror() -> nn.Module:
    """Make a network of two classes: the picture speaks for the first, its negative for the second."""
    return Pooled(torch.tensor([[1.0], [-1.0]]))


def bright_places() -> nn.Module:
    """Make a network for photographs: the first three classes' maps are the colours."""
    return Pooled(torch.eye(1000, 3))


def bright_places_own() -> tuple[nn.Module, Any]:
    """Return the same network, and transforms that no other network has."""
    return bright_places(), eval_transforms(64, 64, (0.2, 0.5, 0.5), 0.5)


def pictures(side: int = 4) -> list[tuple[torch.Tensor, dict[str, Any]]]:
    """Three pictures: a square of 4 beside a 2, a lone 3, and a dark one."""
    images = torch.zeros(3, 1, side, side)
    images[0, 0, :2, :2] = 4
    images[0, 0, 0, 2] = 2
    images[1, 0, 3, 3] = 3
    images[2, 0, 0, 0] = -1
    boxes = [[[0, 0, 2, 2]], [[0, 0, 2, 2], [2, 2, 4, 4]], [[0, 0, 1, 1]]]
    labels = [[0], [0, 0], [1]]
    return [
        (image, {"boxes": box, "labels": label})
        for image, box, label in zip(images, boxes, labels, strict=True)
    ]


def taken(method: str = "") -> None:
    """Take an argument that is called like one of the command's options."""
