"""The table: figures worked by hand from pictures that are their own maps."""

import numpy as np
import pytest
import torch
from torch import nn

from camlib.evaluate.measure import Batch, measure
from camlib.evaluate.methods import METHODS
from camlib.evaluate.records import Records, join
from camlib.evaluate.table import Table, tabulate
from tests.evaluate.fakes import Mirror

THRESHOLDS = (0.25, 0.75)


def images() -> torch.Tensor:
    """Three pictures of 4x4 pixels: a square of 4 beside a 2, a lone 1, and a dark one."""
    pictures = torch.zeros(3, 1, 4, 4)
    pictures[0, 0, :2, :2] = 4
    pictures[0, 0, 0, 2] = 2
    pictures[1, 0, 3, 3] = 1
    pictures[2, 0, 0, 0] = -1
    return pictures


def boxes() -> list[dict[int, np.ndarray]]:
    return [
        {0: np.array([[0, 0, 2, 2]])},
        {0: np.array([[0, 0, 2, 2], [2, 2, 4, 4]])},
        {1: np.array([[0, 0, 1, 1]])},
    ]


def records(numbers: list[int], network: nn.Module | None = None) -> Records:
    batch = Batch(numbers, images()[numbers], [boxes()[number] for number in numbers], [], [])
    return measure(network or Mirror().eval(), batch, METHODS["cam"], THRESHOLDS)


def table(network: nn.Module | None = None) -> Table:
    return tabulate(records([0, 1, 2], network), THRESHOLDS)


def test_the_figures_are_those_worked_by_hand() -> None:
    found = table().localization
    assert found is not None
    # Every peak lies in a box; of the first map 16 of 18 do, of the others all.
    assert found.pointing == 1
    assert found.energy == pytest.approx((16 / 18 + 1 + 1) / 3)
    # Above 1 the first map's region is 3x2 (IoU 4/6), above 3 it is the square; the lone pixel
    # makes up a quarter of its box; the dark pixel is the whole of its own.
    np.testing.assert_allclose(found.box.accuracy, [[2 / 3, 2 / 3]])
    np.testing.assert_allclose(
        found.box_v2.accuracy, [[2 / 3, 2 / 3], [2 / 3, 2 / 3], [1 / 3, 2 / 3]]
    )


def test_the_labels_are_ranked_rightly() -> None:
    """Class 0 has the two highest logits, class 1 the highest."""
    result = table()
    np.testing.assert_array_equal(result.average_precision, [1, 1])
    assert result.mean_average_precision == 1
    assert result.top1 == 1
    assert (result.pictures, result.objects) == (3, 3)


def test_the_baselines_are_those_worked_by_hand() -> None:
    """The boxes are 1.75 wide on average, so 2: in the middle it meets a quarter of two of them."""
    assert table().centre_box == 0
    assert 0 <= table().random_box <= 1


def test_order_and_batches_change_nothing() -> None:
    parts = tabulate(join([records([2]), records([1, 0])]), THRESHOLDS)
    assert str(parts) == str(table())
    assert parts.as_dict() == table().as_dict()


def test_a_network_without_maps_still_gets_its_precision() -> None:
    class Flat(Mirror):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.classifier(images.amax((2, 3)))

    network = Flat()
    result = table(network)
    assert result.localization is None
    assert "max" in result.refusal
    assert result.average_precision.shape == (2,)
    assert "No maps: network:" in str(result)
    assert "pointing" not in result.as_dict()
    assert network.training


def test_nothing_readable_is_an_error() -> None:
    batch = Batch([], torch.zeros(0, 1, 4, 4), [], ["broken.png"], [])
    nothing = measure(Mirror(), batch, METHODS["cam"], THRESHOLDS)
    with pytest.raises(ValueError, match="at least one readable picture, got none"):
        tabulate(nothing, THRESHOLDS)
    together = tabulate(join([nothing, records([0, 1, 2])]), THRESHOLDS)
    assert together.corrupt == ("broken.png",)
    assert together.pictures == 3


def test_an_object_that_the_crop_cut_away_is_still_shown_by_its_picture() -> None:
    batch = Batch([0], images()[:1], [{0: np.zeros((0, 4), np.int64)}], [], ["a.png (tench)"])
    one = join([measure(Mirror(), batch, METHODS["cam"], THRESHOLDS), records([1, 2])])
    result = tabulate(one, THRESHOLDS)
    assert (result.pictures, result.objects, result.outside) == (3, 2, ("a.png (tench)",))
    np.testing.assert_array_equal(result.average_precision, [1, 1])
