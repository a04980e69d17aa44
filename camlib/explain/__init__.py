"""Layer 2: methods that read a prediction back onto the places of the picture.

``cam`` holds class activation maps, ``grad_cam`` Grad-CAM and Grad-CAM++ as users call them. Below it,
``gradient_maps`` weighs feature maps by a head or by gradients, ``gradient_run`` computes gradients at
layers, ``default_layer`` chooses one; ``layers`` and ``targets`` read what was asked for.
"""

from camlib.explain.cam import ClassActivationMaps, class_activation_maps
from camlib.explain.grad_cam import grad_cam, grad_cam_plus_plus
from camlib.explain.gradient_maps import GradientMaps

__all__ = [
    "ClassActivationMaps",
    "GradientMaps",
    "class_activation_maps",
    "grad_cam",
    "grad_cam_plus_plus",
]
