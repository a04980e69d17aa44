import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from camlib import plotting


def drawn(figure):
    """(row from the top, length, colour) of every bar."""
    return [
        (patch.get_y() + patch.get_height() / 2, patch.get_width(), to_hex(patch.get_facecolor()))
        for patch in figure.axes[0].patches
    ]


def test_bars_go_right_in_orange_and_left_in_blue_from_the_top():
    figure = plotting.bars(["cat", "dog"], [2.0, -1.0])
    assert drawn(figure) == [
        (pytest.approx(0), 2.0, plotting.FOR),
        (pytest.approx(1), -1.0, plotting.AGAINST),
    ]
    axes = figure.axes[0]
    assert axes.yaxis_inverted()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]


def test_the_numbers_are_written_at_the_ends():
    axes = plotting.bars(["a", "b"], [1234.567, -0.5], title="five best", xlabel="logit").axes[0]
    assert (axes.get_title(), axes.get_xlabel()) == ("five best", "logit")
    texts = axes.texts
    assert [text.get_text() for text in texts] == ["1,234.57", "−0.50"]
    assert [text.xy for text in texts] == [(1234.567, 0), (-0.5, 1)]
    texts = plotting.bars(["a"], [1280], digits=None).axes[0].texts
    assert [text.get_text() for text in texts] == ["1,280"]


@pytest.mark.parametrize("values", [[3.0, 2.0], [-3.0, -2.0], [3.0, -2.0], [0.0, 0.0]])
def test_all_bars_and_their_numbers_are_inside(values):
    figure = plotting.bars(["a rather long name of a class", "b"], values)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    for text in figure.axes[0].texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width
