"""What is kept of each picture, and the figures that all of them add up to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from camlib.localization import Box, BoxAccuracy, box_accuracy, centre_box, iou

IOUS = (0.3, 0.5, 0.7)  # of MaxBoxAccV2 (Choe et al. 2020, section 4.2)
# How maps are scaled before a box is drawn at a part of their maximum: as they are, where 0 is no
# evidence, or with each map's minimum and maximum brought to 0 and 1 first, as Choe et al. do.
SCALES = ("raw", "min-max")


@dataclass(frozen=True)
class Picture:
    """What one picture adds to the table; an object is a class that it shows, once or more.

    Attributes
    ----------
    number, name
        Its place in the data, and what it is called.
    logits
        Shape (c,); None if the picture could not be read. Then nothing below is known.
    size
        Height and width in pixels.
    boxes
        The boxes of each class that it shows, shape (k, 4); k is 0 where the crop cut all away.
    outside
        The objects that the crop cut away.
    pointing, energy, ious
        For each of :meth:`objects`: whether the highest value of its map lies in one of its boxes,
        the share of positive values in them, and the IoU at each threshold of the largest region
        and of the best one, shape (m, 2, t), by the names of :data:`SCALES`. Nothing if there are no
        maps.
    refusal
        Why there are none, or an empty text.
    unread
        Why the picture could not be read: "missing" or "corrupt", else an empty text.
    """

    number: int
    name: str
    logits: Float[Tensor, " c"] | None = None
    size: tuple[int, int] = (0, 0)
    boxes: dict[int, Int[Tensor, "k 4"]] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)
    pointing: list[bool] = field(default_factory=list)
    energy: list[float] = field(default_factory=list)
    ious: dict[str, Float[Tensor, "m 2 t"]] = field(default_factory=dict)
    refusal: str = ""
    unread: str = ""

    def objects(self) -> list[tuple[int, Int[Tensor, "k 4"]]]:
        """Return the classes of which a box is left, in ascending order, with their boxes."""
        return [(label, boxes) for label, boxes in sorted(self.boxes.items()) if len(boxes)]


@dataclass(frozen=True)
class Localization:
    """How well the maps find the objects; all shares from 0 to 1.

    Attributes
    ----------
    pointing
        The share of maps whose highest value lies in one of the object's boxes.
    energy
        The mean share of positive evidence in the boxes.
    box
        The box around the largest region against IoU 0.5, for every threshold: its ``best`` is
        MaxBoxAcc.
    box_v2
        The best box of all regions against IoU 0.3, 0.5 and 0.7: its ``best`` is MaxBoxAccV2.
    top1
        The share of pictures whose highest logit is a class that is there and whose map finds it:
        the box around the largest region has IoU 0.5 at least, at the threshold that is best for
        ``box``.
    box_min_max, box_v2_min_max, top1_min_max
        The same with each map's minimum and maximum brought to 0 and 1 first, as Choe et al. do.
    """

    pointing: float
    energy: float
    box: BoxAccuracy
    box_v2: BoxAccuracy
    top1: float
    box_min_max: BoxAccuracy
    box_v2_min_max: BoxAccuracy
    top1_min_max: float


@dataclass(frozen=True)
class Table:
    """A network, a map method and a data set in a few figures.

    Attributes
    ----------
    pictures, objects
        How many were measured; an object is a class that a picture shows, once or more.
    average_precision
        Of each class, shape (c,); NaN for a class that no picture shows.
    top1
        The share of pictures whose highest logit is a class that is there.
    localization
        None if the network has no maps by this method.
    refusal
        Why it has none, or an empty text.
    centre_box, random_box
        MaxBoxAcc's IoU 0.5 for a box of the true boxes' mean size in the middle of each picture,
        and at a random place: what knowing nothing achieves.
    missing, corrupt, outside
        Names of pictures that are not there, of those that could not be read, and of objects that
        the crop cut away.
    """

    pictures: int
    objects: int
    average_precision: Float[np.ndarray, " c"]
    top1: float
    localization: Localization | None
    refusal: str
    centre_box: float
    random_box: float
    missing: tuple[str, ...]
    corrupt: tuple[str, ...]
    outside: tuple[str, ...]

    @property
    def mean_average_precision(self) -> float:
        """Return the mean over the classes that some picture shows."""
        return float(np.nanmean(self.average_precision))

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        names = (
            "pictures",
            "objects",
            "mean_average_precision",
            "top1",
            "centre_box",
            "random_box",
        )
        figures: dict[str, Any] = {name: getattr(self, name) for name in names}
        figures |= {name: list(getattr(self, name)) for name in ("missing", "corrupt", "outside")}
        figures["average_precision"] = [
            None if np.isnan(value) else value for value in self.average_precision.tolist()
        ]
        found = self.localization
        if found is None:
            return figures | {"refusal": self.refusal}
        return figures | {
            "pointing": found.pointing,
            "energy": found.energy,
            "top1_localization": found.top1,
            "max_box_acc": found.box.best,
            "threshold": found.box.best_threshold,
            "max_box_acc_v2": found.box_v2.best,
            "top1_localization_min_max": found.top1_min_max,
            "max_box_acc_min_max": found.box_min_max.best,
            "threshold_min_max": found.box_min_max.best_threshold,
            "max_box_acc_v2_min_max": found.box_v2_min_max.best,
        }

    def __str__(self) -> str:
        """Return the table as text, shares in per cent."""
        rows = [
            ("pictures", f"{self.pictures}"),
            ("objects", f"{self.objects}"),
            ("mean average precision", _percent(self.mean_average_precision)),
            ("highest logit right", _percent(self.top1)),
        ]
        if self.localization is not None:
            found = self.localization
            rows += [
                ("pointing game", _percent(found.pointing)),
                ("energy in the boxes", _percent(found.energy)),
            ]
            at, other_at = (
                f"  (best threshold {box.best_threshold:.2f})"
                for box in (found.box, found.box_min_max)
            )
            scaled = "  maps min-maxed"
            rows += [
                ("MaxBoxAcc", _percent(found.box.best) + at),
                (scaled, _percent(found.box_min_max.best) + other_at),
                ("MaxBoxAccV2", _percent(found.box_v2.best)),
                (scaled, _percent(found.box_v2_min_max.best)),
                ("top-1 localization", _percent(found.top1)),
                (scaled, _percent(found.top1_min_max)),
            ]
        rows += [
            ("  a centre box", _percent(self.centre_box)),
            ("  a random box", _percent(self.random_box)),
            ("missing pictures", f"{len(self.missing)}"),
            ("corrupt pictures", f"{len(self.corrupt)}"),
            ("objects outside the crop", f"{len(self.outside)}"),
        ]
        lines = [f"{name:<26}{value}" for name, value in rows]
        if self.refusal:
            lines.append(f"No maps: {self.refusal}")
        return "\n".join(lines)


def tabulate(pictures: Sequence[Picture], thresholds: Sequence[float]) -> Table:
    """Count; the order in which the pictures were measured does not matter.

    Raises
    ------
    ValueError
        If no picture could be measured, or none shows an object.
    """
    seen = sorted((one for one in pictures if one.logits is not None), key=lambda one: one.number)
    unread = {
        why: sorted(one.name for one in pictures if one.unread == why)
        for why in ("missing", "corrupt")
    }
    if not any(picture.objects() for picture in seen):
        raise ValueError(
            f"data: expected a readable picture with an object at least, got {len(seen)} pictures "
            f"without any, {len(unread['missing'])} that are missing and {len(unread['corrupt'])} that "
            "are corrupt. Check pictures and boxes."
        )
    logits = torch.stack([one.logits for one in seen if one.logits is not None]).numpy()
    present = np.zeros(logits.shape, bool)
    for row, picture in enumerate(seen):
        present[row, list(picture.boxes)] = True
    refusal = next((picture.refusal for picture in seen if picture.refusal), "")
    top = logits.argmax(axis=1)
    return Table(
        pictures=len(seen),
        objects=sum(len(picture.objects()) for picture in seen),
        average_precision=_average_precision(present, logits),
        top1=float(present[np.arange(len(top)), top].mean()),
        localization=None if refusal else _localization(seen, thresholds),
        refusal=refusal,
        centre_box=_share_met(seen, _in_the_middle),
        random_box=_share_met(seen, _at_random),
        missing=tuple(unread["missing"]),
        corrupt=tuple(unread["corrupt"]),
        outside=tuple(sorted(name for picture in seen for name in picture.outside)),
    )


def _average_precision(present: np.ndarray, logits: np.ndarray) -> Float[np.ndarray, " c"]:
    from sklearn.metrics import average_precision_score  # takes a second to import

    precision = np.full(present.shape[1], np.nan)
    for category in np.flatnonzero(present.any(axis=0)):
        precision[category] = average_precision_score(present[:, category], logits[:, category])
    return precision


def _localization(seen: Sequence[Picture], thresholds: Sequence[float]) -> Localization:
    boxes: list[Any] = []
    for scale in SCALES:
        reached = torch.cat([one.ious[scale] for one in seen if one.objects()]).numpy()
        box = box_accuracy(reached[:, 0], thresholds, (0.5,))
        place = list(thresholds).index(box.best_threshold)
        top1 = float(np.mean([_found_its_class(one, scale, place) for one in seen]))
        boxes += [box, box_accuracy(reached[:, 1], thresholds, IOUS), top1]
    return Localization(
        float(np.mean([hit for picture in seen for hit in picture.pointing])),
        float(np.mean(sorted(share for picture in seen for share in picture.energy))),
        *boxes,
    )


def _found_its_class(picture: Picture, scale: str, threshold: int) -> bool:
    """Say whether the highest logit's class is there, and its largest region meets one of its boxes."""
    assert picture.logits is not None
    top = int(picture.logits.argmax())
    labels = [label for label, _ in picture.objects()]
    return top in labels and bool(picture.ious[scale][labels.index(top), 0, threshold] >= 0.5)


def _share_met(seen: Sequence[Picture], place: Callable[..., Box]) -> float:
    """Return how often a box of the mean size, put by ``place``, meets one of an object's boxes."""
    boxes = torch.cat([boxes for picture in seen for _, boxes in picture.objects()])
    width, height = (boxes[:, 2:] - boxes[:, :2]).double().mean(dim=0).tolist()
    met = [
        iou(place(picture, label, height, width), boxes).max() >= 0.5
        for picture in seen
        for label, boxes in picture.objects()
    ]
    return float(np.mean(met))


def _in_the_middle(picture: Picture, label: int, height: float, width: float) -> Box:
    return centre_box(*picture.size, height, width)


def _at_random(picture: Picture, label: int, height: float, width: float) -> Box:
    """Put the box at random, by the picture's and the class's number: the same on every run."""
    random = np.random.RandomState([picture.number, label])
    x0, y0, x1, y1 = centre_box(*picture.size, height, width)
    x = random.randint(0, max(picture.size[1] - (x1 - x0), 0) + 1)
    y = random.randint(0, max(picture.size[0] - (y1 - y0), 0) + 1)
    return x, y, x + x1 - x0, y + y1 - y0


def _percent(share: float) -> str:
    return f"{100 * share:5.1f} %"
