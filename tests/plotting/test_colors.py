import numpy as np
import pytest
from matplotlib.colors import to_rgb

from camlib import plotting

# The way back, from Ottosson 2020 too: an independent check of the way from OKLab to sRGB.
_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
# Colour vision deficiencies at severity 1.0, on linear RGB: Machado, Oliveira, Fernandes 2009,
# "A physiologically-based model for simulation of color vision deficiency", table 1.
_DEFICIENCIES = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(rgb):
    rgb = np.asarray(rgb, dtype=np.float64)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def oklab(linear_rgb):
    return np.cbrt(linear_rgb @ _RGB_TO_LMS.T) @ _LMS_TO_LAB.T


def table(colormap):
    return np.asarray(colormap(np.arange(colormap.N)))[:, :3]


def contrast(first, second):
    """WCAG 2: (Y1 + 0.05) / (Y2 + 0.05), the lighter above."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    light = sorted([float(linear(to_rgb(c)) @ weights) + 0.05 for c in (first, second)])
    return light[1] / light[0]


def test_white_and_black_come_out_as_themselves():
    """L = 1, a = b = 0: l = m = s = 1, and each row of B adds up to 1. L = 0: all is 0."""
    np.testing.assert_allclose(plotting.oklab_to_srgb([1, 0, 0]), [1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(plotting.oklab_to_srgb([0, 0, 0]), [0, 0, 0], atol=1e-12)


def test_middle_grey_by_hand():
    """L = 0.5: l = m = s = 0.125, so linear 0.125; 1.055 · 0.125^(1/2.4) − 0.055 = 0.3885729."""
    np.testing.assert_allclose(plotting.oklab_to_srgb([0.5, 0, 0]), [0.3885729] * 3, atol=1e-6)


def test_ottossons_red_is_srgbs_red():
    """His post lists sRGB red as L = 0.628, a = 0.225, b = 0.126."""
    np.testing.assert_allclose(plotting.oklab_to_srgb([0.628, 0.225, 0.126]), [1, 0, 0], atol=0.01)


@pytest.mark.parametrize("colormap", [plotting.EVIDENCE, plotting.INTENSITY], ids=lambda c: c.name)
def test_equal_steps_of_the_value_are_equal_steps_to_the_eye(colormap):
    lab = oklab(linear(table(colormap)))
    steps = np.linalg.norm(np.diff(lab, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.01)


def test_evidence_is_symmetric_in_lightness_and_in_distance_from_its_neutral():
    lab = oklab(linear(table(plotting.EVIDENCE)))
    np.testing.assert_allclose(lab[:, 0], lab[::-1, 0], atol=1e-4)
    away = np.linalg.norm(lab - lab[128], axis=1)
    np.testing.assert_allclose(away, away[::-1], atol=1e-4)
    np.testing.assert_allclose(away[128:], np.linspace(0, away[-1], 129), atol=1e-4)


def test_evidence_is_blue_for_minus_one_grey_for_zero_and_orange_for_one():
    against, neutral, favour = plotting.colorize([[-1.0, 0.0, 1.0]])[0]
    assert against[2] > against[1] > against[0]
    assert np.ptp(neutral) < 1e-3
    assert favour[0] > favour[1] > favour[2]
    np.testing.assert_allclose(to_rgb(plotting.AGAINST), against, atol=1 / 255)
    np.testing.assert_allclose(to_rgb(plotting.FOR), favour, atol=1 / 255)


def test_intensity_only_gets_lighter():
    lightness = oklab(linear(table(plotting.INTENSITY)))[:, 0]
    assert (np.diff(lightness) > 0).all()
    assert lightness[-1] - lightness[0] > 0.6


@pytest.mark.parametrize("matrix", _DEFICIENCIES.values(), ids=_DEFICIENCIES)
def test_for_and_against_stay_far_apart_for_the_colour_blind(matrix):
    """For and against stay at least three quarters as far apart as neutral and for are to all."""
    seen = oklab((linear(table(plotting.EVIDENCE)) @ np.array(matrix).T).clip(0, 1))
    full = oklab(linear(table(plotting.EVIDENCE)))
    assert np.linalg.norm(seen[0] - seen[-1]) > 0.75 * np.linalg.norm(full[128] - full[-1])


def test_red_and_green_would_fail_that_test():
    """The same measure tells a bad pair: sRGB red and green of one lightness, for deuteranopes."""
    pair = plotting.oklab_to_srgb([[0.6, 0.14, 0.08], [0.6, -0.14, 0.08]])
    seen = oklab((linear(pair) @ np.array(_DEFICIENCIES["deuteranopia"]).T).clip(0, 1))
    full = oklab(linear(table(plotting.EVIDENCE)))
    assert np.linalg.norm(seen[0] - seen[1]) < 0.75 * np.linalg.norm(full[128] - full[-1])


@pytest.mark.parametrize("page", ["#ffffff", "#121212", "#14181e"])
def test_a_map_without_evidence_stands_out_from_the_page(page):
    neutral = plotting.EVIDENCE(0.5)[:3]
    assert contrast(neutral, page) > 1.2


def test_near_black_letters_read_on_every_colour_of_evidence():
    assert min(contrast("#111111", color) for color in table(plotting.EVIDENCE)) > 5.4


def test_colorize_takes_the_colour_at_the_values_place():
    """With matplotlib's grey ramp and the range 0 to 4, the value 3 is three quarters of white."""
    gray = plotting.colorize([[0.0, 3.0], [4.0, 1.0]], "gray", vmin=0, vmax=4)
    np.testing.assert_allclose(gray[..., 0], [[0, 0.75], [1, 0.25]], atol=1 / 255)
    assert gray.shape == (2, 2, 3)


def test_no_names_are_left_in_matplotlibs_list():
    import matplotlib

    assert "evidence" not in matplotlib.colormaps
    assert plotting.colorize([[1.0]], "evidence").tolist() == plotting.colorize([[1.0]]).tolist()
