"""PoolingExplorer in a real browser: its numbers against camlib's, and everything one can do."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

import camlib
from camlib import plotting

from .conftest import PHONE, Open, as_widget, call, pixels, set_from_kernel
from .makers import make_pooling

MODULE = "pooling_explorer.mjs"
FINGER = {**PHONE, "is_mobile": True}


def make_maps() -> torch.Tensor:
    """Twenty maps of whole numbers from 0 to 6."""
    return torch.randint(0, 7, (20, 3, 3), generator=torch.Generator().manual_seed(5)).double()


@pytest.fixture
def open_page(alive: Open) -> Open:
    """An explorer of the twenty maps, alive without a kernel."""

    def open_page(maps: Any = None, *, options: dict[str, Any] | None = None, **given: Any) -> Page:
        maps = make_maps() if maps is None else maps
        return alive(make_pooling(maps=maps, **given), **options or {})

    return open_page


def squares(page: Page) -> Locator:
    return page.get_by_role("spinbutton")


def shown(page: Page) -> list[float]:
    """The cells of the map that is edited."""
    return [float(text.replace("−", "-")) for text in squares(page).all_inner_texts()]


def written(maps: torch.Tensor, pooling: str) -> list[str]:
    """The pooled numbers as the page should write them: camlib's."""
    if pooling == "average":
        return [f"{mean:.2f}" for mean in camlib.global_average_pool(maps[None])[0]]
    return [plotting.written(float(top)) for top in maps.amax((1, 2))]


def pooled(page: Page) -> list[str]:
    """The numbers below the small maps."""
    return page.locator(".cx-maps strong").all_inner_texts()


def choose(page: Page, name: str, group: str) -> None:
    """Press one answer of a choice."""
    page.get_by_role("group", name=group).get_by_role("radio", name=name, exact=True).check()


def counts(page: Page) -> list[int]:
    """How many cells, averages and maxima the page says have changed."""
    return [int(text) for text in page.locator(".cx-sum strong").all_inner_texts()]


def meters(page: Page) -> list[str]:
    return [
        " ".join(text.split())
        for text in page.locator(".cx-meters p:has(strong)").all_inner_texts()
    ]


# ------------------------------------------------------------------ arithmetic


@pytest.mark.parametrize(("h", "w"), [(3, 3), (7, 7), (1, 4), (5, 2)])
def test_pooling_is_camlibs(empty: Page, h: int, w: int) -> None:
    maps = torch.randn((1, 4, h, w), generator=torch.Generator().manual_seed(h), dtype=torch.double)
    got = call(empty, MODULE, "a.map(m.pool)", maps[0].tolist())
    averages = [one["average"] for one in got]
    np.testing.assert_allclose(averages, camlib.global_average_pool(maps)[0], rtol=0, atol=1e-12)
    assert [one["maximum"] for one in got] == maps.amax((2, 3))[0].tolist()


def test_moving_is_roll_and_shuffling_puts_every_cell_somewhere(empty: Page) -> None:
    """The keys 3, 1, 2, 0 sort the places into 3, 1, 2, 0."""
    one = torch.arange(12).reshape(3, 4)
    for way in [(1, 0), (-1, 0), (0, 1), (0, -1), (2, -1)]:
        got = call(empty, MODULE, "m.moved(...a)", [one.tolist(), *way])
        assert got == one.roll(way, (0, 1)).tolist()
    got = call(empty, MODULE, "m.shuffled(...a)", [[[10, 20], [30, 40]], [3, 1, 2, 0]])
    assert got == [[40, 20], [30, 10]]


# ------------------------------------------------------------------ what stands there


@pytest.mark.parametrize("pooling", ["average", "maximum"])
def test_all_pooled_numbers_are_camlibs(open_page: Open, pooling: str) -> None:
    maps = make_maps()
    page = open_page(pooling=pooling)
    assert pooled(page) == written(maps, pooling)
    assert shown(page) == maps[0].flatten().tolist()
    average, maximum = written(maps[:1], "average")[0], written(maps[:1], "maximum")[0]
    assert meters(page) == [f"average {average} unchanged", f"maximum {maximum} unchanged"]
    assert counts(page) == [0, 0, 0]


@pytest.mark.parametrize("step", [1, 2, 7])
def test_values_with_fractions_and_signs_are_written_as_they_are(
    open_page: Open, step: int
) -> None:
    maps = (
        torch.randn((3, step, 3), generator=torch.Generator().manual_seed(step))
        .double()
        .round(decimals=1)
    )
    page = open_page(maps, limits=(-5, 5), step=0.1)
    assert shown(page) == maps[0].flatten().tolist()
    assert [text.replace("−", "-") for text in pooled(page)] == [
        re.sub(r"^-(0\.00)$", r"\1", f"{mean:.2f}")
        for mean in camlib.global_average_pool(maps[None])[0]
    ]


def test_the_colours_are_the_books(open_page: Open) -> None:
    page = open_page()
    expected = plotting.EVIDENCE(0.5 + 0.5 * make_maps()[0].flatten().numpy() / 9)[:, :3]
    colours = squares(page).evaluate_all(
        "nodes => nodes.map(n => getComputedStyle(n).backgroundColor)"
    )
    got = np.array([[int(part) for part in re.findall(r"\d+", colour)] for colour in colours])
    assert np.abs(got - 255 * expected).max() <= 1
    tile = pixels(page.locator(".cx-maps canvas").first)[..., :3].reshape(9, 3)
    assert np.abs(tile - 255 * expected).max() <= 1


def test_the_bars_are_as_long_as_the_numbers(open_page: Open) -> None:
    page = open_page()
    style = "nodes => nodes.map(n => [parseFloat(n.style.left), parseFloat(n.style.width)])"
    means = make_maps().mean((1, 2))
    reaches = page.locator(".cx-maps .cx-reach").evaluate_all(style)
    np.testing.assert_allclose(reaches, [[0, 100 * mean / 9] for mean in means], atol=1e-3)
    ticks = page.locator(".cx-maps .cx-tick").evaluate_all(style)
    np.testing.assert_allclose([left for left, _ in ticks], 100 * means / 9, atol=1e-3)


# ------------------------------------------------------------------ what one can do


def test_a_click_paints_with_the_brush_and_another_wipes(open_page: Open) -> None:
    maps = make_maps()
    page = open_page()
    squares(page).nth(4).click()
    maps[0, 1, 1] = 9
    assert shown(page) == maps[0].flatten().tolist()
    assert pooled(page) == written(maps, "average")
    before = make_maps()[0]
    assert meters(page) == [
        f"average {maps[0].mean():.2f} {maps[0].mean() - before.mean():+.2f}",
        f"maximum 9 {9 - before.max():+.2f}",
    ]
    assert counts(page) == [1, 1, 1]
    expect(page.locator(".cx-meters .cx-words")).to_have_text(
        "The cell in row 1, column 1 gives 9 / 9 = 1.00 to the average and holds the maximum."
    )
    squares(page).nth(4).click()
    maps[0, 1, 1] = 0
    assert shown(page) == maps[0].flatten().tolist()


def test_dragging_paints_over_cells(open_page: Open) -> None:
    maps = make_maps()
    page = open_page()
    choose(page, "5", "Paint with")
    box = page.locator(".cx-sheet").bounding_box()
    third = box["width"] / 3
    page.mouse.move(box["x"] + third / 2, box["y"] + third / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 2.5 * third, box["y"] + third / 2, steps=8)
    page.mouse.move(box["x"] + 2.5 * third, box["y"] + 2.5 * third, steps=8)
    page.mouse.move(box["x"] + 2.5 * third, box["y"] + 9 * third, steps=3)
    page.mouse.up()
    page.mouse.move(box["x"] + third / 2, box["y"] + 2.5 * third)
    value = 0 if maps[0, 0, 0] == 5 else 5
    maps[0, 0, :] = maps[0, :, 2] = value
    assert shown(page) == maps[0].flatten().tolist()
    assert pooled(page) == written(maps, "average")


def test_the_average_up_and_the_maximum_untouched(open_page: Open) -> None:
    """The chapter's task: raise a cell that does not hold the maximum, by one."""
    maps = make_maps()
    page = open_page()
    place = int(maps[0].argmin())
    squares(page).nth(place).focus()
    page.keyboard.press("ArrowUp")
    maps[0].view(-1)[place] += 1
    assert meters(page)[0] == f"average {maps[0].mean():.2f} +0.11"
    assert meters(page)[1].endswith("unchanged")
    assert counts(page) == [1, 1, 0]


@pytest.mark.parametrize("all_maps", [False, True])
def test_no_pooled_number_notices_a_move(open_page: Open, all_maps: bool) -> None:
    maps = make_maps()
    page = open_page()
    if all_maps:
        choose(page, "All 20 maps", "Change")
    for side, way in {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}.items():
        page.get_by_role("button", name=f"Move the pattern {side}").click()
        rolled = maps.roll(way, (1, 2))
        assert shown(page) == rolled[0].flatten().tolist()
        many = rolled if all_maps else torch.cat([rolled[:1], maps[1:]])
        assert counts(page) == [int((many != maps).sum()), 0, 0]
        for pooling in ("maximum", "average"):
            choose(page, pooling.title(), "Show")
            assert pooled(page) == written(maps, pooling)
        page.get_by_role("button", name="Start again").click()


def test_shuffling_keeps_every_number_and_start_again_every_place(open_page: Open) -> None:
    maps = make_maps()
    page = open_page(all_maps=True)
    button = page.get_by_role("button", name="Shuffle the cells")
    for _ in range(5):  # chance may leave a map as it is, but hardly five times
        button.click()
        if shown(page) != maps[0].flatten().tolist():
            break
    assert shown(page) != maps[0].flatten().tolist()
    assert sorted(shown(page)) == maps[0].flatten().sort().values.tolist()
    assert counts(page)[1:] == [0, 0]
    assert pooled(page) == written(maps, "average")
    page.get_by_role("button", name="Start again").click()
    assert shown(page) == maps[0].flatten().tolist()
    assert counts(page) == [0, 0, 0]
    squares(page).nth(8).click()
    maps[:, 2, 2] = 9
    assert pooled(page) == written(maps, "average")
    assert counts(page) == [20, 20, 20]


def test_another_map_is_edited(open_page: Open) -> None:
    maps = make_maps()
    page = open_page()
    page.locator(".cx-maps label").nth(7).click()
    expect(page.locator(".cx-title")).to_have_text("Map 8of 20")
    assert shown(page) == maps[7].flatten().tolist()
    squares(page).first.click()
    maps[7, 0, 0] = 0 if maps[7, 0, 0] == 9 else 9
    assert pooled(page) == written(maps, "average")
    radio = page.get_by_role("radio", name=f"Map 8, average {maps[7].mean():.2f}")
    expect(radio).to_be_checked()
    radio.press("ArrowRight")
    assert shown(page) == maps[8].flatten().tolist()


KEYS = [
    (["ArrowUp"], 4), (["ArrowDown"], 2), (["PageUp"], 6), (["PageDown"], 0), (["Home"], 0),
    (["End"], 9), (["7"], 7), (["Delete"], 0), (["Backspace"], 0), (["Enter"], 9), (["Space"], 9),
    (["Enter", "Enter"], 0), (["PageUp", "PageUp", "PageUp"], 9), (["8", "5"], 5), (["x"], 3),
]  # fmt: skip


def test_keys_change_a_cell(open_page: Open) -> None:
    page = open_page([[[3, 1], [1, 1]]])
    expect(squares(page).first).to_have_attribute("aria-valuemax", "9")
    expect(squares(page).first).to_have_accessible_name("row 0, column 0")
    expect(page.get_by_role("group", name="The map’s cells")).to_have_accessible_description(
        re.compile("Keys: ← → choose a cell")
    )
    for keys, value in KEYS:
        squares(page).first.focus()
        for key in keys:
            page.keyboard.press(key)
        assert shown(page) == [value, 1, 1, 1], keys
        expect(squares(page).first).to_have_attribute("aria-valuenow", str(value))
        page.get_by_role("button", name="Start again").click()


def test_a_number_with_a_fraction_and_a_sign_is_typed(open_page: Open) -> None:
    page = open_page([[[3, 1], [1, 1]]], limits=(-20, 20), step=0.1)
    squares(page).first.focus()
    page.keyboard.type("-12.5")
    assert shown(page) == [-12.5, 1, 1, 1]
    page.keyboard.press("ArrowUp")
    assert shown(page) == [-12.4, 1, 1, 1]
    page.keyboard.press("ArrowRight")
    page.keyboard.type("99")  # 9 is a value, 99 is none: the second 9 starts over
    assert shown(page) == [-12.4, 9, 1, 1]


def test_arrow_keys_move_from_cell_to_cell_and_the_pattern(open_page: Open) -> None:
    page = open_page([[[1, 2], [3, 4]]])
    squares(page).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(squares(page).nth(2)).to_be_focused()
    expect(page.locator(".cx-chosen")).to_have_accessible_name("row 1, column 0")
    page.keyboard.press("ArrowLeft")
    expect(squares(page).nth(1)).to_be_focused()
    page.keyboard.press("Shift+ArrowDown")
    assert shown(page) == [3, 4, 1, 2]
    page.keyboard.press("Shift+ArrowRight")
    assert shown(page) == [4, 3, 2, 1]
    expect(squares(page).nth(1)).to_be_focused()


def test_changes_are_announced_after_a_pause(open_page: Open) -> None:
    page = open_page([[[3, 1], [1, 1]], [[0, 0], [0, 1]]])
    squares(page).nth(1).click()
    expect(page.locator(".cx-app > .cx-live")).to_have_text(
        re.compile(
            r"^Map 1: average 3\.50, maximum 9\. 1\s+of 8 cells changed\s+1\s+of 2 averages changed"
            r"\s+1\s+of 2 maxima changed$"
        )
    )


def test_touch_on_a_phone(open_page: Open) -> None:
    maps = make_maps()
    page = open_page(options=FINGER)
    page.locator(".cx-brush label").nth(2).tap()
    squares(page).nth(3).tap()
    maps[0, 1, 0] = 0 if maps[0, 1, 0] == 2 else 2
    assert shown(page) == maps[0].flatten().tolist()
    page.locator(".cx-maps label").nth(19).tap()
    expect(page.locator(".cx-title strong")).to_have_text("Map 20")
    assert (
        page.locator(".cx-sheet").evaluate("e => getComputedStyle(e).touchAction") == "pinch-zoom"
    )
    assert page.locator(".cx-maps").evaluate("e => getComputedStyle(e).touchAction") == "auto"
    expect(page.locator(".cx-hint")).to_be_visible()
    expect(page.locator(".cx-keys")).to_be_hidden()


def test_a_finger_paints_over_cells(open_page: Open) -> None:
    maps = make_maps()
    page = open_page(options=FINGER)
    session = page.context.new_cdp_session(page)
    boxes = [squares(page).nth(index).bounding_box() for index in (0, 1, 2)]
    points = [[{"x": b["x"] + 9, "y": b["y"] + 9}] for b in boxes if b]
    for kind, place in [
        ("touchStart", points[0]),
        ("touchMove", points[1]),
        ("touchMove", points[2]),
        ("touchEnd", []),
    ]:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": place})
    maps[0, 0, :] = 9
    assert shown(page) == maps[0].flatten().tolist()
    assert page.evaluate("() => scrollY") == 0


def test_as_a_widget_both_sides_see_each_other(serve: Open) -> None:
    maps = make_maps()
    page = serve()
    explorer = make_pooling(maps=maps)
    as_widget(page, explorer)
    page.locator(".cx-maps label").nth(2).click()
    choose(page, "4", "Paint with")
    squares(page).nth(5).click()
    choose(page, "Maximum", "Show")
    choose(page, "All 20 maps", "Change")
    # What the page saved is what Python takes.
    saved = page.evaluate("() => model.saved.at(-1)")
    explorer.set_state({name: saved[name] for name in explorer.state})
    maps[2, 1, 2] = 0 if maps[2, 1, 2] == 4 else 4
    assert torch.equal(torch.tensor(explorer.values, dtype=torch.double), maps)
    assert (explorer.map_index, explorer.cell, explorer.brush) == (2, (1, 2), 4.0)
    assert (explorer.pooling, explorer.all_maps) == ("maximum", True)
    edited = maps.flip(0)
    chosen = {"brush": 0, "pooling": "average", "all_maps": False}
    set_from_kernel(page, values=edited.tolist(), map_index=19, cell=[0, 1], **chosen)
    assert pooled(page) == written(edited, "average")
    assert shown(page) == edited[19].flatten().tolist()
    expect(page.locator(".cx-chosen")).to_have_accessible_name("row 0, column 1")
    for group, name in [("Paint with", "0"), ("Show", "Average"), ("Change", "This map")]:
        answer = page.get_by_role("group", name=group).get_by_role("radio", name=name)
        expect(answer).to_be_checked()
