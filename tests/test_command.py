"""``python -m camlib``: from photographs and weights to overlays and numbers on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import nn

import camlib
from camlib import __main__ as command
from camlib import networks, photos
from tests.networks.test_named import trained
from tooling.repository import ROOT

OPTIONS = ("--device", "cpu", "--quiet")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "resnet18.pt"
    torch.save(trained().state_dict(), path)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with photographs, beside the one that the command runs in."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    photos.load("cat").save(folder / "cat.png")
    photos.load("coffee").save(folder / "more" / "coffee.jpg")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return folder


def own(weights: Path) -> tuple[str, ...]:
    return ("--network", "resnet18", "--weights", str(weights), "--classes", "cat,cup,rocket")


def run(*words: object) -> int:
    return command.main([*map(str, words), *OPTIONS])


def written(path: Path) -> list[str]:
    return sorted(str(one.relative_to(path)) for one in path.rglob("*") if one.is_file())


def test_one_photograph(folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The map is the library's for the best class, the overlay has the photograph's size."""
    assert run(folder / "cat.png", *own(weights)) == 0
    assert written(Path()) == ["cat.cam.npz", "cat.cam.png"]
    transforms = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    images = networks.preprocess(photos.load("cat"), transforms=transforms)
    cam = camlib.class_activation_maps(trained(), images)
    best = int(cam.logits.argmax())
    with np.load("cat.cam.npz") as stored:
        np.testing.assert_allclose(stored["map"], cam.maps[0, best], atol=1e-5)
        np.testing.assert_allclose(
            stored["map"].mean() + stored["offset"], stored["score"], atol=1e-5
        )
        np.testing.assert_allclose(stored["logits"], cam.logits[0], atol=1e-5)
        assert stored["classes"].tolist() == [best]
        place = networks.geometry(photos.load("cat"), transforms=transforms)
        np.testing.assert_allclose(stored["box"], place.box)
        versions = json.loads(str(stored["record"]))["versions"]
        assert versions["torch"] == metadata.version("torch")
    map = cam.maps[0, best] / cam.maps[0, best].abs().max()
    laid = camlib.plotting.overlay(photos.load("cat"), map, geometry=place)
    with Image.open("cat.cam.png") as overlay:
        assert overlay.size == photos.load("cat").size
        np.testing.assert_allclose(np.asarray(overlay) / 255, laid, atol=0.01)
    said = capsys.readouterr().out
    order = cam.logits[0].argsort(descending=True)
    lines = [line.split() for line in said.splitlines()[1:4]]
    assert [line[0] for line in lines] == [str(int(index)) for index in order]
    assert lines[0][1:] == [("cat", "cup", "rocket")[best], f"{float(cam.logits[0, best]):.3f}"]


def test_a_folder_with_what_cannot_be_read(
    folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    Image.new("F", (30, 30)).save(folder / "floats.tiff")
    (folder / "notes.txt").write_text("no picture")
    assert run(folder, *own(weights), "--output", "maps", "--batch-size", "2") == 1
    names = ["cat.cam", "more/coffee.cam"]
    assert written(Path("maps")) == [f"{name}.{end}" for name in names for end in ("npz", "png")]
    said = capsys.readouterr().err
    assert f"cannot read {folder / 'broken.jpg'}" in said
    assert f"cannot read {folder / 'floats.tiff'}: range: expected" in said
    assert "could not be read: 2 of 4" in said


def test_the_same_command_goes_on_where_it_stopped(
    folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (folder, *own(weights), "--output", "maps")
    assert run(*words) == 0
    first = {path: path.stat().st_mtime_ns for path in Path("maps").rglob("*.*")}
    Path("maps/more/coffee.cam.npz").write_bytes(b"PK half")
    capsys.readouterr()
    assert run(*words) == 0
    said = capsys.readouterr().out
    assert "explained before: 1 of 2" in said
    assert "coffee.jpg" in said
    assert "cat.png" not in said
    assert Path("maps/cat.cam.npz").stat().st_mtime_ns == first[Path("maps/cat.cam.npz")]
    assert run(*words, "--colour-bar", "--grey") == 0
    assert "explained before" not in capsys.readouterr().out
    with Image.open("maps/cat.cam.png") as overlay:
        width, height = photos.load("cat").size
        assert overlay.width == width
        assert height + 30 < overlay.height < 1.5 * height
        corner = np.asarray(overlay)[:5, :5].astype(int)  # which the network has not seen
        assert np.ptp(corner, axis=2).max() == 0


def test_one_class_less_another(folder: Path, weights: Path) -> None:
    for method in ("cam", "grad-cam"):
        given = ("--class", "cup", "--minus", "2", "--method", method)
        assert run(folder / "cat.png", *own(weights), *given) == 0
        with np.load(f"cat.cup-minus-2.{method}.npz") as stored:
            logits = stored["logits"]
            np.testing.assert_allclose(stored["score"], logits[1] - logits[2], atol=1e-5)
            assert stored["classes"].tolist() == [1, 2]
            if method == "cam":
                map = stored["map"]
            else:  # the head is linear: the same map, in the unit of Grad-CAM
                ratio = stored["map"] / map
                np.testing.assert_allclose(ratio, ratio.flat[0], rtol=1e-2)


def test_every_method_and_a_layer(folder: Path, weights: Path) -> None:
    for method in ("grad-cam", "grad-cam++"):
        given = ("--method", method, "--layer", "layer3", "--class", "0")
        assert run(folder, *own(weights), *given) == 0
        with np.load(f"cat.0.{method}.npz") as stored:
            assert str(stored["layer"]) == "layer3"
            explain = camlib.grad_cam if method == "grad-cam" else camlib.grad_cam_plus_plus
            transforms = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
            images = networks.preprocess(photos.load("cat"), transforms=transforms)
            expected = explain(trained(), images, 0, "layer3").maps[0, 0]
            np.testing.assert_allclose(stored["map"], expected, atol=1e-6)


def test_two_of_one_name_keep_their_endings(folder: Path, weights: Path) -> None:
    photos.load("cat").save(folder / "cat.jpg")
    assert run(folder, *own(weights)) == 0
    assert {"cat.jpg.cam.png", "cat.png.cam.png", "more/coffee.cam.png"} <= set(written(Path()))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing.png",), "cannot read nothing.png"),
        (("--class", "dog"), "--class: expected a class's name or number, got 'dog'"),
        (("--class", "caat"), "Near it: cat"),
        (("--class", "3"), "--class: expected a class below 3"),
        (("--minus", "1"), "--minus: expected a --class"),
        (("--mean", "0.5"), "--mean, --std: expected both"),
        (("--crop", "100"), "--resize, --crop: expected --mean and --std"),
        (("--network", "resnet81"), "network: expected"),
        (("--network", "resnet34"), "weights: expected those of resnet34"),
        (("--network", "vgg11", "--weights", ""), "weights: expected a file"),
        (("--batch-size", "0"), "--batch-size: expected a whole number"),
        (("--network", "tests.networks.test_named:own"), "nothing says how the pictures"),
        (("--layer", "nowhere", "--method", "grad-cam"), "layer"),
        (("--layer", "layer4"), "--layer: expected none with --method cam"),
        (("--class", "cat", "--minus", "0"), "--minus: expected another class than --class"),
        (("--classes", "a,b"), "--classes: expected a name for each of the network's 3 logits"),
        (("--classes", "a,b,c,d"), "got 4 names, 'a' to 'd'"),
        (("--output", __file__), f"{__file__}"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    folder: Path,
    weights: Path,
    words: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [] if words[0] == "nothing.png" else [folder / "cat.png"]
    assert run(*given, *own(weights), *words) == 2
    assert message in capsys.readouterr().err
    assert written(Path()) == []


@pytest.mark.parametrize("method", ["cam", "grad-cam"])
def test_what_a_network_raises_is_said(
    folder: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    half = ["0.5"] * 3
    words = ("--network", f"{__name__}:flat", "--mean", *half, "--std", *half, "--method", method)
    assert run(folder / "cat.png", *words) == 2
    said = capsys.readouterr().err
    assert (
        "network: expected one that reads images of shape (3, 224, 224), got RuntimeError" in said
    )
    assert written(Path()) == []


def flat() -> nn.Module:
    """Reads pictures of 32x32 pixels alone."""
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Flatten(), nn.Linear(4 * 32 * 32, 2))


def test_a_device_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(folder / "cat.png"), "--device", "foo"]) == 2
    assert "--device: expected one that PyTorch has here, got 'foo'" in capsys.readouterr().err


@pytest.mark.parametrize("damage", [b"", b"PK half"])
def test_damaged_numbers_are_made_again(folder: Path, weights: Path, damage: bytes) -> None:
    words = (folder / "cat.png", *own(weights))
    assert run(*words) == 0
    Path("cat.cam.npz").write_bytes(damage)
    assert run(*words) == 0
    with np.load("cat.cam.npz") as stored:
        assert stored["map"].shape == (7, 7)


def test_another_picture_of_the_same_name_is_explained(folder: Path, weights: Path) -> None:
    """Also where it is older than what was written."""
    photos.load("coffee").save(folder / "more" / "cat.png")
    os.utime(folder / "more" / "cat.png", (0, 0))
    sizes = []
    for path in (folder / "cat.png", folder / "more" / "cat.png"):
        assert run(path, *own(weights)) == 0
        with Image.open("cat.cam.png") as overlay:
            sizes.append(overlay.size)
    assert sizes == [photos.load("cat").size, photos.load("coffee").size]


def test_overlays_are_no_photographs(folder: Path, weights: Path) -> None:
    words = (folder, *own(weights), "--output", folder)
    assert run(*words) == 0
    once = written(folder)
    assert run(*words) == 0
    assert written(folder) == once


def test_a_name_that_is_a_number_is_a_name(folder: Path, weights: Path) -> None:
    words = ("--network", "resnet18", "--weights", weights, "--classes", "2,1,0")
    assert run(folder / "cat.png", *words, "--class", "2") == 0
    with np.load("cat.2.cam.npz") as stored:
        assert stored["classes"].tolist() == [0]


def grey() -> nn.Module:
    """Reads one channel; its maps are 8x8."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(4, 2),
        )  # fmt: skip


def test_a_grey_network_of_ones_own(folder: Path) -> None:
    words = (
        "--network",
        f"{__name__}:grey",
        "--mean",
        "0.5",
        "--std",
        "0.25",
        "--resize",
        "40",
        "--crop",
        "35",
    )
    assert run(folder / "cat.png", *words) == 0
    with np.load("cat.cam.npz") as stored:
        assert stored["map"].shape == (9, 9)


def test_two_processes_share_a_folder(folder: Path, weights: Path) -> None:
    words = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "camlib"]
    done = subprocess.run(
        [*words, str(folder), *own(weights), *OPTIONS],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(written(Path())) == 4
