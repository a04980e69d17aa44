"""What is timed computes what its name says, and the proof before the timing would notice if not."""

import re
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from benchmarks import contestants, goals, proof
from benchmarks.contestants import CAM_READY, Task, task
from benchmarks.goals import GRAD_CAM, PLUS_PLUS, gradient_maps
from camlib import find_head, grad_cam, grad_cam_plus_plus


@pytest.fixture
def small() -> Task:
    """Twelve classes, two pictures of 12x16 pixels, cells of 4x4 pixels."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        features = nn.Sequential(nn.Conv2d(3, 5, 4, stride=4), nn.ReLU())
        linear = nn.Linear(5, 12)
        network = nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear).eval()
        images = torch.rand(2, 3, 12, 16) * 2 - 1
    return Task(network, features, linear, images, tuple(range(1, 11)), total=12)


MAKERS: dict[str, tuple[Callable[[Task], contestants.Run], tuple[int, ...]]] = {
    goals.BARE: (contestants.bare, (2, 12)),
    goals.BARE_LAST: (partial(contestants.bare, layout=torch.channels_last), (2, 12)),
    goals.ALL: (contestants.all_maps, (2, 12, 3, 4)),
    goals.SHOWN: (contestants.one_overlaid, (2, 12, 16, 3)),
    goals.FORWARD_BACKWARD: (contestants.forward_backward, (2, 5, 3, 4)),
}
for count, name in ((1, goals.ONE), (10, goals.TEN)):
    MAKERS[name] = partial(contestants.at_picture_size, count=count), (2, count, 12, 16)
    for title, method in ((GRAD_CAM, grad_cam), (PLUS_PLUS, grad_cam_plus_plus)):
        maker = partial(contestants.gradient_maps, count=count, method=method)
        MAKERS[gradient_maps("camlib", title, count)] = maker, (2, count, 3, 4)


@pytest.mark.parametrize("name", MAKERS)
def test_a_contestant_computes_what_its_name_says(small: Task, name: str) -> None:
    """Shape by hand, values by the proof's own way to them; one value off by a hundredth is noticed."""
    make, shape = MAKERS[name]
    result = make(small)()
    assert result.shape == shape
    proof.check(small, {name: result})
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
    assert proof.grad_cam(slopes, features).item() == -0.5
    assert proof.plus_plus(slopes, features).item() == 0.25
    assert proof.plus_plus(slopes, features, epsilon=1.0).item() == pytest.approx(0.2)


def test_classes_beyond_the_ten_best_come_by_their_number(small: Task) -> None:
    """The fixture's ten are 1 to 10: then 0. All twelve: in their own order."""
    assert small.best(3) == (1, 2, 3)
    assert small.best(11) == (*range(1, 11), 0)
    assert small.best(12) == tuple(range(12))


@pytest.mark.parametrize("name", CAM_READY)
def test_a_task_names_its_layers_rightly(name: str) -> None:
    """What other libraries are told is what find_head finds by itself; weights are always the same."""
    before = torch.random.get_rng_state()
    made = task(name, 1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not any(module.training for module in made.network.modules())
    head = find_head(made.network, made.images)
    entered: list[torch.Tensor] = []
    made.features.register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0].clone()))
    with torch.no_grad():
        made.network(made.images)
        features = made.features(entered[0])
    assert (features - head.features).abs().max() <= 1e-4 * features.abs().max()
    assert made.linear is not None
    assert torch.equal(made.linear.get_parameter("weight"), head.weight)
    assert made.classes == tuple(head.logits[0].argsort(descending=True)[:10].tolist())
    again = task(name, 1).network.state_dict()
    assert all(torch.equal(value, again[key]) for key, value in made.network.state_dict().items())
