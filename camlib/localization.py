"""Layer 3: how well a map finds the object, in the field's own measures.

Boxes are half-open, (x0, y0, x1, y1) in pixels: x1 - x0 is the width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from torch import Tensor

from camlib.errors import check_choice, check_maps, describe
from camlib.regions import above, region_boxes

# Choe et al. 2020 search the threshold in steps of one hundredth.
THRESHOLDS = tuple(round(0.01 * step, 2) for step in range(1, 100))
Box = tuple[int, int, int, int]


def box_from_map(map: Float[Tensor, "h w"], threshold: float = 0.2) -> Box:
    r"""Draw a box around the largest connected region above a part of the map's maximum.

    .. math:: \{(x, y) : M(x, y) > \tau \, \max M\}

    Parameters
    ----------
    map
        One map, shape (h, w), at the size at which the box is wanted: upsample it first.
    threshold
        The part :math:`\tau` of the maximum, between 0 and 1.

    Returns
    -------
    tuple
        The half-open box (x0, y0, x1, y1) in pixels of the map.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or range, or the map singles out no place: if no
        value is positive, or all are equal.

    Notes
    -----
    Zhou et al. 2016, section 3.2.

    Examples
    --------
    >>> import torch
    >>> box_from_map(torch.tensor([[0.0, 9.0, 8.0], [0.0, 0.0, 1.0]]))
    (1, 0, 3, 1)
    """
    found = region_boxes(above(map, threshold))
    low, high = (float(bound) for bound in torch.aminmax(map))
    if high <= 0 or low == high:
        what = "no positive value" if high <= 0 else f"{high:g} everywhere"
        raise ValueError(
            f"map: expected some places to stand out, got {what}. There is no evidence to draw a "
            "box around: leave this map out, or count it as a miss."
        )
    x0, y0, x1, y1 = found[0].tolist()
    return x0, y0, x1, y1


def iou(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    r"""Return the intersection over the union of boxes.

    .. math:: \mathrm{IoU}(A, B) = \frac{|A \cap B|}{|A \cup B|}

    Parameters
    ----------
    a, b
        Half-open boxes (x0, y0, x1, y1), shapes (..., 4), which are broadcast against each other.

    Returns
    -------
    numpy.ndarray
        From 0 (apart) to 1 (equal), without the last axis.

    Raises
    ------
    ValueError
        If a box does not have four numbers, or is empty.

    Examples
    --------
    >>> float(iou((0, 0, 2, 2), (1, 0, 3, 2)))  # 2 pixels of 6
    0.3333333333333333
    """
    first, second = _check_boxes("a", a), _check_boxes("b", b)
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    both = (high - low).clip(0).prod(axis=-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(axis=-1) for boxes in (first, second)]
    return both / (areas[0] + areas[1] - both)


def pointing_game(maps: Float[Tensor, "n h w"], targets: Bool[Tensor, "n h w"]) -> np.ndarray:
    """Say for each map whether its highest value lies on the target.

    Parameters
    ----------
    maps
        Maps, shape (n, h, w), at the targets' size.
    targets
        Where each object is, true or false, same shape: its mask, or its box filled in.

    Returns
    -------
    numpy.ndarray
        True or false, shape (n,). A map without any positive value points nowhere: false. Of
        several highest places the first counts, row by row.

    Raises
    ------
    TypeError, ValueError
        If maps and targets are not of one shape, or a map holds NaN or infinity.

    Notes
    -----
    Zhang et al. 2018, section 4.2, without their tolerance of 15 pixels.
    """
    _check_targets(maps, targets)
    flat = maps.flatten(1)
    peaks, places = flat.max(dim=1)
    on_target = targets.flatten(1).gather(1, places[:, None])[:, 0]
    hits: np.ndarray = (on_target & (peaks > 0)).cpu().numpy()
    return hits


def energy_inside(maps: Float[Tensor, "n h w"], targets: Bool[Tensor, "n h w"]) -> np.ndarray:
    r"""Return the share of each map's positive evidence that lies on the target.

    .. math:: \frac{\sum_{(x, y) \in T} \max(M, 0)}{\sum_{x, y} \max(M, 0)}

    Parameters
    ----------
    maps, targets
        As in :func:`pointing_game`.

    Returns
    -------
    numpy.ndarray
        From 0 to 1, shape (n,); 0 for a map without positive values.

    Notes
    -----
    The energy-based pointing game of Wang et al. 2020, section 4.3.
    """
    _check_targets(maps, targets)
    positive = maps.clamp(min=0).double()
    inside = (positive * targets).sum(dim=(1, 2))
    share: np.ndarray = (inside / positive.sum(dim=(1, 2)).clamp(min=1e-300)).cpu().numpy()
    return share


@dataclass(frozen=True)
class BoxAccuracy:
    """The share of maps whose box is right, for every threshold.

    Attributes
    ----------
    thresholds
        Parts of the maximum, ascending.
    accuracy
        For each IoU that counts as right, and each threshold: shape (d, t), 0 to 1.
    ious
        The least IoU that counts as right.
    """

    thresholds: tuple[float, ...]
    ious: tuple[float, ...]
    accuracy: Float[np.ndarray, "d t"]

    @property
    def best(self) -> float:
        """Return the largest accuracy over all thresholds, averaged over the IoUs."""
        return float(self.accuracy.max(axis=1).mean())

    @property
    def best_threshold(self) -> float:
        """Return the threshold with the largest accuracy, averaged over the IoUs."""
        return self.thresholds[int(self.accuracy.mean(axis=0).argmax())]

    def at(self, threshold: float) -> float:
        """Return the accuracy at one of the thresholds, averaged over the IoUs."""
        return float(self.accuracy[:, self.thresholds.index(threshold)].mean())


def max_box_acc(
    maps: Float[Tensor, "n h w"],
    boxes: Sequence[ArrayLike],
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    ious: Sequence[float] = (0.5,),
    regions: str = "largest",
) -> BoxAccuracy:
    r"""Measure how often the box drawn around a map is right, for every threshold.

    .. math:: \mathrm{MaxBoxAcc}(\delta) = \max_\tau \frac{1}{n} \sum_i
        \big[ \mathrm{IoU}(\mathrm{box}(M_i, \tau), B_i) \ge \delta \big]

    Parameters
    ----------
    maps
        Maps, shape (n, h, w), at the boxes' size.
    boxes
        For each map the true boxes, shape (m, 4) or (4,): one that is met is enough.
    thresholds
        The :math:`\tau` that are tried.
    ious
        The :math:`\delta` that count as right: 0.5, or 0.3, 0.5 and 0.7 for MaxBoxAccV2.
    regions
        "largest": one box a map, around the largest region; "all": a box around each region, of
        which the best counts, as in MaxBoxAccV2.

    Returns
    -------
    BoxAccuracy
        Its ``best`` is the measure's value. A map that singles out no place counts as a miss.

    Raises
    ------
    TypeError, ValueError
        If maps and boxes do not belong together, a box is empty or lies outside the picture, or a
        threshold or IoU is out of range.

    Notes
    -----
    Choe et al. 2020, section 4.
    """
    check_maps("maps", maps)
    check_choice("regions", regions, ("largest", "all"))
    if len(boxes) != len(maps):
        raise ValueError(
            f"boxes: expected true boxes for each of {len(maps)} maps, got {len(boxes)}. "
            "Pass a list with one array of shape (m, 4) for each map."
        )
    both = [best_ious(map, true, thresholds) for map, true in zip(maps.cpu(), boxes, strict=True)]
    reached = np.array(both)[:, 0 if regions == "largest" else 1]
    return box_accuracy(reached, thresholds, ious)


def box_accuracy(
    reached: Float[np.ndarray, "n t"], thresholds: Sequence[float], ious: Sequence[float]
) -> BoxAccuracy:
    """Count how many of n maps reach each IoU at each threshold, given what :func:`best_ious` says."""
    accuracy = np.stack([(reached >= least).mean(axis=0) for least in ious])
    return BoxAccuracy(tuple(thresholds), tuple(ious), accuracy)


def best_ious(
    map: Float[Tensor, "h w"], boxes: ArrayLike, thresholds: Sequence[float] = THRESHOLDS
) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """Return the IoU that one map's boxes reach at each threshold.

    Parameters
    ----------
    map
        One map, shape (h, w), at the boxes' size.
    boxes
        The true boxes, shape (m, 4) or (4,): the one that is met best counts.
    thresholds
        Parts of the map's maximum.

    Returns
    -------
    largest, every
        For the box around the largest region, and for the best of the boxes around all regions;
        shapes (t,), 0 to 1, and 0 for a map that singles out no place.

    Raises
    ------
    TypeError, ValueError
        As :func:`max_box_acc`.
    """
    truth = np.atleast_2d(_check_boxes("boxes", boxes, map.shape))
    reached = np.zeros((2, len(thresholds)))
    low, high = (float(bound) for bound in torch.aminmax(map))
    found = [region_boxes(above(map, threshold)) for threshold in thresholds]
    ends = np.cumsum([len(boxes) for boxes in found])
    met = iou(np.concatenate(found)[:, None], truth).max(axis=1)
    for place, of_threshold in enumerate(np.split(met, ends[:-1])):
        if len(of_threshold) and low < high:
            reached[:, place] = of_threshold[0], of_threshold.max()
    return reached[0], reached[1]


def centre_box(height: int, width: int, box_height: float, box_width: float) -> Box:
    """Return a box of the given size in the middle of a picture: what doing nothing achieves."""
    x0, y0 = round((width - box_width) / 2), round((height - box_height) / 2)
    return x0, y0, x0 + max(1, round(box_width)), y0 + max(1, round(box_height))


def _check_boxes(name: str, boxes: ArrayLike, size: Sequence[int] | None = None) -> np.ndarray:
    """Return boxes as an array if none is empty or, given the picture's size, reaches outside it."""
    array = np.asarray(boxes)
    if array.shape[-1:] != (4,):
        raise ValueError(
            f"{name}: expected boxes (x0, y0, x1, y1), got {describe(array)}. "
            "Pass four numbers a box, half-open."
        )
    if (array[..., 2:] <= array[..., :2]).any():
        raise ValueError(
            f"{name}: expected boxes with x0 < x1 and y0 < y1, got an empty one. "
            "Boxes are half-open: a single pixel is (x, y, x + 1, y + 1)."
        )
    if size is not None and ((array < 0).any() or (array[..., 2:] > [size[1], size[0]]).any()):
        raise ValueError(
            f"{name}: expected boxes inside the picture of {size[0]}×{size[1]} pixels, got "
            f"{array.tolist()}. Are map and boxes at the same size? Upsample the map."
        )
    return array


def _check_targets(maps: Tensor, targets: Tensor) -> None:
    check_maps("maps", maps)
    if not isinstance(targets, Tensor) or targets.dtype != torch.bool:
        raise TypeError(
            f"targets: expected a tensor of true and false, got {describe(targets)}. "
            "Pass a mask: mask.bool()."
        )
    if targets.shape != maps.shape:
        raise ValueError(
            f"targets: expected the maps' shape {tuple(maps.shape)}, got {tuple(targets.shape)}. "
            "Upsample the maps to the pictures' size."
        )
