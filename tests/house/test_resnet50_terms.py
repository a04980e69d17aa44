"""The terms of ResNet-50 that chapter 3 adds up: those of a network, and whole in their file."""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from camlib.networks.checkpoint import build
from tooling import resnet50_terms


def test_the_terms_add_up_to_the_networks_own_logits(tmp_path: Path) -> None:
    """To what float16 leaves of the feature maps, on a network with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("resnet50").eval()
    path = tmp_path / "terms.safetensors"
    resnet50_terms.write(path, resnet50_terms.terms(network), {"sha256": "that of the network"})
    check(path)
    with safe_open(path, "pt") as file:
        assert "that of the network" in file.metadata()["camlib"]


def check(path: Path) -> None:
    """The mean of the weighted sum of 2048 maps, and the bias, is each logit."""
    parts = load_file(path)
    maps = torch.einsum("nkhw,ck->nchw", parts["features"].float(), parts["weight"])
    assert maps.shape == (resnet50_terms.SCENES, 10, 4, 4)
    sums, logits = maps.mean((2, 3)) + parts["bias"], parts["logits"]
    scale = (parts["features"].float().mean((2, 3)) @ parts["weight"].abs().T).max()
    assert (sums - logits).abs().max() < 1e-3 * scale
    assert logits.dtype == torch.float32
