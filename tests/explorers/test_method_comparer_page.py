"""MethodComparer in a real browser: its numbers and colours against camlib's, and all one can do."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

import camlib
from camlib.explorers import dual_output

from . import conftest
from .conftest import Open, as_widget, call, numbers, pixels, set_from_kernel
from .makers import COMPARED, make_maps, make_methods, make_networks

NAMES = list(make_maps())


def radio(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name)


def pads(page: Page) -> Locator:
    return page.get_by_role("application")


def texts(page: Page, part: str) -> list[str]:
    """A part of every panel, in words."""
    return page.locator(f".cx-panel .cx-{part}").all_inner_texts()


def point_at(page: Page, panel: int, row: int, column: int) -> None:
    """Move the mouse over the middle of a pixel of the picture, in one of the panels."""
    conftest.point_at(page, pads(page).nth(panel), row, column)


def canvas(page: Page, panel: int) -> np.ndarray:
    """What is drawn over the picture: colours and opacity of every pixel, 0 to 255."""
    return pixels(page.locator(".cx-panel").nth(panel).locator(".cx-stage canvas"))


# ------------------------------------------------------------------ arithmetic


def test_compare_by_hand(empty: Page) -> None:
    """Peaks are largest magnitudes: 6 and 2; highest values 4 and -1; the third has no map."""
    got = call(
        empty,
        "method_comparer.mjs",
        """a.scales.map((scale) => m.compare(a.methods.map(({ maps }) => ({ maps: maps.map((layer) =>
             layer && layer.map((map) => Float32Array.from(map))) })), 1, 0, scale)
             .map((panel) => panel && [panel.high, panel.own, panel.peak]))""",
        {
            "methods": [
                {"maps": [[[9, 9], [4, -6]]]},
                {"maps": [[[8, 8], [-2, -1]]]},
                {"maps": [None]},
            ],
            "scales": ["one", "own"],
        },
    )
    assert got == [[[4, 6, 6], [-1, 2, 6], None], [[4, 6, 6], [-1, 2, 2], None]]


@pytest.mark.parametrize("scale", ["one", "own"])
@pytest.mark.parametrize("layer", ["last", "early"])
def test_what_is_shown_is_what_python_says(alive: Open, layer: str, scale: str) -> None:
    for class_index in COMPARED:
        explorer = make_methods(layer=layer, scale=scale, class_index=class_index, point=(100, 70))
        page = alive(explorer)
        rows, columns = next(iter(explorer.shown.values())).shape
        cell = 100 * rows // 224, 70 * columns // 224
        for panel, name in enumerate(NAMES):
            map = explorer.shown.get(name)
            if map is None:
                continue
            own = float(np.abs(map).max())
            exact = pytest.approx(float(map.max()), abs=0.006 * own)
            words = texts(page, "words")[panel]
            assert numbers(words)[0] == exact
            assert ("nothing speaks for it" in words) == (map.max() <= 0)
            value = numbers(texts(page, "value")[panel])[0]
            assert value == pytest.approx(float(map[cell]), abs=0.006 * own)
            ends = page.locator(".cx-panel").nth(panel).locator(".cx-ticks span span")
            for end, sign in zip(ends.all_inner_texts(), (-1, 1), strict=True):
                peak = explorer.peaks[name]
                assert numbers(end)[0] == pytest.approx(sign * peak, abs=0.006 * peak)


@pytest.mark.parametrize("scale", ["one", "own"])
def test_colours_are_camlibs(alive: Open, scale: str) -> None:
    """Every pixel: the table's opacity at map / peak, orange where it is positive, else blue."""
    explorer = make_methods(scale=scale, class_index=3)
    page = alive(explorer)
    table = dual_output.evidence_table()
    for panel, name in enumerate(NAMES):
        drawn = canvas(page, panel)
        map = torch.from_numpy(explorer.shown[name])[None, None]
        large = camlib.upsample(map, drawn.shape[:2])[0, 0].numpy() / explorer.peaks[name]
        entry = np.rint(256 + 256 * large).astype(int)
        assert np.abs(drawn[..., 3] - table[entry, 3].astype(int)).max() <= 2
        strong = np.abs(large) > 0.3
        warm = drawn[..., 0] > drawn[..., 2]
        np.testing.assert_array_equal(warm[strong], large[strong] > 0)


# ------------------------------------------------------------------ the reader


def test_one_scale_then_each_its_own(alive: Open) -> None:
    page = alive(make_methods())
    own = make_methods(scale="own").peaks
    about = page.locator(".cx-about .cx-words")
    expect(about).to_have_text(
        f"Full colour is ±{own['CAM']:.2f} in every panel. "
        "Grad-CAM × 49: it adds up over the cells what CAM averages."
    )
    assert texts(page, "heading") == ["CAM", "Grad-CAM × 49", "Grad-CAM++"]
    np.testing.assert_array_equal(canvas(page, 0), canvas(page, 1))
    before = canvas(page, 2)[..., 3].max()
    radio(page, "Own scale").check()
    expect(about).to_contain_text("each map’s own peak: compare places, not strengths.")
    assert before < 100 < canvas(page, 2)[..., 3].max()


def test_a_pale_map_says_that_its_own_scale_would_show_it(alive: Open) -> None:
    page = alive(make_methods(times_cells=[]))
    assert texts(page, "heading")[1] == "Grad-CAM"
    assert texts(page, "words")[1].endswith(", pale on this scale: try its own")
    radio(page, "Own scale").check()
    assert "pale" not in texts(page, "words")[1]


def test_a_method_without_the_layer_says_so(alive: Open) -> None:
    page = alive(make_methods(point=(3, 4)))
    radio(page, "early").check()
    assert texts(page, "heading") == ["CAM", "Grad-CAM × 196", "Grad-CAM++"]
    assert texts(page, "words")[0] == "CAM exists for the last layer alone"
    first = page.locator(".cx-panel").first
    expect(first.locator("canvas").first).to_be_hidden()
    expect(first.locator(".cx-bar")).to_be_hidden()
    expect(first.locator(".cx-mark")).to_be_visible()
    expect(first.locator(".cx-photo")).to_have_attribute("alt", "The photograph")
    expect(page.locator(".cx-title")).to_have_text("thing 7 early, 14 × 14 cells")
    radio(page, "last").check()
    expect(first.locator("canvas").first).to_be_visible()


def test_two_networks_answer_on_their_own_grids(alive: Open) -> None:
    """One point, in pixels; a cell of 7×7 holds several of 13×13."""
    explorer = make_networks()
    page = alive(explorer)
    expect(page.locator(".cx-title")).to_have_text("thing 7 ")
    coarse, fine = texts(page, "words")[:2]
    assert coarse.startswith("logit 5.00, 7 × 7 cells, highest +")
    assert fine.startswith("logit 1.00, 13 × 13 cells, highest +")
    point_at(page, 1, 100, 70)
    expect(page.locator(".cx-where")).to_have_text(
        "coarse: row 3, column 2 of 7 × 7. fine: row 5, column 4 of 13 × 13"
    )
    assert [pad.get_attribute("tabindex") for pad in pads(page).all()] == ["0", "0"]
    values = [float(text.replace("−", "-")) for text in texts(page, "value")]
    shown = explorer.shown
    assert values == pytest.approx([shown["coarse"][3, 2], shown["fine"][5, 4]], abs=0.006)
    radio(page, f"thing {COMPARED[1]}").check()
    assert texts(page, "words")[0].startswith("logit −3.00, ")


def test_a_place_is_marked_everywhere_and_given_back(alive: Open) -> None:
    page = alive(make_methods())
    where = page.locator(".cx-where")
    expect(where).to_have_text(
        "Point at a place, tap it or use the arrow keys: each picture answers."
    )
    point_at(page, 1, 100, 70)
    expect(where).to_have_text("row 3, column 2 of 7 × 7")
    marks = page.locator(".cx-mark")
    for panel in range(3):
        expect(marks.nth(panel)).to_be_visible()
        box, stage = marks.nth(panel).bounding_box(), pads(page).nth(panel).bounding_box()
        place = [
            (box["x"] - stage["x"]) / stage["width"],
            (box["y"] - stage["y"]) / stage["height"],
        ]
        assert place == pytest.approx([2 / 7, 3 / 7], abs=0.01)
    page.mouse.down()
    page.mouse.up()
    point_at(page, 2, 0, 0)
    expect(where).to_have_text("row 0, column 0 of 7 × 7")
    page.mouse.move(0, 0)
    expect(where).to_have_text("row 3, column 2 of 7 × 7")
    # The same place in a layer with smaller cells.
    radio(page, "early").check()
    expect(where).to_have_text("row 6, column 4 of 14 × 14")


def test_arrow_keys_go_from_cell_to_cell(alive: Open) -> None:
    page = alive(make_methods(point=(31, 33)))
    pads(page).first.focus()
    where = page.locator(".cx-where")
    expect(where).to_have_text("row 0, column 1 of 7 × 7")
    for key, cell in [
        ("ArrowDown", (1, 1)),
        ("ArrowRight", (1, 2)),
        ("End", (1, 6)),
        ("ArrowRight", (1, 6)),
        ("PageDown", (6, 6)),
        ("ArrowUp", (5, 6)),
    ]:
        page.keyboard.press(key)
        expect(where).to_have_text(f"row {cell[0]}, column {cell[1]} of 7 × 7")
    expect(page.locator(".cx-live")).to_have_text(
        re.compile(
            r"^row 5, column 6 of 7 × 7: CAM [+−]?\d\S+, Grad-CAM × 49 \S+, Grad-CAM\+\+ \S+\.$"
        )
    )
    page.keyboard.press("Escape")
    expect(page.locator(".cx-mark").first).to_be_hidden()
    assert texts(page, "value") == ["", "", ""]
    # One stop for the tabulator, then the choices.
    page.keyboard.press("Tab")
    expect(radio(page, "thing 7")).to_be_focused()


def test_a_class_by_arrow_keys_is_announced(alive: Open) -> None:
    page = alive(make_methods(logits=[9.271, 1.0, -2.5]))
    radio(page, "thing 7 9.27").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".cx-title")).to_have_text("thing 9 logit −2.50 · last, 7 × 7 cells")
    expect(page.locator(".cx-live")).to_have_text(
        re.compile(
            r"^thing 9 logit .* cells\. CAM: nothing speaks for it: highest −0\.\d+\. Grad-CAM"
        )
    )


def test_a_single_class_or_layer_offers_no_choice(alive: Open) -> None:
    maps = {name: {"last": layers["last"][:1]} for name, layers in make_maps().items()}
    page = alive(make_methods(maps=maps, classes=[7], class_names=["cat"]))
    assert page.locator("legend").all_inner_texts() == ["Scale"]


@pytest.mark.parametrize(("width", "columns"), [(320, 2), (390, 2), (1280, 3)])
def test_it_is_at_home_on_every_screen(alive: Open, width: int, columns: int) -> None:
    names = [f"a class with quite a long name {index}" for index in COMPARED]
    page = alive(make_methods(class_names=names), viewport={"width": width, "height": 900})
    boxes = [panel.bounding_box() for panel in pads(page).all()]
    assert sum(box is not None and box["y"] == boxes[0]["y"] for box in boxes) == columns
    assert all(box is not None and box["width"] > 100 for box in boxes)


def test_as_a_widget_it_follows_python_and_tells_it(serve: Open) -> None:
    page = serve()
    as_widget(page, make_methods())
    set_from_kernel(page, layer="early", point=[0, 223])
    expect(radio(page, "early")).to_be_checked()
    expect(page.locator(".cx-where")).to_have_text("row 0, column 13 of 14 × 14")
    radio(page, "thing 9").check()
    radio(page, "Own scale").check()
    saved = page.evaluate("[model.saved[0].class_index, model.saved.at(-1).scale]")
    assert saved == [9, "own"]
