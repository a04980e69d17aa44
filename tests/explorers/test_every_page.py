"""What every explorer does in a real browser: wake and leave, with keys, on a phone, without scripts."""

import re

import pytest
from playwright.sync_api import Error, expect

from .conftest import HYDRATE, PHONE, Open, as_widget, html_of
from .makers import MAKERS

SHOWN = {
    "box_explorer": {"scene": 1},
    "class_explorer": {"cell": (0, 0)},
    "frame_explorer": {"at": (1, 1)},
    "method_comparer": {"point": (1, 1)},
    "pooling_explorer": {"cell": (0, 0)},
    "upsampling_explorer": {"point": (1, 1)},
    "weighted_sum_explorer": {"off": [-1]},
}
every = pytest.mark.parametrize("kind", MAKERS)

# ------------------------------------------------------------------ two lives


@every
def test_without_scripts_there_is_the_picture(serve: Open, kind: str) -> None:
    page = serve(MAKERS[kind](), java_script_enabled=False)
    expect(page.get_by_role("img")).to_be_visible()
    assert page.get_by_role("img").evaluate("image => image.naturalWidth > 100")
    expect(page.locator("figcaption")).to_contain_text("With JavaScript")
    assert "{" not in page.locator("main").inner_text()


@every
def test_hydrating_twice_is_once_and_leaving_restores(serve: Open, kind: str) -> None:
    page = serve(MAKERS[kind](**SHOWN[kind]))
    before = page.locator("figure").evaluate("figure => figure.outerHTML")
    page.evaluate(HYDRATE)
    page.evaluate("void (window.first = leave)")
    page.evaluate(HYDRATE)
    page.evaluate("leave()")
    expect(page.locator(".cx-app")).to_have_count(1)
    expect(page.get_by_role("figure", name=re.compile("explorer|comparer"))).to_be_visible()
    expect(page.locator("figure > img")).to_be_hidden()
    expect(page.locator("figcaption")).to_be_hidden()
    page.evaluate("first()")
    expect(page.locator("figure > img")).to_be_visible()
    after = page.locator("figure").evaluate("figure => figure.outerHTML")
    assert after.replace(' hidden=""', "") == before
    expect(page.locator("[hidden]")).to_have_count(0)


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("class_explorer", "maps", "10 maps of 7 × 7 cells expected, got 2 values"),
        ("method_comparer", "values", "1617 values expected, got 2"),
        ("upsampling_explorer", "map", "a map of 7 × 7 cells expected, got 1 values"),
        ("weighted_sum_explorer", "features", "13 maps of 7 × 7 cells expected, got 2 values"),
    ],
)
def test_damaged_data_leaves_the_picture(serve: Open, kind: str, name: str, message: str) -> None:
    page = serve(
        re.sub(rf'(?<="{name}":"data:)([^,]*,)[^"]*', r"\1AAAAAA==", html_of(MAKERS[kind]()))
    )
    with pytest.raises(Error, match=message):
        page.evaluate(HYDRATE)
    expect(page.locator("figure > img")).to_be_visible()
    expect(page.locator(".cx-app")).to_have_count(0)


@every
def test_a_widget_is_drawn_from_its_traits_and_leaves_nothing_behind(
    serve: Open, kind: str
) -> None:
    page = serve()
    as_widget(page, MAKERS[kind](**SHOWN[kind]))
    expect(page.locator("figure .cx-app")).to_be_visible()
    assert page.evaluate("() => model.saved.length") == 0
    page.evaluate("leave()")
    expect(page.locator("figure")).to_have_count(0)
    assert page.evaluate("[...model.listeners.values()].flat().length") == 0


def test_keys_pressed_in_a_widget_are_no_commands_of_the_notebook(serve: Open) -> None:
    page = serve()
    as_widget(page, MAKERS["class_explorer"]())
    page.evaluate("window.heard = []; addEventListener('keydown', ({ key }) => heard.push(key))")
    page.get_by_role("combobox").focus()
    for key in ("b", "ArrowDown", "Shift+Enter", "Control+s"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Shift", "Enter", "Control", "s"][1:]


# ------------------------------------------------------------------ for everyone


@pytest.mark.parametrize(
    ("kind", "stops"),
    [
        ("box_explorer", ["range", "radio"]),
        ("class_explorer", ["gridcell", *["button"] * 10, "combobox", "range", *["radio"] * 3]),
        ("frame_explorer", ["range", "radio"]),
        ("method_comparer", ["application", "radio", "radio", "radio"]),
        ("pooling_explorer", ["radio", *["button"] * 2, "spinbutton", *["button"] * 2,
                              *["radio"] * 3, *["button"] * 2]),
        ("upsampling_explorer", ["radio", "radio", "application", "range", "button"]),
        ("weighted_sum_explorer", [*["button"] * 3, "range", *["button"] * 5, "checkbox"]),
    ],
)  # fmt: skip
def test_everything_is_reached_by_the_tab_key(alive: Open, kind: str, stops: list[str]) -> None:
    page = alive(MAKERS[kind](**SHOWN[kind]))
    reached = []
    for _ in stops:
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => document.activeElement.getAttribute("role")
                         ?? document.activeElement.getAttribute("type")"""
            )
        )
    assert reached == stops
    page.keyboard.press("Tab")
    assert page.evaluate("() => !document.activeElement.closest('figure')")


@every
def test_everything_that_can_be_reached_has_a_name(alive: Open, kind: str) -> None:
    page = alive(MAKERS[kind](**SHOWN[kind]))
    tree = page.locator("figure").aria_snapshot()
    roles = "button|checkbox|combobox|application|grid|gridcell|radio|slider|spinbutton"
    found = re.findall(rf'^ *- (?:{roles})\b( "[^"]+")?', tree, re.MULTILINE)
    assert len(found) >= 2
    assert all(found), tree
    expect(page.locator(".cx-app > .cx-live")).to_have_attribute("role", "status")


@every
def test_fingers_and_mice_find_large_targets(alive: Open, kind: str) -> None:
    """24 pixels is what WCAG 2.2 AA asks for; a native slider's or checkbox's own size is exempt."""
    page = alive(MAKERS[kind](**SHOWN[kind]), **PHONE)
    targets = page.locator(
        ".cx-app :is(label:has(input:not([type=range])), button, [role=gridcell], .cx-pad, .cx-stage,"
        " [role=spinbutton], .cx-field, .cx-ws-thumb)"
    ).filter(visible=True)
    sizes = targets.evaluate_all(
        "nodes => nodes.map(n => n.getBoundingClientRect()).map(b => Math.min(b.width, b.height))"
    )
    assert len(sizes) > 0
    assert min(sizes) >= 24


@every
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_is_at_home_on_every_screen(alive: Open, kind: str, width: int) -> None:
    options = {"viewport": {"width": width, "height": 900}, "reduced_motion": "reduce"}
    page = alive(MAKERS[kind](**SHOWN[kind]), **options)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    durations = page.evaluate(
        """() => [...document.querySelectorAll(".camlib-explorer *")].flatMap((node) =>
            ["", "::before", "::after"].map((part) => getComputedStyle(node, part))
              .map((style) => [style.transitionDuration, style.animationName].join()))"""
    )
    assert set(durations) == {"0s,none"}


def test_styles_do_not_leak(serve: Open) -> None:
    """Two kinds on one page: each gets its own rules and both the shared ones."""
    colours = serve(
        '<div class="camlib-explorer" data-camlib-explorer="one"><p class="cx-x">1</p></div>'
        '<div class="camlib-explorer" data-camlib-explorer="two"><p class="cx-x">2</p></div>'
    ).evaluate(
        """async () => {
            const { dress } = await import("/shared/looks.mjs");
            dress(".cx-x { color: rgb(1, 1, 1) }", "one");
            dress(".cx-x { font-weight: 777 }", "two");
            return [...document.querySelectorAll(".cx-x")].map((node) => getComputedStyle(node))
                .map((style) => [style.color, style.fontWeight, style.lineHeight]);
        }"""
    )
    assert colours[0][:2] == ["rgb(1, 1, 1)", "400"]
    assert colours[1][0] != "rgb(1, 1, 1)"
    assert colours[1][1] == "777"
    assert colours[0][2] == colours[1][2] == "21px"  # 1.4 times 15 pixels
