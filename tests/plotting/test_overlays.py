import numpy as np
import pytest
import torch
from matplotlib.colors import ListedColormap
from PIL import Image

from camlib import plotting

GREY = np.full((1, 1, 3), 0.5)
# Blue below -1/3, black in the middle, red above 1/3.
THREE = ListedColormap(["#0000ff", "#000000", "#ff0000"], name="three")


def smooth_map(seed, size=12):
    """A made-up map in [-1, 1] with both signs."""
    values = np.random.default_rng(seed).normal(size=(size, size)).cumsum(0).cumsum(1)
    return values / np.abs(values).max()


def photograph(seed, size=12):
    return np.random.default_rng(seed).random((size, size, 3))


def test_one_pixel_by_hand():
    """White over middle grey: opacity 0.7 · |1| = 0.7, so 0.3 · 0.5 + 0.7 · 1 = 0.85."""
    shown = plotting.overlay(GREY, [[1.0]], colormap="gray")
    np.testing.assert_allclose(shown, [[[0.85, 0.85, 0.85]]])


def test_two_by_two_by_hand():
    """A white picture, opacity 0.8, ends blue and red; O = (1 − 0.8|M|) · 1 + 0.8|M| · E:

    M =  1:   0.2 + 0.8 · (1, 0, 0) = (1, 0.2, 0.2)
    M = −0.5: 0.6 + 0.4 · (0, 0, 1) = (0.6, 0.6, 1)
    M =  0:   the picture           = (1, 1, 1)
    M = 0.25: 0.8 + 0.2 · (1, 0, 0) = (1, 0.8, 0.8)
    """
    white = np.full((2, 2, 3), 255, dtype=np.uint8)
    shown = plotting.overlay(
        white, [[1.0, -0.5], [0.0, 0.25]], colormap=THREE, opacity=0.8, vmin=-1
    )
    expected = [[[1, 0.2, 0.2], [0.6, 0.6, 1]], [[1, 1, 1], [1, 0.8, 0.8]]]
    np.testing.assert_allclose(shown, expected, atol=1e-12)


def test_without_fading_the_opacity_is_the_same_everywhere():
    """0.25 · 1 + 0.75 · C: black where the map is 0, (0.25, 0.25, 1) where it is −1."""
    white = np.ones((1, 2, 3))
    shown = plotting.overlay(
        white, [[0.0, -1.0]], colormap=THREE, opacity=0.75, fade=False, vmin=-1
    )
    np.testing.assert_allclose(shown, [[[0.25, 0.25, 0.25], [0.25, 0.25, 1]]])


def test_a_range_of_its_own_sets_what_full_strength_means():
    """On the range −4 to 4 the value 2 has half strength: 0.5 · 0.5 + 0.5 · (1, 0, 0)."""
    shown = plotting.overlay(GREY, [[2.0]], colormap=THREE, opacity=1, vmin=-4, vmax=4)
    np.testing.assert_allclose(shown, [[[0.75, 0.25, 0.25]]])


@pytest.mark.parametrize("seed", range(5))
def test_the_vectorised_overlay_is_the_loop_over_pixels(seed):
    image, map = photograph(seed), smooth_map(seed)
    shown = plotting.overlay(image, map, opacity=0.6)
    for x in range(12):
        for y in range(12):
            alpha = 0.6 * abs(map[x, y])
            color = np.array(plotting.EVIDENCE(0.0 if map[x, y] < 0 else 1.0)[:3])
            np.testing.assert_allclose(shown[x, y], (1 - alpha) * image[x, y] + alpha * color)


def test_a_map_of_zeros_or_opacity_zero_leaves_the_picture_as_it_is():
    image = photograph(0)
    np.testing.assert_array_equal(plotting.overlay(image, np.zeros((12, 12))), image)
    shown = plotting.overlay(image, smooth_map(0), opacity=0, fade=False)
    np.testing.assert_array_equal(shown, image)


def test_rounding_and_resizing_over_the_end_are_cut():
    """A map may miss its range by 1e-5 of it, a picture by 1e-3."""
    np.testing.assert_array_equal(
        plotting.overlay(GREY, [[1 + 1e-6]]), plotting.overlay(GREY, [[1.0]])
    )
    np.testing.assert_array_equal(plotting.greyscale(2.0009 * GREY), 2 * plotting.greyscale(GREY))
    np.testing.assert_array_equal(plotting.greyscale(-0.0009 + 0 * GREY), 0 * GREY)
    with pytest.raises(ValueError, match="map: expected values from -1 to 1"):
        plotting.overlay(GREY, [[1 + 1e-4]])
    with pytest.raises(ValueError, match="image: expected uint8, or floats from 0 to 1"):
        plotting.greyscale(2.01 * GREY)


@pytest.mark.parametrize("fade", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_evidence_against_never_looks_like_evidence_for(seed, fade):
    """Over grey, orange means more red than blue: nowhere for a map without a positive value."""
    shown = plotting.overlay(np.full((12, 12, 3), 0.5), -np.abs(smooth_map(seed)), fade=fade)
    assert (shown[..., 2] >= shown[..., 0] - 1e-3).all()
    assert (shown[..., 2] - shown[..., 0]).max() > 0.2


def test_the_strongest_place_of_either_sign_changes_the_picture_most():
    image = np.full((1, 3, 3), 0.5)
    shown = plotting.overlay(image, [[-1.0, 0.2, 1.0]])
    change = np.abs(shown - image).sum(axis=2)[0]
    assert change[1] < 0.3 * min(change[0], change[2])


def test_uint8_float_pil_and_tensor_are_the_same_picture():
    eight = (photograph(3) * 255).astype(np.uint8)
    map = smooth_map(3)
    expected = plotting.overlay(eight, map)
    single = (eight / 255).astype(np.float32)
    for image in (eight / 255, Image.fromarray(eight), torch.as_tensor(eight), single):
        np.testing.assert_allclose(
            plotting.overlay(image, torch.as_tensor(map)), expected, atol=1e-6
        )


def test_greyscale_by_hand():
    """Pure red, green, blue and white: 0.2126, 0.7152, 0.0722 and their sum, 1."""
    given = np.array([[[1.0, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 1]]])
    kept = given.copy()
    shown = plotting.greyscale(given)
    np.testing.assert_allclose(shown[..., 0], [[0.2126, 0.7152], [0.0722, 1]])
    np.testing.assert_array_equal(shown[..., 0], shown[..., 2])
    np.testing.assert_array_equal(given, kept)
