"""Run a network on pictures and keep what the table needs of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from camlib.command import batches, failures_named
from camlib.errors import NotCAMReadyError, check_axes, check_choice, check_whole, describe
from camlib.evaluate.table import SCALES, Picture, Table, tabulate
from camlib.explain import class_activation_maps, grad_cam, grad_cam_plus_plus
from camlib.inputs import check_network
from camlib.localization import THRESHOLDS, best_ious, energy_inside, pointing_game
from camlib.running import evaluating
from camlib.scaling import min_max
from camlib.upsampling import upsample

BATCH_SIZE = 50  # pictures: at stride 1 the small networks take some megabytes for each

# From a network and images (n, ., H, W) to maps of all classes (n, c, h, w) and logits (n, c).
Method = Callable[[nn.Module, Tensor], tuple[Float[Tensor, "n c h w"], Float[Tensor, "n c"]]]


def _cam(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    cam = class_activation_maps(network, images)
    return cam.maps, cam.logits


def _gradient_maps(explain: Callable[..., Any]) -> Method:
    def method(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
        found = explain(network, images, None)
        return found.maps, found.scores

    return method


METHODS: dict[str, Method] = {
    "cam": _cam,
    "grad-cam": _gradient_maps(grad_cam),
    "grad-cam++": _gradient_maps(grad_cam_plus_plus),
}


class DataSet(Protocol):
    """Pictures and the boxes of what they show, in the form of torchvision's detection data sets.

    A list of pairs will do, or anything else that has a length and gives a pair ``(image, target)``
    for each number below it:

    - ``image``: shape (channels, H, W), as the network reads it; one size for all of a batch.
    - ``target["boxes"]``: shape (m, 4), half-open (x0, y0, x1, y1) in pixels of the image; an empty
      box for an object that the crop cut away.
    - ``target["labels"]``: shape (m,), the class of each box: a logit's number.
    - ``target["image_id"]``, if there is one: what the picture is called in messages.

    A picture that is missing raises ``FileNotFoundError`` and one that cannot be read ``OSError``; it
    is counted and named. Two attributes are used
    if the data have them: ``classes``, the names of all classes, and ``digest``, a text that differs
    where the data differ.
    """

    def __len__(self) -> int:
        """Return the number of pictures."""
        ...

    def __getitem__(self, number: int, /) -> tuple[Tensor, Mapping[str, Any]]:
        """Return a picture and what it shows."""
        ...


def measure(
    network: nn.Module,
    data: DataSet,
    *,
    method: str = "cam",
    thresholds: Sequence[float] = THRESHOLDS,
    batch_size: int = BATCH_SIZE,
) -> Table:
    """Measure what a network says of pictures, and where its maps see it.

    Parameters
    ----------
    network
        From images (n, channels, H, W) to logits (n, c).
    data
        Pictures with boxes, see :class:`DataSet`.
    method
        One of :data:`METHODS`.
    thresholds
        The parts of a map's maximum at which boxes are drawn.
    batch_size
        Pictures at a time.

    Returns
    -------
    Table
        Prints as text.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, the data do not have the form that is described, or no
        picture can be read.

    Examples
    --------
    >>> import camlib, torch
    >>> from torch import nn
    >>> network = nn.Sequential(nn.Conv2d(1, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    >>> data = [(torch.randn(1, 8, 8), {"boxes": [[0, 0, 4, 4]], "labels": [1]})]
    >>> camlib.evaluate.measure(network, data).objects
    1
    """
    check_network(network)
    check_choice("method", method, METHODS)
    check_whole("batch_size", batch_size, 1)
    numbers = range(len(as_data(data)))
    return tabulate(
        measure_pictures(network, data, numbers, method, thresholds, batch_size), thresholds
    )


def as_data(data: Any) -> DataSet:
    """Return the data if they have a length and numbered items, else raise ``TypeError``."""
    if not (hasattr(data, "__len__") and hasattr(data, "__getitem__")):
        raise TypeError(
            f"data: expected a list or data set of pairs (image, target), got {describe(data)}. "
            "camlib.evaluate.DataSet says what is needed."
        )
    found: DataSet = data
    return found


def measure_pictures(
    network: nn.Module,
    data: DataSet,
    numbers: range,
    method: str,
    thresholds: Sequence[float],
    batch_size: int,
) -> list[Picture]:
    """Measure the pictures with these numbers."""
    found: list[Picture] = []
    names = getattr(data, "classes", ())
    for some in batches(numbers, batch_size):
        read = [_read(data, number) for number in some]
        found += [picture for image, picture in read if image is None]
        whole = [(image, picture) for image, picture in read if image is not None]
        if whole:
            images, pictures = zip(*whole, strict=True)
            found += _measured(
                network, _stacked(images), pictures, METHODS[method], thresholds, names
            )
    return found


def _read(data: DataSet, number: int) -> tuple[Tensor | None, Picture]:
    """Return an image, or None if it cannot be read, and what is known before it is measured."""
    try:
        item: Any = data[number]
    except FileNotFoundError as error:
        return None, Picture(number, str(error), unread="missing")
    except OSError as error:
        return None, Picture(number, str(error), unread="corrupt")
    where = f"data[{number}]"
    try:
        image, target = item
        boxes = torch.as_tensor(target["boxes"]).double().reshape(-1, 4).round().long()
        labels = torch.as_tensor(target["labels"]).reshape(len(boxes)).long()
    except (TypeError, ValueError, KeyError, IndexError, RuntimeError) as error:
        raise ValueError(
            f'{where}: expected (image, {{"boxes": ..., "labels": ...}}) with boxes of shape (m, 4) '
            f"and labels of shape (m,), got {describe(item)} ({error!r}). "
            "camlib.evaluate.DataSet says what is needed."
        ) from error
    height, width = check_axes(f"{where}: image", image, "channels h w").shape[1:]
    low, high = boxes[:, :2], boxes[:, 2:]
    if (low < 0).any() or (high < low).any() or (high > torch.tensor([width, height])).any():
        raise ValueError(
            f"{where}: expected boxes (x0, y0, x1, y1) inside the image of {height}×{width} pixels, "
            f"got {boxes.tolist()}. Give them in pixels of the image that the network reads."
        )
    kept = (low < high).all(dim=1)
    name = str(target.get("image_id", number))
    classes = dict(enumerate(getattr(data, "classes", ())))
    return image, Picture(
        number,
        name,
        size=(height, width),
        boxes={label: boxes[kept & (labels == label)] for label in set(labels.tolist())},
        outside=[f"{name} ({classes.get(label, label)})" for label in labels[~kept].tolist()],
    )


def _stacked(images: Sequence[Tensor]) -> Tensor:
    sizes = {tuple(image.shape) for image in images}
    if len(sizes) > 1:
        raise ValueError(
            f"data: expected images of one shape in a batch, got {sorted(sizes)}. Crop them, or "
            "measure one at a time: batch_size=1."
        )
    return torch.stack(list(images))


def _measured(
    network: nn.Module,
    images: Float[Tensor, "n channels H W"],
    pictures: Sequence[Picture],
    method: Method,
    thresholds: Sequence[float],
    names: Sequence[str],
) -> list[Picture]:
    """Run the network once on a batch, and compare its maps with the boxes."""
    images = images.to(next(network.parameters()).device)
    maps, refusal = None, ""
    with failures_named(type(network).__name__, images):
        try:
            maps, logits = method(network, images)
        except NotCAMReadyError as error:
            # The network can still be asked what it sees, only not where.
            refusal = str(error)
            with evaluating(network):
                logits = network(images)
    logits = logits.float().cpu()
    if names and len(names) != logits.shape[1]:
        raise ValueError(
            f"classes: expected a name for each of the network's {logits.shape[1]} logits, got "
            f"{len(names)}, {names[0]!r} to {names[-1]!r}. Name all, in the order of training."
        )
    found = []
    for row, picture in enumerate(pictures):
        _check_labels(picture, logits.shape[1])
        picture = dataclasses.replace(picture, logits=logits[row].clone(), refusal=refusal)
        objects = picture.objects()
        if maps is not None and objects:
            chosen = maps[row, [label for label, _ in objects]].float().cpu()
            picture = _localized(picture, upsample(chosen[None], picture.size)[0], thresholds)
        found.append(picture)
    return found


def _check_labels(picture: Picture, classes: int) -> None:
    wrong = [label for label in picture.boxes if not 0 <= label < classes]
    if wrong:
        raise ValueError(
            f"data[{picture.number}]: expected labels from 0 to {classes - 1}, the network's logits, "
            f"got {wrong}. Number the classes as the network does."
        )


def _localized(
    picture: Picture, maps: Float[Tensor, "m H W"], thresholds: Sequence[float]
) -> Picture:
    """Say for each object's map how well it finds the object's boxes."""
    inside = torch.zeros(maps.shape, dtype=torch.bool)
    reached: dict[str, list[Any]] = {scale: [] for scale in SCALES}
    for map, mask, (_, boxes) in zip(maps, inside, picture.objects(), strict=True):
        for x0, y0, x1, y1 in boxes.tolist():
            mask[y0:y1, x0:x1] = True
        for scale, scaled in zip(SCALES, (map, min_max(map)), strict=True):
            reached[scale].append(best_ious(scaled, boxes, thresholds))
    return dataclasses.replace(
        picture,
        pointing=pointing_game(maps, inside).tolist(),
        energy=energy_inside(maps, inside).tolist(),
        ious={scale: torch.from_numpy(np.array(found)) for scale, found in reached.items()},
    )
