import base64
import io
import re
import subprocess
import sys
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

import camlib
from camlib import plotting

SVG = "{http://www.w3.org/2000/svg}"


def cat(size=160):
    return np.asarray(camlib.photos.load("cat").resize((size, size)))


def elements(figure, name):
    """The elements of one name in a figure's SVG."""
    return list(ElementTree.fromstring(figure.svg()).iter(SVG + name))


def raster(element):
    """The kind and the pixels (h, w, c) of a picture in a figure."""
    kind, octets = re.fullmatch("data:image/(.*);base64,(.*)", element.get("href")).groups()
    return kind, np.array(Image.open(io.BytesIO(base64.b64decode(octets)))).astype(float)


def test_the_png_is_transparent_and_holds_no_date_or_version():
    picture = Image.open(io.BytesIO(plotting.panels([cat()], ["cat"]).png()))
    assert picture.getpixel((0, 0))[3] == 0
    assert set(picture.info) <= {"dpi"}


def test_the_same_figure_is_the_same_file_to_the_byte():
    def draw():
        figure = plotting.colorbar(plotting.panels([cat()] * 2, ["one", "two"]))
        return figure.svg(), figure.png()

    assert draw() == draw()
    assert not re.search("metadata|matplotlib|20[0-9][0-9]-", draw()[0])


def test_words_stay_words_in_the_pages_ink_and_letters():
    figure = plotting.panels([cat()], ["a cat"], ["0.1 < 0.25"])
    texts = elements(figure, "text")
    assert {text.text for text in texts} == {"a cat", "0.1 < 0.25"}
    for text in texts:
        assert f"fill: var(--cam-ink-muted, {plotting.INK})" in text.get("style")
        assert "font-family: var(--cam-font-label, 'DejaVu Sans', sans-serif)" in text.get("style")


def test_the_cells_of_a_map_are_pixels_of_its_exact_colours():
    map = np.linspace(-1, 1, 49).reshape(7, 7)
    (element,) = elements(plotting.panels([plotting.colorize(map)]), "image")
    _, pixels = raster(element)
    assert pixels.shape[:2] == (7, 7)
    np.testing.assert_allclose(pixels[..., :3], 255 * plotting.colorize(map), atol=1)
    assert "pixelated" in element.get("style")


def test_a_photograph_keeps_its_pixels_and_becomes_small():
    picture = cat(224)
    (element,) = elements(plotting.panels([picture]), "image")
    kind, pixels = raster(element)
    assert (kind, pixels.shape) == ("webp", (224, 224, 3))
    assert "style" not in element.attrib
    assert np.abs(pixels - picture).mean() < 4
    assert len(element.get("href")) < 25_000 < picture.size


def test_no_more_pixels_than_a_sharp_screen_shows():
    """In a row of five each of 440 pixels has 7 inches at 110 pixels an inch, less four gaps of 0.12."""
    shown = (7 - 4 * 0.12) / 5 * 110
    for element in elements(plotting.panels([cat(440)] * 5), "image"):
        assert raster(element)[1].shape[:2] == pytest.approx((2 * shown, 2 * shown), abs=1)
        assert (element.get("width"), element.get("height")) == ("440", "440")


def test_a_picture_lies_where_its_axes_are():
    """Of the width in points, 0.04 inches are the border on either side."""
    figure = plotting.panels([cat(440)], width=3, height=3)
    (element,) = elements(figure, "image")
    across = float(re.match(r"matrix\((\S+) ", element.get("transform"))[1])
    assert 440 * across == pytest.approx(3 * 72, abs=0.1)
    root = ElementTree.fromstring(figure.svg())
    assert float(root.get("width")) == pytest.approx((3 + 2 * 0.04) * 110, abs=1)


def test_two_figures_share_no_name():
    """So that one page can hold both: each refers to its own parts, and to nothing else."""
    svgs = [plotting.panels([cat(size)]).svg() for size in (100, 120)]
    names = [set(re.findall(r' id="([^"]+)"', svg)) for svg in svgs]
    used = [set(re.findall(r"url\(#([^)]+)\)", svg)) for svg in svgs]
    assert names == used
    assert names[0]
    assert not names[0] & names[1]
    assert not elements(plotting.panels([cat()]), "style")


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
        [output["data"] for output in cell.outputs if "data" in output] for cell in notebook.cells
    ]
    assert [len(pictures) for pictures in shown] == [0, 1, 0, 1, 1, 1, 1]
    assert [len(cell.outputs) for cell in notebook.cells] == [0, 1, 0, 1, 1, 1, 1]
    assert shown[1][0]["text/plain"] == "<Drawing with 1 Axes>"
    kinds = [{*data} - {"text/plain"} for pictures in shown for data in pictures]
    assert kinds == [{"image/svg+xml"}] * 3 + [{"image/png"}] + [{"image/svg+xml"}]


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
