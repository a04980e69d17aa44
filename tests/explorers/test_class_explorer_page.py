"""ClassExplorer in a real browser: its arithmetic against camlib's, and everything one can do."""

import base64
import dataclasses
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

import camlib
from camlib import plotting
from camlib.explorers import ClassExplorer

from .conftest import as_widget, call, make_cam, make_names, make_picture

Open = Callable[..., Page]


def html_of(explorer: ClassExplorer) -> str:
    return explorer._repr_mimebundle_()[0]["text/html"]


def minus(text: str) -> str:
    return text.replace("-", "−")


def cell(page: Page, row: int, column: int) -> Locator:
    return page.get_by_role("row").nth(row).get_by_role("gridcell").nth(column)


def where(row: int, column: int) -> str:
    return f"row {row + 1}, column {column + 1}"


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
    serve: Open, typed: str, names: list[str]
) -> None:
    found = call(
        serve(),
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
    cam, picture = make_cam(10), make_picture(448, 448)
    page = alive(
        html_of(
            ClassExplorer(
                picture, cam, make_names(10), class_index=class_index, mode=mode, scale=scale
            )
        )
    )
    # A canvas stores colours multiplied by their opacity; over black that is what it shows.
    pixels = page.evaluate(
        """() => {
            const heat = document.querySelector(".cx-stage .cx-heat");
            const flat = new OffscreenCanvas(heat.width, heat.height).getContext("2d");
            flat.fillRect(0, 0, heat.width, heat.height);
            flat.drawImage(heat, 0, 0);
            const { data } = flat.getImageData(0, 0, heat.width, heat.height);
            return btoa(Array.from(data, (octet) => String.fromCharCode(octet)).join(""));
        }"""
    )
    shown = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(448, 448, 4)[..., :3] / 255
    values = cam.maps[:, class_index : class_index + 1]
    peak = (cam.maps if scale == "shared" else values).abs().max()
    large = camlib.scaling.signed(camlib.upsample(values, (448, 448), mode), peak)[0, 0]
    expected = plotting.overlay(np.zeros((448, 448, 3)), large, opacity=1.0)
    assert np.abs(shown - expected).max() < 0.015  # four roundings to bytes


def test_opacity_and_grey_are_what_python_does(alive: Open) -> None:
    """The canvas lies over the photograph with its opacity, as α·C + (1 - α)·I asks for."""
    cam = make_cam(10)
    page = alive(html_of(ClassExplorer(make_picture(), cam, make_names(10), opacity=0.35)))
    assert page.locator(".cx-stage .cx-heat").evaluate("e => getComputedStyle(e).opacity") == "0.35"
    photo = page.locator(".cx-photo")
    assert photo.evaluate("e => getComputedStyle(e).filter") == "grayscale(1)"
    page.get_by_role("radio", name="Colour").check()
    assert photo.evaluate("e => getComputedStyle(e).filter") == "none"


# ------------------------------------------------------------------ words and numbers


def test_it_wakes_with_the_class_and_numbers_of_the_picture(
    alive: Open, cam: camlib.ClassActivationMaps
) -> None:
    page = alive()
    best = top(cam.logits[0], 5)
    chosen(page, best[0])
    expect(title(page)).to_contain_text(f"logit {cam.logits[0, best[0]]:.2f} · rank 1 of 1000")
    tiles = page.get_by_role("group", name="The network’s best guesses").get_by_role("button")
    expect(tiles).to_have_text(
        [re.compile(minus(f"thing {k:03d}.*{cam.logits[0, k]:.2f}")) for k in best]
    )
    peak = float(cam.maps.abs().max())
    expect(page.locator(".cx-ticks")).to_have_text(f"−{peak:.1f} against0for +{peak:.1f}")
    expect(page.locator("figure > img")).to_be_hidden()
    expect(page.locator("figcaption")).to_be_hidden()


def test_the_sum_is_written_out_for_every_class(
    alive: Open, cam: camlib.ClassActivationMaps
) -> None:
    page = alive()
    for place in [*top(cam.logits[0], 5), 0, 500, 999]:
        search_for(page, f"thing {place:03d}")
        terms = page.locator(".cx-terms strong").all_inner_texts()
        sign, equals = page.locator(".cx-sign").all_inner_texts()
        mean, offset, logit = (float(text.replace("−", "-")) for text in terms)
        offset = -offset if sign == "−" else offset
        assert equals == "="
        assert f"{mean + offset:.2f}" == f"{logit:.2f}"
        assert mean == pytest.approx(float(cam.maps[0, place].mean()), abs=0.0051)
        assert offset == pytest.approx(float(cam.offset[0, place]), abs=0.0051)
        assert logit == pytest.approx(float(cam.logits[0, place]), abs=0.0051)


def test_strongest_places_are_named(alive: Open, cam: camlib.ClassActivationMaps) -> None:
    page = alive()
    values = cam.maps[0, top(cam.logits[0], 1)[0]]
    high, low = divmod(int(values.argmax()), 7), divmod(int(values.argmin()), 7)
    expect(page.locator(".cx-sum .cx-words")).to_have_text(
        f"Most for: +{values.max():.1f}, {where(*high)}. "
        f"Most against: {minus(f'{values.min():.1f}')}, {where(*low)}."
    )


def test_a_class_without_evidence_says_so(alive: Open, cam: camlib.ClassActivationMaps) -> None:
    page = alive()
    search_for(page, "thing 999")
    expect(page.locator(".cx-none")).to_have_text(
        "No place speaks for thing 999: the largest of its 49 values is "
        f"{minus(f'{cam.maps[0, 999].max():.1f}')}."
    )


# ------------------------------------------------------------------ what one can do


def search_for(page: Page, text: str) -> None:
    page.get_by_role("combobox").fill(text)
    page.get_by_role("combobox").press("Enter")


def test_search_by_keys(alive: Open, cam: camlib.ClassActivationMaps) -> None:
    page = alive()
    field = page.get_by_role("combobox", name="Search all 1000 classes")
    field.fill("thing 12")
    expect(field).to_have_attribute("aria-expanded", "true")
    options = page.get_by_role("listbox", name="Classes").get_by_role("option")
    order = sorted(range(120, 130), key=lambda place: -float(cam.logits[0, place]))
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


def test_search_by_click(alive: Open) -> None:
    page = alive()
    page.get_by_role("combobox").click()
    expect(page.locator(".cx-note")).to_contain_text("50 with the highest logits of 1000")
    page.get_by_role("combobox").press_sequentially("42")
    page.get_by_role("option", name="thing 420").click()
    chosen(page, 420)
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_search_that_finds_nothing_and_escape(alive: Open, cam: camlib.ClassActivationMaps) -> None:
    page = alive()
    field = page.get_by_role("combobox")
    field.fill("unicorn")
    expect(page.locator(".cx-note")).to_have_text("No class is called “unicorn”.")
    field.press("Enter")
    field.press("Escape")
    expect(page.locator(".cx-popup")).to_be_hidden()
    best = top(cam.logits[0], 1)[0]
    expect(field).to_have_value(f"thing {best:03d}")
    chosen(page, best)


def test_a_click_on_a_guess_shows_its_map(alive: Open, cam: camlib.ClassActivationMaps) -> None:
    page = alive()
    before = page.locator(".cx-stage .cx-heat").evaluate("canvas => canvas.toDataURL()")
    tile = page.locator(".cx-tile").nth(3)
    tile.click()
    chosen(page, top(cam.logits[0], 4)[3])
    expect(tile).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".cx-tile[aria-pressed=true]")).to_have_count(1)
    assert page.locator(".cx-stage .cx-heat").evaluate("canvas => canvas.toDataURL()") != before


def speaks(page: Page, cam: camlib.ClassActivationMaps, row: int, column: int) -> None:
    """The panel lists the five largest values of this cell, with their classes."""
    expect(page.locator(".cx-speaks .cx-heading")).to_contain_text(where(row, column))
    values = cam.maps[0, :, row, column]
    expect(page.locator(".cx-line")).to_have_text(
        [re.compile(f"thing {k:03d}.*{values[k]:.1f}".replace("+", r"\+")) for k in top(values, 5)]
    )


def test_hovering_asks_a_place_and_leaving_forgets_it(
    alive: Open, cam: camlib.ClassActivationMaps
) -> None:
    page = alive()
    expect(page.locator(".cx-answer")).to_be_hidden()
    cell(page, 2, 5).hover()
    speaks(page, cam, 2, 5)
    expect(page.locator(".cx-mark")).to_be_visible()
    page.mouse.move(1, 1)
    expect(page.locator(".cx-mark")).to_be_hidden()
    expect(page.locator(".cx-invitation")).to_be_visible()


def test_the_outline_lies_on_the_hovered_cell(alive: Open) -> None:
    page = alive()
    target = cell(page, 6, 0)
    target.hover()
    box, mark = target.bounding_box(), page.locator(".cx-mark").bounding_box()
    assert box is not None
    assert mark is not None
    assert all(abs(box[key] - mark[key]) < 1 for key in ("x", "y", "width", "height"))


def test_a_click_keeps_the_place_and_another_lets_it_go(
    alive: Open, cam: camlib.ClassActivationMaps
) -> None:
    page = alive()
    cell(page, 4, 1).click()
    cell(page, 0, 0).hover()
    speaks(page, cam, 0, 0)
    page.mouse.move(1, 1)
    speaks(page, cam, 4, 1)
    cell(page, 4, 1).click()
    page.mouse.move(1, 1)
    expect(page.locator(".cx-mark")).to_be_hidden()


def test_arrow_keys_move_over_the_cells(alive: Open, cam: camlib.ClassActivationMaps) -> None:
    page = alive()
    page.keyboard.press("Tab")
    speaks(page, cam, 0, 0)
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    speaks(page, cam, 0, 1)
    expect(cell(page, 0, 1)).to_be_focused()
    expect(page.get_by_role("gridcell", selected=True)).to_have_count(1)
    page.keyboard.press("End")
    page.keyboard.press("PageDown")
    speaks(page, cam, 6, 6)
    value = cam.maps[0, top(cam.logits[0], 1)[0], 6, 6]
    expect(cell(page, 6, 6)).to_have_accessible_name(
        re.compile(re.escape(minus(f"row 7, column 7: {value:+.1f} for thing")))
    )
    page.keyboard.press("Control+Home")
    speaks(page, cam, 0, 0)
    page.keyboard.press("Escape")
    expect(page.locator(".cx-mark")).to_be_hidden()


def test_a_place_leads_to_the_classes_it_speaks_for(
    alive: Open, cam: camlib.ClassActivationMaps
) -> None:
    page = alive()
    cell(page, 3, 3).click()
    best = top(cam.maps[0, :, 3, 3], 1)[0]
    page.locator(".cx-line").first.click()
    chosen(page, best)
    expect(page.locator(".cx-answer .cx-words")).to_have_text(
        f"For thing {best:03d} here: +{cam.maps[0, best, 3, 3]:.1f}, rank 1 of 1000"
    )


def test_the_needle_points_at_the_value(alive: Open, cam: camlib.ClassActivationMaps) -> None:
    page = alive()
    cell(page, 1, 1).click()
    value = float(cam.maps[0, top(cam.logits[0], 1)[0], 1, 1] / cam.maps.abs().max())
    left = page.locator(".cx-needle").evaluate("needle => parseFloat(needle.style.left)")
    assert left == pytest.approx(50 + 50 * value, abs=0.01)


def test_settings(alive: Open, cam: camlib.ClassActivationMaps) -> None:
    page = alive()
    slider = page.get_by_role("slider", name="Opacity")
    slider.press("ArrowLeft")
    expect(page.locator("output")).to_have_text("75 %")
    assert page.locator(".cx-stage .cx-heat").evaluate("heat => heat.style.opacity") == "0.75"
    shot = "canvas => canvas.toDataURL()"
    smooth = page.locator(".cx-stage .cx-heat").evaluate(shot)
    page.get_by_role("radio", name="Smooth").press("ArrowRight")
    expect(page.get_by_role("radio", name="Cells")).to_be_checked()
    cells = page.locator(".cx-stage .cx-heat").evaluate(shot)
    assert cells != smooth
    page.get_by_role("radio", name="This class").check()
    peak = float(cam.maps[0, top(cam.logits[0], 1)[0]].abs().max())
    expect(page.locator(".cx-ticks")).to_have_text(f"−{peak:.1f} against0for +{peak:.1f}")
    assert page.locator(".cx-stage .cx-heat").evaluate(shot) != cells


def test_changes_are_announced_after_a_pause(alive: Open, cam: camlib.ClassActivationMaps) -> None:
    page = alive()
    live = page.locator(".cx-live")
    expect(live).to_have_attribute("role", "status")
    page.locator(".cx-tile").nth(1).click()
    second = top(cam.logits[0], 2)[1]
    expect(live).to_have_text(re.compile(rf"^thing {second:03d}: logit [\d.]+, rank 2 of 1000\."))
    cell(page, 5, 5).click()
    expect(live).to_have_text(re.compile("^row 6, column 6 speaks most for thing"))


def test_everything_is_reached_by_the_tab_key(alive: Open) -> None:
    page = alive()
    cell(page, 0, 0).click()
    page.mouse.move(1, 1)
    stops = []
    for _ in range(15):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate(
                """() => document.activeElement.getAttribute("role")
                         ?? document.activeElement.getAttribute("type")"""
            )
        )
    assert stops == [*["button"] * 10, "combobox", "range", *["radio"] * 3]


def test_touch_on_a_phone(alive: Open, cam: camlib.ClassActivationMaps) -> None:
    page = alive(viewport={"width": 390, "height": 844}, has_touch=True)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.locator(".cx-tile").nth(2).tap()
    chosen(page, top(cam.logits[0], 3)[2])
    cell(page, 4, 4).tap()
    speaks(page, cam, 4, 4)
    cell(page, 4, 4).tap()
    expect(page.locator(".cx-mark")).to_be_hidden()


def test_the_first_guesses_are_on_a_phones_first_screen(alive: Open) -> None:
    page = alive(viewport={"width": 390, "height": 844}, has_touch=True)
    box = page.locator(".cx-tile").last.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 844


def test_fingers_and_mice_find_large_targets(alive: Open) -> None:
    """24 pixels is what WCAG 2.2 AA asks for."""
    page = alive(viewport={"width": 390, "height": 844})
    cell(page, 0, 0).click()
    for locator in (".cx-cell", ".cx-tile", ".cx-field", ".cx-choice label", ".cx-line"):
        box = page.locator(locator).first.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24, locator


def test_without_motion(alive: Open) -> None:
    page = alive(reduced_motion="reduce")
    durations = page.evaluate(
        """() => [...document.querySelectorAll(".camlib-explorer *")].flatMap((node) =>
            ["", "::before", "::after"].map((part) => getComputedStyle(node, part))
              .map((style) => [style.transitionDuration, style.animationName].join()))"""
    )
    assert set(durations) == {"0s,none"}


# ------------------------------------------------------------------ two lives


def test_without_scripts_there_is_the_picture(serve: Open, explorer_html: str) -> None:
    page = serve(explorer_html, java_script_enabled=False)
    expect(page.get_by_role("img", name="Class activation map of")).to_be_visible()
    expect(page.locator("figcaption")).to_contain_text("With JavaScript this picture answers")
    assert "application" not in page.locator("main").inner_text()


def test_hydrating_twice_is_once_and_leaving_restores(serve: Open, explorer_html: str) -> None:
    page = serve(explorer_html)
    counts = page.evaluate(
        """async () => {
            const { hydrate } = await import("/class_explorer.mjs");
            const figure = document.querySelector("figure");
            const before = figure.outerHTML;
            const leave = hydrate(figure);
            hydrate(figure);
            const alive = figure.querySelectorAll(".cx-app").length;
            leave();
            return [alive, figure.outerHTML.replaceAll(' hidden=""', "") === before,
                    figure.querySelectorAll("[hidden]").length];
        }"""
    )
    assert counts == [1, True, 0]


def test_damaged_data_leaves_the_picture(serve: Open, explorer_html: str) -> None:
    page = serve(
        re.sub(r'(?<="maps":"data:application/x-int16;base64,)[^"]*', "AAA=", explorer_html)
    )
    message = page.evaluate(
        """async () => {
            const { hydrate } = await import("/class_explorer.mjs");
            try { hydrate(document.querySelector("figure")); return "it went well"; }
            catch (error) { return error.message; }
        }"""
    )
    assert message == "1000 maps of 7 × 7 cells expected, got 1 values"
    expect(page.locator("figure > img")).to_be_visible()
    expect(page.locator(".cx-app")).to_have_count(0)


def test_as_a_widget_both_sides_see_each_other(
    serve: Open, cam: camlib.ClassActivationMaps
) -> None:
    page = serve()
    explorer = ClassExplorer(make_picture(), cam, make_names())
    as_widget(page, explorer)
    second = top(cam.logits[0], 2)[1]
    page.locator(".cx-tile").nth(1).click()
    cell(page, 2, 3).click()
    saved = page.evaluate("() => model.saved.at(-1)")
    assert (saved["class_index"], saved["cell"]) == (second, [2, 3])
    # What the kernel sets is drawn, and is not sent back.
    count = page.evaluate("() => model.saved.length")
    page.evaluate(
        """() => {
            model.set("class_index", 17); model.set("cell", [6, 5]); model.set("opacity", 0.25);
            model.set("mode", "nearest"); model.set("scale", "own"); model.set("greyscale", false);
        }"""
    )
    chosen(page, 17)
    page.mouse.move(1, 1)
    speaks(page, cam, 6, 5)
    assert page.locator(".cx-stage .cx-heat").evaluate("heat => heat.style.opacity") == "0.25"
    for name in ("Cells", "This class", "Colour"):
        expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked()
    assert page.evaluate("() => model.saved.length") == count
    left = page.evaluate(
        """() => { leave();
            const listeners = [...model.listeners.values()].flat();
            return listeners.length + document.querySelectorAll("figure").length; }"""
    )
    assert left == 0


def test_a_subset_uses_the_networks_numbering(serve: Open, alive: Open) -> None:
    cam = make_cam(3, 6, 14, classes=[281, 967, 285])
    names = make_names()
    page = alive(html_of(ClassExplorer(make_picture(192, 448), cam, names, class_index=967)))
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
    page = alive()
    expect(page.locator(".cx-held")).to_have_count(0)
    cam = dataclasses.replace(make_cam(10), held=("norm",))
    page = alive(html_of(ClassExplorer(make_picture(), cam, make_names(10))))
    expect(page.locator(".cx-sum .cx-held")).to_have_text("The spread of norm is held.")
