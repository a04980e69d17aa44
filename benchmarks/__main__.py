"""Time camlib and its peers, print and write the results, and fail if a goal is missed."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import torch

from benchmarks import goals, report
from benchmarks.contestants import CAM_READY, SUBJECTS
from benchmarks.goals import BARE
from tooling import notebooks

OUTPUT = Path("_build/bench/results.json")
Measure = Callable[[Namespace], Iterable[goals.Result]]


def main(arguments: Sequence[str] | None = None, measure: Measure | None = None) -> int:
    """Run the benchmark; return 1 if a goal is missed by more than the rounds differ, else 0."""
    options = parse(arguments)
    conditions = report.conditions(options.threads)
    print(*(f"{name} {value}" for name, value in conditions.items()), sep=", ", end="\n\n")
    results = []
    # What has no bare forward pass beside it makes one table, each race makes one of its own.
    for races, group in groupby(
        told((measure or time_all)(options)), lambda result: BARE in result.times
    ):
        for some in ([result] for result in group) if races else [list(group)]:
            results += some
            print(report.table(report.rows(some)), end="\n\n", flush=True)
    # Two rounds say nothing about a few per cent.
    verdicts = [] if options.quick else goals.judge(results, wanted(options))
    print(*(report.verdict_line(verdict) for verdict in verdicts), sep="\n")
    if options.quick:
        print("A smoke run: too few rounds to judge the goals.")
    report.write(options.output, conditions, report.rows(results), verdicts)
    print(f"Written to {options.output}")
    missed = sum(verdict.missed for verdict in verdicts)
    near = len(verdicts) - missed - sum(verdict.met for verdict in verdicts)
    if near:
        print(f"{near} of {len(verdicts)} goals nearly met: the limit lies within the quartiles.")
    if missed:
        print(f"{missed} of {len(verdicts)} goals missed, see above.", file=sys.stderr)
    return int(missed > 0)


def time_all(options: Namespace) -> Iterator[goals.Result]:
    """Run all races and, unless told otherwise, visit the built pages."""
    from benchmarks import memory, pages, races  # here: --help needs no other library

    quick = options.quick
    if options.pages:
        listed = notebooks.pages()
        yield from pages.visits(listed, 2 if quick else 5)
        yield from pages.actions(listed, 1 if quick else 10)
        yield from pages.your_photo(visits=1 if quick else 3, turns=4 if quick else 20)
    torch.set_num_threads(options.threads)
    yield from races.run(options.networks, options.batches, 2 if quick else options.rounds)
    yield from memory.measure(options.networks, options.threads, quick=quick)


def told(results: Iterable[goals.Result]) -> Iterator[goals.Result]:
    """Say what has been measured while the rest still is."""
    for result in results:
        print(f"measured: {result.subject}, {', '.join(result.times)}", file=sys.stderr, flush=True)
        yield result


def wanted(options: Namespace) -> list[goals.Goal]:
    """Return the goals on what the options let us measure."""
    networks = set(options.networks)
    return [
        goal
        for goal in goals.GOALS
        if goal.batch in (None, *options.batches)
        # A goal of a network that names none is on each that has a CAM.
        and (
            options.pages
            if goal in goals.PAGES
            else networks & ({goal.on} if goal.on else set(CAM_READY))
        )
    ]


def parse(arguments: Sequence[str] | None) -> Namespace:
    """Read the command line; argparse prints what is wrong with it and exits with 2."""
    parser = ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rounds", type=positive, default=200, help="of the cheap contestants at batch 1"
    )
    parser.add_argument("--threads", type=positive, default=2, help="that torch computes with")
    parser.add_argument("--networks", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--batches", nargs="+", type=positive, default=[1, 8])
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where the JSON goes")
    parser.add_argument("--quick", action="store_true", help="smoke run: 2 rounds, no verdict")
    parser.add_argument(
        "--no-pages", dest="pages", action="store_false", help="leave the browser out"
    )
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
