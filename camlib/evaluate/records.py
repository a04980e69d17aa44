"""What is kept of each picture: plain arrays that can be stored, joined and counted later.

Whoever measured a picture, and in which order, the records are the same; so is the table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class Records:
    """n pictures with m objects in all: an object is a class that a picture shows, once or more.

    Attributes
    ----------
    picture
        Each picture's number in the data set, shape (n,).
    logits, present
        What the network says of each class, and what is true, shape (n, c).
    owner
        The number of the picture that each object is in, shape (m,).
    category
        The object's class, shape (m,).
    mapped
        Whether there is a map, shape (m,): else the columns below are 0.
    hit
        Whether the map's highest value lies in one of the object's boxes, shape (m,).
    energy
        The share of the map's positive values in the boxes, shape (m,).
    largest, every
        The IoU reached at each threshold by the box around the largest region, and by the best of
        the boxes around all regions, shape (m, t).
    size
        Height and width of the object's picture, shape (m, 2).
    box, of
        All true boxes, shape (b, 4), and which object each belongs to, shape (b,).
    corrupt, outside
        Names of pictures that could not be read, and of objects that the crop cut away.
    refusal
        Why there are no maps, shape (1,), or nothing, shape (0,).
    """

    picture: Int[np.ndarray, " n"]
    logits: Float[np.ndarray, "n c"]
    present: Bool[np.ndarray, "n c"]
    owner: Int[np.ndarray, " m"]
    category: Int[np.ndarray, " m"]
    mapped: Bool[np.ndarray, " m"]
    hit: Bool[np.ndarray, " m"]
    energy: Float[np.ndarray, " m"]
    largest: Float[np.ndarray, "m t"]
    every: Float[np.ndarray, "m t"]
    size: Int[np.ndarray, "m 2"]
    box: Int[np.ndarray, "b 4"]
    of: Int[np.ndarray, " b"]
    corrupt: np.ndarray
    outside: np.ndarray
    refusal: np.ndarray


def join(several: Sequence[Records]) -> Records:
    """Put records together, in the order given."""
    # Where no picture could be read, it is not known how many classes there are.
    read = [records for records in several if len(records.picture)] or several[:1]
    columns = {
        field.name: np.concatenate([getattr(records, field.name) for records in several])
        for field in dataclasses.fields(Records)
        if field.name not in ("logits", "present")
    }
    # Boxes count their objects from the start of their own records.
    before = np.cumsum([0] + [len(records.owner) for records in several[:-1]])
    columns["of"] = np.concatenate(
        [records.of + offset for records, offset in zip(several, before, strict=True)]
    )
    columns["logits"] = np.concatenate([records.logits for records in read])
    columns["present"] = np.concatenate([records.present for records in read])
    columns["refusal"] = columns["refusal"][:1]
    return Records(**columns)
