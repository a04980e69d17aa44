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


def test_deletion_by_hand() -> None:
    """The first map takes 4, 3, 2, 1 in turn: 10, 6, 3, 1, 0 tenths. The area of its four trapezia is
    (8 + 4.5 + 2 + 0.5)/40 = 0.375. The second takes 1, 2, 3, 4: 10, 9, 7, 4, 0 tenths, area 0.625.
    """
    maps = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[4.0, 3.0], [2.0, 1.0]]])
    curve = run(deletion, maps)
    assert curve.fractions.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    expected = torch.tensor([[1.0, 0.6, 0.3, 0.1, 0.0], [1.0, 0.9, 0.7, 0.4, 0.0]])
    torch.testing.assert_close(curve.probabilities, expected)
    torch.testing.assert_close(curve.area, torch.tensor([0.375, 0.625]))


def test_insertion_by_hand() -> None:
    """4, 3, 2, 1 are put in: 0, 4, 7, 9, 10 tenths; the area is (2 + 5.5 + 8 + 9.5)/40 = 0.625."""
    curve = run(insertion, torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    torch.testing.assert_close(curve.probabilities, torch.tensor([[0.0, 0.4, 0.7, 0.9, 1.0]]))
    torch.testing.assert_close(curve.area, torch.tensor([0.625]))


def test_a_baseline_stands_where_pixels_were() -> None:
    """With a baseline of 1 the deletion of 4 and 3 leaves 1 + 2 + 1 + 1 = 5, that of all leaves 4."""
    maps = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    for baseline in (1.0, torch.ones(1, 1, 1, 1)):
        curve = run(deletion, maps, baseline=baseline, steps=2)
        torch.testing.assert_close(curve.probabilities, torch.tensor([[1.0, 0.5, 0.4]]))


def test_equal_values_go_row_by_row() -> None:
    """A flat map takes 1, 2, 3, 4 in turn."""
    curve = run(deletion, torch.ones(1, 2, 2))
    torch.testing.assert_close(curve.probabilities, torch.tensor([[1.0, 0.9, 0.7, 0.4, 0.0]]))


def test_uneven_steps_end_with_all_pixels() -> None:
    """Three steps through four pixels take 0, 1, 3 and 4 of them."""
    curve = run(deletion, torch.ones(1, 2, 2), steps=3)
    assert curve.fractions.tolist() == [0.0, 0.25, 0.75, 1.0]


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


MAPS = torch.ones(1, 2, 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: deletion(Sum(), PICTURE, torch.ones(1, 1, 1), 0),
            ValueError,
            "maps: expected shape (1, 2, 2), one map of its size for each picture, got Tensor of "
            "shape (1, 1, 1) and dtype float32. Upsample them: camlib.upsample(maps, (2, 2))[:, 0].",
        ),
        (
            lambda: deletion(Sum(), PICTURE, MAPS / 0, 0),
            ValueError,
            "maps: expected finite numbers, got NaN or infinity in 4 of 4 elements. Look where they "
            "come from: a healthy network has none.",
        ),
        (
            lambda: deletion(Sum(), PICTURE, MAPS, 0, steps=5),
            ValueError,
            "steps: expected a whole number from 1 to the number of pixels, 4, got 5. Start with 20.",
        ),
        (
            lambda: insertion(Sum(), PICTURE, MAPS, 0, steps=0),
            ValueError,
            "steps: expected a whole number from 1 to the number of pixels, 4, got 0. Start with 20.",
        ),
        (
            lambda: insertion(Sum(), PICTURE, MAPS, 0, baseline=torch.ones(3)),
            ValueError,
            "baseline: expected a number, or a tensor that broadcasts to (1, 1, 2, 2), got Tensor of "
            "shape (3,) and dtype float32. Pass 0.0 for the mean colour of normalised pictures.",
        ),
        (
            lambda: deletion(Sum(), PICTURE, MAPS, [0, 1], steps=1),
            ValueError,
            "target: expected one class for each picture, got 2. Pass an index, or a tensor of shape "
            "(1,).",
        ),
        (
            lambda: deletion(Sum(), PICTURE, MAPS, 2, steps=1),
            ValueError,
            "target: expected indices from 0 to 1, got 2. Count from the first class, not from the "
            "last.",
        ),
        (
            lambda: blurred(PICTURE, 5.0),
            ValueError,
            "sigma: expected a positive number, at most half the pictures' sides of (2, 2) pixels, "
            "got 5.0. Start with 5.",
        ),
    ],
)
def test_bad_input_is_named(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_sixteen_bits_count_all_pixels() -> None:
    """90000 pixels are more than the largest number of float16."""
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2)).half()
    images = torch.rand(1, 1, 300, 300).half()
    curve = deletion(network, images, images[:, 0], 0, steps=4)
    assert curve.fractions.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.area.isfinite().all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: blurred(PICTURE, float("nan")), "sigma: expected a positive number, at most half"),
        (lambda: blurred(PICTURE, "1"), "sigma: expected a positive number, at most half"),
        (
            lambda: run(deletion, PICTURE[:, 0], baseline=float("nan")),
            "baseline: expected finite numbers",
        ),
        (
            lambda: deletion(Sum(), PICTURE[0], PICTURE[:, 0], 0),
            "images: expected 4 axes",
        ),
    ],
)
def test_the_argument_that_is_wrong_is_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
