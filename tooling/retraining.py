"""The trainings of chapter 6 with five seeds: ``python -m tooling.retraining`` writes
``camlib/assets/results/retraining.json``.

Seeds that the file holds already are not trained again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch import nn
from tqdm.auto import tqdm

import camlib
from camlib import localization, networks
from camlib.garments import Garments, Recipe, Scenes, load_garments, make_scenes, train
from camlib.networks.checkpoint import build
from tooling.repository import ROOT

RESULTS = ROOT / "camlib" / "assets" / "results" / "retraining.json"
SEEDS = range(5)
# All ways take six epochs.
HEAD = Recipe(epochs=6, scenes=1024, batch=32, rate=0.1, part="head")
ALL = replace(HEAD, part="all", rate=0.01)
WAYS: dict[str, tuple[Recipe, ...]] = {
    "head alone": (HEAD,),
    "head alone, rate 0.01": (replace(HEAD, rate=0.01),),
    "all at once": (ALL,),
    "all at once, rate 0.1": (replace(ALL, rate=0.1),),
    "all at once, rate 0.003": (replace(ALL, rate=0.003),),
    "head, then all": (replace(HEAD, epochs=4), replace(ALL, epochs=2, rate=0.003)),
}
LARGE = Recipe("flatten", epochs=12, scenes=256, fresh=False, batch=32, rate=0.03, part="head")
FEW = {"flatten": LARGE, "gap": replace(LARGE, architecture="gap", rate=0.1)}


def main() -> None:
    """Train with every seed that is missing and write the results."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"seeds": {}}
    for seed in tqdm(SEEDS, desc="seeds"):
        if str(seed) not in results["seeds"]:
            results["seeds"][str(seed)] = one_seed(seed)
            write(RESULTS, results["seeds"])


def write(path: Path, seeds: dict[str, Any]) -> None:
    """Write the results, the recipes they came from, and the SHA-256 of both."""
    contents = {
        "command": "python -m tooling.retraining",
        "garments": load_garments("train").digest,
        "recipes": recipes(),
        "seeds": seeds,
    }
    path.write_text(json.dumps(contents | {"sha256": digest(contents)}, indent=1) + "\n")


def recipes() -> dict[str, Any]:
    """Return all recipes, but for the seed, in a form that JSON can hold."""
    return {
        "ways": {way: [each.as_dict() for each in steps] for way, steps in WAYS.items()},
        "few": {end: recipe.as_dict() for end, recipe in FEW.items()},
    }


def digest(contents: dict[str, Any]) -> str:
    """Return the SHA-256 of all but the SHA-256."""
    rest = {name: value for name, value in contents.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def one_seed(
    seed: int, *, shorten: Callable[[Recipe], Recipe] = lambda recipe: recipe, count: int = 400
) -> dict[str, Any]:
    """Train everything with one seed, of the new heads, the scenes and their order; measure on new scenes."""
    garments, few = load_garments("train"), load_garments("train", per_class=10)
    new = make_scenes(load_garments("test"), count, seed=6)
    donor = networks.garment_network("flatten")

    def trained(recipe: Recipe, data: Garments, start: nn.Module | None) -> Any:
        return train(shorten(replace(recipe, seed=seed)), data, start=start)

    ways = {}
    for way, steps in WAYS.items():
        network = beginning("gap", "flatten", seed)
        losses: list[float] = []
        for step in steps:
            done = trained(step, garments, network)
            network, losses = done.network, losses + done.losses
        ways[way] = {
            "losses": rounded(losses),
            "moved": moved(network, donor),
            "precision": precision(network, new),
            "pointing": pointing(network, new),
        }
    ours = make_scenes(few, 256, seed=seed * 10_000)  # what these recipes train with
    heads = {}
    for end, recipe in FEW.items():
        for convolutions in ("flatten", "gap", "random"):
            if convolutions == "random":
                done = trained(replace(recipe, part="all", rate=0.01), few, None)
            else:
                done = trained(recipe, few, beginning(end, convolutions, seed))
            scores = {"known": precision(done.network, ours), "new": precision(done.network, new)}
            heads[f"{end} head on {convolutions}"] = scores
    return {"ways": ways, "few": heads}


def beginning(architecture: str, donor: str, seed: int) -> Any:
    """Return a network with a new, random head on the donor's convolutions."""
    network: Any = build(architecture)
    network.features = networks.garment_network(donor).features
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in network.classifier.modules():
            if isinstance(layer, nn.Linear):
                layer.reset_parameters()
    return network.eval()


def precision(network: nn.Module, scenes: Scenes) -> float:
    """Return the mean average precision over the ten classes."""
    with torch.no_grad():
        logits = network(scenes.images())
    return rounded(average_precision_score(scenes.labels().numpy(), logits.numpy()))


def moved(network: Any, donor: Any) -> float:
    """Return how far the convolutions went from the donor's, relative to their size."""
    after, before = (
        torch.cat([weight.detach().flatten() for weight in one.features.parameters()])
        for one in (network, donor)
    )
    return rounded(float((after - before).norm() / before.norm()))


def pointing(network: nn.Module, scenes: Scenes) -> float:
    """Return the share of maps, of garments that are there, that peak on their garment."""
    rows, kinds = scenes.labels().bool().nonzero(as_tuple=True)
    holds = scenes.garments[rows] == kinds[:, None].numpy()
    owned = scenes.owner[rows][:, None] == np.arange(4)[:, None, None]
    masks = torch.from_numpy((owned & holds[:, :, None, None]).any(1))
    maps = camlib.class_activation_maps(network, scenes.images()).maps[rows, kinds]
    large = camlib.upsample(maps[:, None], scenes.pictures.shape[-1])[:, 0]
    return rounded(float(localization.pointing_game(large, masks).mean()))


def rounded(value: Any) -> Any:
    """Round a number or numbers to four digits, more than which no machine agrees on with another."""
    return np.round(value, 4).tolist()


if __name__ == "__main__":
    main()
