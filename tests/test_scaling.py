"""Scaling: numbers worked by hand, ranges, and the all-negative map that must not look hot."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from camlib import scaling

MAPS = torch.tensor([[[-4.0, 0.0], [1.0, 2.0]], [[-3.0, -2.0], [-1.0, -2.0]]])


def test_signed_by_hand() -> None:
    """The first map is divided by 4, the second by 3."""
    expected = torch.tensor([[[-1.0, 0.0], [0.25, 0.5]], [[-1.0, -2 / 3], [-1 / 3, -2 / 3]]])
    torch.testing.assert_close(scaling.signed(MAPS), expected)


def test_positive_by_hand() -> None:
    """The first map keeps 1 and 2, divided by 2; the second has no positive value."""
    expected = torch.tensor([[[0.0, 0.0], [0.5, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])
    torch.testing.assert_close(scaling.positive(MAPS), expected)


def test_min_max_by_hand_sets_an_all_negative_map_on_fire() -> None:
    """(-4..2) has the range 6, (-3..-1) the range 2: both reach 1."""
    expected = torch.tensor([[[0.0, 4 / 6], [5 / 6, 1.0]], [[0.0, 0.5], [1.0, 0.5]]])
    torch.testing.assert_close(scaling.min_max(MAPS), expected)


def test_signals_and_volumes_by_hand() -> None:
    """With one axis each row is a map: (-4, 2) by 4 and (-1, 1) by 1; with three all is one: by 4.

    Positive: (0, 2) by 2 and (0, 1) by 1, or all by 2. Stretched: each row from 0 to 1, or -4 to 2
    over 6.
    """
    rows = torch.tensor([[-4.0, 2.0], [-1.0, 1.0]])
    assert scaling.signed(rows, places=1).tolist() == [[-1.0, 0.5], [-1.0, 1.0]]
    assert scaling.positive(rows, places=1).tolist() == [[0.0, 1.0], [0.0, 1.0]]
    assert scaling.min_max(rows, places=1).tolist() == [[0.0, 1.0], [0.0, 1.0]]
    volume = rows[:, None]
    assert scaling.signed(volume, places=3).tolist() == [[[-1.0, 0.5]], [[-0.25, 0.25]]]
    assert scaling.positive(volume, places=3).tolist() == [[[0.0, 1.0]], [[0.0, 0.5]]]
    expected = torch.tensor([[[0.0, 1.0]], [[3 / 6, 5 / 6]]])
    torch.testing.assert_close(scaling.min_max(volume, places=3), expected)
    peak = torch.tensor([[8.0], [2.0]])
    assert scaling.signed(rows, peak, places=1).tolist() == [[-0.5, 0.25], [-0.5, 0.5]]


@pytest.mark.parametrize("scale", [scaling.signed, scaling.positive, scaling.min_max])
@pytest.mark.parametrize("places", [1, 2, 3])
def test_each_map_is_scaled_by_itself_however_many_axes_it_has(scale, places: int) -> None:  # type: ignore[no-untyped-def]
    """One map at a time, laid out as a picture of one row, gives the same numbers."""
    maps = torch.randn(2, 3, 2, 2, 3)
    scaled = scale(maps, places=places).flatten(0, 4 - places)
    for one, found in zip(maps.flatten(0, 4 - places), scaled, strict=True):
        assert torch.equal(found.reshape(1, -1), scale(one.reshape(1, -1)))


@pytest.mark.parametrize("scale", [scaling.signed, scaling.positive, scaling.min_max])
@pytest.mark.parametrize(
    ("places", "error", "message"),
    [
        (
            4,
            ValueError,
            "places: expected 1, 2 or 3, got 4. Pass how many axes of places maps ends in: 1 for "
            "signals and tokens, 2 for pictures, 3 for volumes.",
        ),
        (
            "1",
            TypeError,
            "places: expected 1, 2 or 3, got '1'. Pass how many axes of places maps ends in: 1 for "
            "signals and tokens, 2 for pictures, 3 for volumes.",
        ),
        (
            3,
            ValueError,
            "maps: expected shape (..., d, h, w) with at least one cell, got Tensor of shape (2, 2) "
            "and dtype float32. Pass whole maps, for example cam.maps.",
        ),
    ],
)
def test_bad_places_are_named(scale, places: int, error: type[Exception], message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error) as caught:
        scale(torch.ones(2, 2), places=places)
    assert str(caught.value) == message


def test_a_shared_peak_keeps_maps_comparable_and_cuts_what_exceeds_it() -> None:
    expected = torch.tensor([[[-1.0, 0.0], [0.5, 1.0]], [[-1.0, -1.0], [-0.5, -1.0]]])
    torch.testing.assert_close(scaling.signed(MAPS, peak=2), expected)
    per_map = torch.tensor([4.0, 3.0])[:, None, None]
    torch.testing.assert_close(scaling.signed(MAPS, peak=per_map), scaling.signed(MAPS))


@pytest.mark.parametrize("scale", [scaling.signed, scaling.positive, scaling.min_max])
def test_flat_maps_become_zero_not_nan(scale) -> None:  # type: ignore[no-untyped-def]
    assert torch.equal(scale(torch.zeros(1, 2, 2)), torch.zeros(1, 2, 2))


def test_a_constant_map_has_a_sign_but_no_range() -> None:
    flat = torch.full((2, 2), -5.0)
    assert torch.equal(scaling.signed(flat), -torch.ones(2, 2))
    assert torch.equal(scaling.min_max(flat), torch.zeros(2, 2))


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=12))
def test_ranges_and_signs_hold_for_any_map(values: list[float]) -> None:
    maps = torch.tensor([values])
    signed = scaling.signed(maps)
    assert bool((signed.abs() <= 1).all())
    assert bool((signed * maps >= 0).all())
    for scale in (scaling.min_max, scaling.positive):
        assert bool(((scale(maps) >= 0) & (scale(maps) <= 1)).all())


def test_the_callers_map_stays_as_it_was() -> None:
    before = MAPS.clone()
    for scale in (scaling.signed, scaling.positive, scaling.min_max):
        scale(MAPS)
    assert torch.equal(MAPS, before)


@pytest.mark.parametrize(
    ("maps", "peak", "error", "message"),
    [
        (
            torch.tensor([1.0]),
            None,
            ValueError,
            "maps: expected shape (..., h, w) with at least one cell, got Tensor of shape (1,) and "
            "dtype float32. Pass whole maps, for example cam.maps.",
        ),
        (
            torch.tensor([[1.0, float("nan")]]),
            None,
            ValueError,
            "maps: expected finite numbers, got NaN or infinity in 1 of 2 elements. "
            "Look where they come from: a map of a healthy network has none.",
        ),
        (
            torch.ones(2, 2),
            0,
            ValueError,
            "peak: expected a positive number or a tensor of them, got 0. "
            "Pass the largest magnitude to be shown, for example cam.maps.abs().max().",
        ),
        (
            torch.ones(2, 2, dtype=torch.uint8),
            None,
            TypeError,
            "maps: expected a floating-point tensor, got Tensor of shape (2, 2) and dtype uint8. "
            "Convert it first, for example with maps.float().",
        ),
    ],
)
def test_bad_input_is_named(
    maps: torch.Tensor, peak: float | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        scaling.signed(maps, peak)
    assert str(caught.value) == message


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_the_whole_range_of_a_dtype_is_stretched(dtype: torch.dtype) -> None:
    """The difference of its largest and smallest number is no number of the dtype."""
    top = torch.finfo(dtype).max
    maps = torch.tensor([[-top, 0, top]], dtype=dtype)
    assert scaling.min_max(maps).tolist() == [[0, 0.5, 1]]


@pytest.mark.parametrize("peak", ["1", torch.ones(4), torch.ones(1, 2, 3), float("nan")])
@pytest.mark.parametrize("scale", [scaling.signed, scaling.positive])
def test_a_peak_that_fits_no_map_is_named(scale, peak: object) -> None:
    with pytest.raises(ValueError, match=r"^peak: expected a positive number or a tensor of them"):
        scale(torch.ones(2, 3), peak)
