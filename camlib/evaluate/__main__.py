"""Measure a network and a map method on a data set: ``python -m camlib.evaluate --network gap``.

The data are what a function returns that is named ``module:function``; its arguments are options of
the command.

Interrupted, a run with ``--output`` goes on where it stopped; under ``torchrun`` several processes
share the work and print the same table.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from torch import nn
from tqdm.auto import tqdm

from camlib.evaluate.folder import FolderSource
from camlib.evaluate.measure import batches, measure
from camlib.evaluate.methods import METHODS
from camlib.evaluate.processes import Processes, pick_device, processes
from camlib.evaluate.records import Records, join
from camlib.evaluate.store import Store
from camlib.evaluate.table import Table, tabulate
from camlib.localization import THRESHOLDS
from camlib.networks import GapNet, efficientnet_lite0, garment_network, read_checkpoint
from camlib.networks.checkpoint import CARRIED, at_stride, digest, replace_file
from camlib.networks.small import FINEST

SCENES = "camlib.garments:held_out_scenes"  # a name: this package does not know that one
CHUNK = 200  # pictures that are kept together: what an interruption loses at most


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and return the exit status."""
    try:
        given = _parse(arguments)
        with processes() as team:
            table = _run(given, team)
            if team.rank == 0:
                _report(table)
    except KeyboardInterrupt:
        where = f"The same command goes on from {given.output}." if given.output else ""
        print(f"\nInterrupted. {where}", file=sys.stderr)
        return 130
    except (ImportError, OSError, ValueError) as error:
        print(f"python -m camlib.evaluate: {error}", file=sys.stderr)
        return 1
    return 0


def _run(given: argparse.Namespace, team: Processes) -> Table:
    """Measure what is not measured yet, then count everything."""
    network = _network(given).to(pick_device(given.device, team.rank))
    source = _source(given)
    run = {
        "network": digest(network.state_dict()),
        "stride": getattr(network, "stride", None),
        "method": given.method,
        "data": _about_data(given, source),
        "pictures": len(source),
        "chunk": CHUNK,
    }
    with contextlib.ExitStack() as stack:
        folder = given.output
        if folder is None:
            new = tempfile.TemporaryDirectory() if team.rank == 0 else contextlib.nullcontext("")
            folder = Path(team.say(stack.enter_context(new)))
        store = _open(folder, run, team)
        chunks = list(batches(range(len(source)), CHUNK))
        missing = [
            number for number in range(team.rank, len(chunks), team.count) if not store.has(number)
        ]
        for number in tqdm(missing, unit="chunk", disable=given.quiet or team.rank > 0):
            store.put(number, _chunk(network, source, chunks[number], given))
        team.wait()
        table = tabulate(store.all(len(chunks)), THRESHOLDS)
        if given.output is not None and team.rank == 0:
            text = json.dumps(table.as_dict(), indent=1, allow_nan=False)
            replace_file(folder / "table.json", text.encode())
        team.wait()  # a temporary folder stays until everybody has read it
    return table


def _open(folder: Path, run: dict[str, Any], team: Processes) -> Store:
    """Let the first process make or check the folder; if it refuses, all end with its message."""
    refusal = None
    if team.rank == 0:
        try:
            Store(folder, run)
        except (OSError, ValueError) as error:
            refusal = str(error)
    refusal = team.say(refusal)
    if refusal is not None:
        raise ValueError(refusal)
    return Store(folder, run)


def _chunk(
    network: nn.Module,
    source: Any,
    numbers: range,
    given: argparse.Namespace,
) -> Records:
    device = next(network.parameters()).device
    several = []
    for some in batches(numbers, given.batch_size):
        batch = source.batch(some)
        for name in batch.corrupt:
            print(f"corrupt picture: {name}", file=sys.stderr)
        several.append(measure(network, batch.to(device), METHODS[given.method], THRESHOLDS))
    return join(several)


def _network(given: argparse.Namespace) -> nn.Module:
    network = _named(given.network)
    if given.stride is None and isinstance(network, GapNet):
        return network.at_stride(FINEST)
    return network if given.stride is None else at_stride(network, given.stride)


def _named(name: str) -> nn.Module:
    if name == "efficientnet_lite0":
        return efficientnet_lite0()
    if name in CARRIED:
        return garment_network(name)
    if ":" in name:
        network: nn.Module = _function("--network", name)()
        return network
    return read_checkpoint(name)[0]


def _function(option: str, name: str) -> Callable[..., Any]:
    """Return the function that ``module:function`` names."""
    module, _, function = name.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{option}: expected module:function that can be imported, got {name!r} ({error}). "
            "Start the command in the module's folder, or put that on PYTHONPATH."
        ) from error
    return found


def _source(given: argparse.Namespace) -> Any:
    if (given.images is None) != (given.boxes is None):
        raise ValueError(
            "--images and --boxes: expected both or none, got one. Name the other too."
        )
    if given.images is not None:
        return FolderSource(given.images, given.boxes)
    return _function("--data", given.data)(**_data_arguments(given))


def _about_data(given: argparse.Namespace, source: Any) -> dict[str, Any]:
    """Return what tells this data from other data, so that no records of both are mixed."""
    about = {"digest": getattr(source, "digest", None)}
    if given.images is None:
        about |= {"function": given.data, **_data_arguments(given)}
    return about


def _data_arguments(given: argparse.Namespace) -> dict[str, Any]:
    names = inspect.signature(_function("--data", given.data)).parameters
    return {name: getattr(given, name) for name in names}


def _report(table: Table) -> None:
    for name in table.outside:
        print(f"outside the crop: {name}", file=sys.stderr)
    print(table)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line: which data first, then with the options that these data have."""
    parser = _parser()
    known, _ = parser.parse_known_args(arguments)
    if known.images is None:
        _add_options(parser, known.data)
    parser.add_argument("-h", "--help", action="help", help="show this and end")
    return parser.parse_args(arguments)


def _add_options(parser: argparse.ArgumentParser, data: str) -> None:
    """Add an option for each argument of the function that returns the data."""
    function = _function("--data", data)
    hints = get_type_hints(function, include_extras=True)
    group = parser.add_argument_group(f"options of {data}")
    for name, argument in inspect.signature(function).parameters.items():
        needed = argument.default is argument.empty
        default = None if needed else argument.default
        words = [text for text in get_args(hints.get(name)) if isinstance(text, str)]
        group.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            required=needed,
            default=default,
            type=str if default is None else type(default),
            help="".join(words[:1]) + ("" if default is None else " (default: %(default)s)"),
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m camlib.evaluate",
        add_help=False,  # comes last, when the options of the data are known
        description="Measure a network and a map method on scenes of held-out garments, on a folder "
        "of photographs with boxes, or on data of your own.",
        epilog="ImageNet's validation set: one row for each <object> of its XML annotations, with "
        "file = the picture's name, class = the number of its synset in sorted order, x0 = xmin, "
        "y0 = ymin, x1 = xmax + 1, y1 = ymax + 1. Several processes: torchrun "
        "--nproc-per-node 2 -m camlib.evaluate ...",
    )
    add = parser.add_argument
    add(
        "--network",
        default="gap",
        help="a small network of the package (gap, gap-max, flatten), efficientnet_lite0, a "
        "checkpoint that camlib.garments wrote, or module:function that returns a network "
        "(default: %(default)s)",
    )
    add(
        "--stride",
        type=int,
        choices=(1, 2, 4),
        help=f"pixels from cell to cell of a GapNet's maps (default: {FINEST}, the finest)",
    )
    add("--method", choices=METHODS, default="cam", help="how maps are made (default: %(default)s)")
    add(
        "--data",
        default=SCENES,
        help="module:function that returns the data; its arguments are options (default: %(default)s)",
    )
    add("--images", type=Path, metavar="FOLDER", help="photographs instead of other data")
    add("--boxes", type=Path, metavar="CSV", help="file,class,x0,y0,x1,y1: a row for each object")
    add(
        "--batch-size", type=_positive, default=50, help="pictures at a time (default: %(default)s)"
    )
    add("--device", default="auto", help="cpu, cuda, cuda:1 ... (default: a GPU if there is one)")
    add("--output", type=Path, metavar="FOLDER", help="keep records here, and go on from them")
    add("--quiet", action="store_true", help="no progress bar")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {number}")
    return number


if __name__ == "__main__":
    sys.exit(main())
