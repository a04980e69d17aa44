"""Upsampling: numbers worked by hand, slow loops, scikit-image as a second opinion, and the door."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import camlib


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
            "size: expected a height and width of at least 1 pixel, got (0, 5). "
            "For a batch of images pass images.shape[-2:].",
        ),
        (
            (3.5, 5),
            {},
            TypeError,
            "size: expected a whole number or a pair (height, width), got (3.5, 5). "
            "For a batch of images pass images.shape[-2:].",
        ),
        (
            "224",
            {},
            TypeError,
            "size: expected a whole number or a pair (height, width), got '224'. "
            "For a batch of images pass images.shape[-2:].",
        ),
        (
            8,
            {"mode": "lanczos"},
            ValueError,
            'mode: expected "nearest", "bilinear" or "bicubic", got \'lanczos\'. '
            'Start with "bilinear".',
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


def test_maps_need_four_axes() -> None:
    with pytest.raises(ValueError, match="maps: expected 4 axes"):
        camlib.upsample(torch.zeros(2, 2), 4)
