"""Layer 2: networks whose prediction the book explains, and the pictures they read."""

from camlib.networks.checkpoint import garment_network, read_checkpoint, write_checkpoint
from camlib.networks.lite0 import efficientnet_lite0
from camlib.networks.named import NamedNetwork, named_network
from camlib.networks.pictures import (
    class_names,
    eval_transforms,
    geometry,
    preprocess,
    to_picture,
)
from camlib.networks.small import FlattenNet, GapNet
from camlib.networks.squeezenet import squeezenet1_1

__all__ = [
    "FlattenNet",
    "GapNet",
    "NamedNetwork",
    "class_names",
    "efficientnet_lite0",
    "eval_transforms",
    "garment_network",
    "geometry",
    "named_network",
    "preprocess",
    "read_checkpoint",
    "squeezenet1_1",
    "to_picture",
    "write_checkpoint",
]
