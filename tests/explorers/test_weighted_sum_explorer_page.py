"""WeightedSumExplorer in a real browser: its numbers against camlib's, and everything one can do."""

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from camlib import plotting
from camlib.explorers import WeightedSumExplorer

from .conftest import PHONE, Open, as_widget, pixels, set_from_kernel
from .makers import (
    SUMMED,
    contributions,
    logits_with,
    make_head,
    make_sum,
    make_sum_by_hand,
    maps_with,
    shown,
)

HEAD = make_head()
SHOWN = shown(HEAD, SUMMED, 5)
OTHERS = sorted(set(range(60)) - set(SHOWN))


def make(**changes: Any) -> WeightedSumExplorer:
    return make_sum(**{"head": HEAD, "class_index": 8} | changes)


def drawn(canvas: Locator) -> np.ndarray:
    """A canvas over black: it stores colours multiplied by their opacity."""
    return pixels(canvas, over_black=True)[..., :3] / 255


def name(index: int) -> str:
    return f"thing {index:03d}"


def order(index: int) -> list[int]:
    """The channels shown, the strongest for a class first."""
    worth = contributions(HEAD)[index]
    return sorted(SHOWN, key=lambda channel: -float(worth[channel]))


def expand(loads: dict[int, float]) -> dict[int, float]:
    """Loads of single channels, where -1 has named all the others."""
    return {k: load for key, load in loads.items() for k in (OTHERS if key == -1 else [key])}


def value(text: str) -> float:
    return float(re.sub(r"[+≈= ]|× ", "", text.replace("−", "-")))


def switch(page: Page, channel: int) -> Locator:
    return page.get_by_role("checkbox", name=re.compile(rf"^channel {channel}:"))


def tile(page: Page, channel: int) -> Locator:
    return page.locator(".cx-ws-tile").filter(has=switch(page, channel))


def others(page: Page) -> Locator:
    return page.get_by_role("checkbox", name=re.compile(r"^\d+ others:"))


def colours(values: np.ndarray, peak: float) -> np.ndarray:
    scaled = (values / peak).clip(-1, 1)
    return plotting.overlay(np.zeros((7, 7, 3)), scaled, opacity=1.0)


def check(page: Page, index: int, loads: dict[int, float]) -> None:
    """Map, ranking and written sum are camlib's, for a class and what is switched on."""
    all_loads = expand(loads)
    logits = logits_with(HEAD, all_loads)
    ranks = sorted(SUMMED, key=lambda one: -float(logits[one]))
    rows = page.locator(".cx-ws-class")
    expect(rows).to_have_text([re.compile(name(one)) for one in ranks])
    now = [value(text) for text in page.locator(".cx-ws-value").all_inner_texts()]
    assert now == pytest.approx([float(logits[one]) for one in ranks], abs=0.0051)
    expect(page.locator(".cx-title strong")).to_have_text(name(index))
    *terms, total, network = page.locator(".cx-ws-terms strong").all_inner_texts()
    assert value(total) == pytest.approx(float(logits[index]), abs=0.0051)
    assert value(network) == pytest.approx(float(HEAD.logits[0, index]), abs=0.0051)
    assert total.startswith("=")
    assert f"{sum(map(value, terms)):.2f}" == f"{value(total):.2f}"
    values = maps_with(HEAD, all_loads)[index].numpy()
    peak = float(maps_with(HEAD, {})[SUMMED].abs().max())
    shown_map = drawn(page.locator(".cx-ws-sum canvas.cx-heat"))
    assert np.abs(shown_map - colours(values, peak)).max() < 0.015


# ------------------------------------------------------------------ numbers


def test_all_on_is_the_network(alive: Open) -> None:
    page = alive(make())
    check(page, 8, {})
    logit = f"logit {HEAD.logits[0, 8]:.2f}".replace("-", "−")
    expect(page.locator(".cx-title")).to_contain_text(logit)
    expect(page.locator(".cx-ws-head").last).to_contain_text("none of 60 off")
    peak = float(maps_with(HEAD, {})[SUMMED].abs().max())
    expect(page.locator(".cx-ticks")).to_have_text(f"−{peak:.1f} against0for +{peak:.1f}")


def test_tiles_are_the_contributions_strongest_first(alive: Open) -> None:
    page = alive(make())
    for index in (8, 3):
        page.locator(".cx-ws-class").filter(has_text=name(index)).click()
        worth = contributions(HEAD)[index]
        labels = [
            f"channel {k}: {worth[k]:+.2f} for {name(index)}".replace("-", "−")
            for k in order(index)
        ]
        rest = f"{len(OTHERS)} others: {worth[OTHERS].sum():+.2f} for {name(index)}"
        # Painted after the map: a moment later.
        wanted = [*labels, rest.replace("-", "−")]
        page.wait_for_function(
            """(wanted) => [...document.querySelectorAll("input[type=checkbox]")]
                .every((box, place) => box.getAttribute("aria-label") === wanted[place])""",
            arg=wanted,
        )
        assert page.get_by_role("checkbox").count() == len(wanted)
        peak = float((HEAD.weight[index, SHOWN, None, None] * HEAD.features[0, SHOWN]).abs().max())
        first = order(index)[0]
        own = (HEAD.weight[index, first] * HEAD.features[0, first]).numpy()
        came_map = drawn(page.locator(".cx-ws-thumb canvas").first)
        assert np.abs(came_map - colours(own, peak)).max() < 0.015


def test_a_channel_tells_its_product_and_shows_its_map(alive: Open) -> None:
    page = alive(make())
    for k in (order(8)[0], order(8)[-1]):
        tile(page, k).hover()
        expect(page.locator(".cx-ws-words .cx-heading")).to_have_text(f"channel {k}")
        pooled = HEAD.features[0, k].mean()
        text = f"{HEAD.weight[8, k]:.3f} × {pooled:.2f} ≈ {HEAD.weight[8, k] * pooled:.2f}"
        expect(page.locator(".cx-ws-product")).to_have_text(text.replace("-", "−"))
        own = (HEAD.weight[8, k] * HEAD.features[0, k]).numpy()
        expect(page.locator(".cx-ws-own .cx-ws-note")).to_have_text(
            f"full colour: ±{np.abs(own).max():.2f}"
        )
        got = drawn(page.locator(".cx-ws-own canvas"))
        assert np.abs(got - colours(own, float(np.abs(own).max()))).max() < 0.015
        shares = [value(text) for text in page.locator(".cx-ws-share").all_inner_texts()]
        ranks = sorted(SUMMED, key=lambda one: -float(HEAD.logits[0, one]))
        worth = contributions(HEAD)[ranks, k].tolist()
        assert shares == pytest.approx(worth, abs=0.0051)


def test_the_others_are_one_term(alive: Open) -> None:
    page = alive(make(channel=-1))
    expect(page.locator(".cx-ws-words .cx-heading")).to_have_text(f"{len(OTHERS)} others")
    worth = float(contributions(HEAD)[8, OTHERS].sum())
    assert value(page.locator(".cx-ws-product").inner_text()) == pytest.approx(worth, abs=0.0051)
    others(page).uncheck()
    check(page, 8, {-1: 0.0})


# ------------------------------------------------------------------ what one can do


def test_switching_off_and_on(alive: Open) -> None:
    page = alive(make())
    a, b = order(8)[0], order(8)[-1]
    switch(page, a).uncheck()
    check(page, 8, {a: 0.0})
    switch(page, b).uncheck()
    others(page).uncheck()
    check(page, 8, {a: 0.0, b: 0.0, -1: 0.0})
    expect(page.locator(".cx-ws-head").last).to_contain_text(f"{len(OTHERS) + 2} of 60 off")
    switch(page, a).check()
    check(page, 8, {b: 0.0, -1: 0.0})
    page.locator(".cx-ws-class").filter(has_text=name(17)).click()  # switches act on all classes
    check(page, 17, {b: 0.0, -1: 0.0})
    expect(switch(page, b)).not_to_be_checked()


def test_the_sum_grows(alive: Open) -> None:
    """From nothing but the offset, the strongest first, up to the full logit."""
    page = alive(make())
    page.get_by_role("button", name="All off").click()
    check(page, 8, dict.fromkeys([*SHOWN, -1], 0.0))
    ranked = order(8)
    on = 0
    for steps in (1, 5, 1):
        page.get_by_role("button", name=f"+{steps}: add the next").click()
        on += steps
        check(page, 8, dict.fromkeys([*ranked[on:], -1], 0.0))
    page.get_by_role("button", name="+20: add the next").click()
    check(page, 8, {})
    page.get_by_role("button", name="All off").click()
    page.get_by_role("button", name="All on").click()
    check(page, 8, {})


def test_a_slider_turns_a_channel_up_and_down_for_all_classes(alive: Open) -> None:
    page = alive(make())
    k = order(8)[1]
    tile(page, k).locator(".cx-ws-thumb").click()
    slider = page.get_by_role("slider", name="Weights")
    expect(slider).to_have_attribute("aria-valuetext", "× 1.00")
    slider.fill("1.5")
    check(page, 8, {k: 1.5})
    pooled, weight = HEAD.features[0, k].mean(), HEAD.weight[8, k]
    expect(page.locator(".cx-ws-product")).to_have_text(
        f"1.50 × {weight:.3f} × {pooled:.2f} ≈ {1.5 * weight * pooled:.2f}"
    )
    slider.press("Home")
    check(page, 8, {k: 0.0})
    page.get_by_role("button", name="Reset weights").click()
    check(page, 8, {})
    expect(page.get_by_role("button", name="Reset weights")).to_be_hidden()


def test_hovering_shows_a_channel_and_leaving_gives_the_chosen_one_back(alive: Open) -> None:
    page = alive(make())
    heading = page.locator(".cx-ws-words .cx-heading")
    first, second, third = order(8)[:3]
    expect(heading).to_have_text(f"channel {first}")
    tile(page, second).hover()
    expect(heading).to_have_text(f"channel {second}")
    page.mouse.move(1, 1)
    expect(heading).to_have_text(f"channel {first}")
    tile(page, third).locator(".cx-ws-thumb").click()
    page.mouse.move(1, 1)
    expect(heading).to_have_text(f"channel {third}")
    expect(switch(page, third)).to_be_checked()


def test_keys(alive: Open) -> None:
    """One stop for all switches; arrows walk from the strongest on, space switches."""
    page = alive(make())
    ranked = order(8)
    page.get_by_role("button", name="+20: add the next").focus()
    page.keyboard.press("Tab")
    expect(switch(page, ranked[0])).to_be_focused()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(switch(page, ranked[1])).to_be_focused()
    expect(page.locator(".cx-ws-words .cx-heading")).to_have_text(f"channel {ranked[1]}")
    page.keyboard.press("Space")
    check(page, 8, {ranked[1]: 0.0})
    page.keyboard.press("End")
    expect(others(page)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(others(page)).to_be_focused()
    page.keyboard.press("Home")
    expect(switch(page, ranked[0])).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("() => !document.activeElement.closest('.cx-ws-tiles')")


def test_changes_are_announced_after_a_pause(alive: Open) -> None:
    page = alive(make())
    live = page.locator(".cx-live")
    page.wait_for_timeout(600)
    expect(live).to_have_text("")
    k = order(8)[0]
    switch(page, k).uncheck()
    logits = logits_with(HEAD, {k: 0.0})
    ranks = sorted(SUMMED, key=lambda one: -float(logits[one]))
    expect(live).to_have_text(
        f"{name(8)}: {logits[8]:.2f}, rank {ranks.index(8) + 1} of 3. "
        f"First is {name(ranks[0])}. Channels off: 1.".replace("-", "−")
    )


def test_names_for_those_who_do_not_see_it(alive: Open) -> None:
    page = alive(make())
    expect(page.get_by_role("figure", name="Weighted sum explorer")).to_be_visible()
    expect(page.get_by_role("group", name="Who wins?").get_by_role("button")).to_have_count(3)
    group = page.get_by_role("group", name="Channels")
    expect(group.get_by_role("checkbox")).to_have_count(len(SHOWN) + 1)
    alt = f"The photograph under the sum of what is switched on for “{name(8)}”"
    expect(page.get_by_role("img", name=alt)).to_be_visible()
    expect(page.locator(".cx-ws-class[aria-pressed=true]")).to_have_text(re.compile(name(8)))


def test_touch_on_a_phone(alive: Open) -> None:
    page = alive(make(), **PHONE)
    second = order(8)[1]
    tile(page, second).locator(".cx-ws-thumb").tap()
    expect(page.locator(".cx-ws-words .cx-heading")).to_have_text(f"channel {second}")
    expect(switch(page, second)).to_be_checked()
    tile(page, second).locator("label").tap()
    check(page, 8, {second: 0.0})
    page.locator(".cx-ws-class").filter(has_text=name(3)).tap()
    check(page, 3, {second: 0.0})


# ------------------------------------------------------------------ two lives


def test_it_wakes_with_the_state_of_the_picture(alive: Open) -> None:
    a, b = order(3)[:2]
    page = alive(make(class_index=3, off=(a, -1), factors={b: 0.5}, channel=b))
    check(page, 3, {a: 0.0, -1: 0.0, b: 0.5})
    expect(page.get_by_role("slider")).to_have_value("0.5")


def test_as_a_widget_both_sides_see_each_other(serve: Open) -> None:
    page = serve()
    explorer = make()
    as_widget(page, explorer)
    a, b = order(8)[:2]
    switch(page, a).uncheck()
    page.mouse.move(1, 1)
    saved = page.evaluate("() => model.saved.at(-1)")
    assert (saved["off"], saved["channel"], saved["class_index"]) == ([a], a, 8)
    page.get_by_role("slider").fill("0.5")
    assert page.evaluate("() => model.saved.at(-1).factors") == {str(a): 0.5}
    explorer.set_state(
        page.evaluate("() => { const { off, factors } = model.values; return { off, factors }; }")
    )
    assert (explorer.off, explorer.factors) == ((a,), {a: 0.5})
    set_from_kernel(page, class_index=17, off=[-1], factors={str(b): 2}, channel=b)
    check(page, 17, {-1: 0.0, b: 2.0})
    expect(page.locator(".cx-ws-words .cx-heading")).to_have_text(f"channel {b}")


def test_a_network_without_others(alive: Open) -> None:
    """By hand: see make_sum_by_hand."""
    page = alive(make_sum_by_hand())
    expect(page.get_by_role("checkbox")).to_have_count(2)
    expect(page.locator(".cx-ws-terms strong")).to_have_text(
        ["6.00", "− 3.00", "+ 0.50", "= 3.50", "3.50"]
    )
    page.get_by_role("checkbox", name="channel 1: −3.00 for by hand").uncheck()
    expect(page.locator(".cx-ws-terms strong")).to_have_text(["6.00", "+ 0.50", "= 6.50", "3.50"])


def test_what_is_held_stands_below_the_sum(alive: Open) -> None:
    expect(alive(make()).locator(".cx-held")).to_have_count(0)
    page = alive(make_sum(head=make_head(scale=0.25)))
    expect(page.locator(".cx-held")).to_have_text("The spread of norm is held.")
    terms, held = (page.locator(one).bounding_box() for one in (".cx-ws-terms", ".cx-held"))
    assert held["y"] >= terms["y"] + terms["height"]
