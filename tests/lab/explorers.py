"""One line for each explorer: how it is made, what a reader does, and what Python then sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, expect

# Six classes whose logits fall from 6 to 1; each map has its peak in another column.
SETUP = """\
import numpy as np
import torch

import camlib
from camlib import explorers

maps = torch.zeros(1, 6, 7, 7)
for place in range(6):
    maps[0, place, 3, place] = 49.0 * (6 - place)
zero = torch.zeros(1, 6)
cam = camlib.ClassActivationMaps(maps, maps.mean((2, 3)), zero, torch.arange(6))
picture = np.linspace(0, 1, 224 * 224 * 3).reshape(224, 224, 3)
head = camlib.Head(maps, torch.eye(6), zero, cam.logits, 1e-7)
names = ["ant", "bee", "cat", "dog", "elk", "fox"]
"""


@dataclass(frozen=True)
class Line:
    """How an explorer is tried. Values are compared as Python prints them."""

    make: str  # an expression, after SETUP
    trait: str  # the one that the reader changes
    act: Callable[[Locator], None]  # one action of the reader, on the explorer's view
    chosen: Any  # what the trait is then
    back: Any  # another value, set from Python
    follows: Callable[[Locator], None]  # what the view then shows


def _second_guess(view: Locator) -> None:
    view.get_by_role("group", name="The network’s best guesses").get_by_role("button").nth(
        1
    ).click()


def _press(name: str) -> Callable[[Locator], None]:
    return lambda view: view.get_by_role("radio", name=name, exact=True).check()


def _pressed(name: str) -> Callable[[Locator], None]:
    return lambda view: expect(view.get_by_role("radio", name=name, exact=True)).to_be_checked()


LINES = {
    "BoxExplorer": Line(
        make="explorers.BoxExplorer([picture, picture], maps[0, :2], [(0, 80, 40, 140)] * 2)",
        trait="scene",
        act=lambda view: view.get_by_role("radio").last.check(),
        chosen=1,
        back=0,
        follows=lambda view: expect(view.locator(".cx-title strong")).to_have_text("picture 1"),
    ),
    "ClassExplorer": Line(
        make="explorers.ClassExplorer(picture, cam, names)",
        trait="class_index",
        act=_second_guess,
        chosen=1,
        back=4,
        follows=lambda view: expect(view.locator(".cx-title strong")).to_have_text("elk"),
    ),
    "FrameExplorer": Line(
        make='explorers.FrameExplorer([picture, 1 - picture], {"Light": ["as it is", "turned"]}, '
        '["Dark at the top.", "Dark at the bottom."])',
        trait="at",
        act=_press("turned"),
        chosen=(1,),
        back=(0,),
        follows=lambda view: expect(view.locator(".cx-said")).to_have_text("Dark at the top."),
    ),
    "MethodComparer": Line(
        make='explorers.MethodComparer(picture, {"CAM": {"last": maps[0]}, "Grad-CAM": '
        '{"early": maps[0], "last": maps[0] / 49}}, names)',
        trait="layer",
        act=_press("early"),
        chosen="early",
        back="last",
        follows=_pressed("last"),
    ),
    "PoolingExplorer": Line(
        make="explorers.PoolingExplorer(maps[0, :3])",
        trait="pooling",
        act=_press("Maximum"),
        chosen="maximum",
        back="average",
        follows=_pressed("Average"),
    ),
    "UpsamplingExplorer": Line(
        make="explorers.UpsamplingExplorer(picture, maps[0, 0])",
        trait="align_corners",
        act=_press("True"),
        chosen=True,
        back=False,
        follows=_pressed("False"),
    ),
    "WeightedSumExplorer": Line(
        make="explorers.WeightedSumExplorer(picture, head, names, [0, 1, 2])",
        trait="class_index",
        act=lambda view: view.locator(".cx-ws-class").nth(1).click(),
        chosen=1,
        back=2,
        follows=lambda view: expect(
            view.locator(".cx-ws-class[aria-pressed=true]")
        ).to_contain_text("cat"),
    ),
}
