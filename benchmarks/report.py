"""The results as a table, as JSON, and as a verdict."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import torch

from benchmarks.goals import BARE, Result, Verdict
from benchmarks.timing import Ratio, paired_ratio

PACKAGES = ("camlib", "torch", "torchvision", "torchcam", "grad-cam", "captum")


@dataclass(frozen=True)
class Row:
    """One line of the table; a contestant without a bare forward pass beside it has no ratio."""

    subject: str
    batch: int
    contestant: str
    median: float
    unit: str
    ratio: Ratio | None
    rounds: int


def rows(results: Iterable[Result]) -> list[Row]:
    """Summarise each contestant over its rounds, relative to the bare forward pass beside it."""
    return [
        Row(
            result.subject,
            result.batch,
            name,
            1000 * median(seconds),
            result.unit,
            paired_ratio(result.times, name, BARE) if BARE in result.times else None,
            len(seconds),
        )
        for result in results
        for name, seconds in result.times.items()
    ]


HEAD = ("network", "batch", "contestant", "median", "unit", "ratio", "quartiles", "rounds")


def table(rows: Sequence[Row]) -> str:
    """Lay the rows out in columns, words to the left, numbers to the right."""
    cells = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width)
            if HEAD[column] in ("network", "contestant", "unit")
            else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    ratio, quartiles = "", ""
    if row.ratio is not None:
        ratio = f"{row.ratio.median:.3f}"
        quartiles = f"{row.ratio.low:.3f} to {row.ratio.high:.3f}"
    value = f"{row.median:.1f}"
    batch, rounds = str(row.batch), str(row.rounds)
    return (row.subject, batch, row.contestant, value, row.unit, ratio, quartiles, rounds)


def verdict_line(verdict: Verdict) -> str:
    """Say in one line whether a goal was reached, where, and by how much.

    "near": not reached, but by less than the rounds differ.
    """
    goal = verdict.goal
    unit = verdict.unit if goal.over is None else f"x {goal.over}"
    word = "met   " if verdict.met else "MISSED" if verdict.missed else "near  "
    value = verdict.value
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
    content = {
        "conditions": conditions,
        "rows": [asdict(row) for row in rows],
        "goals": [
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
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
