"""Scaling: numbers worked by hand, ranges, and the all-negative map that must not look hot."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from camlib import scaling

Scale = Callable[..., Tensor]
MAPS = torch.tensor([[[-4.0, 0.0], [1.0, 2.0]], [[-3.0, -2.0], [-1.0, -2.0]]])
ALL = pytest.mark.parametrize("scale", [scaling.signed, scaling.positive, scaling.min_max])


def test_signed_by_hand() -> None:
    """The first map is divided by 4, the second by 3."""
    expected = torch.tensor([[[-1.0, 0.0], [0.25, 0.5]], [[-1.0, -2 / 3], [-1 / 3, -2 / 3]]])
    torch.testing.assert_close(scaling.signed(MAPS), expected)


def test_positive_by_hand() -> None:
    """The first map keeps 1 and 2, divided by 2; the second has no positive value."""
    expected = torch.tensor([[[0.0, 0.0], [0.5, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])
    torch.testing.assert_close(scaling.positive(MAPS), expected)


def test_min_max_by_hand_gives_an_all_negative_map_full_strength() -> None:
    """(-4..2) has the range 6, (-3..-1) the range 2: both reach 1."""
    expected = torch.tensor([[[0.0, 4 / 6], [5 / 6, 1.0]], [[0.0, 0.5], [1.0, 0.5]]])
    torch.testing.assert_close(scaling.min_max(MAPS), expected)


@pytest.mark.parametrize(
    ("scale", "rows", "volume"),
    [
        (scaling.signed, [[-1, 0.5], [-1, 1]], [[-1, 0.5], [-0.25, 0.25]]),
        (scaling.positive, [[0, 1], [0, 1]], [[0, 1], [0, 0.5]]),
        (scaling.min_max, [[0, 1], [0, 1]], [[0, 1], [3 / 6, 5 / 6]]),
    ],
)
def test_signals_and_volumes_by_hand(
    scale: Scale, rows: list[object], volume: list[object]
) -> None:
    """With one axis each row is a map: (-4, 2) by 4 and (-1, 1) by 1; with three all is one: by 4.

    Positive: (0, 2) by 2 and (0, 1) by 1, or all by 2. Stretched: each row from 0 to 1, or -4 to 2
    over 6.
    """
    maps = torch.tensor([[-4.0, 2.0], [-1.0, 1.0]])
    assert scale(maps, places=1).tolist() == rows
    torch.testing.assert_close(scale(maps[:, None], places=3)[:, 0], torch.tensor(volume).float())


@ALL
@pytest.mark.parametrize("places", [1, 2, 3])
def test_each_map_is_scaled_by_itself_however_many_axes_it_has(scale: Scale, places: int) -> None:
    """One map at a time, laid out as a picture of one row, gives the same numbers."""
    maps = torch.randn(2, 3, 2, 2, 3)
    scaled = scale(maps, places=places).flatten(0, 4 - places)
    for one, found in zip(maps.flatten(0, 4 - places), scaled, strict=True):
        assert torch.equal(found.reshape(1, -1), scale(one.reshape(1, -1)))


@ALL
@pytest.mark.parametrize("factor", [1e-3, 0.25, 1e3])
def test_the_unit_of_the_maps_does_not_matter(scale: Scale, factor: float) -> None:
    torch.testing.assert_close(scale(factor * MAPS), scale(MAPS))


def test_a_shared_peak_keeps_maps_comparable_and_cuts_what_exceeds_it() -> None:
    expected = torch.tensor([[[-1.0, 0.0], [0.5, 1.0]], [[-1.0, -1.0], [-0.5, -1.0]]])
    torch.testing.assert_close(scaling.signed(MAPS, peak=2), expected)
    torch.testing.assert_close(scaling.positive(MAPS, peak=2), expected.relu())
    torch.testing.assert_close(scaling.positive(MAPS, peak=1)[0, 1], torch.ones(2))
    per_map = torch.tensor([4.0, 3.0])[:, None, None]
    torch.testing.assert_close(scaling.signed(MAPS, peak=per_map), scaling.signed(MAPS))


def test_flat_maps_become_zero_not_nan_and_keep_their_sign() -> None:
    zeros, flat = torch.zeros(1, 2, 2), torch.full((2, 2), -5.0)
    for scale in (scaling.signed, scaling.positive, scaling.min_max):
        assert torch.equal(scale(zeros), zeros)
    assert torch.equal(scaling.signed(flat), -torch.ones(2, 2))
    assert torch.equal(scaling.min_max(flat), torch.zeros(2, 2))


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=12))
def test_ranges_and_signs_hold_for_any_map_and_the_map_stays(values: list[float]) -> None:
    maps = torch.tensor([values])
    signed = scaling.signed(maps)
    assert bool((signed.abs() <= 1).all())
    assert bool((signed * maps >= 0).all())
    for scale in (scaling.min_max, scaling.positive):
        assert bool(((scale(maps) >= 0) & (scale(maps) <= 1)).all())
    assert torch.equal(maps, torch.tensor([values]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_the_whole_range_of_a_dtype_is_stretched(dtype: torch.dtype) -> None:
    """The difference of its largest and smallest number is no number of the dtype."""
    top = torch.finfo(dtype).max
    maps = torch.tensor([[-top, 0, top]], dtype=dtype)
    assert scaling.min_max(maps).tolist() == [[0, 0.5, 1]]


NAN = torch.tensor([[1.0, float("nan")]])
PLACES = "places: expected 1, 2 or 3, got {}. Pass how many axes of places maps ends in: 1 for"


@ALL
@pytest.mark.parametrize(
    ("maps", "places", "error", "message"),
    [
        (torch.ones(2, 2), 0, ValueError, PLACES.format(0)),
        (torch.ones(2, 2), 4, ValueError, PLACES.format(4)),
        (torch.ones(2, 2), "1", TypeError, PLACES.format("'1'")),
        (torch.ones(2, 2), True, TypeError, PLACES.format(True)),
        (
            torch.ones(2, 2),
            3,
            ValueError,
            r"maps: expected shape \(..., d, h, w\) .* \(2, 2\) .* Pass",
        ),
        (torch.ones(2), 2, ValueError, r"maps: expected shape \(..., h, w\) .* \(2,\) .* cam.maps"),
        (torch.ones(0, 2), 2, ValueError, "maps: expected shape .* with at least one cell"),
        (
            torch.ones(2, 2).byte(),
            2,
            TypeError,
            r"maps: expected a floating-point .*maps\.float\(\)",
        ),
        (NAN, 2, ValueError, "maps: expected finite .* 1 of 2 elements. Look where"),
    ],
)
def test_bad_input_is_named(
    scale: Scale, maps: Tensor, places: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        scale(maps, places=places)


@pytest.mark.parametrize("peak", [0, -1, "1", torch.ones(4), torch.ones(1, 2, 3), float("nan")])
@pytest.mark.parametrize("scale", [scaling.signed, scaling.positive])
def test_a_peak_that_fits_no_map_is_named(scale: Scale, peak: object) -> None:
    message = r"^peak: expected a positive number or a tensor of them, got .* cam\.maps\.abs\(\)"
    with pytest.raises(ValueError, match=f"(?s){message}"):
        scale(torch.ones(2, 3), peak)
