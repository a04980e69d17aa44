"""Networks by name: weights from files of every kind, and nothing random without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import safetensors.torch
import torch
import torchvision
from torch import nn

from camlib import networks
from camlib.networks.named import read_class_names, read_weights

CLASSES = ("cat", "cup", "rocket")


def trained() -> nn.Module:
    """A ResNet-18 of three classes, as someone has trained it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torchvision.models.resnet18(num_classes=3).eval()


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return trained()


SAVED: dict[str, Any] = {
    "plain.pt": lambda state: state,
    "checkpoint.pth": lambda state: {"epoch": 3, "state_dict": state},
    "parallel.pt": lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
    "compiled.pt": lambda state: {"model": {f"_orig_mod.{k}": v for k, v in state.items()}},
    "lightning.ckpt": lambda state: {"state_dict": {f"model.{k}": v for k, v in state.items()}},
    "two wrappers.ckpt": lambda state: {
        "state_dict": {f"model._orig_mod.{k}": v for k, v in state.items()}
    },
    "with a loss.ckpt": lambda state: {
        "state_dict": {"criterion.weight": torch.ones(3)}
        | {f"backbone.{k}": v for k, v in state.items()}
    },
}


@pytest.mark.parametrize("file", [*SAVED, "plain.safetensors", "safetensors.bin"])
def test_three_classes_are_read_from_the_weights(
    file: str, network: nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / file
    if file in SAVED:
        torch.save(SAVED[file](network.state_dict()), path)
    else:
        safetensors.torch.save_file(network.state_dict(), path)
    state = torch.get_rng_state()
    found = networks.named_network("resnet18", path, classes="cat, cup, rocket")
    assert torch.equal(torch.get_rng_state(), state)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(found.network(images), network(images))
    assert found.classes == CLASSES
    assert found.transforms is not None
    assert found.transforms.mean == [0.485, 0.456, 0.406]  # type: ignore[attr-defined]


def test_a_network_of_timm(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    made = timm.create_model("test_resnet.r160_in1k", num_classes=3).eval()
    torch.save(made.state_dict(), tmp_path / "weights.pt")
    found = networks.named_network("test_resnet.r160_in1k", tmp_path / "weights.pt")
    images = torch.randn(1, 3, 160, 160)
    with torch.inference_mode():
        torch.testing.assert_close(found.network(images), made(images))
    place = networks.geometry(photo(), transforms=found.transforms)
    assert found.classes == ()
    assert place.box[3] - place.box[1] == pytest.approx(
        300 * made.pretrained_cfg["crop_pct"], abs=3
    )


def photo() -> Any:
    from PIL import Image

    return Image.new("RGB", (400, 300))


def test_without_weights_and_without_downloads_it_is_refused() -> None:
    from torchvision.models import _api

    offline = mock.Mock(side_effect=OSError("no route to host"))
    with (
        mock.patch.object(_api, "load_state_dict_from_url", offline),
        pytest.raises(ValueError, match=r"weights: resnet18 has random weights.*no route to host"),
    ):
        networks.named_network("resnet18")


def own() -> nn.Module:
    return trained()


def own_with_transforms() -> tuple[nn.Module, Any]:
    return trained(), networks.eval_transforms(64, 64, 0.5, 0.5)


def nothing() -> str:
    return "resnet18"


def test_a_function_of_ones_own() -> None:
    here = __name__
    assert networks.named_network(f"{here}:own").transforms is None
    found = networks.named_network(f"{here}:own_with_transforms")
    assert networks.preprocess(photo(), transforms=found.transforms).shape == (1, 3, 64, 64)
    other = networks.eval_transforms(32, 32)
    assert (
        networks.named_network(f"{here}:own_with_transforms", transforms=other).transforms is other
    )


@pytest.mark.parametrize(("name", "aux"), [("googlenet", "aux1"), ("inception_v3", "AuxLogits")])
def test_heads_that_only_training_runs_are_left_out(name: str, aux: str, tmp_path: Path) -> None:
    """Files with their 1000 classes, and files without them, as fine-tuning leaves both."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        options = {"init_weights": False, "num_classes": 3}
        network = torchvision.models.get_model(name, weights=None, aux_logits=False, **options)
    path, images = tmp_path / "own.pt", torch.randn(1, 3, 128, 128)
    for more in ({}, {f"{aux}.fc.bias": torch.zeros(1000)}):
        torch.save(network.state_dict() | more, path)
        with pytest.warns(UserWarning, match="built without transform_input"):
            found = networks.named_network(name, path).network
        with torch.inference_mode():
            torch.testing.assert_close(found(images), network.eval()(images))


def failing() -> nn.Module:
    raise KeyError("config")


def with_a_number() -> tuple[nn.Module, int]:
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()), 5


CLASS_FILES = {
    "latin.txt": (b"\xe9t\xe9", "UTF-8 in latin.txt, got the byte 0xe9"),
    "empty.txt": (b"\n", "expected names in .*got none"),
    "broken.json": (b"[", "an error in line 1"),
    "text.json": (b'"abc"', "expected a list of names"),
    "null.json": (b"null", "expected a list of names"),
    "nested.json": (b"[[]]", "list as a name"),
    "records.json": (b'[{"id": 0, "name": "cat"}]', "dict as a name"),
    "words.json": (b'{"cat": "0"}', "numbers from 0 with their names"),
    "gap.json": (b'{"0": "cat", "2": "dog"}', "numbers that do not count from 0"),
}


@pytest.mark.parametrize("name", CLASS_FILES)
def test_files_that_name_no_classes(name: str, tmp_path: Path) -> None:
    contents, message = CLASS_FILES[name]
    (tmp_path / name).write_bytes(contents)
    with pytest.raises(ValueError, match=f"classes: .*{message}"):
        read_class_names(tmp_path / name)


def test_classes_from_files_and_folders(tmp_path: Path) -> None:
    lines, listed, indexed, back = (
        tmp_path / name for name in ("a.txt", "b.json", "c.json", "d.json")
    )
    lines.write_text("\ufeffcat\ncup\n\nrocket\n", encoding="utf-8")
    listed.write_text(json.dumps(CLASSES))
    indexed.write_text(json.dumps({"1": ["n2", "cup"], "0": ["n1", "cat"], "2": ["n3", "rocket"]}))
    back.write_text(json.dumps({"cup": 1, "cat": 0, "rocket": 2}))
    for name in reversed(CLASSES):
        (tmp_path / "train" / name).mkdir(parents=True)
    (tmp_path / "train" / "notes.txt").touch()
    (tmp_path / "train" / ".ipynb_checkpoints").mkdir()
    hub = tmp_path / "config.json"
    hub.write_text(json.dumps({"id2label": {"0": "cat", "1": "cup", "2": "rocket"}}))
    for given in (lines, listed, indexed, back, str(tmp_path / "train"), "cat,cup,rocket", CLASSES):
        assert read_class_names(given) == CLASSES
    for given in (hub, {"0": "cat", "1": "cup", "2": "rocket"}, {"cup": 1, "cat": 0, "rocket": 2}):
        assert read_class_names(given) == CLASSES
    with pytest.raises(ValueError, match="got an empty one"):
        read_class_names("cat,,rocket")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("resnet81",),
            'network: expected "efficientnet_lite0", a classifier of torchvision or timm',
        ),
        (("nowhere:network",), "network: expected module:function that can be imported"),
        ((f"{__name__}:nothing",), "network: expected a torch.nn.Module .* got str 'resnet18'"),
        (
            (f"{__name__}:failing",),
            "network: expected a network from .*:failing, got KeyError: 'conf",
        ),
        ((f"{__name__}:with_a_number",), "expected transforms that can be called .* got int 5"),
        (
            ("efficientnet_lite0", None, "no such file"),
            "classes: expected a file with a name per line",
        ),
    ],
)
def test_bad_input_is_named(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        networks.named_network(*arguments)


def test_bad_files_are_named(tmp_path: Path, network: nn.Module) -> None:
    with pytest.raises(FileNotFoundError, match="weights: expected a file, but there is none at"):
        read_weights(tmp_path / "none.pt")
    cases = {
        "module.pt": (network, "weights: expected tensors alone in module.pt, got other objects"),
        "numbers.pt": ({"loss": 0.5}, r"state dict in numbers.pt.*got the keys \['loss'\]"),
        "list.pt": ([1, 2], "weights: expected a state dict in list.pt"),
    }
    for name, (contents, message) in cases.items():
        torch.save(contents, tmp_path / name)
        with pytest.raises(ValueError, match=message):
            read_weights(tmp_path / name)
    for name in ("text.pt", "text.safetensors"):
        (tmp_path / name).write_text("hello, this is a text")
        with pytest.raises(ValueError, match=r"weights: .*text"):
            read_weights(tmp_path / name)
    for given, message in (
        ((network,), "network: expected a name"),
        (("resnet18", network.state_dict()), "weights: expected a file, got OrderedDict"),
        (("efficientnet_lite0", None, 5), "classes: expected names or a path, got int 5"),
    ):
        with pytest.raises(TypeError, match=message):
            networks.named_network(*given)
    torch.save(network.state_dict(), tmp_path / "resnet18.pt")
    with pytest.raises(ValueError, match=r"weights: expected those of resnet34 in resnet18\.pt"):
        networks.named_network("resnet34", tmp_path / "resnet18.pt")
