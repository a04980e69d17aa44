"""The terms of ResNet-50 that chapter 3 adds up: those of a network, and whole in their file."""

import json
from itertools import product
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from camlib.garments import Scenes, load_garments, make_scenes
from camlib.networks.checkpoint import build, digest
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


def test_the_terms_that_travel() -> None:
    """Of the trained network; how they were made stands with them."""
    check(resnet50_terms.TERMS)
    assert resnet50_terms.TERMS.stat().st_size < 1_500_000
    with safe_open(resnet50_terms.TERMS, "pt") as file:
        about = json.loads(file.metadata()["camlib"])
    assert about["sha256"] == digest(load_file(resnet50_terms.TERMS))
    assert about["recipe"]["architecture"] == "resnet50"
    assert about["results"]["mean_average_precision"] > 0.85
    counted = about["counted"]
    assert counted["right"] > 0.9 * counted["scenes"]
    assert counted["inside"] > 0.9 * counted["right"]


def check(path: Path) -> None:
    """The mean of the weighted sum of 2048 maps, and the bias, is each logit."""
    parts = load_file(path)
    maps = torch.einsum("nkhw,ck->nchw", parts["features"].float(), parts["weight"])
    assert maps.shape == (resnet50_terms.SCENES, 10, 4, 4)
    sums, logits = maps.mean((2, 3)) + parts["bias"], parts["logits"]
    scale = (parts["features"].float().mean((2, 3)) @ parts["weight"].abs().T).max()
    assert (sums - logits).abs().max() < 1e-3 * scale
    assert logits.dtype == torch.float32


def test_maps_are_counted_where_their_cells_look() -> None:
    """A network whose first class is bright where the scene's first garment is, cell by cell."""
    scenes = make_scenes(load_garments("test"), 6, 7)
    network = Told(scenes)
    found = resnet50_terms.counted(network, 6, 7)
    assert found == {"scenes": 6, "seed": 7, "right": 6, "inside": 6}
    network.shift = 2  # cells beyond the garment
    assert resnet50_terms.counted(network, 6, 7)["inside"] < 3


class Told(nn.Module):
    """Knows of each picture, by its place in the batch, where the first garment is and what it is called."""

    def __init__(self, scenes: Scenes) -> None:
        super().__init__()
        self.scenes, self.shift = scenes, 0
        self.fc = nn.Linear(10, 10, bias=False)
        self.fc.weight = nn.Parameter(torch.eye(10))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """A cell is bright if the pixel that it looks at lies in the box."""
        maps = torch.zeros(len(images), 10, 4, 4)
        for scene in range(len(images)):
            slot = int((self.scenes.garments[scene] >= 0).argmax())
            x0, y0, x1, y1 = self.scenes.boxes[scene, slot]
            for row, column in product(range(4), range(4)):
                if x0 <= 16 * column < x1 and y0 <= 16 * row < y1:
                    name = self.scenes.garments[scene, slot]
                    place = (row + self.shift) % 4, (column + self.shift) % 4
                    maps[(scene, name, *place)] = 1
        return self.fc((maps * (2 + images[:, :, ::16, ::16])).mean((2, 3)))
