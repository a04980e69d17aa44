"""ClassExplorer in a real browser: its arithmetic against camlib's, and everything one can do."""

import dataclasses
import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

import camlib
from camlib import plotting

from .conftest import PHONE, Open, as_widget, call, html_of, numbers, pixels, set_from_kernel, shot
from .makers import make_cam, make_class, make_picture

CAM = make_cam()


@pytest.fixture(scope="module")
def thousand() -> str:
    """The HTML of a thousand classes."""
    return html_of(make_class(cam=CAM))


@pytest.fixture
def page(alive: Open, thousand: str) -> Page:
    """A thousand classes, alive without a kernel."""
    return alive(thousand)


def minus(text: str) -> str:
    return text.replace("-", "−")


def cell(page: Page, row: int, column: int) -> Locator:
    return page.get_by_role("row").nth(row).get_by_role("gridcell").nth(column)


def where(row: int, column: int) -> str:
    return f"row {row}, column {column}"


def top(values: torch.Tensor, count: int) -> list[int]:
    return values.argsort(descending=True)[:count].tolist()


def title(page: Page) -> Locator:
    return page.locator(".cx-title")


def chosen(page: Page, place: int) -> None:
    """The title names class ``place``."""
    expect(title(page).locator("strong")).to_have_text(f"thing {place:03d}")


# ------------------------------------------------------------------ arithmetic


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("cat", ["Egyptian cat", "tiger cat", "catamaran", "house-cat", "polecat"]),
        ("TIGER", ["tiger cat"]),
        (" 903 ", ["polecat"]),
        ("", ["Egyptian cat", "polecat", "catamaran", "house-cat", "tiger cat"]),
        ("dog", []),
    ],
)
def test_search_puts_words_before_beginnings_before_parts(
    empty: Page, typed: str, names: list[str]
) -> None:
    found = call(
        empty,
        "class_explorer.mjs",
        """m.search({ names: a.names, classes: [900, 901, 902, 903, 904], order: [0, 3, 2, 4, 1] },
                    a.typed, 50)""",
        {
            "names": ["Egyptian cat", "tiger cat", "catamaran", "polecat", "house-cat"],
            "typed": typed,
        },
    )
    listed = ["Egyptian cat", "tiger cat", "catamaran", "polecat", "house-cat"]
    assert [listed[place] for place in found["places"]] == names
    assert found["total"] == len(names)


@pytest.mark.parametrize(
    ("mode", "scale", "class_index"), [("bilinear", "shared", 2), ("nearest", "own", 9)]
)
def test_the_drawn_map_is_camlibs_overlay(
    alive: Open, mode: str, scale: str, class_index: int
) -> None:
    cam = make_cam(10)
    look = {"class_index": class_index, "mode": mode, "scale": scale}
    page = alive(make_class(image=make_picture(448, 448), **look))
    # A canvas stores colours multiplied by their opacity; over black that is what it shows.
    shown = pixels(page.locator(".cx-stage .cx-heat"), over_black=True)[..., :3] / 255
    values = cam.maps[:, class_index : class_index + 1]
    peak = (cam.maps if scale == "shared" else values).abs().max()
    large = camlib.scaling.signed(camlib.upsample(values, (448, 448), mode), peak)[0, 0]
    expected = plotting.overlay(np.zeros((448, 448, 3)), large, opacity=1.0)
    assert np.abs(shown - expected).max() < 0.015  # four roundings to bytes


def test_opacity_and_grey_are_what_python_does(alive: Open) -> None:
    """The canvas lies over the photograph with its opacity, as α·C + (1 - α)·I asks for."""
    page = alive(make_class(opacity=0.35))
    assert page.locator(".cx-stage .cx-heat").evaluate("e => getComputedStyle(e).opacity") == "0.35"
    photo = page.locator(".cx-photo")
    assert photo.evaluate("e => getComputedStyle(e).filter") == "grayscale(1)"
    page.get_by_role("radio", name="Colour").check()
    assert photo.evaluate("e => getComputedStyle(e).filter") == "none"


# ------------------------------------------------------------------ words and numbers


def test_it_wakes_with_the_class_and_numbers_of_the_picture(page: Page) -> None:
    best = top(CAM.logits[0], 5)
    chosen(page, best[0])
    expect(title(page)).to_contain_text(f"logit {CAM.logits[0, best[0]]:.2f} · rank 1 of 1000")
    tiles = page.get_by_role("group", name="The network’s best guesses").get_by_role("button")
    expect(tiles).to_have_text(
        [re.compile(minus(f"thing {k:03d}.*{CAM.logits[0, k]:.2f}")) for k in best]
    )
    peak = float(CAM.maps.abs().max())
    expect(page.locator(".cx-ticks")).to_have_text(f"−{peak:.1f} against0for +{peak:.1f}")
    values = CAM.maps[0, best[0]]
    high, low = divmod(int(values.argmax()), 7), divmod(int(values.argmin()), 7)
    expect(page.locator(".cx-sum .cx-words")).to_have_text(
        f"Most for: +{values.max():.1f}, {where(*high)}. "
        f"Most against: {minus(f'{values.min():.1f}')}, {where(*low)}."
    )


def test_the_sum_is_written_out_for_every_class(page: Page) -> None:
    for place in [*top(CAM.logits[0], 5), 0, 500, 999]:
        search_for(page, f"thing {place:03d}")
        terms = page.locator(".cx-terms strong").all_inner_texts()
        sign, equals = page.locator(".cx-sign").all_inner_texts()
        mean, offset, logit = numbers(" ".join(terms))
        offset = -offset if sign == "−" else offset
        assert equals == "="
        assert f"{mean + offset:.2f}" == f"{logit:.2f}"
        assert mean == pytest.approx(float(CAM.maps[0, place].mean()), abs=0.0051)
        assert offset == pytest.approx(float(CAM.offset[0, place]), abs=0.0051)
        assert logit == pytest.approx(float(CAM.logits[0, place]), abs=0.0051)


def test_a_class_without_evidence_says_so(page: Page) -> None:
    search_for(page, "thing 999")
    expect(page.locator(".cx-none")).to_have_text(
        "No place speaks for thing 999: the largest of its 49 values is "
        f"{minus(f'{CAM.maps[0, 999].max():.1f}')}."
    )


# ------------------------------------------------------------------ what one can do


def search_for(page: Page, text: str) -> None:
    page.get_by_role("combobox").fill(text)
    page.get_by_role("combobox").press("Enter")


def test_search_by_keys(page: Page) -> None:
    field = page.get_by_role("combobox", name="Search all 1000 classes")
    field.fill("thing 12")
    expect(field).to_have_attribute("aria-expanded", "true")
    options = page.get_by_role("listbox", name="Classes").get_by_role("option")
    order = sorted(range(120, 130), key=lambda place: -float(CAM.logits[0, place]))
    expect(options).to_have_text([re.compile(f"thing {place}") for place in order])
    field.press("ArrowDown")
    active = field.get_attribute("aria-activedescendant")
    expect(options.nth(1)).to_have_attribute("id", active or "none")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    field.press("Enter")
    chosen(page, order[1])
    expect(field).to_have_value(f"thing {order[1]}")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_be_focused()


def test_search_by_click(page: Page) -> None:
    page.get_by_role("combobox").click()
    expect(page.locator(".cx-note")).to_contain_text("50 with the highest logits of 1000")
    page.get_by_role("combobox").press_sequentially("42")
    page.get_by_role("option", name="thing 420").click()
    chosen(page, 420)
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_search_that_finds_nothing_and_escape(page: Page) -> None:
    field = page.get_by_role("combobox")
    field.fill("unicorn")
    expect(page.locator(".cx-note")).to_have_text("No class is called “unicorn”.")
    field.press("Enter")
    field.press("Escape")
    expect(page.locator(".cx-popup")).to_be_hidden()
    best = top(CAM.logits[0], 1)[0]
    expect(field).to_have_value(f"thing {best:03d}")
    chosen(page, best)


def test_a_click_on_a_guess_shows_its_map(page: Page) -> None:
    before = shot(page.locator(".cx-stage .cx-heat"))
    tile = page.locator(".cx-tile").nth(3)
    tile.click()
    chosen(page, top(CAM.logits[0], 4)[3])
    expect(tile).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".cx-tile[aria-pressed=true]")).to_have_count(1)
    assert shot(page.locator(".cx-stage .cx-heat")) != before


def speaks(page: Page, row: int, column: int) -> None:
    """The panel lists the five largest values of this cell, with their classes."""
    expect(page.locator(".cx-speaks .cx-heading")).to_contain_text(where(row, column))
    values = CAM.maps[0, :, row, column]
    expect(page.locator(".cx-line")).to_have_text(
        [re.compile(f"thing {k:03d}.*{values[k]:.1f}".replace("+", r"\+")) for k in top(values, 5)]
    )


def test_hovering_asks_a_place_and_leaving_forgets_it(page: Page) -> None:
    expect(page.locator(".cx-answer")).to_be_hidden()
    cell(page, 2, 5).hover()
    speaks(page, 2, 5)
    box, mark = cell(page, 2, 5).bounding_box(), page.locator(".cx-mark").bounding_box()
    assert all(abs(box[key] - mark[key]) < 1 for key in ("x", "y", "width", "height"))
    # The needle of the colours points at the value.
    value = float(CAM.maps[0, top(CAM.logits[0], 1)[0], 2, 5] / CAM.maps.abs().max())
    left = page.locator(".cx-needle").evaluate("needle => parseFloat(needle.style.left)")
    assert left == pytest.approx(50 + 50 * value, abs=0.01)
    page.mouse.move(1, 1)
    expect(page.locator(".cx-mark")).to_be_hidden()
    expect(page.locator(".cx-invitation")).to_be_visible()


def test_a_click_keeps_the_place_and_another_lets_it_go(page: Page) -> None:
    cell(page, 4, 1).click()
    cell(page, 0, 0).hover()
    speaks(page, 0, 0)
    page.mouse.move(1, 1)
    speaks(page, 4, 1)
    cell(page, 4, 1).click()
    page.mouse.move(1, 1)
    expect(page.locator(".cx-mark")).to_be_hidden()


def test_arrow_keys_move_over_the_cells(page: Page) -> None:
    page.keyboard.press("Tab")
    speaks(page, 0, 0)
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    speaks(page, 0, 1)
    expect(cell(page, 0, 1)).to_be_focused()
    expect(page.get_by_role("gridcell", selected=True)).to_have_count(1)
    page.keyboard.press("End")
    page.keyboard.press("PageDown")
    speaks(page, 6, 6)
    value = CAM.maps[0, top(CAM.logits[0], 1)[0], 6, 6]
    expect(cell(page, 6, 6)).to_have_accessible_name(
        re.compile(re.escape(minus(f"row 6, column 6: {value:+.1f} for thing")))
    )
    page.keyboard.press("Control+Home")
    speaks(page, 0, 0)
    page.keyboard.press("Escape")
    expect(page.locator(".cx-mark")).to_be_hidden()


def test_a_place_leads_to_the_classes_it_speaks_for(page: Page) -> None:
    cell(page, 3, 3).click()
    best = top(CAM.maps[0, :, 3, 3], 1)[0]
    page.locator(".cx-line").first.click()
    chosen(page, best)
    expect(page.locator(".cx-answer .cx-words")).to_have_text(
        f"For thing {best:03d} here: +{CAM.maps[0, best, 3, 3]:.1f}, rank 1 of 1000"
    )


def test_settings(page: Page) -> None:
    slider = page.get_by_role("slider", name="Opacity")
    slider.press("ArrowLeft")
    expect(page.locator("output")).to_have_text("75 %")
    assert page.locator(".cx-stage .cx-heat").evaluate("heat => heat.style.opacity") == "0.75"
    heat = page.locator(".cx-stage .cx-heat")
    smooth = shot(heat)
    page.get_by_role("radio", name="Smooth").press("ArrowRight")
    expect(page.get_by_role("radio", name="Cells")).to_be_checked()
    cells = shot(heat)
    assert cells != smooth
    page.get_by_role("radio", name="This class").check()
    peak = float(CAM.maps[0, top(CAM.logits[0], 1)[0]].abs().max())
    expect(page.locator(".cx-ticks")).to_have_text(f"−{peak:.1f} against0for +{peak:.1f}")
    assert shot(heat) != cells


def test_changes_are_announced_after_a_pause(page: Page) -> None:
    live = page.locator(".cx-live")
    page.locator(".cx-tile").nth(1).click()
    second = top(CAM.logits[0], 2)[1]
    expect(live).to_have_text(re.compile(rf"^thing {second:03d}: logit [\d.]+, rank 2 of 1000\."))
    cell(page, 5, 5).click()
    expect(live).to_have_text(re.compile("^row 5, column 5 speaks most for thing"))


def test_touch_on_a_phone(alive: Open, thousand: str) -> None:
    page = alive(thousand, **PHONE)
    # The first guesses are on the first screen.
    box = page.locator(".cx-tile").last.bounding_box()
    assert box["y"] + box["height"] < 844
    page.locator(".cx-tile").nth(2).tap()
    chosen(page, top(CAM.logits[0], 3)[2])
    cell(page, 4, 4).tap()
    speaks(page, 4, 4)
    cell(page, 4, 4).tap()
    expect(page.locator(".cx-mark")).to_be_hidden()


# ------------------------------------------------------------------ two lives


def test_as_a_widget_both_sides_see_each_other(serve: Open) -> None:
    page = serve()
    as_widget(page, make_class(cam=CAM))
    page.locator(".cx-tile").nth(1).click()
    cell(page, 2, 3).click()
    saved = page.evaluate("() => model.saved.at(-1)")
    assert (saved["class_index"], saved["cell"]) == (top(CAM.logits[0], 2)[1], [2, 3])
    look = {"opacity": 0.25, "mode": "nearest", "scale": "own", "greyscale": False}
    set_from_kernel(page, class_index=17, cell=[6, 5], **look)
    chosen(page, 17)
    page.mouse.move(1, 1)
    speaks(page, 6, 5)
    assert page.locator(".cx-stage .cx-heat").evaluate("heat => heat.style.opacity") == "0.25"
    for name in ("Cells", "This class", "Colour"):
        expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked()


def test_a_subset_uses_the_networks_numbering(alive: Open) -> None:
    cam = make_cam(3, 6, 14, classes=[281, 967, 285])
    page = alive(make_class(image=make_picture(192, 448), cam=cam, class_index=967))
    chosen(page, 967)
    expect(page.locator(".cx-tile")).to_have_count(3)
    cell(page, 5, 13).click()
    order = [cam.classes[place] for place in top(cam.maps[0, :, 5, 13], 3)]
    expect(page.locator(".cx-line")).to_have_text([re.compile(f"thing {k}") for k in order])
    page.get_by_role("combobox").fill("285")
    page.get_by_role("combobox").press("Enter")
    chosen(page, 285)
    rank = int((cam.logits[0] >= cam.logits[0, 2]).sum())
    expect(title(page)).to_contain_text(f"rank {rank} of the 3 here")  # not among all classes


def test_what_is_held_stands_below_the_identity(alive: Open) -> None:
    expect(alive(make_class()).locator(".cx-held")).to_have_count(0)
    page = alive(make_class(cam=dataclasses.replace(make_cam(10), held=("norm",))))
    expect(page.locator(".cx-sum .cx-held")).to_have_text("The spread of norm is held.")
