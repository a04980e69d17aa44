"""A network whose maps are its pictures, so that every figure can be worked by hand."""

import torch
from torch import nn


class Mirror(nn.Module):
    """Two classes: the picture speaks for the first, its negative for the second."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(1, 2, bias=False)
        self.classifier.weight.data = torch.tensor([[1.0], [-1.0]])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.pool(images).flatten(1))


def bright_places() -> nn.Module:
    """Make a network for photographs: each class's map is one of the three colours."""

    class Colours(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Identity()
            self.pool = nn.AdaptiveAvgPool2d(1)
            self.classifier = nn.Linear(3, 1000, bias=False)
            weight = torch.zeros(1000, 3)
            weight[:3] = torch.eye(3)
            self.classifier.weight.data = weight

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.classifier(self.pool(self.first(images)).flatten(1))

    return Colours()
