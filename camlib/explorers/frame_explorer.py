"""FrameExplorer: many pictures on sliders, for whatever Python can draw and a reader may turn."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from camlib.errors import describe
from camlib.explorers import checks, dual_output
from camlib.explorers.explorer import Checked, Explorer
from camlib.plotting import Drawing

# A picture of at most so many pixels is a map or a small input: its pixels are to be seen.
SMALL = 64
SHOWN = 320


class FrameExplorer(Explorer):
    r"""Explore pictures that differ in one or a few settings, in Jupyter and in a page without a kernel.

    One slider for each axis; the picture shown is the frame of index

    .. math:: i = (\dots (a_1 n_2 + a_2) n_3 + \dots) n_m + a_m

    where :math:`a_j` is the place on axis j, from 0, and :math:`n_j` the axis's number of places: the
    last axis changes fastest. Dragging across the picture moves along the first axis.

    Parameters
    ----------
    frames
        The pictures in that order: arrays (H, W, 3), uint8 or floats from 0 to 1, or figures made
        with ``camlib.plotting``. All are shown at the size of the largest: arrays of at most 64
        pixels, such as a coloured 7×7 map, with square cells; above 448 pixels scaled down.
    axes
        For each axis its label and the names of its places: ``{"Depth": ["input", "block 1"]}``.
    words
        One sentence for each frame, shown below it and read out: what is to be seen in it.
    at
        The places shown first, one for each axis; by default the first ones.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or there are not as many frames or words as places. Also
        when ``at`` is set.

    Notes
    -----
    ``at`` can be read, set and observed from Python: ``explorer.at = (3,)``.
    """

    at = Checked(checks.places, lambda self: [len(names) for names in self._axes.values()])
    module = "frame_explorer"

    def __init__(
        self,
        frames: Sequence[Float[np.ndarray, "H W 3"] | UInt8[np.ndarray, "H W 3"] | Drawing],
        axes: Mapping[str, Sequence[str]],
        words: Sequence[str],
        *,
        at: Sequence[int] | None = None,
    ) -> None:
        self._axes = _axes(axes)
        shape = [len(names) for names in self._axes.values()]
        self._words = checks.sequence("words", words, "sentences", "Pass one for each frame.")
        given = checks.sequence("frames", frames, "pictures", "Pass one for each place.")
        for name, found in (("frames", given), ("words", self._words)):
            if len(found) != math.prod(shape):
                raise ValueError(
                    f"{name}: expected {' × '.join(map(str, shape))} = {math.prod(shape)}, one for "
                    f"each place on the axes, got {len(found)}. The last axis changes fastest."
                )
        self._frames = [
            frame
            if isinstance(frame, Drawing)
            else dual_output.fitted(dual_output.picture(frame, f"frames[{i}]"))
            for i, frame in enumerate(given)
        ]
        packed = [_packed(frame) for frame in self._frames]
        # Small pictures are shown larger, each pixel as a square.
        self._factor = max(1, SHOWN // max(max(size) for _, size in packed))
        data = {
            "axes": list(self._axes.items()),
            "frames": [address for address, _ in packed],
            "size": [self._factor * max(size[side] for _, size in packed) for side in (0, 1)],
            "words": self._words,
        }
        super().__init__(data, at=(0,) * len(shape) if at is None else at)

    def __repr__(self) -> str:
        return f"FrameExplorer of {len(self._frames)} frames: {', '.join(self._axes)}"

    def _static_html(self) -> str:
        shape = [len(names) for names in self._axes.values()]
        index = int(np.ravel_multi_index(self.at, shape))
        chosen = zip(self._axes.items(), self.at, strict=True)
        where = ", ".join(f"{label}: {names[place]}" for (label, names), place in chosen)
        frame = self._frames[index]
        if not isinstance(frame, Drawing):
            frame = frame.repeat(self._factor, axis=0).repeat(self._factor, axis=1)
        return self._figure(
            frame,
            alt=f"One of {len(self._frames)} pictures ({where}). {self._words[index]}",
            caption=f"{html.escape(self._words[index])} <strong>{html.escape(where)}</strong>. With "
            f"JavaScript this picture answers: move along {html.escape(' and '.join(self._axes))}.",
        )


def _packed(frame: UInt8[np.ndarray, "H W 3"] | Drawing) -> tuple[str, tuple[int, int]]:
    """Return a frame's data address and its (height, width)."""
    if isinstance(frame, Drawing):
        return dual_output.svg_url(frame)
    return dual_output.webp_url(frame, exact=max(frame.shape[:2]) <= SMALL), frame.shape[:2]


def _axes(axes: Any) -> dict[str, list[str]]:
    if not isinstance(axes, Mapping) or not axes:
        raise TypeError(
            f"axes: expected a dictionary of labels and places, got {describe(axes)}. "
            'Pass for example {"Depth": ["input", "block 1"]}.'
        )
    found = {
        str(label): checks.sequence(f'axes["{label}"]', names, "names", "Pass a list of strings.")
        for label, names in axes.items()
    }
    for label, names in found.items():
        if len(names) < 2 or not all(isinstance(name, str) for name in names):
            raise ValueError(
                f'axes["{label}"]: expected two names or more, got {describe(names)}. Leave out an '
                "axis on which nothing changes."
            )
    return found
