"""Everything that decides how a training turns out, in one place that can be written to a file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, get_args

from camlib.networks.checkpoint import ARCHITECTURES

Precision = Literal["float32", "bfloat16"]
Part = Literal["all", "head"]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the same recipe and garments give the same network.

    Attributes
    ----------
    architecture
        "gap", "gap-max" or "flatten".
    epochs
        Passes over ``scenes`` scenes.
    scenes
        Scenes in an epoch, rounded down to whole batches.
    fresh
        True: new scenes in every epoch, of the same garments; False: the first epoch's every time,
        in another order.
    batch
        Scenes in a step.
    rate
        The learning rate's peak, in the one-cycle schedule of Smith and Topin 2019.
    weight_decay
        AdamW's, as in Loshchilov and Hutter 2019.
    part
        "all" weights are trained, or those of the "head" alone, behind convolutions that stay.
    per_class
        Only the first so many garments of each class; None: all.
    precision
        What convolutions compute in. "bfloat16" is about twice as fast where the processor has
        instructions for it, and slower elsewhere.
    seed
        Of the first weights, the scenes and their order.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    architecture: str = "gap"
    epochs: int = 16
    scenes: int = 16_000
    fresh: bool = True
    batch: int = 128
    rate: float = 1e-2
    weight_decay: float = 1e-2
    part: Part = "all"
    per_class: int | None = None
    precision: Precision = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that no training can follow."""
        _check_choice("architecture", self.architecture, tuple(ARCHITECTURES))
        _check_choice("part", self.part, get_args(Part))
        _check_choice("precision", self.precision, get_args(Precision))
        _check_whole("epochs", self.epochs, 1, 10_000)
        _check_whole("batch", self.batch, 2, 100_000)  # batch normalisation needs two
        _check_whole("scenes", self.scenes, self.batch, 10_000_000)
        _check_whole("seed", self.seed, 0, 100_000)
        if self.per_class is not None:
            _check_whole("per_class", self.per_class, 1, 6000)
        for name in ("rate", "weight_decay"):
            value = getattr(self, name)
            if not 0 <= value <= 1 or (name == "rate" and value == 0):
                raise ValueError(
                    f"{name}: expected a number from 0 to 1, got {value!r}. Start with 0.01."
                )

    @property
    def steps(self) -> int:
        """Return the number of batches in an epoch."""
        return self.scenes // self.batch

    def as_dict(self) -> dict[str, Any]:
        """Return names and values, which JSON can hold."""
        return dataclasses.asdict(self)


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        listed = ", ".join(f'"{choice}"' for choice in choices)
        raise ValueError(
            f'{name}: expected one of {listed}, got {value!r}. Start with "{choices[0]}".'
        )


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(
            f"{name}: expected a whole number from {low} to {high}, got {value!r}. "
            "camlib.garments.Recipe() shows values that work."
        )
