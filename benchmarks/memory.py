"""How much memory the maps of gradients take: the peak of a process that does nothing else.

The peak holds Python, torch, the other libraries and the network too, for every contestant alike:
compare it with that of the bare forward pass.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch

from benchmarks import contestants
from benchmarks.goals import BARE, Result
from tooling.repository import ROOT

RUNS = 2  # what is kept from one call to the next counts too
STATUS = Path("/proc/self/status")


def measure(networks: Iterable[str], threads: int, *, quick: bool = False) -> Iterator[Result]:
    """Measure the contestants for ten classes and more, and the bare pass, one picture each."""
    for network in networks:
        names = [name for name in _makers(network) if name.endswith(("10 maps", "1000 maps"))]
        if names:  # some networks have no race of gradients
            measured = [BARE, *names][: 2 if quick else None]
            peaks = {name: [peak(network, name, threads) / 1e9] for name in measured}
            yield Result(network, 1, peaks, unit="MB")


def peak(network: str, name: str, threads: int) -> int:
    """Return the most bytes that a process of its own had in memory.

    Raises
    ------
    RuntimeError
        If the process fails; the message ends in what it said.
    """
    command = [sys.executable, "-m", "benchmarks.memory", network, name, str(threads)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{name} on {network}: expected its peak of memory, got exit status "
            f"{done.returncode}. Run it by itself: {command[1:]}.\n{done.stderr[-2000:]}"
        )
    return int(done.stdout.split()[-1])


def main(arguments: Sequence[str]) -> int:
    """Run one contestant and return the peak of this process."""
    network, name, threads = arguments
    torch.set_num_threads(int(threads))
    run = _makers(network)[name](contestants.task(network, 1))
    for _ in range(RUNS):
        run()
    return resident()


def resident() -> int:
    """Return the most bytes that this process has had in memory so far."""
    if STATUS.exists():  # on Linux ru_maxrss starts at what the parent had in memory
        lines = STATUS.read_text(encoding="utf-8").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _makers(network: str) -> dict[str, Callable[[contestants.Task], contestants.Run]]:
    """Return all that takes part in a race of gradients on a network."""
    from benchmarks import races  # here: nothing else in this module needs the other libraries

    found = [race.makers for race in races.RACES if network in race.on and not race.every_batch]
    return {name: make for makers in found for name, make in makers.items()}


if __name__ == "__main__":
    print(main(sys.argv[1:]))
