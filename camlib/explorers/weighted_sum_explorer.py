"""WeightedSumExplorer: which channels make up a logit, and what happens without some of them?"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

import camlib
from camlib import plotting
from camlib.errors import describe
from camlib.explorers import checks, dual_output
from camlib.explorers.explorer import Checked, Explorer

if TYPE_CHECKING:
    from camlib.head import Head

# The map's opacity, and the picture's longest side; as the page shows it.
OPACITY, SIDE = 0.85, 224
# Stands for all channels that are not shown by themselves; together they are one more term.
REST = -1
# A channel turned up further would only saturate the colours.
LARGEST_FACTOR = 2
AS_FOUND = "Pass the result of camlib.find_head as it is."
NAME_IT = "Name it among the classes: classes=[...]."


def _term(name: str, value: object, terms: Sequence[int]) -> int:
    """Return the number of a channel that is shown, or -1 for all the others together."""
    number = checks.whole_number(name, value)
    if number not in terms:
        channels = [term for term in terms if term != REST]
        others = f", or {REST} for all the others together" if REST in terms else ""
        raise ValueError(
            f"{name}: expected one of the {len(channels)} channels shown (from {channels[0]} to "
            f"{channels[-1]}){others}, got {number}. More are shown with a larger channels=."
        )
    return number


def _terms(name: str, value: object, terms: Sequence[int]) -> tuple[int, ...]:
    """Return some terms, each once, sorted."""
    given = checks.sequence(name, value, "channel numbers", "Pass (112,) for one, () for none.")
    return tuple(sorted({_term(name, number, terms) for number in given}))


def _factors(name: str, value: object, terms: Sequence[int]) -> dict[int, float]:
    """Return by what channels are multiplied; JSON writes their numbers as text, which is taken too."""
    if not isinstance(value, Mapping):
        raise TypeError(
            f"{name}: expected a dict from channel number to factor, got {describe(value)}. "
            "Pass for example {112: 0.5}."
        )
    keys = [int(key) if str(key).lstrip("-").isdecimal() else key for key in value]
    remedy = "1 leaves a channel as it is, 0 silences it."
    return {
        _term(name, key, terms): checks.number(name, factor, 0, LARGEST_FACTOR, remedy)
        for key, factor in zip(keys, value.values(), strict=True)
    }


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

    class_index = Checked(checks.class_index, lambda self: self._classes, NAME_IT)
    off = Checked(_terms, lambda self: self._terms)
    factors = Checked(_factors, lambda self: self._terms)
    channel = Checked(_term, lambda self: self._terms)
    module = "weighted_sum_explorer"

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
        self._picture = dual_output.picture(image)
        features, weight, offset, logits = _checked_head(head)
        checks.check_proportions(self._picture, features.shape[1:])
        self._classes = _checked_classes(classes, len(logits))
        count = checks.whole_number("channels", channels)
        if count < 1:
            raise ValueError(
                f"channels: expected 1 or more for each class, got {count}. Start with channels=24."
            )
        self._names = checks.names_of(class_names, self._classes)
        self._held = checks.held_in_words(head)
        weight = weight[self._classes]
        self._logits, self._offset = logits[self._classes].numpy(), offset[self._classes].numpy()
        shown = _strongest(features, weight, count)
        steps, step, own = dual_output.in_steps(features[shown].numpy())
        carried = weight[:, shown].float()
        # What is left is the others' share and the rounding of those shown: all together is exact.
        rest = torch.einsum("ck,khw->chw", weight, features) - torch.einsum(
            "ck,khw->chw", carried.double(), torch.from_numpy(own).double()
        )
        self._others = len(features) - len(shown)
        self._terms = shown.tolist() + [REST] * bool(self._others)
        # What each term adds to each class's map, (c, t, h, w), as the page has it.
        maps = carried[:, :, None, None].numpy() * own
        self._maps = np.concatenate([maps, rest[:, None].float().numpy()], axis=1)
        self._maps = self._maps[:, : len(self._terms)]
        # One long table: short ones would be compared letter by letter where a notebook is run
        # again, and another CPU rounds differently.
        tables = (self._logits, self._offset, carried.numpy(), rest.numpy())
        data = {
            "photo": dual_output.picture_url(
                dual_output.as_bytes(plotting.greyscale(self._picture))
            ),
            "size": dual_output.shown_size(self._picture.shape, SIDE),
            "shape": steps.shape,
            "features": dual_output.array_url(steps, "int16"),
            "step": step,
            "channels": dual_output.array_url(shown.numpy(), "int32"),
            "others": self._others,
            "values": dual_output.array_url(
                np.concatenate([table.ravel() for table in tables]), "float32"
            ),
            "classes": self._classes,
            "names": self._names,
            "opacity": OPACITY,
            "colours": dual_output.array_url(dual_output.evidence_table(), "uint8"),
            **({"held": self._held} if self._held else {}),
        }
        if class_index is None:
            class_index = self._classes[int(self._logits.argmax())]
        if channel is None:
            place = self._classes.index(class_index) if class_index in self._classes else 0
            channel = self._terms[int(self._contributions(place).argmax())]
        super().__init__(
            data,
            class_index=class_index,
            off=off,
            factors={} if factors is None else factors,
            channel=channel,
        )

    def __repr__(self) -> str:
        shown = sum(term != REST for term in self._terms)
        return (
            f"WeightedSumExplorer of {len(self._names)} classes, {shown} of "
            f"{shown + self._others} channels"
        )

    def _static_html(self) -> str:
        place = self._classes.index(self.class_index)
        loads = [0.0 if n in self.off else self.factors.get(n, 1.0) for n in self._terms]
        summed = np.tensordot(np.array(loads, np.float32), self._maps[place], axes=1)
        logit = summed.mean() + np.float32(self._offset[place])
        contributions = self._contributions(place)
        shown = len(contributions)
        changed = any(load != 1 for load in loads)
        whole = (
            "with the channels that are switched on"
            if changed
            else f"of all {shown + self._others} channels"
        )
        best = contributions.argsort(kind="stable")[::-1][:3]
        strongest = ", ".join(f"{self._terms[k]} ({contributions[k]:+.2f})" for k in best)
        name = self._names[place]
        return self._figure(
            self._drawn(summed),
            alt=f"Weighted sum of feature maps for “{name}” over the photograph, {whole}. "
            "Orange: evidence for it. Blue: evidence against it.",
            caption=f"<strong>{html.escape(name)}</strong>: the sum {whole} and the offset is "
            f"{logit:.2f}; the network’s logit is {self._logits[place]:.2f}. Its strongest "
            f"channels: {strongest}. With JavaScript this picture answers: switch {shown} channels "
            f"on and off, turn them up or down, see who wins. {html.escape(self._held)}".rstrip(),
        )

    def _contributions(self, place: int) -> Float[np.ndarray, " k"]:
        """Return what each channel shown adds to a class's logit."""
        shown = sum(term != REST for term in self._terms)
        return self._maps[place, :shown].mean((1, 2))

    def _drawn(self, summed: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "H W 3"]:
        """Return the picture with what is switched on, as the ES module draws it."""
        size = dual_output.shown_size(self._picture.shape, SIDE)
        peak = np.abs(self._maps.sum(1)).max()
        scaled = torch.from_numpy(np.clip(summed / peak, -1, 1) if peak > 0 else summed)
        large = camlib.upsample(scaled[None, None], size, "nearest")[0, 0]
        background = plotting.greyscale(dual_output.resized(self._picture, size))
        return dual_output.as_bytes(plotting.overlay(background, large, opacity=OPACITY))


def _strongest(
    features: Float[Tensor, "k h w"], weight: Float[Tensor, "c k"], count: int
) -> Int[Tensor, " t"]:
    """Return the channels, sorted, that are among the ``count`` strongest of a class.

    Strong is what contributes much to a class's logit, for or against it. A channel that counts for
    one class is shown for all.
    """
    contribution = (weight * features.mean((1, 2))).abs()
    strongest = contribution.argsort(dim=1, descending=True, stable=True)[:, :count]
    return torch.unique(strongest)


def _checked_head(
    head: Head,
) -> tuple[Float[Tensor, "k h w"], Float[Tensor, "c k"], Float[Tensor, " c"], Float[Tensor, " c"]]:
    """Return one picture's features, weight, offset and logits in float64, or raise."""
    features, weight, offset, logits = checks.parts_of(
        "head", head, "camlib.find_head", "features", "weight", "offset", "logits"
    )
    if features.ndim != 4 or len(features) != 1 or 0 in features.shape:
        raise ValueError(
            f"head: expected the features of one picture, shape (1, k, h, w), got "
            f"{describe(head.features)}. Pass one of them: camlib.find_head(network, images[:1])."
        )
    c, k = (*logits.shape[1:], 0)[0], features.shape[1]
    weight = weight[0] if weight.ndim == 3 else weight  # the one picture's own: a spread is held
    if weight.shape != (c, k) or logits.shape != (1, c):
        raise ValueError(
            f"head: expected a logit for each class and a weight for each of {k} channels, got "
            f"logits {describe(head.logits)} and weight {describe(head.weight)}. {AS_FOUND}"
        )
    offset = offset.expand_as(logits)
    sums = features[0].mean((1, 2)) @ weight.T + offset
    words = "the weighted sum of the pooled features + offset"
    checks.check_sum("head", sums, logits, head.features.dtype, words, AS_FOUND)
    return features[0], weight, offset[0], logits[0]


def _checked_classes(classes: Sequence[int], count: int) -> list[int]:
    """Return some of ``count`` class indices, each once, in the order given."""
    chosen = checks.class_indices(classes)
    if not chosen or len(set(chosen)) < len(chosen) or min(chosen) < 0 or max(chosen) >= count:
        raise ValueError(
            f"classes: expected one or more indices from 0 to {count - 1}, each once, got "
            f"{chosen}. Find a class by its name with class_names.index(name)."
        )
    return chosen
