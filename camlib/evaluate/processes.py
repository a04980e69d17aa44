"""One process or several: under torchrun each takes its share of the chunks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed


@dataclass(frozen=True)
class Processes:
    """Who this process is among those that work together.

    Attributes
    ----------
    rank
        From 0; the first one prints.
    count
        How many there are.
    """

    rank: int
    count: int

    def say(self, value: Any) -> Any:
        """Return what the first process passes, in all of them."""
        if self.count == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def processes() -> Iterator[Processes]:
    """Join the other processes that torchrun has started, if any."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(0, 1)
        return
    # Only short texts travel, so the network of CPUs does for GPUs as well.
    distributed.init_process_group("gloo")
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()


def pick_device(asked: str, rank: int) -> torch.device:
    """Return the device asked for; "auto": this process's GPU if there is one, else the CPU."""
    if asked != "auto":
        return torch.device(asked)
    if torch.cuda.is_available():
        return torch.device("cuda", rank % torch.cuda.device_count())
    return torch.device("cpu")
