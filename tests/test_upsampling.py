"""Upsampling: numbers worked by hand, slow loops, identities, torch, and bad input."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

import camlib
import camlib.upsampling


def test_bilinear_row_by_hand() -> None:
    """Two cells on four pixels: their centres lie at pixels 0.5 and 2.5.

    Pixel 1 is a quarter of the way, pixel 2 three quarters; pixels 0 and 3 lie outside the centres.
    """
    row = camlib.upsample(torch.tensor([[[[0.0, 4.0]]]]), (1, 4))
    assert row.tolist() == [[[[0.0, 1.0, 3.0, 4.0]]]]


def test_align_corners_row_by_hand() -> None:
    """The cells sit on pixels 0 and 3, and the pixels between at thirds."""
    row = camlib.upsample(torch.tensor([[[[0.0, 3.0]]]]), (1, 4), align_corners=True)
    torch.testing.assert_close(row, torch.tensor([[[[0.0, 1.0, 2.0, 3.0]]]]))


def test_nearest_by_hand() -> None:
    """Three cells on five pixels: pixel centres lie at 0.3, 0.9, 1.5, 2.1 and 2.7 cells."""
    row = camlib.upsample(torch.tensor([[[[10.0, 20.0, 30.0]]]]), (1, 5), mode="nearest")
    assert row.tolist() == [[[[10.0, 10.0, 20.0, 30.0, 30.0]]]]


def test_a_signal_by_hand() -> None:
    """Two cells on four pixels, as in the row above; 'nearest' gives each cell two pixels."""
    signal = torch.tensor([[[0.0, 4.0]]])
    assert camlib.upsample(signal, 4).tolist() == [[[0.0, 1.0, 3.0, 4.0]]]
    assert camlib.upsample(signal, (4,), "nearest").tolist() == [[[0.0, 0.0, 4.0, 4.0]]]
    thirds = camlib.upsample(signal * 0.75, 4, align_corners=True)
    torch.testing.assert_close(thirds, torch.tensor([[[0.0, 1.0, 2.0, 3.0]]]))


def test_a_volume_by_hand() -> None:
    """Two cells behind each other on 4x1x2 pixels: [0 1 3 4] in depth, repeated along the width."""
    volume = torch.tensor([[[[[0.0]], [[4.0]]]]])
    pixels = camlib.upsample(volume, (4, 1, 2))
    assert pixels.tolist() == [[[[[0.0, 0.0]], [[1.0, 1.0]], [[3.0, 3.0]], [[4.0, 4.0]]]]]
    assert camlib.upsample(volume, 2)[0, 0, :, 1, 0].tolist() == [0.0, 4.0]
    kept = camlib.upsample(volume, (4, 1, 1), "nearest")
    assert kept.flatten().tolist() == [0.0, 0.0, 4.0, 4.0]


def test_the_middle_of_a_cube_by_hand() -> None:
    """On 3x3x3 pixels the middle one is equally far from all eight cells: 36/8 = 4.5 is their mean.

    The pixel at its left lies on the left of the cube: (1 + 3 + 5 + 7)/4 = 4.
    """
    cube = torch.arange(1.0, 9.0).view(1, 1, 2, 2, 2)
    pixels = camlib.upsample(cube, 3)[0, 0]
    assert pixels[1, 1].tolist() == [4.0, 4.5, 5.0]


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize(
    ("cells", "size"), [((5,), (7,)), ((2, 3), (5, 4)), ((2, 3, 4), (5, 4, 9))]
)
def test_linear_equals_a_slow_loop_over_pixels_and_corners(
    cells: tuple[int, ...], size: tuple[int, ...], aligned: bool
) -> None:
    """Along each axis a pixel lies between two cells; it mixes all corners that these make."""
    maps = torch.randn(cells, dtype=torch.float64)
    found = camlib.upsample(maps[None, None], size, align_corners=aligned)[0, 0]
    for pixel in itertools.product(*map(range, size)):
        shares = []
        for i, new, old in zip(pixel, size, cells, strict=True):
            x = i * (old - 1) / (new - 1) if aligned else (i + 0.5) * old / new - 0.5
            x = min(max(x, 0), old - 1)
            shares.append(
                ((math.floor(x), 1 - x % 1), (min(math.floor(x) + 1, old - 1), x % 1)),
            )
        expected = sum(
            maps[tuple(cell for cell, _ in corner)] * math.prod(share for _, share in corner)
            for corner in itertools.product(*shares)
        )
        torch.testing.assert_close(found[pixel], expected)


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_axes_of_one_cell_change_nothing(mode: camlib.upsampling.Mode) -> None:
    """A signal is a picture of one row, and a picture is a volume of one slice."""
    signal, picture = torch.randn(2, 3, 5), torch.randn(2, 3, 4, 5)
    as_picture = camlib.upsample(signal[:, :, None], (1, 8), mode)
    torch.testing.assert_close(camlib.upsample(signal, 8, mode), as_picture[:, :, 0])
    as_volume = camlib.upsample(picture[:, :, None], (1, 7, 8), mode)
    torch.testing.assert_close(camlib.upsample(picture, (7, 8), mode), as_volume[:, :, 0])


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_exchanged_axes_give_exchanged_pixels(mode: camlib.upsampling.Mode) -> None:
    volume, size = torch.randn(1, 2, 3, 4, 5, dtype=torch.float64), (7, 6, 11)
    pixels = camlib.upsample(volume, size, mode)
    for order in itertools.permutations(range(3)):
        axes = 0, 1, *(2 + axis for axis in order)
        turned = camlib.upsample(volume.permute(axes), [size[axis] for axis in order], mode)
        torch.testing.assert_close(turned, pixels.permute(axes))


@pytest.mark.parametrize(("places", "name"), [(1, "linear"), (2, "bilinear"), (3, "trilinear")])
def test_equals_torch(places: int, name: str) -> None:
    maps = torch.randn(2, 3, *(3, 4, 5)[:places])
    for aligned in (False, True):
        expected = F.interpolate(maps, size=[9] * places, mode=name, align_corners=aligned)
        assert torch.equal(camlib.upsample(maps, 9, align_corners=aligned), expected)
    nearest = F.interpolate(maps, size=[7] * places, mode="nearest-exact")
    assert torch.equal(camlib.upsample(maps, 7, "nearest"), nearest)


def test_bilinear_is_the_name_of_linear_for_two_axes() -> None:
    maps = torch.randn(2, 3, 4, 5)
    assert torch.equal(camlib.upsample(maps, 9, "bilinear"), camlib.upsample(maps, 9))


def _bilinear_loop(cells: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Each pixel asks where it lies among the cells and mixes the four around it."""
    h, w = cells.shape
    pixels = torch.zeros(height, width, dtype=cells.dtype)
    for y in range(height):
        for x in range(width):
            row = min(max((y + 0.5) * h / height - 0.5, 0), h - 1)
            column = min(max((x + 0.5) * w / width - 0.5, 0), w - 1)
            top, left = math.floor(row), math.floor(column)
            bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
            down, across = row - top, column - left
            pixels[y, x] = (
                (1 - down) * (1 - across) * cells[top, left]
                + (1 - down) * across * cells[top, right]
                + down * (1 - across) * cells[bottom, left]
                + down * across * cells[bottom, right]
            )
    return pixels


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
def test_bilinear_equals_the_slow_loop(h: int, w: int, height: int, width: int) -> None:
    cells = torch.randn(h, w, dtype=torch.float64)
    pixels = camlib.upsample(cells[None, None], (height, width))[0, 0]
    torch.testing.assert_close(pixels, _bilinear_loop(cells, height, width))


def _keys(distance: float) -> float:
    """Keys' cubic kernel with a = -0.75."""
    a, t = -0.75, abs(distance)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


def test_bicubic_equals_keys_kernel() -> None:
    cells = [2.0, -1.0, 5.0]
    expected = []
    for x in range(12):
        place = (x + 0.5) * 3 / 12 - 0.5
        first = math.floor(place) - 1
        expected.append(
            sum(cells[min(max(i, 0), 2)] * _keys(place - i) for i in range(first, first + 4))
        )
    row = camlib.upsample(torch.tensor([[[cells]]], dtype=torch.float64), (1, 12), mode="bicubic")
    torch.testing.assert_close(row[0, 0, 0], torch.tensor(expected, dtype=torch.float64))


def test_a_cells_centre_keeps_its_place_and_value() -> None:
    """Cell (2, 4) of 7x7 lies on 224x224 at pixel ((2+0.5)·32-0.5, (4+0.5)·32-0.5)."""
    cells = torch.zeros(1, 1, 7, 7)
    cells[0, 0, 2, 4] = 1
    pixels = camlib.upsample(cells, 224)[0, 0]
    rows, columns = torch.nonzero(pixels == pixels.max(), as_tuple=True)
    assert (rows.double().mean().item(), columns.double().mean().item()) == (79.5, 143.5)


def test_one_number_means_a_square_and_the_input_stays() -> None:
    maps = torch.randn(2, 3, 4, 5)
    before = maps.clone()
    assert camlib.upsample(maps, 6).shape == (2, 3, 6, 6)
    assert torch.equal(maps, before)


@pytest.mark.parametrize(
    ("size", "options", "error", "message"),
    [
        (
            (0, 5),
            {},
            ValueError,
            "size: expected at least 1 along every axis of places, got (0, 5). "
            "For a batch of inputs pass inputs.shape[2:].",
        ),
        (
            (3.5, 5),
            {},
            TypeError,
            "size: expected a whole number, or one per axis of places, got (3.5, 5). "
            "For a batch of inputs pass inputs.shape[2:].",
        ),
        (
            "224",
            {},
            TypeError,
            "size: expected a whole number, or one per axis of places, got '224'. "
            "For a batch of inputs pass inputs.shape[2:].",
        ),
        (
            None,
            {},
            TypeError,
            "size: expected a whole number, or one per axis of places, got None. "
            "For a batch of inputs pass inputs.shape[2:].",
        ),
        (
            (3, 4, 5),
            {},
            ValueError,
            "size: expected one size per axis of places (2), got 3: (3, 4, 5) for Tensor of shape "
            "(1, 1, 2, 2) and dtype float32. Pass one number for all axes, or 2. If the first axis "
            "(n) is missing, add it: maps[None].",
        ),
        (
            [4],
            {},
            ValueError,
            "size: expected one size per axis of places (2), got 1: [4] for Tensor of shape "
            "(1, 1, 2, 2) and dtype float32. Pass one number for all axes, or 2.",
        ),
        (
            8,
            {"mode": "lanczos"},
            ValueError,
            'mode: expected "nearest", "linear", "bilinear" or "bicubic", got \'lanczos\'. '
            'Start with "linear".',
        ),
        (
            8,
            {"mode": "nearest", "align_corners": True},
            ValueError,
            "align_corners: expected False with mode='nearest', got True. "
            "Leave it out: nearest cells have no corners to align.",
        ),
    ],
)
def test_bad_input_is_named(
    size: object, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        camlib.upsample(torch.zeros(1, 1, 2, 2), size, **options)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("shape", "size", "mode", "message"),
    [
        (
            (2, 2),
            4,
            "linear",
            "maps: expected at least 3 axes (n, c, *places), got Tensor of shape (2, 2) and dtype "
            "float32. If the first axis (n) is missing, add it: maps[None].",
        ),
        (
            (1, 2, 3, 3, 3, 3),
            4,
            "linear",
            "maps: expected 1, 2 or 3 axes of places after (n, c), got Tensor of shape "
            "(1, 2, 3, 3, 3, 3) and dtype float32. Bring other axes to the front: "
            "maps.flatten(0, 1).",
        ),
        (
            (1, 2, 49),
            (224, 224),
            "linear",
            "size: expected one size per axis of places (1), got 2: (224, 224) for Tensor of shape "
            "(1, 2, 49) and dtype float32. If the tokens are a grid of rows and columns, unflatten "
            "first: maps.unflatten(2, (rows, columns)). If the first axis (n) is missing, add it: "
            "maps[None].",
        ),
        (
            (1, 2, 49),
            224,
            "bilinear",
            'mode: expected "nearest" or "linear" for maps of shape (1, 2, 49), got \'bilinear\', '
            'which is for two axes of places. Use "linear".',
        ),
        (
            (1, 2, 3, 3, 3),
            8,
            "bicubic",
            'mode: expected "nearest" or "linear" for maps of shape (1, 2, 3, 3, 3), got '
            "'bicubic', which is for two axes of places. Use \"linear\".",
        ),
    ],
)
def test_axes_that_do_not_fit_are_named(
    shape: tuple[int, ...],
    size: int | tuple[int, ...],
    mode: camlib.upsampling.Mode,
    message: str,
) -> None:
    with pytest.raises(ValueError, match=r"^(maps|size|mode): ") as caught:
        camlib.upsample(torch.zeros(shape), size, mode)
    assert str(caught.value) == message


def test_the_advice_for_a_grid_of_tokens_works() -> None:
    """49 tokens in 7 rows of 7, row after row, are the picture that they were cut from."""
    picture = torch.randn(1, 2, 7, 7)
    grid = picture.flatten(2).unflatten(2, (7, 7))
    assert torch.equal(camlib.upsample(grid, (224, 224)), camlib.upsample(picture, 224))
