"""What is timed computes what its name says, and the proof before the timing would notice if not."""

import re
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from benchmarks import contestants, goals, proof, written_out
from benchmarks.subjects import CAM_READY, SUBJECTS, Subject, Task, task
from camlib import find_head, grad_cam


@pytest.fixture
def small() -> Task:
    """Twelve classes, two pictures of 12x16 pixels, cells of 4x4 pixels."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        features = nn.Sequential(nn.Conv2d(3, 5, 4, stride=4), nn.ReLU())
        linear = nn.Linear(5, 12)
        network = nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear).eval()
        images = torch.rand(2, 3, 12, 16) * 2 - 1
    return Task(Subject(network, features, linear), images, tuple(range(1, 11)), total=12)


MAKERS: dict[str, tuple[Callable[[Task], contestants.Run], tuple[int, ...]]] = {
    goals.BARE: (contestants.bare, (2, 12)),
    goals.BARE_LAST: (contestants.bare_channels_last, (2, 12)),
    goals.ALL: (contestants.all_maps, (2, 12, 3, 4)),
    goals.SHOWN: (contestants.one_overlaid, (2, 12, 16, 3)),
    goals.ONE: (partial(contestants.at_picture_size, count=1), (2, 1, 12, 16)),
    goals.TEN: (partial(contestants.at_picture_size, count=10), (2, 10, 12, 16)),
    goals.FORWARD_BACKWARD: (contestants.forward_backward, (2, 5, 3, 4)),
    "camlib, Grad-CAM, 1 map": (partial(contestants.grad_cam, count=1), (2, 1, 3, 4)),
    "camlib, Grad-CAM, 10 maps": (partial(contestants.grad_cam, count=10), (2, 10, 3, 4)),
    "camlib, Grad-CAM++, 1 map": (partial(contestants.grad_cam_plus_plus, count=1), (2, 1, 3, 4)),
    "camlib, Grad-CAM++, 10 maps": (
        partial(contestants.grad_cam_plus_plus, count=10),
        (2, 10, 3, 4),
    ),
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
    with pytest.raises(ValueError, match=f"{re.escape(name)}: expected the values that"):
        proof.check(small, {name: wrong})
    with pytest.raises(ValueError, match=f"{re.escape(name)}: expected shape"):
        proof.check(small, {name: result[:1]})


def test_equations_written_out_by_hand() -> None:
    """Two cells, gradients 1 and -2, features 2 and 0.

    Grad-CAM: the mean of 1 and -2 is -1/2. Grad-CAM++: the sum of the features is 2, so that alpha is
    1/(2 + 2) = 1/4 at the first cell; the second gradient is negative and does not count.
    With 1 added to the denominator, alpha is 1/(2 + 2 + 1) = 1/5.
    """
    slopes, features = torch.tensor([[[[1.0, -2.0]]]]), torch.tensor([[[[2.0, 0.0]]]])
    assert written_out.grad_cam(slopes, features).item() == -0.5
    assert written_out.plus_plus(slopes, features).item() == 0.25
    assert written_out.plus_plus(slopes, features, epsilon=1.0).item() == pytest.approx(0.2)


def test_classes_beyond_the_ten_best_come_by_their_number(small: Task) -> None:
    """The fixture's ten are 1 to 10: then 0. All twelve: in their own order."""
    assert small.best(3) == (1, 2, 3)
    assert small.best(11) == (*range(1, 11), 0)
    assert small.best(12) == tuple(range(12))


def test_vgg_has_no_cam_and_its_layer_is_the_default() -> None:
    """Peers are told the layer that camlib finds, and maps of it need gradients."""
    subject = SUBJECTS["vgg16"]()
    made = task(subject, 1)
    found = grad_cam(subject.network, made.images, made.classes[0])
    assert subject.linear is None
    assert not found.closed_form
    assert subject.network.get_submodule(found.layer) is subject.features


@pytest.mark.parametrize("name", CAM_READY)
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
    assert subject.linear is not None
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
