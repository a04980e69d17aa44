"""Upsampling: numbers worked by hand, slow loops, identities, torch, and bad input."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

import camlib
from camlib.upsampling import Mode


@pytest.mark.parametrize("sizes", [(-1,), (1, -1), (-1, 1, 1)])
@pytest.mark.parametrize(
    ("cells", "options", "pixels"),
    [
        ([0.0, 4.0], {}, [0.0, 1.0, 3.0, 4.0]),
        ([0.0, 3.0], {"align_corners": True}, [0.0, 1.0, 2.0, 3.0]),
        ([0.0, 4.0], {"mode": "nearest"}, [0.0, 0.0, 4.0, 4.0]),
        ([10.0, 20.0, 30.0], {"mode": "nearest"}, [10.0, 10.0, 20.0, 30.0, 30.0]),
    ],
)
def test_a_row_by_hand(
    sizes: tuple[int, ...], cells: list[float], options: dict[str, bool], pixels: list[float]
) -> None:
    """The same in a signal, in a picture of one row, and in the depth of a volume.

    Linear: the centres of two cells lie at pixels 0.5 and 2.5 of four. Pixel 1 is a quarter of the
    way, pixel 2 three quarters; pixels 0 and 3 lie outside the centres. Aligned: the cells sit on
    pixels 0 and 3, and the pixels between at thirds. Nearest: of three cells the centres of five
    pixels lie at 0.3, 0.9, 1.5, 2.1 and 2.7 cells.
    """
    maps = torch.tensor(cells).view(1, 1, *sizes)
    size = [len(pixels) if length == -1 else 1 for length in sizes]
    found = camlib.upsample(maps, size, **options)  # type: ignore[arg-type]
    torch.testing.assert_close(found, torch.tensor(pixels).view(1, 1, *sizes))


def test_the_middle_of_a_cube_by_hand() -> None:
    """On 3x3x3 pixels the middle one is equally far from all eight cells: 36/8 = 4.5 is their mean.

    The pixel at its left lies on the left of the cube: (1 + 3 + 5 + 7)/4 = 4.
    """
    cube = torch.arange(1.0, 9.0).view(1, 1, 2, 2, 2)
    pixels = camlib.upsample(cube, 3)[0, 0]
    assert pixels[1, 1].tolist() == [4.0, 4.5, 5.0]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 6)), min_size=1, max_size=3),
    st.booleans(),
)
def test_linear_equals_a_slow_loop_over_pixels_and_corners(
    axes: list[tuple[int, int]], aligned: bool
) -> None:
    """Along each axis a pixel lies between two cells; it mixes all corners that these make."""
    maps = torch.randn([old for old, _ in axes], dtype=torch.float64)
    size = [new for _, new in axes]
    expected = torch.zeros(size, dtype=torch.float64)
    for pixel in itertools.product(*map(range, size)):
        shares = []
        for i, (old, new) in zip(pixel, axes, strict=True):
            x = i * (old - 1) / max(new - 1, 1) if aligned else (i + 0.5) * old / new - 0.5
            x = min(max(x, 0), old - 1)
            shares.append(((math.floor(x), 1 - x % 1), (min(math.floor(x) + 1, old - 1), x % 1)))
        expected[pixel] = sum(
            maps[tuple(cell for cell, _ in corner)] * math.prod(share for _, share in corner)
            for corner in itertools.product(*shares)
        )
    found = camlib.upsample(maps[None, None], size, align_corners=aligned)[0, 0]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_exchanged_axes_give_exchanged_pixels(mode: Mode) -> None:
    volume, size = torch.randn(1, 2, 3, 4, 5, dtype=torch.float64), (7, 6, 11)
    pixels = camlib.upsample(volume, size, mode)
    for order in itertools.permutations(range(3)):
        axes = 0, 1, *(2 + axis for axis in order)
        turned = camlib.upsample(volume.permute(axes), [size[axis] for axis in order], mode)
        torch.testing.assert_close(turned, pixels.permute(axes))


@pytest.mark.parametrize(
    ("places", "mode", "name"),
    [
        (1, "linear", "linear"),
        (2, "linear", "bilinear"),
        (2, "bilinear", "bilinear"),
        (2, "bicubic", "bicubic"),
        (3, "linear", "trilinear"),
    ],
)
def test_equals_torch(places: int, mode: Mode, name: str) -> None:
    """One number is the size along each axis; the maps stay as they were."""
    maps = torch.randn(2, 3, *(3, 4, 5)[:places])
    before = maps.clone()
    for aligned in (False, True):
        expected = F.interpolate(maps, size=[9] * places, mode=name, align_corners=aligned)
        assert torch.equal(camlib.upsample(maps, 9, mode, align_corners=aligned), expected)
    nearest = F.interpolate(maps, size=[7] * places, mode="nearest-exact")
    assert torch.equal(camlib.upsample(maps, 7, "nearest"), nearest)
    assert torch.equal(maps, before)


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


NUMBER = "size: expected a whole number, or one per axis of places, got {}. .* inputs.shape"
COUNT = r"size: expected one size per axis of places \({}\), got {}: .* for Tensor of shape .*"


@pytest.mark.parametrize(
    ("shape", "size", "options", "error", "message"),
    [
        (
            (1, 1, 2, 2),
            (0, 5),
            {},
            ValueError,
            r"size: expected at least 1 .* \(0, 5\)\. .*inputs.sh",
        ),
        ((1, 1, 2, 2), (3.5, 5), {}, TypeError, NUMBER.format(r"\(3.5, 5\)")),
        ((1, 1, 2, 2), "224", {}, TypeError, NUMBER.format("'224'")),
        ((1, 1, 2, 2), None, {}, TypeError, NUMBER.format("None")),
        ((1, 1, 2, 2), True, {}, TypeError, NUMBER.format("True")),
        ((1, 1, 2, 2), (3, 4, 5), {}, ValueError, COUNT.format(2, 3) + r"or 2\. .* maps\[None\]"),
        ((1, 1, 2, 2), [4], {}, ValueError, COUNT.format(2, 1) + r"for all axes, or 2\.$"),
        ((1, 2, 49), (9, 9), {}, ValueError, COUNT.format(1, 2) + "unflatten first: .*None"),
        ((2, 2), 4, {}, ValueError, r"maps: expected at least 3 axes .* maps\[None\]"),
        ((1, 1, 1, 1, 1, 1), 4, {}, ValueError, r"maps: expected 1, 2 or 3 axes .*flatten\(0, 1\)"),
        (
            (1, 1, 2, 2),
            8,
            {"mode": "lanczos"},
            ValueError,
            'mode: .* "bicubic", got .lanczos.* Start',
        ),
        ((1, 2, 49), 224, {"mode": "bilinear"}, ValueError, "mode: .* got .bilinear.* two axes"),
        ((1, 1, 2, 2, 2), 8, {"mode": "bicubic"}, ValueError, 'mode: .* got .bicubic.* "linear"'),
        (
            (1, 1, 2, 2),
            8,
            {"mode": "nearest", "align_corners": True},
            ValueError,
            "align_corners: expected False with mode='nearest', got True. Leave it out",
        ),
    ],
)
def test_bad_input_is_named(
    shape: tuple[int, ...],
    size: object,
    options: dict[str, object],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        camlib.upsample(torch.zeros(shape), size, **options)  # type: ignore[arg-type]


def test_the_advice_for_a_grid_of_tokens_works() -> None:
    """49 tokens in 7 rows of 7, row after row, are the picture that they were cut from."""
    picture = torch.randn(1, 2, 7, 7)
    grid = picture.flatten(2).unflatten(2, (7, 7))
    assert torch.equal(camlib.upsample(grid, (224, 224)), camlib.upsample(picture, 224))
