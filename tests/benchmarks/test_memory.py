"""The peak of memory: of this process and of no other; and a process that fails."""

import subprocess
import sys

import pytest

from benchmarks import memory
from tooling.repository import ROOT

GROW = """
from benchmarks.memory import resident
print(resident())
block = b"1" * 300_000_000
del block
print(resident())
"""


def test_the_peak_is_the_process_s_own() -> None:
    """300 MB that are given back stay in the peak; what the parent holds is not in it."""
    block = b"1" * 1_000_000_000
    command = [sys.executable, "-c", GROW]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert before < len(block)
    assert after - before == pytest.approx(300e6, rel=0.2)


def test_a_process_that_fails_is_not_a_measurement() -> None:
    """No contestant has this name: the message names it, and ends in the process's own words."""
    with pytest.raises(RuntimeError, match=r"nothing on resnet50: expected its peak") as caught:
        memory.peak("resnet50", "nothing", 1)
    assert "Error" in str(caught.value)
