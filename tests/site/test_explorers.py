"""Every explorer in the built book, alive without a kernel: what its chapter promises can be done there.

That a picture stands in its place without scripts is a subject of ``test_pages.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, expect

import camlib
from camlib import networks, photos
from tooling.repository import ROOT

CLASSES = ("book/intro", "book/05-exploring-classes")
METHODS = ("book/09-grad-cam", "book/10-grad-cam-plus-plus")
BOX, POOLING = "book/08-map-to-box", "book/02-global-average-pooling"
SUM, UPSAMPLING = "book/03-weighted-sum", "book/04-upsampling"
KINDS = {
    **dict.fromkeys(CLASSES, "class_explorer"),
    **dict.fromkeys(METHODS, "method_comparer"),
    BOX: "box_explorer",
    POOLING: "pooling_explorer",
    SUM: "weighted_sum_explorer",
    UPSAMPLING: "upsampling_explorer",
}
FITS = "figure => figure.scrollWidth <= figure.clientWidth + 1"

two_ways = pytest.mark.parametrize(
    "way", [{}, {"width": 390, "scheme": "dark"}], ids=["wide", "phone, dark"]
)


@pytest.fixture
def awake(visit: Callable[..., Any]) -> Iterator[Callable[..., Locator]]:
    """Open a page and return the explorer that it is for, alive and in view: ``awake("book/intro", width=390)``.

    At the end it fits into its column, and nothing has gone wrong or been asked of another server.
    """
    visits: list[tuple[Any, Locator]] = []

    def start(name: str, **way: Any) -> Locator:
        visited = visit(name, **way)
        kind = KINDS.get(name, "frame_explorer")
        explorer = visited.page.locator(f"[data-camlib-explorer={kind}]").first
        expect(explorer.locator(".cx-app")).to_be_visible()
        explorer.scroll_into_view_if_needed()
        visits.append((visited, explorer))
        return explorer

    yield start
    for visited, explorer in visits:
        assert explorer.evaluate(FITS)
        assert visited.problems == []
        assert visited.foreign == []


def drawn(canvas: Locator) -> str:
    """A map as it is drawn now."""
    address: str = canvas.evaluate("canvas => canvas.toDataURL()")
    return address


# ---------------------------------------------------------------- ClassExplorer


@two_ways
@pytest.mark.parametrize("name", CLASSES)
def test_classes_move_the_map_and_places_speak(
    awake: Callable[..., Locator], name: str, way: dict[str, Any]
) -> None:
    """By a tile, by the search, by arrow keys; the photograph is grey, also where the theme changes pictures.

    On a phone map and buttons fit on one screen of the first page: whoever taps sees what it does.
    """
    explorer = awake(name, **way)
    if way and name == CLASSES[0]:
        stage, last = (
            explorer.locator(part).bounding_box() for part in (".cx-stage", ".cx-tile >> nth=-1")
        )
        assert stage is not None
        assert last is not None
        assert last["y"] + last["height"] - stage["y"] < 600
    title, heat = explorer.locator(".cx-title strong"), explorer.locator(".cx-stage .cx-heat")
    tile = explorer.locator(".cx-tile[aria-pressed=false]").last
    before, words = drawn(heat), tile.locator(".cx-name").inner_text()
    tile.click()
    expect(title).to_have_text(words)
    assert drawn(heat) != before
    field = explorer.get_by_role("combobox")
    field.fill("goldfish")
    expect(explorer.get_by_role("option")).to_have_text([re.compile("^goldfish")])
    field.press("Enter")
    expect(title).to_have_text("goldfish")
    style = "image => [getComputedStyle(image).filter, getComputedStyle(image).padding]"
    assert explorer.locator(".cx-photo").evaluate(style) == ["grayscale(1)", "0px"]
    explorer.get_by_role("gridcell").first.focus()
    heading = explorer.locator(".cx-speaks .cx-heading")
    for key, place in [
        ("ArrowRight", "row 0, column 1"),
        ("ArrowDown", "row 1, column 1"),
        ("ArrowDown", "row 2, column 1"),
    ]:
        explorer.page.keyboard.press(key)
        expect(heading).to_contain_text(place)
        expect(explorer.locator(".cx-line").first).to_have_text(re.compile(r"\w+.*[\d.]+"))


# ---------------------------------------------------------------- PoolingExplorer


@two_ways
def test_pooling_counts_what_changes(awake: Callable[..., Locator], way: dict[str, Any]) -> None:
    """Moving all maps moves no number; painting over a cell of all of them moves the averages."""
    explorer = awake(POOLING, **way)

    def changed() -> list[str]:  # cells, averages, maxima
        return explorer.locator(".cx-sum strong").all_inner_texts()

    expect(explorer.locator(".cx-maps label")).to_have_count(20)
    explorer.get_by_role("radio", name="All 20 maps").check()
    explorer.get_by_role("button", name="Move the pattern left").click()
    cells, *numbers = changed()
    assert int(cells) > 100
    assert numbers == ["0", "0"]
    explorer.get_by_role("spinbutton").nth(4).click()
    assert changed()[1:] == ["20", "20"]
    explorer.get_by_role("spinbutton").nth(4).press("3")
    expect(explorer.locator(".cx-meters .cx-words")).to_contain_text("gives 3 / 9 = 0.33")
    explorer.get_by_role("button", name="Start again").click()
    assert changed() == ["0", "0", "0"]


# ---------------------------------------------------------------- WeightedSumExplorer


def logits(explorer: Locator) -> dict[str, float]:
    """The logits as they stand, the highest first."""
    lines = explorer.locator(".cx-ws-class").all()
    texts = [line.locator("span").all_inner_texts() for line in lines]
    return {text[0]: float(text[2].replace("−", "-")) for text in texts}


@two_ways
def test_switching_off_moves_map_and_logits(
    awake: Callable[..., Locator], way: dict[str, Any]
) -> None:
    explorer = awake(SUM, **way)
    heat = explorer.locator(".cx-ws-sum canvas.cx-heat")
    before, start = drawn(heat), logits(explorer)
    explorer.get_by_role("checkbox").first.uncheck()
    assert logits(explorer)["tabby"] < start["tabby"]
    assert drawn(heat) != before
    explorer.get_by_role("button", name="All off").click()
    expect(explorer.locator(".cx-ws-head").last).to_contain_text("1,280 of 1,280 off")


def decisive(explorer: Locator, winner: str, loser: str, count: int) -> list[int]:
    """The channels shown that are worth most to the winner and least to the loser."""
    network, names = networks.efficientnet_lite0(), networks.class_names()
    head = camlib.find_head(network, networks.preprocess(photos.load("cat")))
    first, second = head.weight[[names.index(winner), names.index(loser)]]
    value = (first - second) * camlib.global_average_pool(head.features)[0]
    labels = explorer.locator(".cx-ws-thumb").all_inner_texts()
    shown = [int(label) for label in labels if label.isdecimal()]
    return sorted(shown, key=lambda channel: -float(value[channel]))[:count]


@pytest.mark.parametrize(
    ("winner", "loser", "record"), [("tiger cat", "tabby", 4), ("tabby", "lynx", 11)]
)
def test_the_records_of_the_chapter_can_be_reached(
    awake: Callable[..., Locator], winner: str, loser: str, record: int
) -> None:
    """The channels that the explorer shows are enough; with one less the winner is ahead."""
    explorer = awake(SUM)
    expect(explorer.page.locator("main")).to_contain_text(
        re.compile(rf"{winner} loses to {loser}: +{record} channels off")
    )
    expect(explorer.locator(".cx-title strong")).to_have_text("tabby")
    for channel in decisive(explorer, winner, loser, record):
        now = logits(explorer)
        assert now[winner] > now[loser]
        explorer.get_by_role("checkbox", name=re.compile(f"^channel {channel}:")).uncheck()
    now = logits(explorer)
    assert now[loser] > now[winner]
    expect(explorer.locator(".cx-ws-head").last).to_contain_text(f"{record} of 1,280 off")


# ---------------------------------------------------------------- UpsamplingExplorer


@two_ways
def test_align_corners_moves_the_hottest_pixel(
    awake: Callable[..., Locator], way: dict[str, Any]
) -> None:
    """From the centre of the cell, 47.5, to 223/6: the chapter prints the same two columns."""
    explorer = awake(UPSAMPLING, **way)
    explorer.get_by_role("radio", name="Bilinear").check()
    hot = explorer.get_by_role("button", name="Hottest pixel")
    expect(hot).to_have_text("Hottest pixel: row 112, column 48")
    explorer.get_by_role("radio", name="True").check()
    expect(hot).to_have_text("Hottest pixel: row 112, column 37")
    hot.click()
    heading = explorer.locator(".cx-sum .cx-heading")
    expect(heading).to_have_text("Pixel row 112, column 37")
    explorer.get_by_role("radio", name="False").check()
    explorer.get_by_role("radio", name="Bicubic").check()
    explorer.get_by_role("application").focus()
    explorer.page.keyboard.press("Home")
    explorer.page.keyboard.press("PageUp")
    expect(heading).to_have_text("Pixel row 0, column 0")
    expect(explorer.locator(".cx-products li")).to_have_count(4)
    expect(explorer.locator(".cx-result")).to_have_text(re.compile(r"^[=≈] [\d.]+$"))


# ---------------------------------------------------------------- BoxExplorer


def hits_printed() -> list[float]:
    """Between which thresholds the chapter says that the first scene's box is a hit."""
    cells = nbformat.read(ROOT / f"{BOX}.ipynb", as_version=4).cells
    texts = [output.get("text", "") for cell in cells for output in cell.get("outputs", [])]
    first = re.search(r"a hit from ([\d.]+) to ([\d.]+), best IoU", "".join(texts))
    assert first is not None
    return [float(number) for number in first.groups()]


@two_ways
def test_the_slider_finds_what_the_chapter_prints(
    awake: Callable[..., Locator], way: dict[str, Any]
) -> None:
    """The box is right at both ends of the printed range and wrong one step above it."""
    explorer = awake(BOX, **way)
    slider = explorer.get_by_role("slider", name="Threshold")
    slider.focus()
    explorer.page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("0.21")
    low, high = hits_printed()
    for threshold, word in ((low, "found"), (high, "found"), (high + 0.01, "missed")):
        slider.fill(f"{threshold:.2f}")
        expect(explorer.locator(".cx-verdict")).to_contain_text(word)
    explorer.get_by_role("radio").first.focus()
    explorer.page.keyboard.press("ArrowRight")
    expect(explorer.locator(".cx-title")).to_contain_text("picture 2 of 4")


# ---------------------------------------------------------------- MethodComparer


@two_ways
@pytest.mark.parametrize("name", METHODS)
def test_every_panel_answers(awake: Callable[..., Locator], name: str, way: dict[str, Any]) -> None:
    """Another class has other highest values; a place chosen by key is marked in every panel with a map."""
    explorer = awake(name, **way)
    words = explorer.locator(".cx-panel .cx-words")
    before = words.all_inner_texts()
    assert len(before) >= 2
    explorer.locator("label:has(input:not(:checked))").first.click()
    expect(words.first).not_to_have_text(before[0])
    pads = explorer.get_by_role("application")
    pads.first.focus()
    explorer.page.keyboard.press("ArrowRight")
    values = explorer.locator(".cx-panel .cx-value")
    expect(values.first).to_contain_text(".")
    assert all("." in text for text in values.all_inner_texts()[: pads.count()])


# ---------------------------------------------------------------- every explorer, on a phone

# Of each control, scrolled to several heights of the screen: is it, and the picture, ever wholly in sight?
TOGETHER = """async (explorer) => {
    const picture = explorer.querySelector('.cx-sticky');
    const header = document.querySelector('.bd-header-article')?.getBoundingClientRect().bottom ?? 0;
    const shown = (node) => node.checkVisibility({ visibilityProperty: true }) && node.getBoundingClientRect().height > 0;
    const inSight = ({ top, bottom }) => top >= header - 4 && bottom <= innerHeight + 1;
    const controls = [...explorer.querySelectorAll('.cx-app :is(input, button, [role=combobox])')]
        .map((node) => node.closest('label') ?? node).filter(shown);
    const missed = [];
    for (const control of controls) {
        let seen = false;
        for (const height of [0.25, 0.5, 0.7, 0.85]) {
            scrollBy(0, control.getBoundingClientRect().top - height * innerHeight);
            await new Promise(requestAnimationFrame);
            const box = control.getBoundingClientRect();
            const hit = document.elementFromPoint(
                Math.min(box.left + box.width / 2, innerWidth - 2), box.top + box.height / 2);
            seen ||= inSight(box) && inSight(picture.getBoundingClientRect())
                && (control.contains(hit) || hit?.contains(control));
        }
        if (!seen) missed.push(control.outerHTML.slice(0, 120));
    }
    return [controls.length, missed];
}"""


def test_what_is_touched_and_what_it_changes_are_on_one_screen(
    page_name: str, visit: Callable[..., Any], built: Path
) -> None:
    """At 390 × 844, for every control of every explorer: the picture stays while the rest scrolls."""
    if "data-camlib-explorer" not in (built / f"{page_name}.html").read_text(encoding="utf-8"):
        return  # the same page as always, not worth a visit
    page = visit(page_name, width=390).page
    page.set_viewport_size({"width": 390, "height": 844})
    for explorer in page.locator("[data-camlib-explorer]").filter(visible=True).all():
        explorer.scroll_into_view_if_needed()
        expect(explorer.locator(".cx-app")).to_be_visible()
        controls, missed = explorer.evaluate(TOGETHER)
        assert controls >= 1
        assert missed == []
