"""Photographs: real files with their licences beside them, unchanged since they were checked."""

import hashlib
import re
from importlib import resources

import pytest
import torch

from camlib import networks, photos

ASSETS = resources.files("camlib").joinpath("assets")


def _listed() -> dict[str, tuple[str, str]]:
    """Read file -> (licence, SHA-256) from the table in assets/README.md."""
    rows = re.findall(
        r"^\| `photos/([^`]+)` \|[^|]*\|[^|]*\|([^|]*)\|[^|]*\| `([0-9a-f]{64})` \|$",
        ASSETS.joinpath("README.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    return {file: (licence.strip(), digest) for file, licence, digest in rows}


def test_every_file_is_listed_with_licence_and_checksum_and_no_other() -> None:
    files = {file.name: file.read_bytes() for file in ASSETS.joinpath("photos").iterdir()}
    listed = _listed()
    assert files.keys() == listed.keys()
    for name, content in files.items():
        licence, digest = listed[name]
        assert hashlib.sha256(content).hexdigest() == digest
        assert licence.startswith(("CC0", "CC BY", "public domain"))


@pytest.mark.parametrize("name", dict.fromkeys([*photos.names(), *photos.labelled()]))
def test_every_photo_opens_and_is_credited(name: str) -> None:
    picture = photos.load(name)
    assert picture.mode == "RGB"
    assert min(picture.size) >= 200
    assert re.search(r"CC0|CC BY|public domain", photos.credit(name))


def test_both_networks_know_what_the_labelled_ones_show() -> None:
    """Twelve photographs of twelve classes."""
    names = networks.class_names()
    labelled = photos.labelled()
    assert len(set(labelled.values())) == 12
    pictures = [photos.load(name) for name in labelled]
    images = torch.cat(
        [networks.preprocess(one, None if one.size == (224, 224) else 256) for one in pictures]
    )
    for network in (networks.squeezenet1_1(), networks.efficientnet_lite0()):
        with torch.no_grad():
            best = network(images).argmax(1).tolist()
        assert [names[index] for index in best] == list(labelled.values())


def test_the_pair_is_made_of_both_photographs() -> None:
    pair = photos.load("cat_and_coffee")
    assert pair.size == (448, 224)
    assert photos.credit("cat") in photos.credit("cat_and_coffee")
    assert photos.credit("coffee") in photos.credit("cat_and_coffee")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    message = "name: expected one of 'cat', .*, 'cat_and_coffee', 'giant panda', .*, got 'dog'. .* PIL.Image.open"
    for ask in (photos.load, photos.credit):
        with pytest.raises(ValueError, match=message):
            ask("dog")
