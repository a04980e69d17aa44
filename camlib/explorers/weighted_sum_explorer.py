"""WeightedSumExplorer: which channels make up a logit, and what happens without some of them?"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import traitlets
from jaxtyping import Float, UInt8

import camlib
from camlib import plotting
from camlib.explorers import attributes, dual_output, modules, terms
from camlib.explorers.explorer import Explorer
from camlib.explorers.inputs import check_proportions, checked_picture

if TYPE_CHECKING:
    from camlib.explorers.terms import Terms
    from camlib.head import Head

# The map's opacity; as large as the page shows it.
OPACITY = 0.85
SIDE = 224


class WeightedSumExplorer(Explorer):
    r"""Switch the channels of one picture on and off and watch map and logit, class by class.

    For each class the sum is written out: the channels shown, all the others together, the offset.

    .. math:: \mathrm{logit}_c = \sum_{k\ \mathrm{on}} \varphi_k\, w_k^c\, \mathrm{mean}(f_k) + o_c

    With all channels on and all factors φ = 1 it is the network's logit, and the map
    :math:`\sum_k w_k^c f_k` is the class activation map. A switch and a factor belong to a channel,
    so they act on all classes.

    Parameters
    ----------
    image
        The picture as the network saw it, shape (H, W, 3), uint8 or floats from 0 to 1.
    head
        Result of :func:`camlib.find_head` for this one picture.
    class_names
        All of the network's names, looked up by class index, or exactly one for each of ``classes``.
    classes
        Indices of the classes to compare, for example the five best and a rival.
    channels
        How many channels are shown by themselves for each class: those whose contributions are
        largest in magnitude. One that is shown for one class is shown for all; the channels that
        are left make up one more term.
    class_index
        The class whose sum is shown first; the one of ``classes`` with the highest logit by default.
    off
        The channels that are switched off; -1 stands for all that are not shown by themselves.
    factors
        By what a channel's weights are multiplied, 0 to 2: a dict from channel number to φ. Channels
        that are not named have φ = 1.
    channel
        The channel whose own map is shown, or -1 for all others together; by default the one that
        contributes most to the class shown first.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or range, if the head is of several pictures,
        holds NaN or does not add up to the logits. Also when an attribute is set.

    Notes
    -----
    The last four can be read, set and observed from Python: ``explorer.off = (112, 40)``,
    ``explorer.observe(print, "off")``.
    """

    class_index = attributes.Checked().tag(sync=True)
    off = attributes.Checked().tag(sync=True)
    factors = attributes.Checked().tag(sync=True)
    channel = attributes.Checked().tag(sync=True)
    module = "weighted_sum_explorer.mjs"
    state = ("class_index", "off", "factors", "channel")
    _esm = modules.joined(module)

    def __init__(
        self,
        image: Float[np.ndarray, "H W 3"] | UInt8[np.ndarray, "H W 3"],
        head: Head,
        class_names: Sequence[str],
        classes: Sequence[int],
        *,
        channels: int = 24,
        class_index: int | None = None,
        off: Sequence[int] = (),
        factors: Mapping[int, float] | None = None,
        channel: int | None = None,
    ) -> None:
        self._picture = checked_picture(image)
        self._terms = terms.checked_terms(head, class_names, classes, channels)
        check_proportions(self._picture, self._terms.cells)
        if class_index is None:
            class_index = int(self._terms.classes[self._terms.logits.argmax()])
        if channel is None:
            place = int(np.flatnonzero(self._terms.classes == class_index).sum())
            channel = int(self._terms.channels[self._contributions(place).argmax()])
        super().__init__(
            class_index=class_index,
            off=off,
            factors={} if factors is None else factors,
            channel=channel,
            _data=_packed(self._picture, self._terms),
        )

    def __repr__(self) -> str:
        found = self._terms
        return (
            f"WeightedSumExplorer of {len(found.names)} classes, {len(found.channels)} of "
            f"{len(found.channels) + found.others} channels"
        )

    def _static_html(self) -> str:
        found = self._terms
        place = int(np.flatnonzero(found.classes == self.class_index)[0])
        loads = [0.0 if n in self.off else self.factors.get(n, 1.0) for n in found.numbers]
        summed = np.tensordot(np.array(loads, np.float32), found.maps[place], axes=1)
        logit = summed.mean() + found.offset[place]
        name, total = found.names[place], len(found.channels) + found.others
        changed = any(load != 1 for load in loads)
        whole = "with the channels that are switched on" if changed else f"of all {total} channels"
        contributions = self._contributions(place)
        best = contributions.argsort(kind="stable")[::-1][:3]
        strongest = ", ".join(f"{found.channels[k]} ({contributions[k]:+.2f})" for k in best)
        return self._figure(
            self._drawn(summed),
            alt=f"Weighted sum of feature maps for “{name}” over the photograph, {whole}. "
            "Orange: evidence for it. Blue: evidence against it.",
            caption=f"<strong>{html.escape(name)}</strong>: the sum {whole} and the offset is "
            f"{logit:.2f}; the network’s logit is {found.logits[place]:.2f}. Its strongest "
            f"channels: {strongest}. With JavaScript this picture answers: switch "
            f"{len(found.channels)} channels on and off, turn them up or down, see who wins. "
            f"{html.escape(found.held)}".rstrip(),
        )

    def _contributions(self, place: int) -> Float[np.ndarray, " k"]:
        """Return what each channel shown adds to a class's logit."""
        return self._terms.maps[place, : len(self._terms.channels)].mean((1, 2))

    def _drawn(self, summed: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "H W 3"]:
        """Return the picture with what is switched on, as the ES module draws it."""
        size = _shown_size(self._picture)
        peak = np.abs(self._terms.maps.sum(1)).max()
        scaled = torch.from_numpy(np.clip(summed / peak, -1, 1) if peak > 0 else summed)
        large = camlib.upsample(scaled[None, None], size, "nearest")[0, 0]
        background = plotting.greyscale(dual_output.resized(self._picture, *size))
        return dual_output.as_bytes(plotting.overlay(background, large, opacity=OPACITY))

    @traitlets.validate("class_index")
    def _check_class_index(self, proposal: dict[str, Any]) -> int:
        return terms.class_index(proposal["value"], self._terms)

    @traitlets.validate("off")
    def _check_off(self, proposal: dict[str, Any]) -> tuple[int, ...]:
        return terms.terms_off(proposal["value"], self._terms)

    @traitlets.validate("factors")
    def _check_factors(self, proposal: dict[str, Any]) -> dict[int, float]:
        return terms.factors(proposal["value"], self._terms)

    @traitlets.validate("channel")
    def _check_channel(self, proposal: dict[str, Any]) -> int:
        return terms.term("channel", proposal["value"], self._terms)


def _shown_size(picture: UInt8[np.ndarray, "H W 3"]) -> tuple[int, int]:
    height, width = dual_output.shown_size(*picture.shape[:2])
    share = SIDE / dual_output.LONGEST_SIDE
    return max(1, round(height * share)), max(1, round(width * share))


def _packed(picture: UInt8[np.ndarray, "H W 3"], found: Terms) -> dict[str, Any]:
    """Return what the ES module needs, as JSON; arrays as data addresses."""
    return {
        "photo": dual_output.picture_url(dual_output.as_bytes(plotting.greyscale(picture))),
        "size": _shown_size(picture),
        "shape": found.steps.shape,
        "features": dual_output.array_url(found.steps, "int16"),
        "step": found.step,
        "channels": dual_output.array_url(found.channels, "int32"),
        "others": found.others,
        "values": dual_output.array_url(_joined(found), "float32"),
        "classes": found.classes.tolist(),
        "names": found.names,
        "opacity": OPACITY,
        "colours": dual_output.array_url(dual_output.evidence_table(), "uint8"),
        **({"held": found.held} if found.held else {}),
    }


def _joined(found: Terms) -> Float[np.ndarray, " n"]:
    """Return logits, offset, weights and the others' maps one behind the other.

    Short tables would be compared letter by letter where notebooks are run again, and round
    differently on another CPU; one long one is compared with a tolerance.
    """
    parts = (found.logits, found.offset, found.weight, found.rest)
    return np.concatenate([part.ravel() for part in parts])
