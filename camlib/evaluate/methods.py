"""The map methods that can be measured, by name."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from camlib.explain import class_activation_maps, grad_cam, grad_cam_plus_plus

# From a network and images (n, ., H, W) to maps of all classes (n, c, h, w) and logits (n, c).
Method = Callable[[nn.Module, Tensor], tuple[Float[Tensor, "n c h w"], Float[Tensor, "n c"]]]


def _cam(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    cam = class_activation_maps(network, images)
    return cam.maps, cam.logits


def _grad_cam(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    found = grad_cam(network, images, None)
    return found.maps, found.scores


def _grad_cam_plus_plus(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    found = grad_cam_plus_plus(network, images, None)
    return found.maps, found.scores


METHODS: dict[str, Method] = {
    "cam": _cam,
    "grad-cam": _grad_cam,
    "grad-cam++": _grad_cam_plus_plus,
}
