"""Layer 2: methods that read a prediction back onto the places of the picture.

``cam`` computes class activation maps, ``grad_cam`` Grad-CAM and Grad-CAM++: from gradients
(``gradient_maps``, with ``backward`` below it) or from the head's weights (``closed_form``).
``layers`` and ``targets`` read what was asked for; ``default_layer`` chooses where no layer was named.
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
