"""What explorers share in the browser: its arithmetic against camlib's."""

import base64

import numpy as np
import pytest
import torch
from playwright.sync_api import Error, Page

import camlib

from .conftest import call
from .makers import make_cam

SETTINGS = [
    ("nearest", False),
    ("bilinear", False),
    ("bilinear", True),
    ("bicubic", False),
    ("bicubic", True),
]
# Whole multiples and others, one row, one cell, one pixel, fewer pixels than cells, pixels on borders.
SIZES = [
    ((7, 7), (448, 448)),
    ((7, 7), (224, 224)),
    ((6, 14), (192, 448)),
    ((14, 9), (100, 37)),
    ((3, 6), (10, 9)),
    ((1, 3), (5, 10)),
    ((1, 1), (4, 4)),
    ((5, 4), (3, 2)),
    ((9, 6), (6, 4)),
    ((7, 7), (1, 5)),
]


@pytest.mark.parametrize(("mode", "align_corners"), SETTINGS)
def test_upsampling_is_camlibs(empty: Page, mode: str, align_corners: bool) -> None:
    for cells, size in SIZES:
        values = make_cam(1, *cells).maps
        expected = camlib.upsample(values, size, mode, align_corners=align_corners)
        got = call(
            empty,
            "shared/upsampling.mjs",
            "base64(m.upsample(Float32Array.from(a.map), ...a.cells, ...a.size, a.mode, a.on))",
            {
                "map": values.flatten().tolist(),
                "cells": cells,
                "size": size,
                "mode": mode,
                "on": align_corners,
            },
        )
        np.testing.assert_allclose(
            np.frombuffer(base64.b64decode(got), np.float32),
            expected.flatten().numpy(),
            atol=2e-6 * float(values.abs().max()),
            err_msg=f"{cells} cells on {size} pixels",
        )


@pytest.mark.parametrize(("mode", "align_corners"), SETTINGS)
@pytest.mark.parametrize(("cells", "pixels"), [(7, 224), (4, 10), (1, 3), (6, 4)])
def test_shares_are_the_table_that_enlarges_unit_cells(
    empty: Page, mode: str, align_corners: bool, cells: int, pixels: int
) -> None:
    """camlib enlarges the identity matrix downwards: row p holds every cell's share in pixel p."""
    eye = torch.eye(cells)[None, None]
    table = camlib.upsample(eye, (pixels, cells), mode, align_corners=align_corners)[0, 0]
    taps, cell, share = call(
        empty,
        "shared/upsampling.mjs",
        """Object.values(m.shares(a.cells, a.pixels, a.mode, a.on))
                 .map((part) => part.length ? Array.from(part) : part)""",
        {"cells": cells, "pixels": pixels, "mode": mode, "on": align_corners},
    )
    assert taps == {"nearest": 1, "bilinear": 2, "bicubic": 4}[mode]
    got = np.zeros((pixels, cells))
    np.add.at(got, (np.arange(pixels).repeat(taps), cell), share)
    np.testing.assert_allclose(got, table.numpy(), atol=2e-6)


def test_shares_by_hand(empty: Page) -> None:
    """Two cells on four pixels. Pixel 0 lies at -0.25 cells, beyond the first centre: bilinear asks
    cell -1, which is cell 0 once more, for a quarter and cell 0 for the rest.
    """
    shares = call(
        empty,
        "shared/upsampling.mjs",
        "(({ cell, share }) => [Array.from(cell), Array.from(share)])(m.shares(2, 4, 'bilinear'))",
    )
    assert shares == [
        [0, 0, 0, 1, 0, 1, 1, 1],
        [0.25, 0.75, 0.75, 0.25, 0.25, 0.75, 0.75, 0.25],
    ]


def test_centres_by_hand(empty: Page) -> None:
    """Seven cells on 224 pixels: centres 32 pixels apart from 15.5, or 223/6 apart from 0."""
    got = call(
        empty,
        "shared/upsampling.mjs",
        "[m.centresOf(7, 224), m.centresOf(7, 224, true), m.centresOf(1, 5, true)].map((c) => Array.from(c))",
    )
    assert got[0] == [15.5, 47.5, 79.5, 111.5, 143.5, 175.5, 207.5]
    np.testing.assert_allclose(got[1], np.arange(7) * 223 / 6)
    assert got[2] == [2]


def test_an_unknown_mode_is_refused(empty: Page) -> None:
    with pytest.raises(Error, match="mode: expected nearest, bilinear or bicubic, got cubic"):
        call(empty, "shared/upsampling.mjs", "m.shares(2, 4, 'cubic')")


def test_strongest_mean_and_largest(empty: Page) -> None:
    """Of 2, 5, -7, 5 the order is 5, 5, 2, -7, the mean 5/4, the largest absolute value 7."""
    got = call(
        empty,
        "shared/numbers.mjs",
        "[m.strongest(a, 3), m.mean(Float32Array.from(a)), m.largest(a)]",
        [2, 5, -7, 5],
    )
    assert got == [[1, 3, 0], 1.25, 7]


def test_digits_by_hand(empty: Page) -> None:
    """Three figures: 1234, 14.2, 9.82, 0.294; the sign does not count, six digits are enough."""
    got = call(
        empty,
        "shared/numbers.mjs",
        "[...a.map((peak) => m.digitsFor(peak)), m.digitsFor(0.25, 4)]",
        [1234, 14.2, 9.82, -0.294, 1e-9, 0],
    )
    assert got == [0, 1, 2, 3, 6, 2, 4]


@pytest.mark.parametrize(
    ("dtype", "name"),
    [("<i2", "int16"), ("<i4", "int32"), ("<f4", "float32"), ("u1", "uint8")],
)
def test_arrays_arrive(empty: Page, dtype: str, name: str) -> None:
    values = np.array([0, 1, 77, 3]).astype(dtype)
    address = f"data:application/x-{name};base64,{base64.b64encode(values.tobytes()).decode()}"
    assert call(empty, "shared/data.mjs", "Array.from(m.decode(a))", address) == values.tolist()
