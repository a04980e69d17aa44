"""SqueezeNet 1.1: the weights as they were published, read from a file of camlib's own."""

from importlib import resources
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

import camlib
from camlib import networks, photos
from camlib.networks import squeezenet

FILE = Path(camlib.__file__).parent / "assets" / "networks" / squeezenet.WEIGHTS_FILE
# Blocks by their place in torchvision's network, and whether pooling follows (Iandola et al. 2016,
# table 1, with version 1.1's earlier pooling).
FIRES = {3: False, 4: True, 6: False, 7: True, 9: False, 10: False, 11: False, 12: False}


def by_hand(images: torch.Tensor) -> torch.Tensor:
    """The maps of all classes, from the file's tensors and the paper's table alone."""
    stored = {name: tensor.float() for name, tensor in load_file(FILE).items()}

    def convolved(x: torch.Tensor, name: str, **how: int) -> torch.Tensor:
        return F.conv2d(x, stored[f"{name}.weight"], stored[f"{name}.bias"], **how).relu()

    def pooled(x: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(x, 3, 2, ceil_mode=True)

    x = pooled(convolved(images, "features.0", stride=2))
    for place, then_pooled in FIRES.items():
        x = convolved(x, f"features.{place}.squeeze")
        one = convolved(x, f"features.{place}.expand1x1")
        three = convolved(x, f"features.{place}.expand3x3", padding=1)
        x = torch.cat([one, three], 1)
        x = pooled(x) if then_pooled else x
    return convolved(x, "classifier.1")


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return networks.squeezenet1_1()


@pytest.mark.parametrize(("size", "cells"), [(224, 13), (227, 14)])
def test_its_maps_are_its_last_layer(network: torch.nn.Module, size: int, cells: int) -> None:
    """The same as by hand, never below 0, and their means are the logits."""
    images = networks.preprocess([photos.load("cat"), photos.load("coffee")], crop=size)
    expected = by_hand(images)
    cam = camlib.class_activation_maps(network, images)
    assert cam.maps.shape == (2, 1000, cells, cells)
    torch.testing.assert_close(cam.maps, expected, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(cam.logits, expected.mean((2, 3)), atol=1e-4, rtol=1e-5)
    assert cam.offset.abs().max() == 0 <= cam.maps.min()


def test_it_names_what_stands_in_the_photographs(network: torch.nn.Module) -> None:
    """Clearly for the cup; cats of three kinds share the first three places."""
    names = networks.class_names()
    images = networks.preprocess([photos.load("coffee"), photos.load("cat")])
    with torch.no_grad():
        coffee, cat = network(images).softmax(1)
    assert names[int(coffee.argmax())] == "espresso"
    assert coffee.max() > 0.9
    assert {names[index] for index in cat.topk(3).indices} == {"tabby", "tiger cat", "Egyptian cat"}


def test_it_was_trained_with_these_colours(network: torch.nn.Module) -> None:
    """With red and blue exchanged the cup is hardly an espresso."""
    images = networks.preprocess(photos.load("coffee"))
    espresso = networks.class_names().index("espresso")
    with torch.no_grad():
        right, wrong = network(torch.cat([images, images.flip(1)])).softmax(1)[:, espresso]
    assert right > 0.9 > 0.5 > wrong


def test_by_its_name_nothing_is_downloaded(network: torch.nn.Module) -> None:
    named = networks.named_network("squeezenet1_1")
    assert named.transforms is not None
    images = named.transforms(photos.load("cat"))[None]
    assert torch.equal(images, networks.preprocess(photos.load("cat")))
    with torch.no_grad():
        assert torch.equal(named.network(images), network(images))
    assert named.classes == networks.class_names()


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(FILE.read_bytes())
    content[len(content) // 2] ^= 1  # one bit
    folder = tmp_path / "assets" / "networks"
    folder.mkdir(parents=True)
    (folder / squeezenet.WEIGHTS_FILE).write_bytes(content)
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    with pytest.raises(
        ValueError, match=r"squeezenet1_1: expected .* with SHA-256 .* Install camlib"
    ):
        networks.squeezenet1_1()
