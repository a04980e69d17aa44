"""Layer 2: SqueezeNet 1.1 with its ImageNet weights, which the package carries."""

from __future__ import annotations

import hashlib
from importlib import resources

import torch
from safetensors.torch import load
from torch import nn

WEIGHTS_FILE = "squeezenet1_1.safetensors"
WEIGHTS_SHA256 = "6b8b0b23d5ca78974f3abfef0d5f3a6dbea5e4edf520bb4013e22d6252617c89"


def squeezenet1_1() -> nn.Module:
    r"""Build SqueezeNet 1.1 with its ImageNet weights, in evaluation mode.

    .. math:: \mathrm{logit}_c = \frac{1}{hw} \sum_{ij} M_c(i, j), \quad
              M = \mathrm{ReLU}(\mathrm{convolution}(f))

    The last layer, behind its ReLU, is the class activation maps: no weights follow the pooling, and
    a cell in which more speaks against a class than for it is 0. 1.2 million parameters. A picture of 224x224 pixels gives
    maps of 13x13 cells, one of 227x227 gives 14x14.

    Returns
    -------
    nn.Module
        torchvision's network. Maps images (n, 3, H, W), normalised by
        :func:`camlib.networks.preprocess`, to logits (n, 1000) in the order of
        :func:`camlib.networks.class_names`.

    Raises
    ------
    ValueError
        If the file of weights is damaged.

    Notes
    -----
    Iandola et al. 2016. Nothing is downloaded; the weights are stored with 16 bits and computed with
    32.
    """
    from torchvision.models import squeezenet1_1 as build  # as long to import as torch

    contents = resources.files("camlib").joinpath("assets", "networks", WEIGHTS_FILE).read_bytes()
    got = hashlib.sha256(contents).hexdigest()
    if got != WEIGHTS_SHA256:
        raise ValueError(
            f"squeezenet1_1: expected {WEIGHTS_FILE} with SHA-256 {WEIGHTS_SHA256}, got {got}. "
            "Install camlib again."
        )
    # Weights drawn for a network are overwritten at once; the caller's random state is left as it
    # was.
    with torch.random.fork_rng(devices=[]):
        network = build()
    network.load_state_dict({name: tensor.float() for name, tensor in load(contents).items()})
    return network.eval()
