"""Layer 2: networks whose prediction the book explains, and the pictures they read."""

from camlib.networks.checkpoint import garment_network, read_checkpoint, write_checkpoint
from camlib.networks.lite0 import efficientnet_lite0
from camlib.networks.pictures import class_names, preprocess, to_picture
from camlib.networks.small import FlattenNet, GapNet

__all__ = [
    "FlattenNet",
    "GapNet",
    "class_names",
    "efficientnet_lite0",
    "garment_network",
    "preprocess",
    "read_checkpoint",
    "to_picture",
    "write_checkpoint",
]
