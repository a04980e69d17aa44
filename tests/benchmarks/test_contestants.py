"""What is timed computes what its name says, and the proof before the timing would notice if not."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from benchmarks import contestants, goals, proof
from benchmarks.subjects import SUBJECTS, Subject, Task, task
from camlib import find_head


@pytest.fixture
def small() -> Task:
    """Twelve classes, two pictures of 12x16 pixels, cells of 4x4 pixels."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        features = nn.Sequential(nn.Conv2d(3, 5, 4, stride=4), nn.ReLU())
        linear = nn.Linear(5, 12)
        network = nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear).eval()
        images = torch.rand(2, 3, 12, 16) * 2 - 1
    return Task(Subject(network, features, linear), images, tuple(range(1, 11)))


MAKERS: dict[str, tuple[Callable[[Task], contestants.Run], tuple[int, ...]]] = {
    goals.BARE: (contestants.bare, (2, 12)),
    goals.BARE_LAST: (contestants.bare_channels_last, (2, 12)),
    goals.ALL: (contestants.all_maps, (2, 12, 3, 4)),
    goals.SHOWN: (contestants.one_overlaid, (2, 12, 16, 3)),
    goals.ONE: (partial(contestants.at_picture_size, count=1), (2, 1, 12, 16)),
    goals.TEN: (partial(contestants.at_picture_size, count=10), (2, 10, 12, 16)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_contestant_computes_what_its_name_says(small: Task, name: str) -> None:
    """Shape by hand, values by the proof's own way to them."""
    make, shape = MAKERS[name]
    result = make(small)()
    assert result.shape == shape
    proof.check(small, {name: result})


@pytest.mark.parametrize("name", MAKERS)
def test_the_proof_notices_wrong_values_and_shapes(small: Task, name: str) -> None:
    """One value off by a hundredth of the largest; one picture missing."""
    make, _ = MAKERS[name]
    result = make(small)()
    wrong = result.clone(memory_format=torch.contiguous_format)
    values = wrong.view(-1)
    # The smallest value: the largest one, if it grew, would shrink all others a little too.
    values[values.abs().argmin()] += 0.01 * values.abs().max()
    with pytest.raises(ValueError, match=f"{name}: expected the same values as camlib"):
        proof.check(small, {name: wrong})
    with pytest.raises(ValueError, match=f"{name}: expected shape"):
        proof.check(small, {name: result[:1]})


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_subject_names_its_layers_rightly(name: str) -> None:
    """What other libraries are told is what find_head finds by itself."""
    before = torch.random.get_rng_state()
    subject = SUBJECTS[name]()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not any(module.training for module in subject.network.modules())
    made = task(subject, 1)
    head = find_head(subject.network, made.images)
    with torch.no_grad():
        features = subject.features(_before(subject, made))
    assert (features - head.features).abs().max() <= 1e-4 * features.abs().max()
    assert torch.equal(subject.linear.get_parameter("weight"), head.weight)
    assert made.classes == tuple(head.logits[0].argsort(descending=True)[:10].tolist())


def _before(subject: Subject, made: Task) -> torch.Tensor:
    """Return what enters the features module."""
    entered: list[torch.Tensor] = []
    handle = subject.features.register_forward_pre_hook(
        lambda module, inputs: entered.append(inputs[0].clone())
    )
    try:
        with torch.no_grad():
            subject.network(made.images)
    finally:
        handle.remove()
    return entered[0]


def test_two_networks_with_random_weights_are_the_same() -> None:
    """The seed is fixed, so that two runs time the same numbers."""
    first, second = (SUBJECTS["resnet50"]().network.state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)
