import base64
import io
import subprocess
import sys

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

import camlib
from camlib import plotting


def rgba(png):
    """The pixels (h, w, 4) of a PNG file, 0 to 255; what is not seen is 0."""
    pixels = np.array(Image.open(io.BytesIO(png)).convert("RGBA")).astype(float)
    pixels[pixels[..., 3] == 0] = 0
    return pixels


def exact_and_small(figure, most=1.0):
    """The pixels as matplotlib draws them, and those of the small file."""
    full = io.BytesIO()
    with plotting.style():
        figure.savefig(full, format="png")
    assert len(figure.png()) < most * len(full.getvalue())
    return rgba(full.getvalue()), rgba(figure.png())


def cat(size=160):
    return np.asarray(camlib.photos.load("cat").resize((size, size)))


def test_the_picture_is_transparent_and_holds_no_date_or_version():
    picture = Image.open(io.BytesIO(plotting.panels([cat()], ["cat"]).png()))
    assert picture.convert("RGBA").getpixel((0, 0)) == (0, 0, 0, 0)
    assert set(picture.info) <= {"transparency"}


def test_the_same_figure_is_the_same_file_to_the_byte():
    def draw():
        return plotting.colorbar(plotting.panels([cat()] * 2, ["one", "two"])).png()

    assert draw() == draw()


def test_few_colours_stay_exact():
    """Two pixels of known colours, drawn large: the middle of each keeps its colour."""
    pixels = rgba(plotting.panels([np.array([[[1.0, 0.2, 0], [0, 0.4, 0.6]]])]).png())
    middle, quarter = pixels.shape[0] // 2, pixels.shape[1] // 4
    np.testing.assert_array_equal(pixels[middle, quarter], [255, 51, 0, 255])
    np.testing.assert_array_equal(pixels[middle, 3 * quarter], [0, 102, 153, 255])


def test_a_map_beside_photographs_keeps_its_cells_exact():
    """The cells of a 7×7 map are flat, and their colours are the colour map's to the last bit."""
    map = np.linspace(-1, 1, 49).reshape(7, 7)
    figure = plotting.panels([plotting.colorize(map), cat()])
    pixels = rgba(figure.png())
    pad = round(0.04 * 110)
    side = pixels.shape[0] - 2 * pad
    centres = (pad + (np.arange(7) + 0.5) * side / 7).astype(int)
    drawn = pixels[np.ix_(centres, centres)][..., :3]
    np.testing.assert_allclose(drawn, np.round(plotting.colorize(map) * 255), atol=1)


def test_photographs_become_much_smaller_and_stay_close():
    figure = plotting.panels([cat(), plotting.greyscale(cat()), cat()[:, ::-1]])
    exact, reduced = exact_and_small(figure, most=0.5)
    assert exact.shape == reduced.shape
    assert np.abs(exact - reduced).mean() < 5
    # Dithering keeps the mean colour of every neighbourhood: 10×10 pixels, channel by channel.
    gap = (exact - reduced)[: exact.shape[0] // 10 * 10, : exact.shape[1] // 10 * 10]
    blocks = gap.reshape(gap.shape[0] // 10, 10, gap.shape[1] // 10, 10, 4).mean((1, 3))
    assert np.abs(blocks).mean() < 2


def test_a_smooth_map_shows_no_steps():
    """A slow ramp beside a photograph: the mean of 12×12 pixels is right to less than one level of
    255, where bands of one colour are off by more.
    """
    ramp = plotting.colorize(np.linspace(-1, 1, 160)[None].repeat(160, axis=0))
    figure = plotting.panels([ramp, cat()])
    exact, small = exact_and_small(figure)
    gap = (exact - small)[8:260, 8:260, :3]
    blocks = gap.reshape(21, 12, 21, 12, 3).mean((1, 3))
    assert np.sqrt((blocks**2).mean()) < 1
    assert np.abs(gap).max() < 60


def test_a_grey_picture_beside_a_coloured_one_gets_no_specks():
    figure = plotting.panels([plotting.greyscale(cat()), cat()])
    exact, small = exact_and_small(figure)
    assert np.abs(exact - small).max() < 45


def test_a_chart_of_many_half_transparent_colours_keeps_them():
    """Thin see-through marks in all hues and no photograph: reduced, and close to the original."""
    figure, axes = plotting.chart(4, 3)
    x, y, color = np.random.default_rng(0).random((3, 600))
    axes.scatter(x, y, s=40, c=color, cmap="hsv", alpha=0.6, linewidths=0)
    exact, small = exact_and_small(figure)
    assert len(np.unique(exact.reshape(-1, 4), axis=0)) > 256
    assert len(np.unique(small.reshape(-1, 4), axis=0)) <= 256
    assert np.abs(exact - small).mean() < 8


def test_a_smooth_map_keeps_its_colours_on_average():
    """A small blue region beside a photograph is still as blue as it was."""
    rows, columns = np.mgrid[-1:1:160j, -1:1:160j]
    map = -np.exp(-8 * (rows**2 + columns**2))
    figure = plotting.panels([plotting.overlay(cat(), map, opacity=1), cat()])
    pixels = rgba(figure.png())
    pad, side = round(0.04 * 110), pixels.shape[0] - 2 * round(0.04 * 110)
    middle = pixels[pad + side // 2 - 8 : pad + side // 2 + 8, pad + side // 2 - 8 :][:, :16]
    blue = plotting.colorize([[-1.0]])[0, 0] * 255
    assert np.abs(middle[..., :3].mean((0, 1)) - blue).max() < 12


def test_nothing_is_left_open():
    plotting.panels([cat()])
    plotting.numbers([[1]])
    plotting.chart()
    assert plt.get_fignums() == []


def test_importing_plotting_opens_no_window_system():
    """pyplot chooses a backend, so a library must not load it."""
    code = "import sys, camlib.plotting; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_notebook_shows_a_figure_exactly_once():
    sources = [
        "import numpy as np\nfrom camlib import plotting\nplotting.use_style()",
        "plotting.panels([np.zeros((4, 4, 3))])",
        "figure = plotting.numbers([[1, 2]])",
        "figure",
        "figure, axes = plotting.chart(3, 2)\naxes.plot([1, 2])\nfigure",
        "import matplotlib.pyplot as plt\n_ = plt.figure().add_subplot().plot([1, 2])",
        "plotting.bars(['a'], [1.0])",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [
        [output["data"] for output in cell.outputs if "image/png" in output.get("data", {})]
        for cell in notebook.cells
    ]
    assert [len(pictures) for pictures in shown] == [0, 1, 0, 1, 1, 1, 1]
    assert [len(cell.outputs) for cell in notebook.cells] == [0, 1, 0, 1, 1, 1, 1]
    assert shown[1][0]["text/plain"] == "<Drawing with 1 Axes>"
    for picture in (data["image/png"] for pictures in shown for data in pictures):
        assert rgba(base64.b64decode(picture))[0, 0, 3] == 0


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1280000, None, "1,280,000"),
        (-0.25, None, "−0.25"),
        (9.274, 2, "9.27"),
        (9.0, 2, "9.00"),
        (9.0, None, "9"),
        (100.0, None, "100"),
        (0.1 + 0.2, None, "0.3"),
        (-0.001, None, "0"),
        (-0.001, 2, "0.00"),
        (1234.5, 0, "1,234"),
    ],
)
def test_numbers_as_the_book_writes_them(value, digits, text):
    assert plotting.written(value, digits) == text


def test_a_chart_has_the_size_that_was_asked_for_and_thousands_separated():
    figure, axes = plotting.chart(5, 2)
    assert tuple(figure.get_size_inches()) == (5, 2)
    assert figure.axes == [axes]
    plotting.thousands(axes, "y")
    assert axes.yaxis.get_major_formatter()(62720000) == "62,720,000"
    assert axes.xaxis.get_major_formatter()(62720000) != "62,720,000"
    plotting.thousands(axes)
    assert axes.xaxis.get_major_formatter()(1280) == "1,280"
