"""Layer 2: networks whose prediction the book explains, and the pictures they read."""

from camlib.networks.lite0 import efficientnet_lite0
from camlib.networks.pictures import class_names, preprocess, to_picture

__all__ = ["class_names", "efficientnet_lite0", "preprocess", "to_picture"]
