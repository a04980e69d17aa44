"""WeightedSumExplorer in a real browser: its numbers against camlib's, and everything one can do."""

import base64
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

import camlib
from camlib import plotting
from camlib.explorers import WeightedSumExplorer

from .conftest import as_widget, make_names, make_picture
from .heads import contributions, logits_with, make_head, maps_with, shown

Open = Callable[..., Page]
CLASSES = [3, 17, 8]
HEAD = make_head()
SHOWN = shown(HEAD, CLASSES, 5)
OTHERS = sorted(set(range(60)) - set(SHOWN))


def make(**changes: Any) -> WeightedSumExplorer:
    arguments = {"class_index": 8, "channels": 5} | changes
    return WeightedSumExplorer(make_picture(), HEAD, make_names(20), CLASSES, **arguments)


def html_of(**changes: Any) -> str:
    return make(**changes)._repr_mimebundle_()[0]["text/html"]


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


def drawn(canvas: Locator) -> np.ndarray:
    """A canvas over black, as bytes: it stores colours multiplied by their opacity."""
    pixels = canvas.evaluate(
        """(canvas) => {
            const flat = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
            flat.fillRect(0, 0, canvas.width, canvas.height);
            flat.drawImage(canvas, 0, 0);
            const { data } = flat.getImageData(0, 0, canvas.width, canvas.height);
            return btoa(Array.from(data, (octet) => String.fromCharCode(octet)).join(""));
        }"""
    )
    return np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(7, 7, 4)[..., :3] / 255


def colours(values: np.ndarray, peak: float) -> np.ndarray:
    scaled = (values / peak).clip(-1, 1)
    return plotting.overlay(np.zeros((7, 7, 3)), scaled, opacity=1.0)


def check(page: Page, index: int, loads: dict[int, float]) -> None:
    """Map, ranking and written sum are camlib's, for a class and what is switched on."""
    all_loads = expand(loads)
    logits = logits_with(HEAD, all_loads)
    ranks = sorted(CLASSES, key=lambda one: -float(logits[one]))
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
    peak = float(maps_with(HEAD, {})[CLASSES].abs().max())
    shown_map = drawn(page.locator(".cx-ws-sum canvas.cx-heat"))
    assert np.abs(shown_map - colours(values, peak)).max() < 0.015


# ------------------------------------------------------------------ numbers


def test_all_on_is_the_network(alive: Open) -> None:
    page = alive(html_of())
    check(page, 8, {})
    logit = f"logit {HEAD.logits[0, 8]:.2f}".replace("-", "−")
    expect(page.locator(".cx-title")).to_contain_text(logit)
    expect(page.locator(".cx-ws-head").last).to_contain_text("none of 60 off")
    peak = float(maps_with(HEAD, {})[CLASSES].abs().max())
    expect(page.locator(".cx-ticks")).to_have_text(f"−{peak:.1f} against0for +{peak:.1f}")


def test_tiles_are_the_contributions_strongest_first(alive: Open) -> None:
    page = alive(html_of())
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
    page = alive(html_of())
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
        came = drawn(page.locator(".cx-ws-own canvas"))
        assert np.abs(came - colours(own, float(np.abs(own).max()))).max() < 0.015
        shares = [value(text) for text in page.locator(".cx-ws-share").all_inner_texts()]
        ranks = sorted(CLASSES, key=lambda one: -float(HEAD.logits[0, one]))
        worth = contributions(HEAD)[ranks, k].tolist()
        assert shares == pytest.approx(worth, abs=0.0051)


def test_the_others_are_one_term(alive: Open) -> None:
    page = alive(html_of(channel=-1))
    expect(page.locator(".cx-ws-words .cx-heading")).to_have_text(f"{len(OTHERS)} others")
    worth = float(contributions(HEAD)[8, OTHERS].sum())
    assert value(page.locator(".cx-ws-product").inner_text()) == pytest.approx(worth, abs=0.0051)
    others(page).uncheck()
    check(page, 8, {-1: 0.0})


# ------------------------------------------------------------------ what one can do


def test_switching_off_and_on(alive: Open) -> None:
    page = alive(html_of())
    a, b = order(8)[0], order(8)[-1]
    switch(page, a).uncheck()
    check(page, 8, {a: 0.0})
    switch(page, b).uncheck()
    others(page).uncheck()
    check(page, 8, {a: 0.0, b: 0.0, -1: 0.0})
    expect(page.locator(".cx-ws-head").last).to_contain_text(f"{len(OTHERS) + 2} of 60 off")
    switch(page, a).check()
    check(page, 8, {b: 0.0, -1: 0.0})


def test_switches_act_on_all_classes(alive: Open) -> None:
    page = alive(html_of())
    k = order(8)[0]
    switch(page, k).uncheck()
    page.locator(".cx-ws-class").filter(has_text=name(17)).click()
    check(page, 17, {k: 0.0})
    expect(switch(page, k)).not_to_be_checked()


def test_the_sum_grows(alive: Open) -> None:
    """From nothing but the offset, the strongest first, up to the full logit."""
    page = alive(html_of())
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
    page = alive(html_of())
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
    page = alive(html_of())
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
    page = alive(html_of())
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


def test_everything_is_reached_by_the_tab_key(alive: Open) -> None:
    page = alive(html_of())
    stops = []
    for _ in range(10):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("() => document.activeElement.type"))
    assert stops == [*["button"] * 3, "range", *["button"] * 5, "checkbox"]


def test_changes_are_announced_after_a_pause(alive: Open) -> None:
    page = alive(html_of())
    live = page.locator(".cx-live")
    expect(live).to_have_attribute("role", "status")
    page.wait_for_timeout(600)
    expect(live).to_have_text("")
    k = order(8)[0]
    switch(page, k).uncheck()
    logits = logits_with(HEAD, {k: 0.0})
    ranks = sorted(CLASSES, key=lambda one: -float(logits[one]))
    expect(live).to_have_text(
        f"{name(8)}: {logits[8]:.2f}, rank {ranks.index(8) + 1} of 3. "
        f"First is {name(ranks[0])}. Channels off: 1.".replace("-", "−")
    )


def test_names_for_those_who_do_not_see_it(alive: Open) -> None:
    page = alive(html_of())
    expect(page.get_by_role("figure", name="Weighted sum explorer")).to_be_visible()
    expect(page.get_by_role("group", name="Who wins?").get_by_role("button")).to_have_count(3)
    group = page.get_by_role("group", name="Channels")
    expect(group.get_by_role("checkbox")).to_have_count(len(SHOWN) + 1)
    alt = f"The photograph under the sum of what is switched on for “{name(8)}”"
    expect(page.get_by_role("img", name=alt)).to_be_visible()
    expect(page.locator(".cx-ws-class[aria-pressed=true]")).to_have_text(re.compile(name(8)))


def test_touch_on_a_phone(alive: Open) -> None:
    page = alive(html_of(), viewport={"width": 390, "height": 844}, has_touch=True)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    second = order(8)[1]
    tile(page, second).locator(".cx-ws-thumb").tap()
    expect(page.locator(".cx-ws-words .cx-heading")).to_have_text(f"channel {second}")
    expect(switch(page, second)).to_be_checked()
    tile(page, second).locator("label").tap()
    check(page, 8, {second: 0.0})
    page.locator(".cx-ws-class").filter(has_text=name(3)).tap()
    check(page, 3, {second: 0.0})


def test_fingers_and_mice_find_large_targets(alive: Open) -> None:
    """24 pixels is what WCAG 2.2 AA asks for."""
    page = alive(html_of(), viewport={"width": 390, "height": 844})
    for target in (".cx-ws-tile label", ".cx-ws-thumb", ".cx-ws-class", ".cx-ws-button"):
        box = page.locator(target).first.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24, target


# ------------------------------------------------------------------ two lives


def test_it_wakes_with_the_state_of_the_picture(alive: Open) -> None:
    a, b = order(3)[:2]
    page = alive(html_of(class_index=3, off=(a, -1), factors={b: 0.5}, channel=b))
    check(page, 3, {a: 0.0, -1: 0.0, b: 0.5})
    expect(page.get_by_role("slider")).to_have_value("0.5")


def test_without_scripts_there_is_the_picture(serve: Open) -> None:
    page = serve(html_of(), java_script_enabled=False)
    expect(page.get_by_role("img", name="Weighted sum of feature maps for")).to_be_visible()
    expect(page.locator("figcaption")).to_contain_text("With JavaScript this picture answers")


def test_leaving_restores_the_picture(alive: Open) -> None:
    page = alive(html_of())
    page.evaluate("() => leave()")
    expect(page.locator("figure > img")).to_be_visible()
    expect(page.locator(".cx-app")).to_have_count(0)


def test_damaged_data_leaves_the_picture(serve: Open) -> None:
    html = re.sub(r'(?<="features":"data:application/x-int16;base64,)[^"]*', "AAA=", html_of())
    page = serve(html)
    message = page.evaluate(
        """async () => {
            const { hydrate } = await import("/weighted_sum_explorer.mjs");
            try { hydrate(document.querySelector("figure")); return "it went well"; }
            catch (error) { return error.message; }
        }"""
    )
    assert message == f"{len(SHOWN)} maps of 7 × 7 cells expected, got 1 values"
    expect(page.locator("figure > img")).to_be_visible()


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
    # What the kernel sets is drawn, and is not sent back.
    count = page.evaluate("() => model.saved.length")
    page.evaluate(
        """([b]) => {
            model.set("class_index", 17); model.set("off", [-1]);
            model.set("factors", { [b]: 2 }); model.set("channel", b);
        }""",
        [b],
    )
    check(page, 17, {-1: 0.0, b: 2.0})
    expect(page.locator(".cx-ws-words .cx-heading")).to_have_text(f"channel {b}")
    assert page.evaluate("() => model.saved.length") == count
    left = page.evaluate(
        """() => { leave();
            const listeners = [...model.listeners.values()].flat();
            return listeners.length + document.querySelectorAll("figure").length; }"""
    )
    assert left == 0


def test_a_network_without_others(alive: Open) -> None:
    """By hand: 3·[4 2; 0 2] - [0 1; 8 3] and the bias 0.5 give 6 - 3 + 0.5 = 3.5."""
    head = camlib.Head(
        torch.tensor([[[[4.0, 2.0], [0.0, 2.0]], [[0.0, 1.0], [8.0, 3.0]]]]),
        torch.tensor([[3.0, -1.0]]),
        torch.tensor([[0.5]]),
        torch.tensor([[3.5]]),
        1e-7,
    )
    explorer = WeightedSumExplorer(make_picture(), head, ["by hand"], [0])
    page = alive(explorer._repr_mimebundle_()[0]["text/html"])
    expect(page.get_by_role("checkbox")).to_have_count(2)
    expect(page.locator(".cx-ws-terms strong")).to_have_text(
        ["6.00", "− 3.00", "+ 0.50", "= 3.50", "3.50"]
    )
    page.get_by_role("checkbox", name="channel 1: −3.00 for by hand").uncheck()
    expect(page.locator(".cx-ws-terms strong")).to_have_text(["6.00", "+ 0.50", "= 6.50", "3.50"])


def test_what_is_held_stands_below_the_sum(alive: Open) -> None:
    page = alive()
    expect(page.locator(".cx-held")).to_have_count(0)
    explorer = WeightedSumExplorer(make_picture(), make_head(scale=0.25), make_names(20), [3, 8])
    page = alive(explorer._repr_mimebundle_()[0]["text/html"])
    expect(page.locator(".cx-held")).to_have_text("The spread of norm is held.")
    terms, held = (
        page.locator(".cx-ws-terms").bounding_box(),
        page.locator(".cx-held").bounding_box(),
    )
    assert held["y"] >= terms["y"] + terms["height"]
