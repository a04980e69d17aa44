"""The peak of memory: the system's own word for it, and a process that fails."""

import sys
from pathlib import Path

import pytest

from benchmarks import memory


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_peak_is_what_the_system_says() -> None:
    """The kernel notes the same high-water mark in kilobytes of 1024 bytes, as VmHWM."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (noted,) = (int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    assert memory.resident() == pytest.approx(1024 * noted, rel=0.05)


def test_a_process_that_fails_is_not_a_measurement() -> None:
    """No contestant has this name: the message names it, and ends in the process's own words."""
    with pytest.raises(RuntimeError, match=r"nothing on resnet50: expected its peak") as caught:
        memory.peak("resnet50", "nothing", 1)
    assert "Error" in str(caught.value)
