"""Training: it learns, gives the same twice and after an interruption, and leaves no trace."""

from pathlib import Path

import pytest
import torch
from torch import nn

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


def test_the_same_recipe_gives_the_same_network(garments: Garments) -> None:
    first, second = train(TINY, garments), train(TINY, garments)
    assert torch.equal(weights(first.network), weights(second.network))
    assert first.losses == second.losses


def test_another_seed_gives_another_network(garments: Garments) -> None:
    other = Recipe(**{**TINY.as_dict(), "seed": 1})
    assert not torch.equal(
        weights(train(TINY, garments).network), weights(train(other, garments).network)
    )


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
    monkeypatch.setattr(training, "_step", step)
    resumed, whole = train(TINY, garments, unfinished=unfinished), train(TINY, garments)
    assert torch.equal(weights(resumed.network), weights(whole.network))
    assert resumed.losses == whole.losses
    assert len(resumed.seconds) == 3


def test_the_state_of_another_training_is_refused(garments: Garments, tmp_path: Path) -> None:
    unfinished = tmp_path / "state"
    train(TINY, garments, unfinished=unfinished)
    other = Recipe(**{**TINY.as_dict(), "rate": 0.1})
    with pytest.raises(ValueError, match="got one with another recipe"):
        train(other, garments, unfinished=unfinished)


def test_a_damaged_state_is_refused(garments: Garments, tmp_path: Path) -> None:
    unfinished = tmp_path / "state"
    unfinished.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="expected the state of an interrupted training"):
        train(TINY, garments, unfinished=unfinished)


def test_the_head_alone_leaves_the_convolutions_as_they_were(garments: Garments) -> None:
    recipe = Recipe(**{**TINY.as_dict(), "part": "head"})
    start = GapNet().eval()
    before = weights(start)
    trained = train(recipe, garments, start=start)
    assert torch.equal(weights(start), before)
    assert torch.equal(weights(trained.network.features), weights(start.features))
    assert not torch.equal(weights(trained.network.classifier), weights(start.classifier))
    assert all(weight.requires_grad for weight in trained.network.parameters())


def test_another_architecture_is_no_start(garments: Garments) -> None:
    with pytest.raises(ValueError, match='weights of a network "gap", got those of FlattenNet'):
        train(TINY, garments, start=FlattenNet())


def test_a_network_may_go_on_with_the_other_pooling(garments: Garments) -> None:
    recipe = Recipe(**{**TINY.as_dict(), "architecture": "gap-max"})
    assert isinstance(train(recipe, garments, start=GapNet()).network.pool, nn.AdaptiveMaxPool2d)


def test_garments_for_testing_are_refused() -> None:
    with pytest.raises(ValueError, match='expected those of "train", got "test"'):
        train(TINY, load_garments("test", per_class=5))


def test_a_loss_that_is_no_number_ends_the_training(
    garments: Garments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_step", lambda *_: torch.tensor(float("nan")))
    with pytest.raises(RuntimeError, match="expected a finite loss, got nan in epoch 1"):
        train(TINY, garments)


def test_the_callers_random_numbers_gradients_and_threads_stay(garments: Garments) -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    with torch.no_grad():
        train(TINY, garments)
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_half_precision_learns_too(garments: Garments) -> None:
    recipe = Recipe(**{**TINY.as_dict(), "precision": "bfloat16"})
    exact, rough = train(TINY, garments), train(recipe, garments)
    assert exact.losses != rough.losses
    assert rough.losses[-1] == pytest.approx(exact.losses[-1], abs=0.05)
