"""Training: it learns, gives the same twice and after an interruption, and leaves no trace."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import camlib
from camlib.garments import Garments, Recipe, load_garments, make_scenes, train, training
from camlib.networks import FlattenNet, GapNet

TINY = Recipe(epochs=3, scenes=64, batch=16, per_class=5)


@pytest.fixture(scope="module")
def garments() -> Garments:
    return load_garments("train", per_class=5)


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([tensor.double().flatten() for tensor in network.state_dict().values()])


@pytest.mark.parametrize("architecture", ["gap", "gap-max", "flatten"])
def test_it_learns_a_few_garments_by_heart(architecture: str, garments: Garments) -> None:
    """Who only knows how often each class comes pays the labels' entropy; who sees pays less."""
    recipe = Recipe(architecture, epochs=6, scenes=256, batch=16, fresh=False)
    trained = train(recipe, garments)
    share = make_scenes(garments, 256, seed=0).labels().mean(0)
    blind = float(nn.functional.binary_cross_entropy(share, share))
    assert trained.losses[-1] < 0.95 * blind < trained.losses[0]
    assert not trained.network.training


def test_the_same_recipe_gives_the_same_network_and_leaves_no_trace(garments: Garments) -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    with torch.no_grad():
        first, second = train(TINY, garments), train(TINY, garments)
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert torch.equal(weights(first.network), weights(second.network))
    assert first.losses == second.losses
    assert first.garments == garments.digest
    other = train(replace(TINY, seed=1), garments)
    assert not torch.equal(weights(first.network), weights(other.network))


def test_after_an_interruption_it_goes_on_to_the_same_network(
    garments: Garments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = tmp_path / "state"
    step, calls = training._step, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 6:  # in the second of three epochs of four steps
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(training, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(TINY, garments, unfinished=unfinished)
    resumed = train(TINY, garments, unfinished=unfinished)
    assert len(calls) == 6 + 8  # the second epoch again, and the third
    monkeypatch.setattr(training, "_step", step)
    whole = train(TINY, garments)
    assert torch.equal(weights(resumed.network), weights(whole.network))
    assert resumed.losses == whole.losses
    assert len(resumed.seconds) == 3


def test_a_resnet50_is_trained_and_resumed_too(garments: Garments, tmp_path: Path) -> None:
    """Its maps have 4x4 cells of 2048 channels; after an interruption it is the same network."""
    recipe = Recipe("resnet50", epochs=2, scenes=8, batch=4, per_class=5)
    unfinished = tmp_path / "state"
    whole = train(recipe, garments, unfinished=unfinished)
    states: list[bytes] = []
    keep = training._keep

    def kept(*arguments: Any) -> None:
        keep(*arguments)
        states.append(arguments[1].read_bytes())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_keep", kept)
        unfinished.unlink()
        train(recipe, garments, unfinished=unfinished)
    unfinished.write_bytes(states[0])
    resumed = train(recipe, garments, unfinished=unfinished)
    assert torch.equal(weights(resumed.network), weights(whole.network))
    images = make_scenes(garments, 2, seed=1).images()
    cam = camlib.class_activation_maps(whole.network, images)
    assert cam.maps.shape == (2, 10, 4, 4)
    assert camlib.find_head(whole.network, images).features.shape == (2, 2048, 4, 4)
    head = train(replace(recipe, epochs=1, part="head"), garments, start=whole.network).network
    (changed,) = {
        name.partition(".")[0]
        for name, weight in head.named_parameters()
        if not torch.equal(weight, whole.network.get_parameter(name))
    }
    assert changed == "fc"


def test_another_or_a_damaged_state_is_refused(garments: Garments, tmp_path: Path) -> None:
    unfinished = tmp_path / "state"
    train(TINY, garments, unfinished=unfinished)
    with pytest.raises(ValueError, match="got one with another recipe"):
        train(replace(TINY, rate=0.1), garments, unfinished=unfinished)
    with pytest.raises(ValueError, match="got one with another garments"):
        train(TINY, load_garments("train", per_class=6), unfinished=unfinished)
    unfinished.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="expected the state of an interrupted training"):
        train(TINY, garments, unfinished=unfinished)


def test_the_head_alone_leaves_the_convolutions_as_they_were(garments: Garments) -> None:
    start = GapNet().eval()
    before = weights(start)
    trained = train(replace(TINY, part="head"), garments, start=start)
    assert torch.equal(weights(start), before)
    assert torch.equal(weights(trained.network.features), weights(start.features))
    assert not torch.equal(weights(trained.network.classifier), weights(start.classifier))
    assert all(weight.requires_grad for weight in trained.network.parameters())


def test_a_start_of_the_other_pooling_but_not_of_another_architecture(garments: Garments) -> None:
    trained = train(replace(TINY, architecture="gap-max", epochs=1), garments, start=GapNet())
    assert isinstance(trained.network.pool, nn.AdaptiveMaxPool2d)
    with pytest.raises(ValueError, match='weights of a network "gap", got those of FlattenNet'):
        train(TINY, garments, start=FlattenNet())


def test_garments_for_testing_are_refused() -> None:
    with pytest.raises(ValueError, match='expected those of "train", got "test"'):
        train(TINY, load_garments("test", per_class=5))


def test_a_loss_that_is_no_number_ends_the_training(
    garments: Garments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_step", lambda *_: torch.tensor(float("nan")))
    with pytest.raises(RuntimeError, match="expected a finite loss, got nan in epoch 1"):
        train(TINY, garments)


def test_half_precision_learns_too(garments: Garments) -> None:
    exact, rough = train(TINY, garments), train(replace(TINY, precision="bfloat16"), garments)
    assert exact.losses != rough.losses
    assert rough.losses[-1] == pytest.approx(exact.losses[-1], abs=0.05)


def test_a_recipe_can_be_written_and_read() -> None:
    """Also one with numpy's numbers."""
    recipe = Recipe(epochs=np.int64(3), scenes=1000, per_class=5)
    assert Recipe(**json.loads(json.dumps(recipe.as_dict()))) == recipe
    assert recipe.steps == 7  # whole batches of 128


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"architecture": "vgg"}, 'architecture: expected one of "gap", "gap-max", "flatten"'),
        ({"part": "tail"}, 'part: expected one of "all", "head", got \'tail\''),
        ({"precision": "int8"}, 'precision: expected one of "float32", "bfloat16"'),
        ({"epochs": 0}, "epochs: expected a whole number from 1 to 10000, got 0"),
        ({"epochs": 1.5}, "epochs: expected a whole number"),
        ({"batch": 1}, "batch: expected a whole number from 2"),
        ({"scenes": 100}, "scenes: expected a whole number from 128"),
        ({"seed": -1}, "seed: expected a whole number from 0"),
        ({"per_class": 0}, "per_class: expected a whole number from 1"),
        ({"rate": 0}, "rate: expected a number from 0 to 1, got 0"),
        ({"weight_decay": -0.1}, "weight_decay: expected a number from 0 to 1"),
        ({"weight_decay": 1.1}, "weight_decay: expected a number from 0 to 1"),
    ],
)
def test_a_value_out_of_range_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**values)
    Recipe(weight_decay=0, rate=1)
