"""Layer 3: train a network on scenes of garments; an interrupted training can be resumed."""

from __future__ import annotations

import dataclasses
import io
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from camlib.errors import check_choice, check_whole
from camlib.garments.fashion_mnist import Garments
from camlib.garments.scenes import Scenes, make_scenes
from camlib.networks.checkpoint import ARCHITECTURES, build, replace_file

# The seeds of a recipe's scenes lie this far apart, so that no two recipes share an epoch.
_SEEDS_APART = 10_000

Precision = Literal["float32", "bfloat16"]
Part = Literal["all", "head"]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the same recipe and garments give the same network.

    Attributes
    ----------
    architecture
        "gap", "gap-max", "flatten" or "resnet50".
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
    epochs: Annotated[int, "passes over the scenes"] = 16
    scenes: Annotated[int, "scenes in an epoch"] = 16_000
    fresh: Annotated[bool, "make new scenes in every epoch"] = True
    batch: Annotated[int, "scenes in a step"] = 128
    rate: Annotated[float, "the learning rate's peak"] = 1e-2
    weight_decay: Annotated[float, "AdamW's"] = 1e-2
    part: Annotated[Part, "which weights are trained"] = "all"
    per_class: Annotated[int | None, "only the first so many garments of each class"] = None
    precision: Annotated[Precision, "bfloat16 is faster on processors that compute in it"] = (
        "float32"
    )
    seed: Annotated[int, "of weights, scenes and their order"] = 0

    def __post_init__(self) -> None:
        """Refuse values that no training can follow."""
        check_choice("architecture", self.architecture, ARCHITECTURES)
        check_choice("part", self.part, get_args(Part))
        check_choice("precision", self.precision, get_args(Precision))
        for name, low, high, advice in (
            ("epochs", 1, 10_000, ""),
            ("batch", 2, 100_000, "Batch normalisation needs two scenes."),
            ("scenes", self.batch, 10_000_000, "An epoch has one batch or more."),
            ("per_class", 1, 6000, "Pass None for all."),
            ("seed", 0, 100_000, ""),
        ):
            value = getattr(self, name)
            if name != "per_class" or value is not None:
                object.__setattr__(self, name, check_whole(name, value, low, high, advice))
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


@dataclass(frozen=True)
class Trained:
    """A trained network, and how it came about.

    Attributes
    ----------
    network
        In evaluation mode.
    recipe
        What was asked for.
    losses
        The mean loss of each epoch.
    seconds
        The time of each epoch in seconds.
    garments
        The SHA-256 of the garments.
    """

    network: nn.Module
    recipe: Recipe
    losses: list[float]
    seconds: list[float]
    garments: str


@dataclass
class _State:
    """What changes from epoch to epoch, and is kept for resuming."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


_PARTS = ("network", "optimizer", "schedule")  # of the state, those that have a state_dict


def train(
    recipe: Recipe,
    garments: Garments,
    *,
    start: nn.Module | None = None,
    unfinished: str | Path | None = None,
    progress: bool = False,
) -> Trained:
    r"""Train a network to name the garments in a scene.

    Each of the ten classes is a question of its own, answered by a logit :math:`z_c`; the loss is
    the mean binary cross-entropy over scenes and classes,

    .. math:: -\big[ y_c \log \sigma(z_c) + (1 - y_c) \log(1 - \sigma(z_c)) \big] .

    Parameters
    ----------
    recipe
        How.
    garments
        Those for training.
    start
        A network whose weights are the first ones; it is not changed. None: random weights.
    unfinished
        A file that keeps the state after every epoch. If it exists, training resumes from it, with
        the same result as without the interruption.
    progress
        Show a bar.

    Returns
    -------
    Trained
        The network and its history.

    Raises
    ------
    ValueError
        If the garments are those for testing, ``start`` has other weights, or ``unfinished``
        is damaged or belongs to another training.
    RuntimeError
        If the loss is no longer a number.
    OSError
        If the state cannot be written; the last one stays.

    Notes
    -----
    The global random generator is left as it was; threads are the caller's.
    """
    if garments.split != "train":
        raise ValueError(
            f'garments: expected those of "train", got "{garments.split}". What is trained on '
            'cannot be measured on: load_garments("train").'
        )
    state = _begin(recipe, start)
    path = None if unfinished is None else Path(unfinished)
    ticket = {"recipe": recipe.as_dict(), "garments": garments.digest}
    if path is not None and path.exists():
        _restore(state, path, ticket)
    bar = tqdm(
        total=recipe.epochs * recipe.steps,
        initial=len(state.losses) * recipe.steps,
        disable=not progress,
        desc=recipe.architecture,
        unit="batch",
    )
    with bar, torch.enable_grad():
        for epoch in range(len(state.losses), recipe.epochs):
            began = time.perf_counter()
            state.losses.append(_epoch(state, recipe, garments, epoch, bar))
            state.seconds.append(time.perf_counter() - began)
            if path is not None:
                _keep(state, path, ticket)
    network = state.network.eval().requires_grad_(True).to(memory_format=torch.contiguous_format)
    return Trained(network, recipe, state.losses, state.seconds, garments.digest)


def _begin(recipe: Recipe, start: nn.Module | None) -> _State:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = build(recipe.architecture)
    if start is not None:
        try:
            network.load_state_dict(start.state_dict())
        except RuntimeError as error:
            raise ValueError(
                f'start: expected the weights of a network "{recipe.architecture}", got those of '
                f"{type(start).__name__}: {error}. Name its architecture in the recipe."
            ) from error
    network = network.to(memory_format=torch.channels_last)  # the faster one on a CPU
    network.requires_grad_(recipe.part == "all")
    head = "fc" if recipe.architecture == "resnet50" else "classifier"
    network.get_submodule(head).requires_grad_(True)
    optimizer = torch.optim.AdamW(
        [weight for weight in network.parameters() if weight.requires_grad],
        lr=recipe.rate,
        weight_decay=recipe.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.rate, total_steps=recipe.epochs * recipe.steps
    )
    return _State(network, optimizer, schedule)


def _epoch(state: _State, recipe: Recipe, garments: Garments, epoch: int, bar: Any) -> float:
    """Take one pass over an epoch's scenes and return the mean loss."""
    random = np.random.RandomState(recipe.seed * _SEEDS_APART + epoch)
    seed = recipe.seed * _SEEDS_APART + (epoch if recipe.fresh else 0)
    scenes = make_scenes(garments, recipe.steps * recipe.batch, seed)
    labels = scenes.labels()
    order = random.permutation(recipe.steps * recipe.batch).reshape(recipe.steps, recipe.batch)
    mirrored = random.random_sample(order.shape) < 0.5
    # Of a head alone nothing differs in training; the statistics of the convolutions stay.
    state.network.train(recipe.part == "all")
    losses = torch.zeros(recipe.steps)
    for step, (chosen, flip) in enumerate(zip(order, mirrored, strict=True)):
        images = _batch(scenes, chosen, flip)
        losses[step] = _step(state, recipe, images, labels[torch.from_numpy(chosen)])
        bar.update()
        bar.set_postfix_str(f"loss {losses[step]:.3f}", refresh=False)
    mean = float(losses.mean())
    if not np.isfinite(mean):
        raise RuntimeError(
            f"training: expected a finite loss, got {mean} in epoch {epoch + 1}. "
            f"Lower the rate: {recipe.rate} is too high for this recipe."
        )
    return mean


def _batch(scenes: Scenes, chosen: np.ndarray, flip: np.ndarray) -> Tensor:
    """Return some of the scenes, a few of them mirrored: a mirrored garment is still one."""
    images = scenes[chosen].images()
    images[flip] = images[flip].flip(-1)
    return images.contiguous(memory_format=torch.channels_last)


def _step(state: _State, recipe: Recipe, images: Tensor, labels: Tensor) -> Tensor:
    half = recipe.precision == "bfloat16"
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = state.network(images)
    loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), labels)
    state.optimizer.zero_grad()
    torch.autograd.backward(loss)
    state.optimizer.step()
    state.schedule.step()
    return loss.detach()


def _keep(state: _State, path: Path, ticket: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    parts = {name: getattr(state, name).state_dict() for name in _PARTS}
    torch.save({**ticket, **parts, "losses": state.losses, "seconds": state.seconds}, buffer)
    replace_file(path, buffer.getvalue())


def _restore(state: _State, path: Path, ticket: dict[str, Any]) -> None:
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
        differs = [name for name, value in ticket.items() if kept[name] != value]
    except Exception as error:  # torch raises many kinds for what is no file of its own
        raise ValueError(
            f"{path}: expected the state of an interrupted training, got a damaged file ({error}). "
            "Remove it to begin again."
        ) from error
    if differs:
        raise ValueError(
            f"{path}: expected the state of this training, got one with another "
            f"{' and other '.join(differs)}. Resume that one, or name another file."
        )
    for name in _PARTS:
        getattr(state, name).load_state_dict(kept[name])
    state.losses, state.seconds = kept["losses"], kept["seconds"]
