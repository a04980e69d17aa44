import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle

from camlib import plotting


def drawn(figure):
    """Texts with their places, and coloured cells by their corner."""
    axes = figure.axes[0]
    texts = {text.get_text(): text.get_position() for text in axes.texts if text.get_text()}
    cells = {patch.get_xy(): patch for patch in axes.patches if isinstance(patch, Rectangle)}
    return texts, cells


def test_each_number_stands_in_the_middle_of_its_own_cell():
    """One 2×3 matrix without a title: rows start at 0.1, so 60 stands at (2.5, 1.6)."""
    texts, cells = drawn(plotting.numbers([[[10, 20, 30], [40, 50, 60]]]))
    assert len(cells) == 6
    assert texts["10"] == (0.5, 0.6)
    assert texts["60"] == (2.5, 1.6)


def test_cells_have_evidences_colours_on_one_scale():
    """The largest magnitude of both arrays, 4, is full strength: 2 is half way, −4 full blue; with
    the peak 2 what is larger keeps the full colour, and zeros are neutral.
    """
    cases = [
        (([[2, 0]], [[-4]]), {}, (0.75, 0.5, 0.0)),
        (([[1, 9]],), {"peak": 2}, (0.75, 1.0)),
        (([[0, 0]],), {}, (0.5, 0.5)),
    ]
    for arrays, options, shares in cases:
        _, cells = drawn(plotting.numbers(arrays, **options))
        colors = [cell.get_facecolor()[:3] for _, cell in sorted(cells.items())]
        np.testing.assert_allclose(colors, [plotting.EVIDENCE(v)[:3] for v in shares])


def test_signs_stand_between_the_arrays_and_titles_above():
    figure = plotting.numbers([[[1, 2]], [[3, 4]], [[5, 6]]], ["f", "g", "sum"], ["× 7", "=", "!"])
    texts, _ = drawn(figure)
    assert texts["2"][0] < texts["× 7"][0] < texts["3"][0]
    assert texts["4"][0] < texts["="][0] < texts["5"][0]
    assert texts["!"][0] > texts["6"][0]
    assert texts["f"][0] == 1.0
    assert texts["f"][1] < texts["1"][1]
    texts, _ = drawn(plotting.numbers([[1], [2]], signs=["+"]))  # one sign fewer will do
    assert texts["1"][0] < texts["+"][0] < texts["2"][0]


def test_twenty_maps_make_four_rows_of_five_that_do_not_overlap():
    arrays = [np.full((3, 3), i) for i in range(20)]
    figure = plotting.numbers(arrays, [f"map {i}" for i in range(20)])
    _, cells = drawn(figure)
    assert len(cells) == 180
    assert len({corner[1] for corner in cells}) == 12
    assert len({corner[0] for corner in cells}) == 15
    assert figure.get_size_inches()[0] <= 7.05


def test_a_lower_array_is_centred_in_its_row():
    """3 rows beside 1: the single row stands one cell lower, in the middle."""
    texts, _ = drawn(plotting.numbers([[[1], [2], [3]], [[9]]]))
    assert texts["9"][1] == texts["2"][1]


def test_digits():
    assert set(drawn(plotting.numbers([[0.125, -2.0]]))[0]) == {"0.12", "−2"}
    assert set(drawn(plotting.numbers([[0.125, -2.0]], digits=1))[0]) == {"0.1", "−2.0"}


def test_texts_fit_into_their_cells():
    figure = plotting.numbers([[-1234567.0, -1.25, 88888.0, 3]])
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    cell = figure.bbox.width / figure.axes[0].get_xlim()[1]
    widths = [text.get_window_extent(renderer).width for text in figure.axes[0].texts]
    assert max(widths) < cell
