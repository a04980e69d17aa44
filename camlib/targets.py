"""Layer 1: targets of Grad-CAM for networks whose output is not one row of logits for each picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from camlib.errors import check_whole, describe

Target = Callable[[Any], Tensor]


def segmentation(
    index: int, mask: Bool[Tensor, "H W"] | Bool[Tensor, "n H W"] | None = None
) -> Target:
    r"""Return a target for segmentation: a class's mean logit over a region.

    .. math:: S = \frac{1}{|R|} \sum_{q \in R} z_c(q)

    Parameters
    ----------
    index
        The class :math:`c`.
    mask
        The region :math:`R`, shape (H, W) for all pictures or (n, H, W), at the output's size. None:
        the pixels that the network gives to the class.

    Returns
    -------
    Callable
        From the output, logits (n, c, H, W) or torchvision's dictionary of them ("out"), to numbers
        (n,).

    Raises
    ------
    ValueError
        When the network has run: if the output has another shape or no pixel is in the region.

    Examples
    --------
    >>> import torch
    >>> logits = torch.tensor([[[[0.0, 0.0]], [[2.0, -1.0]]]])  # of two classes, at two pixels
    >>> segmentation(1)(logits)  # the left pixel alone is class 1
    tensor([2.])
    """
    check_whole("index", index, 0)
    if mask is not None:
        mask = torch.as_tensor(mask)
        if mask.dtype != torch.bool or mask.ndim not in (2, 3):
            raise ValueError(
                f"mask: expected true and false of shape (H, W) or (n, H, W), got {describe(mask)}. "
                "Compare it: mask > 0."
            )

    def target(output: Any) -> Float[Tensor, " n"]:
        logits = output["out"] if isinstance(output, Mapping) and "out" in output else output
        if not isinstance(logits, Tensor) or logits.ndim != 4 or index >= logits.shape[1]:
            raise ValueError(
                f"segmentation: expected logits of shape (n, c, H, W) with c above {index}, got "
                f"{describe(logits)}. For another output pass run=... that returns such logits."
            )
        region = logits.detach().argmax(dim=1) == index if mask is None else mask.to(logits.device)
        if region.shape[-2:] != logits.shape[-2:]:
            raise ValueError(
                f"mask: expected the size {tuple(logits.shape[-2:])} of the network's output, got "
                f"{tuple(region.shape[-2:])}. Resize it."
            )
        if region.ndim == 3 and len(region) not in (1, len(logits)):
            raise ValueError(
                f"mask: expected one for all pictures, or one for each of {len(logits)}, got "
                f"{len(region)}."
            )
        region = region.expand(len(logits), *region.shape[-2:])
        pixels = region.sum(dim=(1, 2))
        if not pixels.all():
            raise ValueError(
                f"mask: expected at least one pixel in each picture, got {pixels.tolist()}. Without a "
                f"mask the network has to find class {index}: pass one."
            )
        return (logits[:, index] * region).sum(dim=(1, 2)) / pixels

    return target


def detection(
    boxes: Float[Tensor, "m 4"], labels: Sequence[int], *, least_iou: float = 0.5
) -> Target:
    r"""Return a target for detection in one picture: the scores of the detections at these boxes.

    .. math:: S = \sum_i s_{d(i)}, \qquad d(i) = \arg\max_{d: \, l_d = l_i} \mathrm{IoU}(b_d, b_i)

    Parameters
    ----------
    boxes, labels
        The :math:`b_i` as (x0, y0, x1, y1) in pixels, shape (m, 4), and their classes :math:`l_i`:
        what is to be explained, for example one of the network's own detections.
    least_iou
        How well a detection has to meet its box.

    Returns
    -------
    Callable
        From torchvision's output, a list of one dictionary with "boxes", "labels" and "scores", to
        one number (1,).

    Raises
    ------
    ValueError
        When the network has run: if the output has another form, or a box is not met.
    """
    try:
        wanted = torch.as_tensor(boxes, dtype=torch.float64)
        classes = torch.as_tensor(labels)
    except (TypeError, ValueError, RuntimeError):
        wanted = classes = torch.empty(0)
    if (
        wanted.shape != (len(wanted), 4)
        or classes.shape != (len(wanted),)
        or not len(wanted)
        or classes.is_floating_point()
        or not (wanted[:, :2] < wanted[:, 2:]).all()
        or not wanted.isfinite().all()
    ):
        raise ValueError(
            "boxes, labels: expected m boxes (x0, y0, x1, y1) with x0 < x1 and y0 < y1, and m whole "
            f"numbers, got {boxes!r} and {labels!r}. Pass lists, also for one box."
        )

    def target(output: Any) -> Float[Tensor, "1"]:
        if not (
            isinstance(output, Sequence)
            and len(output) == 1
            and isinstance(output[0], Mapping)
            and {"boxes", "labels", "scores"} <= {*output[0]}
        ):
            raise ValueError(
                f"detection: expected a list of one dictionary with boxes, labels and scores, got "
                f"{describe(output)}. Explain one "
                "picture at a time, with run=lambda network, images: network(list(images))."
            )
        found = output[0]
        scores = []
        for box, label in zip(wanted.to(found["boxes"]), classes.tolist(), strict=True):
            overlap = _overlap(found["boxes"].detach(), box) * (found["labels"] == label)
            if not len(overlap) or overlap.max() < least_iou:
                raise ValueError(
                    f"boxes: expected a detection of class {label} with IoU {least_iou:g} at least "
                    f"for {box.tolist()}, got none. Pass one of the network's own boxes."
                )
            scores.append(found["scores"][overlap.argmax()])
        return torch.stack(scores).sum()[None]

    return target


def _overlap(boxes: Float[Tensor, "d 4"], box: Float[Tensor, " 4"]) -> Float[Tensor, " d"]:
    """Return the IoU of each box with one."""
    inner = (torch.minimum(boxes[:, 2:], box[2:]) - torch.maximum(boxes[:, :2], box[:2])).clamp(
        min=0
    )
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    both = inner.prod(dim=1)
    return both / (areas + (box[2:] - box[:2]).prod() - both)
