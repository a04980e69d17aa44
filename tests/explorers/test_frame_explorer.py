"""FrameExplorer: which frame is shown, by sliders, keys and fingers, and what is said of it."""

import base64

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from camlib import plotting

from .conftest import Open, data_of, found_in, picture, poster, words_of
from .makers import make_frames

SHAPE = (4, 2)


def brightness(page: Page) -> int:
    """Which of eight frames is seen: each is 36 of 255 brighter than the one before."""
    seen = page.locator(".cx-stage img").evaluate(
        """async (image) => {
            await image.decode();
            const { context = document.createElement("canvas").getContext("2d") } = {};
            context.drawImage(image, 0, 0);
            return context.getImageData(40, 40, 1, 1).data[0];
        }"""
    )
    return round(seen / 36)


@pytest.mark.parametrize("at", list(np.ndindex(SHAPE)))
def test_the_last_axis_changes_fastest(alive: Open, at: tuple[int, int]) -> None:
    page = alive(make_frames(at=at))
    frame = int(np.ravel_multi_index(at, SHAPE))
    assert brightness(page) == frame
    expect(page.locator(".cx-said")).to_have_text(f"Frame {frame}.")
    assert np.abs(poster(make_frames(at=at)) * 255 - 36 * frame).max() <= 1


def test_sliders_and_choices_name_their_places(alive: Open) -> None:
    page = alive(make_frames())
    depth = page.get_by_role("slider", name="Depth")
    expect(depth).to_have_attribute("aria-valuetext", "input")
    depth.press("End")
    page.get_by_role("group", name="Subject").get_by_role("radio", name="cup").check()
    expect(depth).to_have_attribute("aria-valuetext", "end")
    assert brightness(page) == 7
    expect(page.locator(".cx-live")).to_have_text("Frame 7.")


@pytest.mark.parametrize(("share", "place"), [(0.05, 0), (0.6, 2), (0.97, 3)])
def test_a_press_on_the_picture_goes_along_the_first_axis(
    alive: Open, share: float, place: int
) -> None:
    page = alive(make_frames(at=(1, 1)))
    box = page.locator(".cx-stage").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 40)
    assert brightness(page) == 3  # no button is pressed
    page.mouse.move(box["x"] + share * box["width"], box["y"] + 40)
    page.mouse.down()
    page.mouse.up()
    assert brightness(page) == 2 * place + 1


def test_a_drag_goes_through_the_frames_between(alive: Open) -> None:
    page = alive(make_frames())
    box = page.locator(".cx-stage").bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 40)
    page.mouse.down()
    seen = []
    for share in (0.2, 0.5, 0.9):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 40)
        seen.append(brightness(page))
    page.mouse.up()
    assert seen == [0, 4, 6]


def test_figures_are_parts_of_the_page_in_its_ink(alive: Open) -> None:
    figures = [plotting.numbers([[[i, 2]]], [f"title {i}"]) for i in range(8)]
    explorer = make_frames(frames=figures)
    page = alive(explorer)
    page.get_by_role("slider", name="Depth").press("End")
    title = page.locator(".cx-stage svg text").filter(has_text="title")
    expect(title).to_have_text("title 6")
    page.evaluate("document.body.style.setProperty('--cam-ink-muted', 'rgb(1, 2, 3)')")
    assert title.evaluate("text => getComputedStyle(text).fill") == "rgb(1, 2, 3)"
    address = data_of(explorer)["frames"][6]
    assert base64.b64decode(address.split(",")[1]).decode() == figures[6].svg()


def test_large_pictures_are_scaled_down() -> None:
    frames = [np.zeros((300, 896, 3), np.uint8)] * 8
    explorer = make_frames(frames=frames)
    assert data_of(explorer)["size"] == [150, 448]
    assert picture(data_of(explorer)["frames"][0]).shape == (150, 448, 3)
    assert 'width="448" height="150"' in found_in(explorer, "(<img[^>]*>)")


def test_small_pictures_are_exact_and_shown_with_square_pixels(alive: Open) -> None:
    """64 pixels become 320, five for one, and on a wide page 256, four for one."""
    dice = np.random.default_rng(0)
    frames = [dice.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(8)]
    explorer = make_frames(frames=frames, at=(1, 0))
    data = data_of(explorer)
    assert data["size"] == [320, 320]
    np.testing.assert_array_equal(picture(data["frames"][2]) * 255, frames[2])
    assert poster(explorer).shape == (320, 320, 3)
    image = alive(explorer).locator(".cx-stage img")
    assert image.bounding_box()["width"] == 256
    assert image.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"


def test_without_scripts_words_say_which_frame_it_is() -> None:
    alt, caption = words_of(make_frames(at=(2, 1)))
    assert alt == "One of 8 pictures (Depth: block 2, Subject: cup). Frame 5."
    assert caption.startswith("Frame 5. Depth: block 2, Subject: cup.")
