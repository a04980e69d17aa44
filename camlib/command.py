"""What the commands ``python -m camlib`` and ``python -m camlib.evaluate`` share."""

from __future__ import annotations

import contextlib
import os
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from camlib.networks.named import LITE0, NamedNetwork, named_network
from camlib.networks.pictures import eval_transforms


def add_network_options(parser: ArgumentParser, network: str = LITE0, more: str = "") -> None:
    """Add the options that name a network and say how pictures are turned into its images."""
    group = parser.add_argument_group("network")
    add = group.add_argument
    add(
        "--network",
        default=network,
        help=f"{more}efficientnet_lite0 or squeezenet1_1, a classifier of torchvision or timm by its name, or "
        "module:function that returns a network, or a network and its transforms (default: %(default)s)",
    )
    add("--weights", type=Path, metavar="FILE", help="its state dict (default: published weights)")
    add(
        "--classes",
        metavar="NAMES",
        help="names of the classes: a file with one per line, or JSON, or the training set's folder",
    )
    add("--mean", nargs="+", type=float, help="of pixels from 0 to 1, as the network was trained")
    add("--std", nargs="+", type=float, help="likewise; one number: grey pictures")
    add("--resize", type=int, help="the shorter side before the crop, in pixels")
    add("--crop", type=int, help="the side of the square that is cut from the middle")
    add(
        "--range", nargs=2, type=float, metavar=("BLACK", "WHITE"),
        help="the values that are black and white in pictures of floats or 32-bit numbers",
    )  # fmt: skip


def network_from(given: Namespace) -> NamedNetwork:
    """Build the network that the options name."""
    if (given.mean is None) != (given.std is None):
        raise ValueError("--mean, --std: expected both or none, got one. Pass the other too.")
    transforms = None
    if given.mean is not None:
        sides = {"resize": given.resize, "crop": given.crop}
        kept = {name: side for name, side in sides.items() if side is not None}
        transforms = eval_transforms(mean=given.mean, std=given.std, **kept)
    elif given.resize is not None or given.crop is not None:
        raise ValueError(
            "--resize, --crop: expected --mean and --std beside them, got none. Pass those that the "
            "network was trained with."
        )
    return named_network(given.network, given.weights, given.classes, transforms)


@contextlib.contextmanager
def failures_named(name: str, images: torch.Tensor) -> Iterator[None]:
    """Turn what a network raises while it runs into a sentence that names it and its images."""
    try:
        yield
    except (ImportError, OSError, TypeError, ValueError):  # said in words already
        raise
    except Exception as error:  # of the user's own code
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            f"network: expected one that reads images of shape {tuple(images.shape[1:])}, got "
            f"{type(error).__name__} from {name}: {reason}. Prepare pictures as in its training: their "
            "size, channels, mean and standard deviation."
        ) from error


def said(error: BaseException) -> str:
    """Return an error's words, with the file where the system raised it."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}. Check the path and its permissions."
    return str(error)


def in_words(transforms: Any) -> str:
    """Return transforms as text, the same in every run: without addresses in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(transforms))


# One process or several: under torchrun each takes its share.


@contextlib.contextmanager
def processes() -> Iterator[tuple[int, int]]:
    """Join the processes that torchrun has started, if any: which one this is, and how many."""
    rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield 0, 1
        return
    # Only short texts are sent, so the network of CPUs is enough for GPUs as well.
    distributed.init_process_group("gloo")
    try:
        yield rank, count
    finally:
        distributed.destroy_process_group()


def said_by_the_first(value: Any) -> Any:
    """Return, in all processes, what the first one passes."""
    box = [value]
    if distributed.is_initialized():
        distributed.broadcast_object_list(box, src=0)
    return box[0]


def wait_for_all() -> None:
    """Wait until every process has come this far."""
    if distributed.is_initialized():
        distributed.barrier()


def device(asked: str, rank: int) -> torch.device:
    """Return the device asked for; "auto": this process's GPU if there is one, else the CPU."""
    if asked != "auto":
        try:
            return torch.empty(0, device=asked).device
        except (AssertionError, NotImplementedError, RuntimeError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f"--device: expected one that PyTorch has here, got {asked!r} ({reason}). Leave it out "
                "for a GPU if there is one, or pass cpu."
            ) from error
    if torch.cuda.is_available():
        return torch.device("cuda", rank % torch.cuda.device_count())
    return torch.device("cpu")


def batches(numbers: range, size: int) -> Iterator[range]:
    """Cut a range into pieces of at most ``size``."""
    for first in range(0, len(numbers), size):
        yield numbers[first : first + size]
