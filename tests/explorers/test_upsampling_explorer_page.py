"""UpsamplingExplorer in a real browser: its numbers against camlib's, and everything one can do."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

import camlib
from camlib import plotting

from . import conftest
from .conftest import PHONE, Open, as_widget, call, numbers, pixels, set_from_kernel, shot
from .makers import MAP, make_cam, make_picture, make_upsampling

SETTINGS = [
    ("nearest", False),
    ("bilinear", False),
    ("bilinear", True),
    ("bicubic", False),
    ("bicubic", True),
]
POINTS = [(100, 70), (0, 0), (223, 130), (15, 16)]


def enlarged(mode: str, align_corners: bool = False) -> torch.Tensor:
    return camlib.upsample(MAP[None, None], 224, mode, align_corners=align_corners)[0, 0]


def shares(mode: str, align_corners: bool, point: tuple[int, int]) -> torch.Tensor:
    """Every cell's share in a pixel: what camlib makes of maps that hold a single one."""
    cells = torch.eye(49).reshape(49, 1, 7, 7)
    large = camlib.upsample(cells, 224, mode, align_corners=align_corners)
    return large[:, 0, point[0], point[1]].reshape(7, 7)


def pad(page: Page) -> Locator:
    return page.get_by_role("application", name="The enlarged map.")


def point_at(page: Page, row: int, column: int) -> None:
    conftest.point_at(page, pad(page), row, column)


def asks(page: Page, row: int, column: int) -> None:
    """The sum is that of this pixel."""
    expect(page.locator(".cx-sum .cx-heading")).to_have_text(f"Pixel row {row}, column {column}")


def nothing_asked(page: Page) -> None:
    expect(page.locator(".cx-invitation")).to_be_visible()
    expect(page.locator(".cx-products")).to_be_hidden()


# ------------------------------------------------------------------ arithmetic


@pytest.mark.parametrize(("mode", "align_corners"), SETTINGS)
def test_shares_sum_and_value_are_camlibs(alive: Open, mode: str, align_corners: bool) -> None:
    page = alive(make_upsampling(mode=mode, align_corners=align_corners))
    large = enlarged(mode, align_corners)
    for point in POINTS:
        point_at(page, *point)
        asks(page, *point)
        table = shares(mode, align_corners, point).numpy()
        taken = np.abs(table) > 1e-6
        # The little table: in each square the cell's share in per cent, none in the others.
        shown = page.locator(".cx-stencil > span:not(.cx-side)").all_inner_texts()[1:]
        assert [text != "" for text in shown] == taken.flatten().tolist()
        percents = [numbers(text)[0] for text in shown if text]
        np.testing.assert_allclose(percents, 100 * table[taken], atol=0.051)
        # The sum: share × value, in reading order.
        terms = page.locator(".cx-products li").all_inner_texts()
        signs = [-1 if text.startswith("−") else 1 for text in terms]
        parts = [numbers(text.lstrip("−+ ")) for text in terms]
        np.testing.assert_allclose(
            [sign * part for sign, (part, _) in zip(signs, parts, strict=True)],
            100 * table[taken],
            atol=0.0051,
        )
        np.testing.assert_allclose([value for _, value in parts], MAP.numpy()[taken], atol=0.0051)
        result = page.locator(".cx-result").inner_text()
        assert numbers(result)[0] == pytest.approx(float(large[point]), abs=0.0051)
        total = sum(sign * a / 100 * b for sign, (a, b) in zip(signs, parts, strict=True))
        assert ("=" in result) == (f"{total:.2f}" == f"{numbers(result)[0]:.2f}")


@pytest.mark.parametrize(("mode", "align_corners"), SETTINGS)
def test_the_curve_is_camlibs_row_and_passes_the_dots(
    alive: Open, mode: str, align_corners: bool
) -> None:
    page = alive(make_upsampling(mode=mode, align_corners=align_corners, point=(100, 70)))
    paths = page.evaluate(
        """() => Object.fromEntries(["curve", "dots", "spot", "plumb"].map((name) =>
            [name, document.querySelector(`.cx-chart .cx-${name}`).getAttribute("d")]))"""
    )
    both = [enlarged("bicubic", on) for on in (False, True)]
    low = min(0.0, *(float(values.min()) for values in (MAP, *both)))
    high = max(0.0, *(float(values.max()) for values in (MAP, *both)))

    def level(values: torch.Tensor) -> np.ndarray:
        return 8 + 84 * (high - values.double().numpy()) / (high - low)

    curve = [numbers(pair) for pair in paths["curve"].split("L")]
    line = level(enlarged(mode, align_corners)[100])
    assert len(curve) == 225
    np.testing.assert_allclose([pair[0] for pair in curve[1:]], np.arange(224) + 0.5)
    np.testing.assert_allclose([pair[1] for pair in curve[1:]], line, atol=1e-3)
    # Cells' centres, at what all rows of cells give to this row of pixels.
    dots = [numbers(pair)[:2] for pair in paths["dots"].split("M")[1:]]
    centres = np.linspace(0, 223, 7) if align_corners else 32 * np.arange(7) + 15.5
    np.testing.assert_allclose([x for x, _ in dots], centres + 0.5)
    mixed = camlib.upsample(MAP[None, None], (224, 7), mode, align_corners=align_corners)[0, 0, 100]
    np.testing.assert_allclose([y for _, y in dots], level(mixed), atol=1e-3)
    np.testing.assert_allclose(numbers(paths["spot"])[:2], [70.5, line[70]], atol=1e-3)
    assert numbers(paths["plumb"])[0] == 70.5


@pytest.mark.parametrize("align_corners", [False, True])
def test_the_dots_lie_where_the_setting_puts_the_cells(alive: Open, align_corners: bool) -> None:
    page = alive(make_upsampling(align_corners=align_corners))
    dots = page.locator(".cx-stage .cx-dots").get_attribute("d") or ""
    centres = np.linspace(0, 223, 7) if align_corners else 32 * np.arange(7) + 15.5
    expected = [[x + 0.5, y + 0.5] for y in centres for x in centres]
    np.testing.assert_allclose([numbers(dot)[:2] for dot in dots.split("M")[1:]], expected)
    ways = page.locator(".cx-stage .cx-ways").get_attribute("d") or ""
    assert len(ways.split("M")[1:]) == (49 if align_corners else 0)


@pytest.mark.parametrize(("mode", "align_corners"), SETTINGS)
def test_the_hottest_pixel(alive: Open, mode: str, align_corners: bool) -> None:
    page = alive(make_upsampling(mode=mode, align_corners=align_corners))
    large = enlarged(mode, align_corners)
    places = (large >= large.max() - 1e-6).nonzero()
    first, last = places.min(0).values.tolist(), places.max(0).values.tolist()
    row, column = (f"{a}" if a == b else f"{a}–{b}" for a, b in zip(first, last, strict=True))
    button = page.get_by_role("button", name="Hottest pixel")
    expect(button).to_have_text(f"Hottest pixel: row {row}, column {column}")
    button.click()
    asks(page, *(-((a + b) // -2) for a, b in zip(first, last, strict=True)))


def test_align_corners_moves_the_books_peak(alive: Open) -> None:
    """A peak at cell (3, 1) of 7×7 stands at pixel 47.5 of 224, with align_corners at 223/6 = 37.2."""
    peaked = torch.zeros(7, 7)
    peaked[3, 1] = 10.0
    page = alive(make_upsampling(map=peaked))
    hot = page.get_by_role("button", name="Hottest pixel")
    expect(hot).to_have_text("Hottest pixel: row 111–112, column 47–48")
    page.get_by_role("radio", name="True").check()
    expect(hot).to_have_text(re.compile("column 37$"))


@pytest.mark.parametrize("mode", ["nearest", "bicubic"])
def test_the_picture_is_camlibs(alive: Open, mode: str) -> None:
    """A canvas over black shows colour × opacity; the peak is the largest value of any setting."""
    page = alive(make_upsampling(mode=mode))
    shown = pixels(page.locator(".cx-stage .cx-heat"), over_black=True)[..., :3] / 255
    smooth = [enlarged("bicubic", on) for on in (False, True)]
    peak = max(float(values.abs().max()) for values in (MAP, *smooth))
    scaled = camlib.scaling.signed(enlarged(mode), peak)
    expected = plotting.overlay(np.zeros((224, 224, 3)), scaled, opacity=1.0)
    assert np.abs(shown - expected).max() < 0.015  # four roundings to bytes


def test_a_value_that_no_cell_has_is_named(alive: Open) -> None:
    page = alive(make_upsampling(mode="bicubic"))
    large = enlarged("bicubic")
    words = page.locator(".cx-sum .cx-words")
    assert large.max() > MAP.max() + 0.1
    assert large.min() < MAP.min() - 0.1
    for index, remark in [(large.argmax(), "Higher"), (large.argmin(), "Lower")]:
        point_at(page, *divmod(int(index), 224))
        expect(words).to_contain_text(f"{remark} than every cell.")
    page.get_by_role("radio", name="Bilinear").check()
    for index in (large.argmax(), large.argmin()):
        point_at(page, *divmod(int(index), 224))
        expect(words).not_to_contain_text("than every cell")


@pytest.mark.parametrize(
    ("mode", "align_corners", "cells", "asked"),
    [
        ("nearest", False, 1, 0),
        ("bilinear", False, 1, 4),
        ("bicubic", False, 4, 16),
        ("bilinear", True, 1, 0),
        ("bicubic", True, 1, 0),
    ],
)
def test_at_the_corner(alive: Open, mode: str, align_corners: bool, cells: int, asked: int) -> None:
    """Beyond the edge cells are repeated; with align_corners the corner pixel is the corner cell."""
    page = alive(make_upsampling(mode=mode, align_corners=align_corners, point=(0, 0)))
    expect(page.locator(".cx-products li")).to_have_count(cells)
    words = f"It asks for {asked} cells: beyond the edge the outermost are repeated."
    expect(page.locator(".cx-sum .cx-words")).to_have_text(words if asked else "")


# ------------------------------------------------------------------ what one can do


def test_a_passing_mouse_gives_back_what_was_chosen(alive: Open) -> None:
    page = alive(make_upsampling())
    nothing_asked(page)
    point_at(page, 30, 200)
    asks(page, 30, 200)
    page.mouse.move(2, 2)
    nothing_asked(page)
    point_at(page, 100, 50)
    page.mouse.down()
    page.mouse.up()
    point_at(page, 3, 4)
    asks(page, 3, 4)
    page.mouse.move(2, 2)
    asks(page, 100, 50)


def test_keys(alive: Open) -> None:
    page = alive(make_upsampling(point=(100, 50)))
    pad(page).focus()
    for key, place in [
        ("ArrowRight", (100, 51)),
        ("ArrowUp", (99, 51)),
        ("Shift+ArrowDown", (115, 51)),
        ("Shift+ArrowLeft", (115, 35)),
        ("Home", (115, 0)),
        ("ArrowLeft", (115, 0)),
        ("End", (115, 223)),
        ("Shift+ArrowRight", (115, 223)),
        ("PageUp", (0, 223)),
        ("PageDown", (223, 223)),
    ]:
        page.keyboard.press(key)
        asks(page, *place)
    page.keyboard.press("Escape")
    nothing_asked(page)
    page.keyboard.press("Enter")
    asks(page, 112, 112)


def test_touch_on_a_phone(alive: Open) -> None:
    page = alive(make_upsampling(), **PHONE)
    assert pad(page).evaluate("node => getComputedStyle(node).touchAction") == "pan-y"
    box = pad(page).bounding_box()
    pad(page).tap(position={"x": box["width"] * 60.5 / 224, "y": box["height"] * 20.5 / 224})
    asks(page, 20, 60)


def test_switches(alive: Open) -> None:
    page = alive(make_upsampling(point=(100, 70)))
    heat = page.locator(".cx-stage .cx-heat")
    shots = [shot(heat)]
    page.get_by_role("radio", name="True").check()
    shots.append(shot(heat))
    page.get_by_role("radio", name="Bicubic").check()
    shots.append(shot(heat))
    page.get_by_role("radio", name="Nearest").check()
    shots.append(shot(heat))
    assert len(set(shots)) == 4
    # Nearest knows no corners: the switch rests, and keeps its place.
    expect(page.get_by_role("radio", name="True")).to_be_disabled()
    expect(page.locator(".cx-stage .cx-ways")).to_have_attribute("d", "")
    page.get_by_role("radio", name="Bilinear").check()
    expect(page.get_by_role("radio", name="True")).to_be_checked()
    page.get_by_role("slider", name="Opacity").press("ArrowLeft")
    assert heat.evaluate("node => node.style.opacity") == "0.75"


def test_changes_are_announced(alive: Open) -> None:
    page = alive(make_upsampling(point=(100, 50)))
    live = page.locator(".cx-live")
    pad(page).focus()
    page.keyboard.press("ArrowDown")
    value = f"{enlarged('bilinear')[101, 50]:.2f}".replace("-", "−")
    expect(live).to_have_text(f"Pixel row 101, column 50: {value}, from 4 cells.")
    page.get_by_role("radio", name="Nearest").check()
    expect(live).to_have_text(re.compile(r"^Hottest pixel: row .+\. Pixel row 101.+from 1 cell\."))


def test_as_a_widget_both_sides_see_each_other(serve: Open) -> None:
    page = serve()
    as_widget(page, make_upsampling())
    page.get_by_role("radio", name="Bicubic").check()
    pad(page).focus()
    page.keyboard.press("ArrowLeft")
    saved = page.evaluate("() => model.saved.at(-1)")
    assert (saved["mode"], saved["point"]) == ("bicubic", [112, 111])
    set_from_kernel(page, mode="bilinear", align_corners=True, point=[47, 11], opacity=0.25)
    asks(page, 47, 11)
    value = float(enlarged("bilinear", True)[47, 11])
    assert numbers(page.locator(".cx-result").inner_text())[0] == pytest.approx(value, abs=0.0051)
    expect(page.get_by_role("radio", name="Bilinear")).to_be_checked()
    expect(page.get_by_role("radio", name="True")).to_be_checked()
    assert page.locator(".cx-stage .cx-heat").evaluate("node => node.style.opacity") == "0.25"


# ------------------------------------------------------------------ other maps


@pytest.mark.parametrize(
    ("cells", "size"), [((6, 14), (192, 448)), ((1, 3), (32, 96)), ((1, 1), (40, 40))]
)
def test_maps_of_other_shapes(alive: Open, cells: tuple[int, int], size: tuple[int, int]) -> None:
    values = make_cam(1, *cells).maps[0, 0]
    point = (size[0] // 3, size[1] // 5)
    image = make_picture(*size)
    page = alive(make_upsampling(image=image, map=values, mode="bicubic", point=point))
    asks(page, *point)
    expected = float(camlib.upsample(values[None, None], size, "bicubic")[0, 0][point])
    result = numbers(page.locator(".cx-result").inner_text())[0]
    assert result == pytest.approx(expected, abs=0.006)
    assert page.locator(".cx-stencil > span").count() == (cells[0] + 1) * (cells[1] + 1)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 1280


def test_a_map_of_zeros(alive: Open) -> None:
    page = alive(make_upsampling(map=torch.zeros(7, 7), point=(100, 100)))
    expect(page.locator(".cx-result")).to_have_text("= 0.00")
    expect(page.get_by_role("button")).to_have_text("Hottest pixel: row 0–223, column 0–223")


def test_cells_of_a_pixel_by_hand(empty: Page) -> None:
    """Two by two cells on 4×4 pixels. Pixel (1, 0) takes ¾ of row 0 and ¼ of row 1, and of column 0
    all: a quarter of it comes from the copy beyond the edge, so four cells were asked.
    """
    got = call(
        empty,
        "upsampling_explorer.mjs",
        """(async () => {
            const { shares } = await import("/shared/upsampling.mjs");
            const both = shares(2, 4, "bilinear");
            return m.cellsOf({ down: both, across: both }, [1, 0]);
        })()""",
    )
    assert got == {"cells": [[0, 0, 0.75], [1, 0, 0.25]], "copies": 2}
