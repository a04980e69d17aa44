"""Varied garments: the same labels, other pictures, and nothing else touched."""

import numpy as np
import pytest
import torch

from camlib.scenes import Garments, load_garments
from camlib.training import variation
from camlib.training.variation import varied


@pytest.fixture
def garments() -> Garments:
    return load_garments("train", per_class=20)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing to vary but the mirror."""
    monkeypatch.setattr(variation, "TURN", 0.0)
    monkeypatch.setattr(variation, "SLANT", 0.0)
    monkeypatch.setattr(variation, "ZOOM", (1.0, 1.0))
    monkeypatch.setattr(variation, "CONTRAST", (1.0, 1.0))


def test_a_seed_gives_the_same_garments_again(garments: Garments) -> None:
    first, again, other = (varied(garments, np.random.RandomState(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.pictures, again.pictures)
    assert not np.array_equal(first.pictures, other.pictures)


def test_all_garments_change_and_no_label_does(garments: Garments) -> None:
    before = garments.pictures.copy()
    changed = varied(garments, np.random.RandomState(0))
    assert np.array_equal(garments.pictures, before)
    assert np.array_equal(changed.labels, garments.labels)
    assert (changed.split, changed.digest) == (garments.split, garments.digest)
    assert changed.pictures.dtype == np.uint8
    differs = (changed.pictures != garments.pictures).any(axis=(1, 2))
    assert differs.all()
    # No larger or smaller than the zoom allows, give or take the rim.
    areas = (changed.pictures > 0).sum() / (garments.pictures > 0).sum()
    assert 0.8 < areas < 1.1


@pytest.mark.usefixtures("still")
def test_half_are_mirrored_to_the_pixel(garments: Garments) -> None:
    solid = np.where(garments.pictures < 8, 0, garments.pictures)  # without the faint rim
    changed = varied(garments, np.random.RandomState(0)).pictures
    same = (changed == solid).all(axis=(1, 2))
    mirrored = (changed == solid[:, :, ::-1]).all(axis=(1, 2))
    assert (same | mirrored).all()
    assert 0.35 < mirrored.mean() < 0.65


@pytest.mark.usefixtures("still")
def test_zoom_in_numbers(monkeypatch: pytest.MonkeyPatch, garments: Garments) -> None:
    """A block of 14 x 14 pixels, half as wide and high: 7 x 7."""
    monkeypatch.setattr(variation, "ZOOM", (0.5, 0.5))
    block = np.zeros((1, 28, 28), np.uint8)
    block[0, 7:21, 7:21] = 200
    one = Garments(block, garments.labels[:1], "train", "")
    small = varied(one, np.random.RandomState(0)).pictures[0].astype(float)
    assert small.sum() == pytest.approx(200 * 49, rel=0.02)
    assert small[14, 14] == 200
    assert small[:10].sum() == 0


def test_the_global_generator_stays_as_it_was(garments: Garments) -> None:
    before = torch.get_rng_state()
    varied(garments, np.random.RandomState(0))
    assert torch.equal(torch.get_rng_state(), before)
