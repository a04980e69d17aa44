import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from camlib import plotting


@pytest.fixture
def untouched():
    """Whatever a test does to the settings is taken back."""
    with mpl.rc_context():
        yield


def settings():
    return dict(mpl.rcParams.copy())


def luminance(color):
    """The relative luminance of WCAG 2."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first, second):
    low, high = sorted((luminance(first) + 0.05, luminance(second) + 0.05))
    return high / low


def test_ink_reads_on_white_and_on_dark_pages():
    for page in ("#ffffff", "#121212", "#14181e"):
        assert contrast(plotting.INK, page) > 4.2


def test_no_other_grey_reads_better_on_its_worst_page():
    def worst(color):
        return min(contrast(color, page) for page in ("#ffffff", "#121212", "#14181e"))

    greys = [f"#{value:02x}{value:02x}{value:02x}" for value in range(256)]
    assert max(greys, key=worst) == plotting.INK


@pytest.mark.parametrize("color", [plotting.FOR, plotting.AGAINST])
@pytest.mark.parametrize("page", ["#ffffff", "#121212", "#14181e"])
def test_bars_and_lines_stand_out_from_every_page(color, page):
    """WCAG 2 asks for 3 : 1 for graphics."""
    assert contrast(color, page) >= 3


def test_style_holds_inside_and_is_gone_outside(untouched):
    before = settings()
    with plotting.style():
        assert mpl.rcParams["text.color"] == plotting.INK
        assert mpl.rcParams["figure.facecolor"] == "none"
        assert settings() != before
    assert settings() == before


def test_style_is_gone_after_an_exception(untouched):
    before = settings()
    with pytest.raises(KeyError, match="in between"), plotting.style():
        raise KeyError("in between")
    assert settings() == before


def test_use_style_stays_and_is_taken_back_by_rcdefaults(untouched):
    plotting.use_style()
    assert mpl.rcParams["figure.dpi"] == 110
    assert mpl.rcParams["savefig.transparent"] is True
    once = settings()
    plotting.use_style()
    assert settings() == once
    mpl.rcdefaults()
    assert mpl.rcParams["text.color"] == "black"


DRAWN = {
    "panels": lambda: plotting.panels([np.zeros((2, 2, 3))], ["title"]),
    "colorbar": lambda: plotting.colorbar(plotting.panels([np.zeros((2, 2, 3))])),
    "numbers": lambda: plotting.numbers([[[1, 2]]]),
    "bars": lambda: plotting.bars(["a"], [1.0]),
    "chart": lambda: plotting.chart()[0],
    "png": lambda: plotting.chart()[0].png(),
    "overlay": lambda: plotting.overlay(np.zeros((1, 1, 3)), [[0.5]]),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_drawing_changes_no_setting(draw, untouched):
    before = settings()
    draw()
    assert settings() == before


def test_a_refused_drawing_changes_no_setting(untouched):
    before = settings()
    with pytest.raises(ValueError, match="expected a picture"):
        plotting.panels([np.zeros(2)])
    with pytest.raises(ValueError, match="as many labels"):
        plotting.bars(["a"], [1.0, 2.0])
    assert settings() == before


@pytest.mark.parametrize("draw", ["panels", "numbers", "bars", "chart"])
def test_the_letters_are_of_ink_whatever_the_users_own_settings_say(draw, untouched):
    mpl.rcParams.update({"text.color": "red", "ytick.color": "red", "figure.facecolor": "green"})
    figure = DRAWN[draw]()
    colors = {text.get_color() for text in figure.findobj(mpl.text.Text) if text.get_text()}
    assert colors <= {plotting.INK, "#111111"}
    assert figure.get_facecolor() == (0, 0, 0, 0)
