"""The terms of one picture's weighted sum, and what an explorer's attributes may say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int, Int16
from torch import Tensor

from camlib.errors import describe
from camlib.explorers.attributes import whole_number
from camlib.explorers.inputs import TOLERANCE, checked_names, held_in_words, whole_step

if TYPE_CHECKING:
    from camlib.head import Head

# Stands for all channels that are not shown by themselves; together they are one more term.
REST = -1
# A channel turned up further would only saturate the colours.
LARGEST_FACTOR = 2.0
AS_FOUND = "Pass the result of camlib.find_head as it is."


@dataclass(frozen=True)
class Terms:
    r"""One picture's sum for c classes: k channels by themselves, all others as one more term.

    .. math:: \mathrm{logit}_c = \sum_k w_k^c\, \mathrm{mean}(f_k) + \mathrm{mean}(R_c) + o_c
    """

    steps: Int16[np.ndarray, "k h w"]
    step: float
    channels: Int[np.ndarray, " k"]
    weight: Float[np.ndarray, "c k"]
    rest: Float[np.ndarray, "c h w"]
    others: int
    logits: Float[np.ndarray, " c"]
    offset: Float[np.ndarray, " c"]
    classes: Int[np.ndarray, " c"]
    names: tuple[str, ...]
    held: str = ""

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.steps.shape[1], self.steps.shape[2]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The terms' names: channel numbers, and -1 for all the others together."""
        return (*self.channels.tolist(), *([REST] if self.others else []))

    @property
    def maps(self) -> Float[np.ndarray, "c t h w"]:
        """What each term adds to each class's map."""
        features = self.steps.astype(np.float32) * np.float32(self.step)
        shown = self.weight[:, :, None, None] * features
        return np.concatenate([shown, self.rest[:, None]], axis=1) if self.others else shown


def checked_terms(
    head: Head, class_names: Sequence[str], classes: Sequence[int], channels: int
) -> Terms:
    """Return the sum's terms for some classes of one picture, or raise.

    Shown by themselves are, for each class, the ``channels`` whose contributions to its logit are
    largest in magnitude: a channel that counts for one class is shown for all.
    """
    features, weight, offset, logits = _checked_head(head)
    chosen = checked_classes(classes, logits.shape[1])
    count = whole_number("channels", channels)
    if count < 1:
        raise ValueError(
            f"channels: expected 1 or more for each class, got {count}. Start with channels=24."
        )
    weight = weight[chosen]
    contribution = weight * features.mean((1, 2))
    strongest = contribution.abs().argsort(dim=1, descending=True, stable=True)[:, :count]
    shown = torch.unique(strongest)  # sorted
    step = whole_step(float(features[shown].abs().max()))
    steps = torch.round(features[shown] / step)
    carried = weight[:, shown].float().double()
    # What is left is the others' share and the rounding of those shown: all together is exact.
    rest = torch.einsum("ck,khw->chw", weight, features)
    rest = rest - torch.einsum("ck,khw->chw", carried, steps * step)
    return Terms(
        steps.to(torch.int16).numpy(),
        step,
        shown.numpy(),
        carried.numpy().astype(np.float32),
        rest.numpy().astype(np.float32),
        features.shape[0] - len(shown),
        logits[0, chosen].numpy().astype(np.float32),
        offset[0, chosen].numpy().astype(np.float32),
        np.asarray(chosen),
        checked_names(class_names, np.asarray(chosen)),
        held_in_words(head),
    )


def _checked_head(
    head: Head,
) -> tuple[
    Float[Tensor, "k h w"], Float[Tensor, "c k"], Float[Tensor, "1 c"], Float[Tensor, "1 c"]
]:
    """Return features, weight, offset and logits in float64, their sum proven, or raise."""
    parts = ("features", "weight", "offset", "logits")
    missing = [name for name in parts if not hasattr(head, name)]
    if missing:
        raise TypeError(
            f"head: expected the result of camlib.find_head, got {describe(head)} without "
            f"{', '.join(missing)}. {AS_FOUND}"
        )
    features, weight, offset, logits = (_exact(getattr(head, name)) for name in parts)
    if features.ndim != 4 or features.shape[0] != 1 or 0 in features.shape:
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
    if not all(torch.isfinite(part).all() for part in (features, weight, offset, logits)):
        raise ValueError(
            "head: expected finite features, weights, offset and logits, got NaN or infinity. "
            "Look for it in the images first: images.isfinite().all()."
        )
    gap = float((features[0].mean((1, 2)) @ weight.T + offset - logits).abs().max())
    tolerance = TOLERANCE.get(head.features.dtype, 1e-3)
    if gap > tolerance * max(1.0, float(logits.abs().max())):
        raise ValueError(
            f"head: expected the weighted sum of the pooled features plus the offset to be the "
            f"logit, got a difference of {gap:.2g}. {AS_FOUND}"
        )
    return features[0], weight, offset, logits


def _exact(numbers: Tensor) -> Float[Tensor, "*axes"]:
    return torch.as_tensor(numbers).detach().to("cpu", torch.float64)


def checked_classes(classes: Sequence[int], count: int) -> list[int]:
    """Return some of ``count`` class indices, each once, in the order given."""
    if isinstance(classes, (str, bytes)) or not hasattr(classes, "__iter__"):
        raise TypeError(
            f"classes: expected a sequence of class indices, got {describe(classes)}. "
            "Pass for example classes=[281, 287]."
        )
    chosen = [whole_number("classes", index) for index in classes]
    wrong = [index for index in chosen if not 0 <= index < count]
    if not chosen or wrong or len(set(chosen)) < len(chosen):
        raise ValueError(
            f"classes: expected one or more indices from 0 to {count - 1}, each once, got "
            f"{chosen}. Find a class by its name with class_names.index(name)."
        )
    return chosen


def class_index(value: object, terms: Terms) -> int:
    """Return ``value`` if its sum is carried."""
    index = whole_number("class_index", value)
    if index not in terms.classes:
        raise ValueError(
            f"class_index: expected one of {', '.join(map(str, terms.classes))}, got {index}. "
            f"Name it among the classes: classes=[..., {index}]."
        )
    return index


def term(name: str, value: object, terms: Terms) -> int:
    """Return the number of a channel that is shown, or -1 for all the others together."""
    number = whole_number(name, value)
    if number not in terms.numbers:
        first, last = terms.channels[0], terms.channels[-1]
        others = f", or {REST} for all the others together" if terms.others else ""
        raise ValueError(
            f"{name}: expected one of the {len(terms.channels)} channels shown (from {first} to "
            f"{last}){others}, got {number}. More are shown with a larger channels=."
        )
    return number


def terms_off(value: object, terms: Terms) -> tuple[int, ...]:
    """Return the terms that are switched off, each once, sorted."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise TypeError(
            f"off: expected a sequence of channel numbers, got {describe(value)}. "
            "Pass (112,) for one channel, () for none."
        )
    return tuple(sorted({term("off", number, terms) for number in value}))


def factors(value: object, terms: Terms) -> dict[int, float]:
    """Return by what channels are multiplied: those that are not named stay as they are.

    The page's JSON writes the numbers as text, which is taken too.
    """
    if not isinstance(value, Mapping):
        raise TypeError(
            f"factors: expected a dict from channel number to factor, got {describe(value)}. "
            "Pass for example {112: 0.5}."
        )
    return {
        term("factors", int(key) if str(key).lstrip("-").isdecimal() else key, terms): _factor(
            factor
        )
        for key, factor in value.items()
    }


def _factor(value: object) -> float:
    number = isinstance(value, (int, float, np.integer, np.floating))
    if isinstance(value, bool) or not number:
        raise TypeError(
            f"factors: expected numbers from 0 to {LARGEST_FACTOR:g}, got {describe(value)}. "
            "1 leaves a channel as it is."
        )
    factor = float(value)  # type: ignore[arg-type]
    if not 0 <= factor <= LARGEST_FACTOR:
        raise ValueError(
            f"factors: expected numbers from 0 to {LARGEST_FACTOR:g}, got {factor:g}. "
            "1 leaves a channel as it is, 0 silences it."
        )
    return factor
