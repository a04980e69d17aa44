"""Layer 2: methods that read a prediction back onto the places of the picture.

``cam`` holds class activation maps, ``gradient_maps`` Grad-CAM and Grad-CAM++. Below them:
``targets``, ``classes`` and ``layers`` read what was asked for; ``proof`` and ``closed`` make maps of a
head; ``cut``, ``backward`` and ``weighing`` make them of gradients, in the ways of ``methods``;
``outputs``, ``activation``, ``default`` and ``tokens`` find a layer where none was named, or say why
not.
"""

from camlib.explain.cam import ClassActivationMaps, class_activation_maps
from camlib.explain.gradient_maps import grad_cam, grad_cam_plus_plus
from camlib.explain.methods import GradientMaps

__all__ = [
    "ClassActivationMaps",
    "GradientMaps",
    "class_activation_maps",
    "grad_cam",
    "grad_cam_plus_plus",
]
