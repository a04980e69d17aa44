"""The networks that the package carries: what their files say of them is true."""

import hashlib
from typing import Any

import pytest
import torch

from camlib.garments import evaluate_scenes, load_garments, make_scenes
from camlib.garments.__main__ import parser, recipe_from
from camlib.networks import GapNet, garment_network, read_checkpoint
from tooling.repository import ROOT

ASSETS = ROOT / "camlib" / "assets"
FILES = {"gap": "gap", "gap-max": "gap-max", "flatten": "flatten", "gap-quick": "gap"}
# The digest of the full data set's 60 000, which load_garments("train", FOLDER) has checked and returns.
ALL_TRAINING_GARMENTS = "1f243a60b4b748a44c48b9a6f6907be2a08bee3e4e226f0e86fbde8e147b745a"


def said(name: str) -> dict[str, Any]:
    """What a carried file says of itself."""
    return read_checkpoint(ASSETS / f"networks/{name}.safetensors", FILES[name])[1]


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_the_one_that_is_listed(name: str) -> None:
    """The command in its row is the recipe in the file; it saw none of the garments it is tested on."""
    file = f"networks/{name}.safetensors"
    rows = (ASSETS / "README.md").read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in rows if line.startswith(f"| `{file}` |")]
    assert hashlib.sha256((ASSETS / file).read_bytes()).hexdigest() in row
    words = row.split("`python -m camlib.garments ")[1].split("`")[0].split()
    about = said(name)
    assert about["recipe"] == recipe_from(parser().parse_args(words)).as_dict()
    carried = load_garments("train").digest
    trained_on = carried if name == "gap-quick" else ALL_TRAINING_GARMENTS
    assert about["garments"]["train"] == trained_on
    assert about["garments"]["test"] == load_garments("test").digest


@pytest.mark.parametrize("name", FILES)
def test_the_results_in_the_file_are_measured_again(name: str) -> None:
    """On 150 of the 2000 scenes, so within a few points."""
    network, written = read_checkpoint(ASSETS / f"networks/{name}.safetensors")
    if isinstance(network, GapNet):
        network = network.at_stride(written["stride"])
    scenes = make_scenes(load_garments("test"), 150, written["test_scenes"]["seed"])
    table = evaluate_scenes(network, scenes, thresholds=(written["results"].get("threshold", 0.2),))
    for figure, value in table.as_dict().items():
        if figure in ("mean_average_precision", "top1", "pointing", "energy", "max_box_acc"):
            assert value == pytest.approx(written["results"][figure], abs=0.04), figure


def test_a_few_minutes_are_enough_for_a_good_network() -> None:
    quick = said("gap-quick")
    assert sum(quick["seconds"]) <= 5 * 60
    assert quick["results"]["mean_average_precision"] >= 0.92
    assert quick["results"]["pointing"] >= 0.95


def test_the_best_network_finds_what_it_names() -> None:
    best, flatten = said("gap"), said("flatten")
    results, precision = best["results"], "mean_average_precision"
    assert sum(best["seconds"]) <= 30 * 60
    assert results[precision] >= max(0.95, flatten["results"][precision] - 0.02)
    assert results["pointing"] >= 0.97
    assert results["max_box_acc"] >= 0.90
    assert results["max_box_acc"] - max(results["centre_box"], results["random_box"]) >= 0.40


def test_it_names_the_garments_of_a_scene() -> None:
    scenes = make_scenes(load_garments("test"), 50, seed=7)
    with torch.no_grad():
        guessed = garment_network()(scenes.images()).argmax(1)
    assert float(scenes.labels()[torch.arange(50), guessed].mean()) > 0.85


def test_finer_maps_are_those_of_the_same_weights() -> None:
    fine, coarse = garment_network("gap", stride=1), garment_network("gap")
    assert (fine.stride, coarse.stride) == (1, 4)
    assert torch.equal(fine.classifier.weight, coarse.classifier.weight)
    with pytest.raises(ValueError, match="stride: expected a GapNet for another stride"):
        garment_network("flatten", stride=2)
    with pytest.raises(ValueError, match='architecture: expected one of "gap", "gap-max", "flat'):
        garment_network("vgg")
