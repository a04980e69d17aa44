"""Layer 2: methods that read a prediction back onto the places of the picture."""

from camlib.explain.cam import ClassActivationMaps, class_activation_maps

__all__ = ["ClassActivationMaps", "class_activation_maps"]
