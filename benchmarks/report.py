"""The results as a table, as JSON, and as a verdict."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.goals import BARE, Result, Verdict
from benchmarks.timing import paired_ratio

PACKAGES = ("camlib", "torch", "torchvision", "torchcam", "grad-cam", "captum")
HEAD = ("network", "batch", "contestant", "median", "unit", "ratio", "quartiles", "rounds")
WORDS = ("network", "contestant", "unit")
Row = dict[str, Any]


def rows(results: Iterable[Result]) -> list[Row]:
    """Summarise each contestant over its rounds, relative to the bare forward pass beside it, if any."""
    return [
        {
            "subject": result.subject,
            "batch": result.batch,
            "contestant": name,
            "median": 1000 * median(seconds),
            "unit": result.unit,
            "ratio": asdict(paired_ratio(result.times, name, BARE))
            if BARE in result.times
            else None,
            "rounds": len(seconds),
        }
        for result in results
        for name, seconds in result.times.items()
    ]


def table(rows: Sequence[Row]) -> str:
    """Lay the rows out in columns, words to the left, numbers to the right."""
    cells = [HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if name in WORDS else cell.rjust(width)
            for name, cell, width in zip(HEAD, line, widths, strict=True)
        ).rstrip()
        for line in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    ratio, quartiles = "", ""
    if row["ratio"]:
        ratio = "{median:.3f}".format(**row["ratio"])
        quartiles = "{low:.3f} to {high:.3f}".format(**row["ratio"])
    return (
        row["subject"], str(row["batch"]), row["contestant"],
        f"{row['median']:.1f}", row["unit"], ratio, quartiles, str(row["rounds"]),
    )  # fmt: skip


def verdict_line(verdict: Verdict) -> str:
    """Say in one line whether a goal was reached, where, and by how much.

    "near": not reached, but by less than the rounds differ.
    """
    goal, value = verdict.goal, verdict.value
    unit = verdict.unit if goal.over is None else f"x {goal.over}"
    word = "met   " if verdict.met else "MISSED" if verdict.missed else "near  "
    spread = "" if verdict.met else f", quartiles {value.low:.3f} to {value.high:.3f}"
    return (
        f"{word}  {verdict.subject}, batch {verdict.batch}: "
        f"{goal.of}: {value.median:.3f} {unit} ({goal.limit()}{spread})"
    )


def conditions(threads: int) -> dict[str, object]:
    """Note what a number of milliseconds depends on."""
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads,
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # the other libraries are no part of camlib's own environment
        return "not installed"


def write(
    path: Path, conditions: dict[str, object], rows: Sequence[Row], verdicts: Sequence[Verdict]
) -> None:
    """Write everything as JSON, and the folder too if need be."""
    judged = [
        {
            "goal": f"{verdict.goal.of} / {verdict.goal.over or verdict.unit}",
            "limit": verdict.goal.limit(),
            "network": verdict.subject,
            "batch": verdict.batch,
            **asdict(verdict.value),
            "met": verdict.met,
            "missed": verdict.missed,
        }
        for verdict in verdicts
    ]
    content = {"conditions": conditions, "rows": rows, "goals": judged}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
