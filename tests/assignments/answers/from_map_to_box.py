"""Answers to "From map to box" by function: wrong ones, with what is wrong, and right ones of other forms."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import ndimage

Box = Sequence[Any]


def _corners(inside: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(inside)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def _closed(box: Box) -> Box:
    return box[0], box[1], box[2] - 1, box[3] - 1


def _turned(box: Box) -> Box:
    return box[1], box[0], box[3], box[2]


def _sized(box: Box) -> Box:
    return box[0], box[1], box[2] - box[0], box[3] - box[1]


def _first_part(mask: torch.Tensor) -> Box:
    regions, _ = ndimage.label(mask.numpy(), np.ones((3, 3)))
    return _corners(regions == 1)


def _shared(a: Box, b: Box, cut: bool = True, more: int = 0) -> int:
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) + more for i in (0, 1))
    return max(width, 0) * max(height, 0) if cut else width * height


def _area(box: Box, more: int = 0) -> int:
    return (box[2] - box[0] + more) * (box[3] - box[1] + more)


def _iou(a: Box, b: Box, **how: Any) -> float:
    both, more = _shared(a, b, **how), how.get("more", 0)
    return both / (_area(a, more) + _area(b, more) - both)


def _best(found: Box | None, true: np.ndarray) -> float:
    return 0.0 if found is None else max(_iou(found, one) for one in true)


def _silent(map: torch.Tensor) -> bool:
    return bool(map.max() <= 0 or map.min() == map.max())


def _region(kept: torch.Tensor, structure: Any = None, pick: Any = None) -> Box | None:
    """The box around the region with the most cells, or the one that ``pick`` likes best."""
    touching = np.ones((3, 3)) if structure is None else structure
    regions, count = ndimage.label(kept.numpy(), touching)
    if not count:
        return None
    masks = [regions == number for number in range(1, count + 1)]
    return _corners(max(masks, key=pick or np.sum))


def _cut(map: torch.Tensor, threshold: float, **how: Any) -> Box | None:
    return None if _silent(map) else _region(map > threshold * map.max(), **how)


def _around_the_peak(map: torch.Tensor, threshold: float) -> Box | None:
    return _cut(map, threshold, pick=lambda mask: float(map.where(torch.tensor(mask), -1e9).max()))


def _stretched(map: torch.Tensor, threshold: float) -> Box | None:
    low, high = map.min(), map.max()
    return None if _silent(map) else _region((map - low) / (high - low) > threshold)


def _of_magnitude(map: torch.Tensor, threshold: float) -> Box | None:
    return None if _silent(map) else _region(map > threshold * map.abs().max())


def _flooded(map: torch.Tensor, threshold: float) -> list[int] | None:
    """The way of chapter 8."""
    if not map.max() > 0 or bool((map == map[0, 0]).all()):
        return None
    dry = {(row, column) for row, column in (map / map.max() > threshold).nonzero().tolist()}
    largest: list[tuple[int, int]] = []
    while dry:
        region, wet = [], [dry.pop()]
        while wet:
            row, column = wet.pop()
            region.append((row, column))
            beside = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & dry
            wet += beside
            dry -= beside
        largest = max(largest, region, key=len)
    rows, columns = zip(*largest, strict=True)
    return [min(columns), min(rows), max(columns) + 1, max(rows) + 1]


def _peak(map: torch.Tensor) -> tuple[int, int]:
    row, column = divmod(int(map.argmax()), map.shape[1])
    return column, row


def _in_one(place: tuple[int, int], boxes: np.ndarray, beyond: int = 0) -> bool:
    x, y = place
    return any(x0 <= x < x1 + beyond and y0 <= y < y1 + beyond for x0, y0, x1, y1 in boxes.tolist())


def _points(map: torch.Tensor, boxes: np.ndarray) -> bool:
    return bool(map.max() > 0) and _in_one(_peak(map), boxes)


def _shares(reached: np.ndarray, least: float) -> np.ndarray:
    return (reached >= least).mean(0)


def _chosen(reached: np.ndarray, least: float) -> int:
    return int(_shares(reached, least).argmax())


def _centred(w: float, h: float, height: int, width: int) -> Box:
    x0, y0 = round((width - w) / 2), round((height - h) / 2)
    return x0, y0, x0 + round(w), y0 + round(h)


def _sizes(true: np.ndarray) -> np.ndarray:
    return true[:, 2:] - true[:, :2]


def _thrown(size: Any, height: int, width: int, fewer: int = 0) -> list[Box]:
    w, h = size
    rows, columns = range(height - h + 1 - fewer), range(width - w + 1 - fewer)
    return [(x, y, x + w, y + h) for x in columns for y in rows]


WRONG = {
    "box_from_mask": {
        "the last column and row inside": lambda mask: _closed(_corners(mask.numpy())),
        "rows first": lambda mask: _turned(_corners(mask.numpy())),
        "width and height": lambda mask: _sized(_corners(mask.numpy())),
        "the first part alone": _first_part,
    },
    "iou": {
        "negative lengths": lambda a, b: _iou(a, b, cut=False),
        "one more in every length": lambda a, b: _iou(a, b, more=1),
        "divided by both areas": lambda a, b: _shared(a, b) / (_area(a) + _area(b)),
        "Dice": lambda a, b: 2 * _shared(a, b) / (_area(a) + _area(b)),
        "divided by the smaller one": lambda a, b: _shared(a, b) / min(_area(a), _area(b)),
        "nothing shared, ever": lambda a, b: 0.0,
    },
    "best_iou": {
        "the mean": lambda found, true: (
            0.0 if found is None else np.mean([_iou(found, one) for one in true])
        ),
        "the first": lambda found, true: 0.0 if found is None else _iou(found, true[0]),
        "the last": lambda found, true: 0.0 if found is None else _iou(found, true[-1]),
        "None for None": lambda found, true: None if found is None else _best(found, true),
        "the worst": lambda found, true: (
            0.0 if found is None else min(_iou(found, one) for one in true)
        ),
    },
    "box_from_map": {
        "corners do not touch": lambda map, threshold: _cut(
            map, threshold, structure=ndimage.generate_binary_structure(2, 1)
        ),
        "around all": lambda map, threshold: (
            _cut(map, threshold, pick=None) and _corners((map > threshold * map.max()).numpy())
        ),
        "the region with the peak": _around_the_peak,
        "the largest box": lambda map, threshold: _cut(
            map, threshold, pick=lambda mask: _area(_corners(mask))
        ),
        "a part of the way from the minimum": _stretched,
        "a part of the largest magnitude": _of_magnitude,
        "the threshold as a value": lambda map, threshold: (
            None if _silent(map) else _region(map > threshold)
        ),
        "at the threshold, too": lambda map, threshold: (
            None if _silent(map) else _region(map >= threshold * map.max())
        ),
        "a box in any case": lambda map, threshold: _region(map > threshold * map.max()),
        "the last column and row inside": lambda map, threshold: (
            _cut(map, threshold) and _closed(_cut(map, threshold))
        ),
        "the map changed": lambda map, threshold: (
            None if _silent(map) else _region(map.div_(map.max()) > threshold)
        ),
    },
    "points_at": {
        "in the last column and row": lambda map, boxes: (
            bool(map.max() > 0) and _in_one(_peak(map), boxes, beyond=1)
        ),
        "maps without a positive value": lambda map, boxes: _in_one(_peak(map), boxes),
        "rows for columns": lambda map, boxes: _points(map, boxes[:, [1, 0, 3, 2]]),
        "the largest magnitude": lambda map, boxes: (
            bool(map.max() > 0) and _in_one(_peak(map.abs()), boxes)
        ),
        "the first box alone": lambda map, boxes: _points(map, boxes[:1]),
        "always": lambda map, boxes: True,
    },
    "hit_shares": {
        "more than": lambda reached, least: (reached > least).mean(0),
        "for each map": lambda reached, least: (reached >= least).mean(1),
        "a number of hits": lambda reached, least: (reached >= least).sum(0),
        "one half": lambda reached, least: _shares(reached, 0.5),
        "the mean": lambda reached, least: reached.mean(0),
    },
    "best_accuracy": {
        "each map its own threshold": lambda reached, leasts: np.mean(
            [(reached >= least).any(1).mean() for least in leasts]
        ),
        "one threshold for all bounds": lambda reached, leasts: np.mean(
            [_shares(reached, least) for least in leasts], axis=0
        ).max(),
        "the first bound": lambda reached, leasts: _shares(reached, leasts[0]).max(),
        "the best bound": lambda reached, leasts: max(
            _shares(reached, least).max() for least in leasts
        ),
        "the mean over the thresholds": lambda reached, leasts: np.mean(
            [_shares(reached, least).mean() for least in leasts]
        ),
    },
    "choose_threshold": {
        "its place": lambda reached, thresholds, least: _chosen(reached, least),
        "by the mean IoU": lambda reached, thresholds, least: thresholds[
            int(reached.mean(0).argmax())
        ],
        "the largest of equals": lambda reached, thresholds, least: thresholds[
            len(thresholds) - 1 - int(_shares(reached, least)[::-1].argmax())
        ],
        "its share": lambda reached, thresholds, least: _shares(reached, least).max(),
    },
    "honest_accuracy": {
        "the best here": lambda there, here, thresholds, least: _shares(here, least).max(),
        "the best there": lambda there, here, thresholds, least: _shares(there, least).max(),
        "the threshold": lambda there, here, thresholds, least: thresholds[_chosen(there, least)],
        "here and there exchanged": lambda there, here, thresholds, least: _shares(there, least)[
            _chosen(here, least)
        ],
    },
    "centre_box": {
        "width for height": lambda true, height, width: _centred(
            *_sizes(true).mean(0), width, height
        ),
        "the mean box": lambda true, height, width: [round(one) for one in true.mean(0).tolist()],
        "the size": lambda true, height, width: _sized(
            _centred(*_sizes(true).mean(0), height, width)
        ),
        "the first box": lambda true, height, width: _centred(*_sizes(true)[0], height, width),
    },
    "chance": {
        "the last places left out": lambda size, true, height, width, least: np.mean(
            [_iou(box, one) >= least for box in _thrown(size, height, width, 1) for one in true]
            or [0.0]
        ),
        "more than": lambda size, true, height, width, least: np.mean(
            [_iou(box, one) > least for box in _thrown(size, height, width) for one in true]
        ),
        "any of the boxes": lambda size, true, height, width, least: np.mean(
            [_best(box, true) >= least for box in _thrown(size, height, width)]
        ),
        "the mean IoU": lambda size, true, height, width, least: np.mean(
            [_iou(box, one) for box in _thrown(size, height, width) for one in true]
        ),
    },
}


def _by_numpy(mask: torch.Tensor) -> tuple[Any, ...]:
    rows, columns = np.nonzero(mask.numpy())
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def _by_tensors(a: Box, b: Box) -> torch.Tensor:
    first, second = (torch.as_tensor(box).double() for box in (a, b))
    low, high = torch.maximum(first, second)[:2], torch.minimum(first, second)[2:]
    both = (high - low).clamp(min=0).prod()
    areas = [(box[2:] - box[:2]).prod() for box in (first, second)]
    return both / (areas[0] + areas[1] - both)


ALSO_RIGHT = {
    "box_from_mask": (
        _by_numpy,
        lambda mask: torch.tensor(_corners(mask.numpy())),
        lambda mask: [
            int(mask.any(0).int().argmax()),
            int(mask.any(1).int().argmax()),
            mask.shape[1] - int(mask.any(0).flip(0).int().argmax()),
            mask.shape[0] - int(mask.any(1).flip(0).int().argmax()),
        ],
    ),
    "iou": (_by_tensors, lambda a, b: np.float64(_iou(list(a), list(b)))),
    "best_iou": (
        lambda found, true: (
            0 if found is None else torch.stack([_by_tensors(found, one) for one in true]).max()
        ),
    ),
    "box_from_map": (_flooded, lambda map, threshold: _cut(map.double(), threshold)),
    "points_at": (
        lambda map, boxes: torch.tensor(_points(map, boxes)),
        lambda map, boxes: np.bool_(_points(map, boxes)),
        lambda map, boxes: any(
            bool(map.max() > 0 and map[y0:y1, x0:x1].max() == map.max())
            for x0, y0, x1, y1 in boxes.tolist()
        ),
    ),
    "hit_shares": (
        lambda reached, least: [float(np.mean(column >= least)) for column in reached.T],
        lambda reached, least: torch.tensor(_shares(reached, least)),
    ),
    "best_accuracy": (
        lambda reached, leasts: (
            sum(float(_shares(reached, least).max()) for least in leasts) / len(leasts)
        ),
    ),
    "choose_threshold": (
        lambda reached, thresholds, least: max(
            zip(_shares(reached, least), thresholds, strict=True),
            key=lambda pair: (pair[0], -pair[1]),
        )[1],
        lambda reached, thresholds, least: np.array(thresholds)[_chosen(reached, least)],
    ),
    "honest_accuracy": (
        lambda there, here, thresholds, least: torch.tensor(
            _shares(here, least)[_chosen(there, least)]
        ),
    ),
    "centre_box": (
        lambda true, height, width: torch.tensor(
            _centred(*_sizes(true).mean(0).tolist(), height, width)
        ),
        lambda true, height, width: np.array(_centred(*_sizes(true).mean(0), height, width), float),
    ),
    "chance": (
        lambda size, true, height, width, least: (
            sum(_iou(box, one) >= least for box in _thrown(size, height, width) for one in true)
            / len(_thrown(size, height, width))
            / len(true)
        ),
    ),
}
