"""From the records of all pictures to the figures that are printed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.metrics import average_precision_score

from camlib.evaluate.records import Records
from camlib.localization import BoxAccuracy, box_accuracy, centre_box, iou

IOUS = (0.3, 0.5, 0.7)  # of MaxBoxAccV2 (Choe et al. 2020, section 4.2)


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
    """

    pointing: float
    energy: float
    box: BoxAccuracy
    box_v2: BoxAccuracy


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
    corrupt, outside
        Names of pictures that could not be read, and of objects that the crop cut away.
    """

    pictures: int
    objects: int
    average_precision: Float[np.ndarray, " c"]
    top1: float
    localization: Localization | None
    refusal: str
    centre_box: float
    random_box: float
    corrupt: tuple[str, ...]
    outside: tuple[str, ...]

    @property
    def mean_average_precision(self) -> float:
        """Return the mean over the classes that some picture shows."""
        return float(np.nanmean(self.average_precision))

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        figures: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("pictures", "objects", "mean_average_precision", "top1")
        }
        figures["average_precision"] = [
            None if np.isnan(value) else value for value in self.average_precision.tolist()
        ]
        if self.localization is not None:
            figures |= {
                "pointing": self.localization.pointing,
                "energy": self.localization.energy,
                "max_box_acc": self.localization.box.best,
                "threshold": self.localization.box.best_threshold,
                "max_box_acc_v2": self.localization.box_v2.best,
            }
        else:
            figures["refusal"] = self.refusal
        return figures | {
            "centre_box": self.centre_box,
            "random_box": self.random_box,
            "corrupt": list(self.corrupt),
            "outside": list(self.outside),
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
            at = f"  (best threshold {found.box.best_threshold:.2f})"
            rows += [
                ("pointing game", _percent(found.pointing)),
                ("energy in the boxes", _percent(found.energy)),
                ("MaxBoxAcc", _percent(found.box.best) + at),
                ("MaxBoxAccV2", _percent(found.box_v2.best)),
            ]
        rows += [
            ("  a centre box", _percent(self.centre_box)),
            ("  a random box", _percent(self.random_box)),
            ("corrupt pictures", f"{len(self.corrupt)}"),
            ("objects outside the crop", f"{len(self.outside)}"),
        ]
        lines = [f"{name:<26}{value}" for name, value in rows]
        if self.refusal:
            lines.append(f"No maps: {self.refusal}")
        return "\n".join(lines)


def tabulate(records: Records, thresholds: Sequence[float]) -> Table:
    """Count.

    Raises
    ------
    ValueError
        If no picture could be measured.
    """
    if len(records.picture) == 0:
        raise ValueError(
            f"data: expected at least one readable picture, got none ({len(records.corrupt)} are "
            "corrupt). Check the folder and the file of boxes."
        )
    records = _sorted(records)
    guesses = [_share_met(records, corners) for corners in (_centred, _scattered)]
    top = records.logits.argmax(axis=1)
    refused = len(records.refusal) > 0
    return Table(
        pictures=len(records.picture),
        objects=len(records.owner),
        average_precision=_average_precision(records),
        top1=float(records.present[np.arange(len(top)), top].mean()),
        localization=None if refused else _localization(records, thresholds),
        refusal=str(records.refusal[0]) if refused else "",
        centre_box=guesses[0],
        random_box=guesses[1],
        corrupt=tuple(sorted(records.corrupt.tolist())),
        outside=tuple(sorted(records.outside.tolist())),
    )


def _sorted(records: Records) -> Records:
    """Bring pictures into the data set's order, so that sums are rounded in one way only."""
    order = np.argsort(records.picture, kind="stable")
    return dataclasses.replace(
        records,
        picture=records.picture[order],
        logits=records.logits[order],
        present=records.present[order],
    )


def _average_precision(records: Records) -> Float[np.ndarray, " c"]:
    precision = np.full(records.present.shape[1], np.nan)
    for category in np.flatnonzero(records.present.any(axis=0)):
        precision[category] = average_precision_score(
            records.present[:, category], records.logits[:, category]
        )
    return precision


def _localization(records: Records, thresholds: Sequence[float]) -> Localization:
    return Localization(
        pointing=float(records.hit.mean()),
        energy=_mean(records.energy),
        box=box_accuracy(records.largest, thresholds, (0.5,)),
        box_v2=box_accuracy(records.every, thresholds, IOUS),
    )


def _share_met(records: Records, corners: Any) -> float:
    """Return how often a box of the mean size, put by ``corners``, meets one of the true boxes."""
    width, height = (records.box[:, 2:] - records.box[:, :2]).mean(axis=0)
    guesses = corners(records, float(height), float(width))
    met = iou(guesses[records.of], records.box) >= 0.5
    found = np.unique(records.of[met])
    return len(found) / len(records.owner)


def _centred(records: Records, height: float, width: float) -> Int[np.ndarray, "m 4"]:
    return np.array([centre_box(down, across, height, width) for down, across in records.size])


def _scattered(records: Records, height: float, width: float) -> Int[np.ndarray, "m 4"]:
    """Put the boxes at random, each by its picture's and class's number: the same on every run."""
    boxes = []
    for owner, category, (down, across) in zip(
        records.owner, records.category, records.size, strict=True
    ):
        random = np.random.RandomState([int(owner), int(category)])
        x0, y0, x1, y1 = centre_box(int(down), int(across), height, width)
        x = random.randint(0, max(int(across) - (x1 - x0), 0) + 1)
        y = random.randint(0, max(int(down) - (y1 - y0), 0) + 1)
        boxes.append((x, y, x + x1 - x0, y + y1 - y0))
    return np.array(boxes)


def _mean(values: np.ndarray) -> float:
    """Add in order of size: the result does not depend on who measured what."""
    return float(np.sort(values).mean())


def _percent(share: float) -> str:
    return f"{100 * share:5.1f} %"
