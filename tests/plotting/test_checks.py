"""What the figures take and refuse: messages name argument, expectation, what it got, and a fix."""

import numpy as np
import pytest
import torch

from camlib import plotting

BLACK = np.zeros((4, 4, 3))
ZEROS, NAN = np.zeros((2, 2)), float("nan")
SCALED = "map: expected values from -1 to 1, got {}. Scale it as the last step, after upsampling"


def panels(*arguments, **options):
    return lambda: plotting.panels(*arguments, **options)


def overlay(image=BLACK, map=BLACK[..., 0], **options):
    return lambda: plotting.overlay(image, map, **options)


def colorize(map, **options):
    return lambda: plotting.colorize(map, **options)


def numbers(*arrays, **options):
    return lambda: plotting.numbers(arrays, **options)


def bars(*arguments):
    return lambda: plotting.bars(*arguments)


def cells(*arguments, **options):
    return lambda: plotting.cells(plotting.panels([BLACK]).axes[0], *arguments, **options)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (panels([]), ValueError, "pictures: expected at least one picture, got none. Pass a list"),
        (panels([BLACK, ZEROS[0]]), ValueError, "pictures[1]: expected a picture of shape (H, W, "),
        (panels([BLACK] * 2, ["a"]), ValueError, "titles: expected a list of 2, one for each pict"),
        (panels([BLACK] * 2, captions="ab"), ValueError, "captions: expected a list of 2, one for"),
        (panels([BLACK], columns=0), ValueError, "columns, width, height: expected positive numb"),
        (panels([BLACK], columns=-1), ValueError, "columns, width, height: expected positive numb"),
        (panels([BLACK], width=0), ValueError, "columns, width, height: expected positive numbers"),
        (panels([BLACK], height=0), ValueError, "columns, width, height: expected positive number"),
        (lambda: plotting.colorbar(plotting.panels([BLACK]), vmin=2), ValueError, "vmin, vmax: ex"),
        (lambda: plotting.cells(plotting.chart()[1], (7, 7)), ValueError, "axes, shape: expected "),
        (cells((0, 7)), ValueError, "axes, shape: expected axes with a picture and (h, w) of at "),
        (cells((7, 0)), ValueError, "axes, shape: expected axes with a picture and (h, w) of at "),
        (cells((7, 7), marked=(0, 7)), ValueError, "marked: expected a cell (row, column) of 7 by"),
        (cells((7, 7), marked=(7, 0)), ValueError, "marked: expected a cell (row, column) of 7 by"),
        (cells((7, 7), marked=(-1, 0)), ValueError, "marked: expected a cell (row, column) of 7 b"),
        (overlay(map=np.zeros((7, 7))), ValueError, "map: expected the picture's size (4, 4), got "),
        (overlay(map=np.full((4, 4), 9)), ValueError, SCALED.format("9 to 9")),
        (overlay(map=np.zeros((1, 4, 4))), ValueError, "map: expected one map of shape (h, w), go"),
        (overlay(BLACK - 1.5), ValueError, "image: expected uint8, or floats from 0 to 1, got flo"),
        (overlay(BLACK + 1.5), ValueError, "image: expected uint8, or floats from 0 to 1, got flo"),
        (overlay(np.full((4, 4, 3), 200)), ValueError, "image: expected uint8, or floats from 0 t"),
        (overlay(BLACK * NAN), ValueError, "image: expected finite numbers, got NaN or infinity in"),
        (overlay(ZEROS[0]), ValueError, "image: expected a picture of shape (H, W, 3) or (H, W), "),
        (overlay(opacity=70), ValueError, "opacity: expected a number from 0 (picture only) to 1 "),
        (overlay(opacity=-0.1), ValueError, "opacity: expected a number from 0 (picture only) to "),
        (colorize([[2.0, -3.0]]), ValueError, SCALED.format("-3 to 2")),
        (colorize([[-0.5]], colormap="intensity"), ValueError, "map: expected values from 0 to 1, "),
        (colorize([[0.5, NAN]]), ValueError, "map: expected finite numbers, got NaN or infinity in"),
        (colorize([0.5]), ValueError, "map: expected one map of shape (h, w), got shape (1,). Tak"),
        (colorize(np.zeros((0, 2))), ValueError, "map: expected one map of shape (h, w), got shape"),
        (colorize("no map"), TypeError, "map: expected an array of real numbers, got str 'no map'"),
        (colorize([[1.0], [2.0, 3.0]]), TypeError, "map: expected an array of numbers, or lists of"),
        (colorize(torch.zeros(2, 2, requires_grad=True)), TypeError, "map: expected an array of n"),
        (colorize(torch.zeros(2, 2).bfloat16()), TypeError, "map: expected an array of numbers, or"),
        (colorize([[0.5]], vmin=1), ValueError, "vmin, vmax: expected two finite numbers with vmi"),
        (colorize([[0.5]], vmax=float("inf")), ValueError, "vmin, vmax: expected two finite numb"),
        (colorize([[0.5]], colormap="rainbows"), ValueError, "colormap: expected a matplotlib col"),
        (numbers(), ValueError, "arrays, titles, signs: expected at least one array, a title for "),
        (numbers([1], titles=["a", "b"]), ValueError, "arrays, titles, signs: expected at least o"),
        (numbers([1], [2], [3], signs=["+"]), ValueError, "arrays, titles, signs: expected at le"),
        (numbers([1], np.zeros((2, 2, 2))), ValueError, "arrays[1]: expected a matrix (h, w), a ve"),
        (numbers([]), ValueError, "arrays[0]: expected a matrix (h, w), a vector or a number, got "),
        (numbers([1.0, NAN]), ValueError, "arrays[0]: expected finite numbers, got NaN or inf"),
        (numbers([1], peak=0), ValueError, "peak: expected a positive number, got 0. Leave it out"),
        (bars(["a"], [1.0, 2.0]), ValueError, "labels, values: expected as many labels as values, "),
        (bars([], []), ValueError, "labels, values: expected as many labels as values, shape (m,),"),
        (bars(["a"], [[1.0]]), ValueError, "labels, values: expected as many labels as values, sha"),
        (bars(["a"], [NAN]), ValueError, "values: expected finite numbers, got NaN or infinity in"),
        (lambda: plotting.thousands(plotting.chart()[1], "z"), ValueError, 'which: expected "x", '),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(message)
    assert ", got " in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("shape", "remedy"),
    [
        ((2,), "Take one picture of three colours, for example image[0] of a batch."),
        ((3, 2, 2), "Move the colour axis to the end: camlib.networks.to_picture does it."),
        ((2, 2, 4), "Drop the transparency: image[..., :3]."),
        ((1, 2, 2, 3), "Take one picture of three colours, for example image[0] of a batch."),
    ],
)
def test_what_is_no_picture_is_told_how_to_become_one(shape, remedy):
    with pytest.raises(ValueError, match="image: expected a picture of shape") as caught:
        plotting.overlay(np.zeros(shape), ZEROS)
    assert str(caught.value).endswith(remedy)


@pytest.mark.parametrize(
    "draw",
    [
        plotting.colorize,
        lambda map: plotting.overlay(np.ones((2, 2, 3)), map),
        lambda map: plotting.numbers([map]).png(),
        lambda map: plotting.bars(["a", "b"], map[0]).png(),
    ],
)
def test_a_tensor_will_do_and_nothing_is_changed(draw):
    given = torch.tensor([[-0.5, 0.25], [1.0, 0.0]])
    kept = given.clone()
    drawn = draw(given)
    assert np.array_equal(drawn, draw(kept.numpy()))
    if isinstance(drawn, np.ndarray):
        assert 0 <= drawn.min() <= drawn.max() <= 1
        drawn[:] = 0
    assert torch.equal(given, kept)
