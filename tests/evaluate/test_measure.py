"""The table: figures worked by hand from pictures that are their own maps."""

import numpy as np
import pytest
import torch

from camlib.evaluate import METHODS, Table, measure
from tests.evaluate.fakes import Pooled, mirror, pictures

THRESHOLDS = (0.25, 0.75)


def table(data=None, network=None, **options) -> Table:
    return measure(network or mirror(), data or pictures(), thresholds=THRESHOLDS, **options)


def test_maps_by_hand() -> None:
    """The picture [1 -2; 3 4] speaks for class 0 and against class 1, a quarter of it at each place.

    Plus-plus: the mean is 3/2, the weights are 1/(2 + 3/2) = 2/7 and, of the negative one, 0.
    """
    picture = torch.tensor([[[[1.0, -2.0], [3.0, 4.0]]]])
    expected = {
        "cam": torch.cat([picture, -picture], 1),
        "grad-cam": torch.cat([picture, -picture], 1) / 4,
        "grad-cam++": torch.cat([picture * 2 / 7, picture * 0], 1),
    }
    assert set(METHODS) == set(expected)
    for name, method in METHODS.items():
        maps, logits = method(mirror(), picture)
        torch.testing.assert_close(maps, expected[name])
        assert logits.tolist() == [[1.5, -1.5]]


def test_the_figures_are_those_worked_by_hand() -> None:
    """Every peak lies in a box; of the first map 16 of 18 do, of the others all.

    Above 1 the first map's region is 3x2 (IoU 4/6), above 3 it is the square; the lone pixel makes up
    a quarter of its box; the dark pixel is the whole of its own. Class 0 has the two highest logits,
    class 1 the highest. The boxes are 1.75 wide on average, so 2: one in the middle meets a quarter
    of two of them.
    """
    result = table()
    found = result.localization
    assert found is not None
    assert found.pointing == 1
    assert found.energy == pytest.approx((16 / 18 + 1 + 1) / 3)
    np.testing.assert_allclose(found.box.accuracy, [[2 / 3, 2 / 3]])
    expected = [[2 / 3, 2 / 3], [2 / 3, 2 / 3], [1 / 3, 2 / 3]]
    np.testing.assert_allclose(found.box_v2.accuracy, expected)
    assert result.average_precision.tolist() == [1, 1]
    assert (result.mean_average_precision, result.top1) == (1, 1)
    assert (result.pictures, result.objects, result.centre_box) == (3, 3, 0)


def test_top1_and_maps_min_maxed_by_hand() -> None:
    """Four pictures of one class each, thresholds of a quarter and three quarters of the maximum.

    The first's highest logit is the other class. The second: 4 in the box, 2 beside it, 0 elsewhere:
    above 3 the region is the box. The third: 4 in the box and 2 everywhere else, so that raw its
    region above 1 is the whole picture (IoU 1/4), and min-maxed, (M - 2) / 2, the box. The fourth's
    highest value lies elsewhere.
    """
    images = torch.zeros(4, 1, 4, 4)
    images[0] = -1.0
    images[1, 0, :2, :2], images[1, 0, :2, 2] = 4, 2
    images[2] = 2.0
    images[2, 0, :2, :2] = 4
    images[3, 0, 3, 3] = 3
    box = {"boxes": [[0, 0, 2, 2]], "labels": [0]}
    found = table([(image, box) for image in images]).localization
    assert found is not None
    np.testing.assert_allclose(found.box.accuracy, [[1 / 4, 2 / 4]])
    np.testing.assert_allclose(found.box_min_max.accuracy, [[2 / 4, 2 / 4]])
    assert (found.box.best_threshold, found.box_min_max.best_threshold) == (0.75, 0.25)
    assert (found.top1, found.top1_min_max) == (2 / 4, 2 / 4)
    lone = table([(images[2], box)]).localization
    assert lone is not None
    assert lone.box.accuracy.tolist() == [[0, 1]]
    assert lone.box_min_max.accuracy.tolist() == [[1, 1]]
    wrong = table([(images[2], box | {"labels": [1]})])
    assert wrong.localization is not None
    assert (wrong.top1, wrong.localization.top1) == (0, 0)


def test_order_and_batches_change_nothing() -> None:
    expected = table()
    for batch_size in (1, 2):
        result = table(batch_size=batch_size)
        assert str(result) == str(expected)
        assert result.as_dict() == expected.as_dict()


def test_a_box_at_random_meets_as_often_as_it_should() -> None:
    """A box of 2x2 stands at one of 9 places; only its own has an IoU of 1/2 or more with [1, 1, 3, 3]."""
    image = torch.randn(1, 4, 4)
    result = table([(image, {"boxes": [[1, 1, 3, 3]], "labels": [0]})] * 900)
    assert result.random_box == pytest.approx(1 / 9, abs=0.03)
    assert result.centre_box == 1


@pytest.mark.filterwarnings("ignore:gradients")  # plus-plus has no weight for the negative
@pytest.mark.parametrize("method", METHODS)
def test_a_network_without_a_pooling(method: str) -> None:
    """CAM has no map, and the table says why; the gradients' maps can be measured."""

    class Highest(Pooled):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.classifier(self.first(images).amax((2, 3)))

    network = Highest(torch.tensor([[1.0], [-1.0]]))
    result = table(network=network, method=method)
    assert result.average_precision.tolist() == [1, 1]
    assert network.training
    if method == "cam":
        assert result.localization is None
        assert "max" in result.refusal
        assert "No maps: network:" in str(result)
        assert "pointing" not in result.as_dict()
    else:
        assert result.localization is not None
        assert result.localization.pointing > 0
        assert "pointing game" in str(result)
        assert "refusal" not in result.as_dict()


class Own(list):
    """Data with names for the classes; what is None cannot be read."""

    classes = ("square", "dark")

    def __getitem__(self, number):
        if super().__getitem__(number) is None:
            raise OSError("broken.png")
        return super().__getitem__(number)


def test_pictures_that_cannot_be_read_are_counted_and_named() -> None:
    result = table(Own([*pictures(), None]), batch_size=1)
    assert result.corrupt == ("broken.png",)
    assert result.pictures == 3
    assert result.as_dict()["pointing"] == 1


def test_an_object_that_the_crop_cut_away_is_still_shown_by_its_picture() -> None:
    """Its class counts as present, but no map is asked for it."""
    image, _ = pictures()[0]
    cut = {"boxes": [[0, 0, 0, 4]], "labels": [0], "image_id": "a.png"}
    result = table(Own([(image, cut), *pictures()[1:]]))
    assert (result.pictures, result.objects, result.outside) == (3, 2, ("a.png (square)",))
    assert result.average_precision.tolist() == [1, 1]


def test_a_class_that_no_picture_shows_has_no_precision() -> None:
    result = table(pictures()[:2])
    assert result.as_dict()["average_precision"] == [1, None]
    assert result.mean_average_precision == 1


IMAGE = torch.zeros(1, 4, 4)
BOX = [[0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (IMAGE, r"data\[0\]: expected \(image, .*DataSet says"),
        ((IMAGE, {"boxes": BOX}), r"data\[0\]: .*'labels'"),
        ((IMAGE, {"boxes": BOX, "labels": [0, 1]}), r"boxes of shape \(m, 4\)"),
        ((IMAGE[0], {"boxes": BOX, "labels": [0]}), r"data\[0\]: image: expected 3 axes"),
        ((IMAGE, {"boxes": [[0, 0, 5, 1]], "labels": [0]}), "inside the image of 4×4 pixels"),
        ((IMAGE, {"boxes": [[-1, 0, 1, 1]], "labels": [0]}), "inside the image"),
        ((IMAGE, {"boxes": [[2, 0, 1, 1]], "labels": [0]}), "inside the image"),
        ((IMAGE, {"boxes": BOX, "labels": [2]}), r"data\[0\]: expected labels from 0 to 1.*\[2\]"),
        ((IMAGE, {"boxes": BOX, "labels": [-1]}), "expected labels from 0"),
        ((IMAGE, {"boxes": [], "labels": []}), "a readable picture with an object at least"),
    ],
)
def test_data_of_another_form_are_refused(item, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        table([item])


def test_other_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(TypeError, match="data: expected a list or data set of pairs"):
        measure(mirror(), {1})
    with pytest.raises(TypeError, match="network: expected a torch"):
        measure("gap", pictures())
    with pytest.raises(ValueError, match='method: expected one of "cam"'):
        table(method="guess")
    with pytest.raises(ValueError, match="batch_size: expected a whole number"):
        table(batch_size=0)
    with pytest.raises(ValueError, match="one shape in a batch"):
        table([*pictures(), *pictures(side=8)])
    with pytest.raises(
        ValueError, match=r"got 0 pictures without any, 0 that are missing and 1 that are corrupt"
    ):
        table(Own([None]))
