"""BoxExplorer in a real browser: its boxes against camlib's, and everything one can do."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

import camlib
from camlib import localization
from camlib.localization import THRESHOLDS

from .conftest import Open, as_widget, call, numbers, pixels, set_from_kernel
from .makers import BOX_MAPS, BOXES, make_box


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Threshold")


def thumbs(page: Page) -> Locator:
    return page.get_by_role("radio")


def shown(page: Page) -> tuple[str, str]:
    """The IoU and the verdict."""
    verdict = page.locator(".cx-verdict")
    return verdict.locator("strong").inner_text(), verdict.locator("span").inner_text()


# ------------------------------------------------------------------ arithmetic


def plateaus(seed: int) -> torch.Tensor:
    """Few different values, so that regions tie, touch at corners and lie on the threshold."""
    random = np.random.RandomState(seed)
    return torch.from_numpy(random.randint(-1, 5, (24, 20)) / 4.0).float()


CASES = {
    **{
        f"random {index}": camlib.upsample(BOX_MAPS[index][None, None], 64)[0, 0]
        for index in range(3)
    },
    **{f"plateaus {seed}": plateaus(seed) for seed in range(6)},
    "negative": -torch.ones(5, 6),
    "flat": torch.ones(5, 6),
}


@pytest.mark.parametrize("name", CASES)
def test_regions_boxes_and_ious_are_camlibs_at_every_threshold(empty: Page, name: str) -> None:
    map = CASES[name]
    height, width = map.shape
    truth = [(1, 1, width - 1, 4), (0, 2, 3, height)]
    scene = {
        "map": map.flatten().tolist(),
        "width": width,
        "peak": float(map.max()),
        "low": float(map.min()),
        "boxes": truth,
    }
    found = call(
        empty,
        "box_explorer.mjs",
        "a.thresholds.map((t) => { const c = m.cut({ ...a.scene, map: Float32Array.from(a.scene.map) },"
        " t); return [c.box, c.iou, c.regions.map(({ size, box }) => [size, ...box])]; })",
        {"scene": scene, "thresholds": THRESHOLDS},
    )
    largest, _ = localization.best_ious(map, truth)
    for threshold, (box, iou, regions), expected in zip(THRESHOLDS, found, largest, strict=True):
        assert iou == pytest.approx(expected, abs=1e-12)
        if name in ("negative", "flat"):
            assert (box, regions) == (None, [])
            continue
        assert tuple(box) == localization.box_from_map(map, threshold)
        mask = camlib.regions.above(map, threshold)
        boxes = camlib.regions.region_boxes(mask).tolist()
        assert sum(size for size, *_ in regions) == int(mask.sum())
        assert sorted(region[1:] for region in regions) == sorted(boxes)


@pytest.mark.parametrize("threshold", [0.03, 0.2, 0.61])
@pytest.mark.parametrize("scene", range(5))
def test_what_is_shown_is_what_python_says(alive: Open, threshold: float, scene: int) -> None:
    explorer = make_box(threshold=threshold, scene=scene)
    page = alive(explorer)
    iou, verdict = shown(page)
    path = page.locator("path.cx-found:not(.cx-halo)").first.get_attribute("d") or ""
    drawn = numbers(path)
    if explorer.box is None:
        assert (iou, verdict, drawn) == ("0.00", "no place stands out: a miss", [])
        return
    x0, y0, x1, y1 = explorer.box
    assert drawn == [x0, y0, x1, y1, x0]
    assert iou == f"{explorer.iou:.2f}"
    assert verdict.startswith("found" if explorer.iou >= 0.5 else "missed")
    peak = float(camlib.upsample(BOX_MAPS[scene][None, None], 64).max())
    rule = page.locator(".cx-sum .cx-words").inner_text()
    assert numbers(rule) == pytest.approx([threshold, peak, threshold * peak], abs=0.0051)


def test_all_pictures_are_counted(alive: Open) -> None:
    explorer = make_box(threshold=0.05)
    ious = []
    for explorer.scene in range(5):
        ious.append(explorer.iou)
    explorer.scene = 0
    page = alive(explorer)
    marks = page.locator(".cx-thumb small").all_inner_texts()
    assert marks == [f"{'✓' if iou >= 0.5 else '✗'} {iou:.2f}" for iou in ious]
    found = sum(iou >= 0.5 for iou in ious)
    expect(page.locator("legend")).to_have_text(f"Pictures {found} of 5 found at 5 %")


def test_the_curves_are_those_of_localization(alive: Open) -> None:
    page = alive(make_box(scene=1, threshold=0.4))
    large = [camlib.upsample(map[None, None], 64)[0, 0] for map in BOX_MAPS]
    ious = np.array(
        [localization.best_ious(map, box)[0] for map, box in zip(large, BOXES, strict=True)]
    )
    for name, values in (("curve", ious[1]), ("share", (ious >= 0.5).mean(axis=0))):
        path = page.locator(f".cx-chart path.cx-{name}").get_attribute("d") or ""
        pairs = np.reshape(numbers(path), (-1, 2))
        np.testing.assert_allclose(pairs[:, 0], 100 * np.array(THRESHOLDS))
        np.testing.assert_allclose(pairs[:, 1], 100 * (1 - values), atol=1e-9)
    spot = page.locator(".cx-chart path.cx-spot").get_attribute("d") or ""
    assert numbers(spot)[:2] == pytest.approx([40, 100 * (1 - ious[1, 39])])


# ------------------------------------------------------------------ the reader


def test_the_slider_by_keyboard(alive: Open) -> None:
    page = alive(make_box())
    slider(page).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(slider(page)).to_have_value("0.23")
    expect(slider(page)).to_have_attribute("aria-valuetext", "23 %")
    assert shown(page)[0] == f"{make_box(threshold=0.23).iou:.2f}"
    page.keyboard.press("Home")
    expect(slider(page)).to_have_value("0.01")
    expect(page.locator(".cx-live")).to_have_text(
        re.compile(r"^thing 0: threshold 1 %, IoU 0\.\d\d, .* of 5 found\.$")
    )


def test_pictures_by_mouse_and_arrow_keys(alive: Open) -> None:
    page = alive(make_box())
    thumbs(page).nth(2).click()
    expect(page.locator(".cx-title")).to_have_text("thing 2 picture 3 of 5")
    expect(page.locator(".cx-photo")).to_have_attribute("alt", "thing 2: the picture under its map")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".cx-title strong")).to_have_text("thing 1")
    assert shown(page)[0] == f"{make_box(scene=1).iou:.2f}"
    truth = page.locator("path.cx-true:not(.cx-halo)").first.get_attribute("d")
    assert truth == "M30 10H60V60H30Z"


def test_a_click_and_a_drag_in_the_curve_set_the_threshold(alive: Open) -> None:
    page = alive(make_box())
    chart = page.locator(".cx-chart")
    chart.scroll_into_view_if_needed()
    box = chart.locator("svg").bounding_box()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 20)
    expect(slider(page)).to_have_value("0.2")
    page.mouse.down()
    expect(slider(page)).to_have_value("0.7")
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 20, steps=3)
    expect(slider(page)).to_have_value("0.3")
    page.mouse.move(box["x"] - 50, box["y"] + 20)
    expect(slider(page)).to_have_value("0.01")
    page.mouse.up()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20)
    expect(slider(page)).to_have_value("0.01")


def test_the_shadow_leaves_the_largest_region_alone(alive: Open) -> None:
    explorer = make_box(threshold=0.4, scene=1)
    page = alive(explorer)
    alpha = pixels(page.locator(".cx-layers canvas").nth(1))[..., 3]
    large = camlib.upsample(BOX_MAPS[1][None, None], 64)[0, 0]
    above = camlib.regions.above(large, 0.4).numpy()
    np.testing.assert_array_equal(alpha == 0xA8, ~above)
    light = np.argwhere(alpha == 0)
    x0, y0, x1, y1 = explorer.box
    assert light.min(axis=0).tolist() == [y0, x0]
    assert light.max(axis=0).tolist() == [y1 - 1, x1 - 1]


def test_as_a_widget_it_follows_python_and_tells_it(serve: Open) -> None:
    page = serve()
    as_widget(page, make_box())
    set_from_kernel(page, threshold=0.4, scene=1)
    expect(slider(page)).to_have_value("0.4")
    expect(page.locator(".cx-title strong")).to_have_text("thing 1")
    thumbs(page).nth(3).check()
    slider(page).fill("0.11")
    saved = page.evaluate("[model.saved[0].scene, model.saved.at(-1).threshold]")
    assert saved == [3, 0.11]
