"""PoolingExplorer in Python: its pooled numbers, and what it shows without scripts."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

import camlib
from camlib import plotting

from .conftest import array, data_of, found_in, words_of
from .makers import TWO, make_pooling


def test_it_starts_with_the_maps_given() -> None:
    explorer = make_pooling()
    assert explorer.values == tuple(tuple(tuple(row) for row in one) for one in TWO)
    assert (explorer.pooling, explorer.map_index, explorer.cell) == ("average", 0, None)
    assert (explorer.brush, explorer.all_maps) == (9.0, False)
    with pytest.raises(TypeError):  # nobody changes them unnoticed
        explorer.values[0][0][0] = 5


def test_the_pooled_numbers_by_hand() -> None:
    """(1 + 0 + 2 + 0 + 9 + 3 + 1 + 2 + 0) / 9 = 2 and 3 / 9; the largest are 9 and 3."""
    explorer = make_pooling()
    assert explorer.pooled.tolist() == [2, 3 / 9]
    explorer.pooling = "maximum"
    assert explorer.pooled.tolist() == [9, 3]
    explorer.values = [[[0.5] * 3] * 3, [[9] * 3] * 3]
    assert explorer.pooled.tolist() == [0.5, 9]


def test_the_pooled_numbers_are_camlibs() -> None:
    maps = torch.rand((20, 3, 3), generator=torch.Generator().manual_seed(1))
    explorer = make_pooling(maps=maps)
    torch.testing.assert_close(
        explorer.pooled.float(), camlib.global_average_pool(maps[None])[0], atol=1e-6, rtol=0
    )
    explorer.pooling = "maximum"
    assert torch.equal(explorer.pooled.float(), maps.amax((1, 2)))


def test_limits_by_default_are_whole_and_hold_zero_and_all_values() -> None:
    """Values from -1.5 to 0.25: from -2, the next whole number below, to at least 1."""
    assert data_of(make_pooling(maps=[[[-1.5, 0.25]]], limits=None))["limits"] == [-2, 1]
    assert data_of(make_pooling(maps=[[[2.0, 6.5]]], limits=None))["limits"] == [0, 7]
    data = data_of(make_pooling(step=0.1))
    assert (data["limits"], data["step"], data["start"]) == ([0, 9], 0.1, TWO)


def test_without_scripts_the_picture_is_the_books_figure() -> None:
    explorer = make_pooling()
    address = found_in(explorer, r'src="data:image/png;base64,([^"]*)"')
    drawn = plotting.numbers(explorer.values, ["mean 2.00", "mean 0.33"], peak=9, width=7.4)
    shown, expected = (
        np.array(Image.open(io.BytesIO(octets)).convert("RGBA"))
        for octets in (base64.b64decode(address), drawn.png())
    )
    seen = expected[..., 3] > 0
    assert seen.any()
    assert np.abs(shown[seen].astype(int) - expected[seen]).mean() < 2


def test_without_scripts_the_words_tell_the_numbers() -> None:
    explorer = make_pooling()
    assert words_of(explorer)[0] == (
        "2 maps of 3 by 3 cells with their numbers; above each map its average: 2.00, 0.33."
    )
    explorer.pooling = "maximum"
    alt, caption = words_of(explorer)
    assert alt.endswith("its maximum: 9, 3.")
    assert caption.startswith("2 maps, 2 numbers: above each map stands its maximum.")


def test_the_colours_are_those_of_the_books_figures() -> None:
    table = array(data_of(make_pooling())["colours"], "uint8").reshape(513, 4)
    for entry, share in [(0, 0.0), (256, 0.5), (384, 0.75), (512, 1.0)]:
        assert np.abs(table[entry] - 255 * np.array(plotting.EVIDENCE(share))).max() <= 1
