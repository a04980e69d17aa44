import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle
from PIL import Image

from camlib import plotting

BLACK = np.zeros((4, 4, 3))
WIDE = np.zeros((2, 6, 3))


def boxes(figure):
    """(left, bottom, width, height) of every axes in inches."""
    across, up = figure.get_size_inches()
    return [np.array(axes.get_position().bounds) * [across, up, across, up] for axes in figure.axes]


def test_every_picture_stands_in_its_own_axes_with_its_texts():
    pictures = [np.full((2, 2, 3), value) for value in (0.0, 0.5, 1.0)]
    figure = plotting.panels(pictures, ["a", "b", "c"], ["1", "2", "3"])
    for axes, picture, title, caption in zip(figure.axes, pictures, "abc", "123", strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), picture)
        assert axes.get_title() == title
        assert [text.get_text() for text in axes.texts] == [caption]
        assert not axes.axison


def test_sizes_by_hand():
    """Two squares, width 7: (7 − 0.12) / 2 = 3.44, but at most 2.4 high; the second starts at
    2.4 + 0.12 = 2.52. At width 4: (4 − 0.12) / 2 = 1.94.
    """
    first, second = boxes(plotting.panels([BLACK, BLACK]))
    np.testing.assert_allclose([first[0], first[2], first[3]], [0, 2.4, 2.4])
    np.testing.assert_allclose([second[0], second[2]], [2.52, 2.4])
    small = boxes(plotting.panels([BLACK, BLACK], width=4))
    np.testing.assert_allclose([box[2] for box in small], [1.94, 1.94])


def test_pictures_of_different_shape_get_one_height_and_keep_their_shape():
    """1 : 1 and 3 : 1 share 7 − 0.12 = 6.88 inches: one is 6.88 / 4 = 1.72 high and wide."""
    square, wide = boxes(plotting.panels([BLACK, WIDE]))
    np.testing.assert_allclose(square[2:], [1.72, 1.72])
    np.testing.assert_allclose(wide[2:], [5.16, 1.72])


@pytest.mark.parametrize(
    ("count", "columns", "expected"),
    [(1, None, [1]), (5, None, [5]), (6, None, [3, 3]), (8, None, [4, 4]), (12, None, [4, 4, 4]),
     (20, None, [5, 5, 5, 5]), (5, 3, [3, 2]), (2, 9, [2])],
)  # fmt: skip
def test_rows_are_of_even_length(count, columns, expected):
    found = boxes(plotting.panels([BLACK] * count, columns=columns))
    bottoms = np.array([box[1] for box in found]).round(6)
    heights, counts = np.unique(bottoms, return_counts=True)
    assert counts[::-1].tolist() == expected
    assert bottoms.tolist() == sorted(bottoms, reverse=True)
    assert (np.diff(heights) > found[0][3]).all()


def test_nothing_overlaps_nor_leaves_the_figure():
    """Pictures and texts of two rows with long titles: every pair of boxes is apart."""
    titles = ["a title that is far too long for one line over a small picture"] * 8
    figure = plotting.panels([BLACK] * 8, titles, ["9.27"] * 8, width=5)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    found = [axes.get_window_extent(renderer) for axes in figure.axes]
    found += [axes.title.get_window_extent(renderer) for axes in figure.axes]
    found += [axes.texts[0].get_window_extent(renderer) for axes in figure.axes]
    for i, one in enumerate(found):
        assert one.x0 >= -1
        assert one.y0 >= -1
        assert one.y1 <= figure.bbox.y1 + 1
        for other in found[i + 1 :]:
            apart = one.x1 <= other.x0 + 1 or other.x1 <= one.x0 + 1
            assert apart or one.y1 <= other.y0 + 1 or other.y1 <= one.y0 + 1


def test_titles_break_at_the_picture_s_width_and_keep_the_writers_own_breaks():
    figure = plotting.panels([BLACK] * 5, ["one two three four five six", "a\nb", "c", "", "d"])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0].replace("\n", " ") == "one two three four five six"
    assert "\n" in titles[0]
    assert titles[1:] == ["a\nb", "c", "", "d"]


def test_the_callers_picture_is_not_held_on_to():
    picture = BLACK.copy()
    figure = plotting.panels([picture])
    picture[:] = 1
    assert figure.axes[0].images[0].get_array().max() == 0


def test_the_colour_bar_shows_the_range_and_leaves_the_pictures_as_they_are():
    figure = plotting.panels([BLACK, BLACK], ["a", "b"])
    before = boxes(figure)
    assert plotting.colorbar(figure, vmax=23.4) is figure
    *after, bar = boxes(figure)
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(new, np.add(old, [0, 0.62, 0, 0]))
    axes = figure.axes[-1]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["−23.4", "0", "23.4"]
    assert axes.get_xlim() == (-23.4, 23.4)
    assert bar[1] + bar[3] < min(box[1] for box in after)
    assert "against" in axes.get_xlabel()


def test_a_sequential_bar_starts_at_nought_and_takes_sides_with_nobody():
    axes = plotting.colorbar(plotting.panels([BLACK]), plotting.INTENSITY, vmax=3).axes[-1]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1.5", "3"]
    assert axes.get_xlabel() == ""
    axes = plotting.colorbar(plotting.panels([BLACK]), "gray", label="brightness").axes[-1]
    assert axes.get_xlabel() == "brightness"


def test_the_bars_colours_are_the_colour_maps_from_left_to_right():
    """Drawn, read back from the pixels: blue on the left, orange on the right."""
    figure = plotting.colorbar(plotting.panels([BLACK]))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    left, bottom, wide, high = boxes(figure)[-1] * 110
    row = pixels.shape[0] - round(bottom + high / 2)
    np.testing.assert_allclose(pixels[row, round(left) + 3], plotting.EVIDENCE(0.0)[:3], atol=0.08)
    np.testing.assert_allclose(
        pixels[row, round(left + wide) - 4], plotting.EVIDENCE(1.0)[:3], atol=0.08
    )


def test_the_grid_runs_between_the_cells():
    """A picture of 4×4 pixels reaches from −0.5 to 3.5: two cells across meet at 1.5, and four down
    at 0.5, 1.5 and 2.5.
    """
    axes = plotting.panels([BLACK]).axes[0]
    plotting.cells(axes, (4, 2))
    lines = [c.get_segments() for c in axes.collections if isinstance(c, LineCollection)]
    across = {
        segment[0][1] for group in lines for segment in group if segment[0][1] == segment[1][1]
    }
    down = {segment[0][0] for group in lines for segment in group if segment[0][0] == segment[1][0]}
    assert across == {0.5, 1.5, 2.5}
    assert down == {1.5}


def test_the_marked_cell_is_framed():
    """Row 1, column 0 of 2×2 cells on 4×4 pixels: from x = −0.5, y = 1.5, two pixels each way."""
    axes = plotting.panels([BLACK]).axes[0]
    plotting.cells(axes, (2, 2), marked=(1, 0))
    frames = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert {frame.get_bbox().bounds for frame in frames} == {(-0.5, 1.5, 2.0, 2.0)}


def test_the_grid_moves_no_picture():
    figure = plotting.panels([BLACK])
    axes = figure.axes[0]
    limits = axes.get_xlim(), axes.get_ylim()
    plotting.cells(axes, (7, 7), marked=(6, 6))
    assert (axes.get_xlim(), axes.get_ylim()) == limits


def test_a_drawing_can_be_saved_like_any_figure(tmp_path):
    plotting.panels([BLACK]).savefig(tmp_path / "figure.png")
    assert Image.open(io.BytesIO((tmp_path / "figure.png").read_bytes())).size[0] > 100
