"""Take what chapter 3 shows out of a trained ResNet-50: ``python -m tooling.resnet50_terms FILE``.

FILE is what ``python -m camlib.garments resnet50`` has written; the network's 94 MB stay out of the package.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

import camlib
from camlib.command import batches
from camlib.garments import load_garments, make_scenes
from camlib.networks.checkpoint import digest, read_checkpoint, replace_file
from tooling.repository import ROOT

TERMS = ROOT / "camlib" / "assets" / "networks" / "resnet50-terms.safetensors"
SCENES, SEED = 10, 3  # of garments that were not trained with; the first that this seed makes
COUNTED = 500  # scenes on which maps are counted, of another seed
STRIDE = 16


def main(arguments: list[str]) -> None:
    """Read the network's file and write the terms."""
    network, about = read_checkpoint(arguments[0], "resnet50")
    write(TERMS, terms(network), {**about, "counted": counted(network)})


def terms(network: nn.Module) -> dict[str, Tensor]:
    """Return the last feature maps in float16, the last layer, and the network's own logits."""
    images = make_scenes(load_garments("test"), SCENES, SEED).images()
    head = camlib.find_head(network, images)
    with torch.no_grad():
        logits = network(images)
    return {
        "features": head.features.half(),
        "weight": head.weight,
        "bias": network.get_parameter("fc.bias").detach(),
        "logits": logits,
    }


def counted(network: nn.Module, count: int = COUNTED, seed: int = SEED + 1) -> dict[str, int]:
    """Count the scenes that hold what the network names first, and those with its map's peak in its box.

    The centre of what cell (i, j) sees is pixel (16 i, 16 j): each layer that skips places pads on both
    sides, so the first cell looks at the corner, not at the middle of the first 16 pixels (Araujo et al.
    2019).
    """
    scenes = make_scenes(load_garments("test"), count, seed)
    images = scenes.images()
    right = inside = 0
    for some in batches(range(count), 100):
        head = camlib.find_head(network, images[list(some)])
        best = head.logits.argmax(1)
        maps = torch.einsum("nkhw,nk->nhw", head.features, head.weight[best])
        for scene, name, cells in zip(some, best.tolist(), maps, strict=True):
            row, column = divmod(int(cells.argmax()), cells.shape[1])
            x, y = STRIDE * column, STRIDE * row
            boxes = scenes.boxes[scene][scenes.garments[scene] == name]
            right += len(boxes) > 0
            inside += any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in boxes.tolist())
    return {"scenes": count, "seed": seed, "right": right, "inside": inside}


def write(path: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write the terms, and beside them how the network was made."""
    about = {
        **about,
        "network": about["sha256"],
        "scenes": {"count": SCENES, "seed": SEED},
        "sha256": digest(tensors),
    }
    contents = {name: tensor.contiguous() for name, tensor in tensors.items()}
    replace_file(path, save(contents, metadata={"camlib": json.dumps(about, sort_keys=True)}))


if __name__ == "__main__":
    main(sys.argv[1:])
