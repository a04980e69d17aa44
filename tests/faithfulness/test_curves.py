"""Deletion and insertion, on pictures of 2x2 pixels that can be counted by hand."""

import pytest
import torch
from torch import Tensor, nn

from camlib.faithfulness import Curve, blurred, deletion, insertion, probabilities


class Sum(nn.Module):
    """Two classes: the sum of the pixels divided by ten, and the rest up to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 1)
        self.fc.weight.data.fill_(0.1)
        self.fc.bias.data.fill_(0.0)

    def forward(self, images: Tensor) -> Tensor:
        share = self.fc(images.flatten(1))
        return torch.cat([share, 1 - share], 1)


PICTURE = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])


def as_it_is(logits: Tensor) -> Tensor:
    return logits


def run(function, maps: Tensor, **options) -> Curve:
    options = {"steps": 4, "probability": as_it_is} | options
    return function(Sum(), PICTURE.repeat(len(maps), 1, 1, 1), maps, 0, **options)


ASCENDING, DESCENDING = [[1.0, 2.0], [3.0, 4.0]], [[4.0, 3.0], [2.0, 1.0]]


@pytest.mark.parametrize(
    ("function", "map", "options", "expected"),
    [
        (deletion, ASCENDING, {}, [1.0, 0.6, 0.3, 0.1, 0.0]),  # takes 4, 3, 2, 1
        (deletion, DESCENDING, {}, [1.0, 0.9, 0.7, 0.4, 0.0]),  # takes 1, 2, 3, 4
        (deletion, [[5.0, 5.0], [5.0, 5.0]], {}, [1.0, 0.9, 0.7, 0.4, 0.0]),  # row by row
        (insertion, ASCENDING, {}, [0.0, 0.4, 0.7, 0.9, 1.0]),  # puts in 4, 3, 2, 1
        # 1 + 2 + 1 + 1 are left when 4 and 3 are gone; a baseline of 4 ones when all are.
        (deletion, ASCENDING, {"steps": 2, "baseline": 1.0}, [1.0, 0.5, 0.4]),
        (deletion, ASCENDING, {"steps": 2, "baseline": torch.ones(1, 1, 1, 1)}, [1.0, 0.5, 0.4]),
        (deletion, DESCENDING, {"steps": 3}, [1.0, 0.9, 0.4, 0.0]),  # takes 1, 2 and 1 of them
    ],
)
def test_curves_by_hand(function, map, options, expected: list[float]) -> None:
    """The picture 1 2 3 4 has 10 tenths; each step adds or takes the pixel that the map names next."""
    curve = run(function, torch.tensor([map]), **options)
    torch.testing.assert_close(curve.probabilities, torch.tensor([expected]))
    fractions = (
        [0.0, 0.25, 0.75, 1.0] if len(expected) == 4 else torch.linspace(0, 1, len(expected))
    )
    torch.testing.assert_close(curve.fractions, torch.as_tensor(fractions))


def test_the_area_by_hand() -> None:
    """Four trapezia: (8 + 4.5 + 2 + 0.5)/40 = 0.375, and (9.5 + 8 + 5.5 + 2)/40 = 0.625."""
    curve = run(deletion, torch.tensor([ASCENDING, DESCENDING]))
    torch.testing.assert_close(curve.area, torch.tensor([0.375, 0.625]))


def test_each_picture_has_its_own_class() -> None:
    maps = torch.ones(2, 2, 2)
    images = PICTURE.repeat(2, 1, 1, 1)
    curve = deletion(Sum(), images, maps, torch.tensor([0, 1]), steps=1, probability=as_it_is)
    torch.testing.assert_close(curve.probabilities, torch.tensor([[1.0, 0.0], [0.0, 1.0]]))


def test_softmax_is_the_default() -> None:
    """exp(1)/(exp(1) + exp(0)) = 0.7311."""
    found = probabilities(Sum(), PICTURE, 0)
    assert found.item() == pytest.approx(0.7310586)
    assert probabilities(Sum(), PICTURE, 0, torch.sigmoid).item() == pytest.approx(0.7310586)


def test_nothing_is_changed() -> None:
    network, maps = Sum().train(), torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    before = PICTURE.clone()
    insertion(network, PICTURE, maps, 0, steps=2)
    assert network.training
    assert torch.equal(PICTURE, before)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_blurring_keeps_a_constant_and_spreads_a_point() -> None:
    flat = torch.full((1, 3, 8, 8), 0.5)
    torch.testing.assert_close(blurred(flat, 1.0), flat)
    point = torch.zeros(1, 1, 9, 9)
    point[0, 0, 4, 4] = 1.0
    found = blurred(point, 1.0)[0, 0]
    assert found.sum().item() == pytest.approx(1.0)
    # Next to the centre by one pixel: exp(-1/2) of the centre's value.
    assert (found[4, 5] / found[4, 4]).item() == pytest.approx(0.6065307)


def test_sixteen_bits_count_all_pixels() -> None:
    """90000 pixels are more than the largest number of float16."""
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2)).half()
    images = torch.rand(1, 1, 300, 300).half()
    curve = deletion(network, images, images[:, 0], 0, steps=4)
    assert curve.fractions.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.area.isfinite().all()


MAPS = torch.ones(1, 2, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: deletion(Sum(), PICTURE, torch.ones(1, 1, 1), 0),
            r"maps: expected shape \(1, 2, 2\), .* got .* \(1, 1, 1\) .* camlib.upsample",
        ),
        (lambda: deletion(Sum(), PICTURE, MAPS / 0, 0), "maps: expected finite numbers"),
        (
            lambda: deletion(Sum(), PICTURE, MAPS, 0, steps=5),
            "steps: expected a whole number from 1 to 4, got 5",
        ),
        (lambda: insertion(Sum(), PICTURE, MAPS, 0, steps=0), "steps: expected .*, got 0"),
        (
            lambda: insertion(Sum(), PICTURE, MAPS, 0, baseline=torch.ones(3)),
            r"baseline: expected a number, or .* broadcasts to \(1, 1, 2, 2\), got .* \(3,\)",
        ),
        (
            lambda: run(deletion, PICTURE[:, 0], baseline=float("nan")),
            "baseline: expected finite numbers",
        ),
        (
            lambda: deletion(Sum(), PICTURE, MAPS, [0, 1], steps=1),
            "target: expected one class for each picture, got 2",
        ),
        (
            lambda: deletion(Sum(), PICTURE, MAPS, 2, steps=1),
            "target: expected indices from 0 to 1, got 2",
        ),
        (lambda: deletion(Sum(), PICTURE[0], PICTURE[:, 0], 0), "images: expected 4 axes"),
        (
            lambda: probabilities(nn.Sequential(nn.Flatten(), nn.Linear(4, 1)), PICTURE, 0),
            "probability: expected a function for a single logit.*torch.sigmoid",
        ),
        (lambda: blurred(PICTURE, 5.0), r"sigma: expected a positive number.*\(2, 2\) pixels"),
        (lambda: blurred(PICTURE, 0.0), "sigma: expected a positive number"),
        (lambda: blurred(PICTURE, float("nan")), "sigma: expected a positive number"),
        (lambda: blurred(PICTURE, "1"), "sigma: expected a positive number"),
    ],
)
def test_bad_input_is_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_a_curve_that_never_changes_is_refused() -> None:
    """Of one picture of two the probability is the same at every step, as behind a saturated softmax."""
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    images = torch.stack([torch.randn(1, 2, 2), torch.zeros(1, 2, 2)])
    maps = torch.rand(2, 2, 2)
    with pytest.raises(ValueError, match="at every step for 1 of 2 pictures"):
        deletion(network, images, maps, 0, steps=2)
    with pytest.raises(ValueError, match=r"got 0\.5 at every step for 2 of 2 pictures"):
        insertion(
            network,
            images,
            maps,
            0,
            steps=2,
            probability=lambda logits: torch.full_like(logits, 0.5),
        )
    assert deletion(network, images[:1], maps[:1], 1, probability=torch.sigmoid, steps=2).area > 0
