"""Time camlib and its peers, print and write the results, and fail if a goal is missed."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks import goals, report
from benchmarks.subjects import SUBJECTS
from benchmarks.timing import threads

OUTPUT = Path("_build/bench/results.json")
Measure = Callable[[Namespace], Iterable[goals.Result]]


def main(arguments: Sequence[str] | None = None, measure: Measure | None = None) -> int:
    """Run the benchmark; return 0 if every goal is met, else 1."""
    options = parse(arguments)
    conditions = report.conditions(options.threads)
    print(*(f"{name} {value}" for name, value in conditions.items()), sep=", ", end="\n\n")
    results = []
    for result in (measure or time_all)(options):
        results.append(result)
        print(report.table(report.rows([result])), end="\n\n", flush=True)
    # Two rounds say nothing about a few per cent.
    verdicts = [] if options.quick else goals.judge(results, wanted(options))
    print(*(report.verdict_line(verdict) for verdict in verdicts), sep="\n")
    if options.quick:
        print("A smoke run: too few rounds to judge the goals.")
    report.write(options.output, conditions, report.rows(results), verdicts)
    print(f"Written to {options.output}")
    missed = sum(not verdict.met for verdict in verdicts)
    if missed:
        print(f"{missed} of {len(verdicts)} goals missed, see above.", file=sys.stderr)
    return int(missed > 0)


def time_all(options: Namespace) -> Iterator[goals.Result]:
    """Run all races and, unless told otherwise, time the explorer's page."""
    from benchmarks import races  # here: --help and a mistyped option need no other library

    with threads(options.threads):
        rounds = 2 if options.quick else options.rounds
        yield from races.run(options.networks, options.batches, rounds)
    if options.explorer:
        from benchmarks.explorers import measure_class_switch

        milliseconds = measure_class_switch(5 if options.quick else 60)
        yield goals.Result("page", 1, {goals.SWITCH: [milliseconds / 1000]})


def wanted(options: Namespace) -> list[goals.Goal]:
    """Return the goals on what the options let us measure."""
    return [goal for goal in goals.GOALS if options.explorer or goal.of != goals.SWITCH]


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
        "--no-explorer", dest="explorer", action="store_false", help="leave the browser out"
    )
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
