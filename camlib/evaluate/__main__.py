"""Measure a network and a map method on a data set: ``python -m camlib.evaluate --network gap``.

The data are what a function returns that is named ``module:function``; its arguments are options of
the command. An interrupted run with ``--output`` is resumed by the same command; under ``torchrun``
several processes share the work and print the same table.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn
from tqdm.auto import tqdm

from camlib.command import (
    add_network_options,
    batches,
    device,
    in_words,
    network_from,
    processes,
    said,
    said_by_the_first,
    wait_for_all,
)
from camlib.errors import check_whole
from camlib.evaluate.folder import FolderData
from camlib.evaluate.measuring import (
    BATCH_SIZE,
    METHODS,
    DataSet,
    as_data,
    measure_pictures,
)
from camlib.evaluate.options import add_options
from camlib.evaluate.store import Store
from camlib.evaluate.table import Picture, Table, tabulate
from camlib.localization import THRESHOLDS
from camlib.networks import GapNet, NamedNetwork, garment_network, read_checkpoint
from camlib.networks.checkpoint import CARRIED, at_stride, digest, replace_file
from camlib.networks.named import import_function
from camlib.networks.small import FINEST

# A name, which is imported only if no other data are asked for: that module stands above this one.
SCENES = "camlib.garments.evaluation:held_out_scenes"
CHUNK = 200  # pictures that are kept together: what an interruption loses at most


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and return the exit status."""
    output = None
    try:
        given, options = _parse(arguments)
        output = given.output
        with processes() as (rank, count):
            table = _run(given, options, rank, count)
        if rank == 0:
            for name in table.outside:
                print(f"outside the crop: {name}", file=sys.stderr)
            print(table)
    except KeyboardInterrupt:
        where = f"The same command resumes from {output}." if output else ""
        print(f"\nInterrupted. {where}", file=sys.stderr)
        return 130
    except (ImportError, OSError, TypeError, ValueError) as error:
        print(f"python -m camlib.evaluate: {said(error)}", file=sys.stderr)
        return 2
    return 0


def _run(given: argparse.Namespace, options: dict[str, Any], rank: int, count: int) -> Table:
    """Measure what is not measured yet, then count everything."""
    check_whole("--batch-size", given.batch_size, 1)
    named = _named(given)
    network = _at_stride(named.network, given).to(device(given.device, rank))
    data = _data(given, options, named)
    run = {
        "network": digest(network.state_dict()),
        "stride": getattr(network, "stride", None),
        "method": given.method,
        "data": {"function": given.data, **options, "digest": getattr(data, "digest", None)},
        "transforms": in_words(named.transforms),
        "pictures": len(data),
        "chunk": CHUNK,
    }
    with contextlib.ExitStack() as stack:
        folder = given.output
        if folder is None:
            new = tempfile.TemporaryDirectory() if rank == 0 else contextlib.nullcontext("")
            folder = Path(said_by_the_first(stack.enter_context(new)))
        store = Store(folder, run)
        chunks = list(batches(range(len(data)), CHUNK))
        missing = [number for number in range(rank, len(chunks), count) if not store.has(number)]
        for number in tqdm(missing, unit="chunk", disable=given.quiet or rank > 0):
            store.put(number, _chunk(network, data, chunks[number], given))
        wait_for_all()
        pictures = [picture for number in range(len(chunks)) for picture in store.get(number)]
        table = tabulate(pictures, THRESHOLDS)
        if given.output is not None and rank == 0:
            text = json.dumps(table.as_dict(), indent=1, allow_nan=False)
            replace_file(folder / "table.json", text.encode())
        wait_for_all()  # a temporary folder stays until everybody has read it
    return table


def _chunk(
    network: nn.Module, data: DataSet, numbers: range, given: argparse.Namespace
) -> list[Picture]:
    found = measure_pictures(network, data, numbers, given.method, THRESHOLDS, given.batch_size)
    for picture in found:
        if picture.unread:
            print(f"{picture.unread} picture: {picture.name}", file=sys.stderr)
    return found


def _named(given: argparse.Namespace) -> NamedNetwork:
    """Return one of the package's small networks, by name or checkpoint, or any other."""
    if given.network in CARRIED:
        return NamedNetwork(garment_network(given.network), None, ())
    if given.network.endswith(".safetensors"):
        return NamedNetwork(read_checkpoint(given.network)[0], None, ())
    return network_from(given)


def _at_stride(network: nn.Module, given: argparse.Namespace) -> nn.Module:
    if given.stride is None and isinstance(network, GapNet):
        return network.at_stride(FINEST)
    return network if given.stride is None else at_stride(network, given.stride)


def _data(given: argparse.Namespace, options: dict[str, Any], named: NamedNetwork) -> DataSet:
    if (given.images is None) != (given.boxes is None):
        raise ValueError(
            "--images and --boxes: expected both or none, got one. Name the other too."
        )
    if given.images is None:
        function = import_function("--data", given.data)
        try:
            return as_data(function(**options))
        except (ImportError, OSError, TypeError, ValueError):  # said in words already
            raise
        except Exception as error:  # of the user's own code
            raise ValueError(
                f"--data: expected data from {given.data}, got {type(error).__name__}: {error}."
            ) from error
    if named.transforms is None:
        raise ValueError(
            f"--network: nothing says how the pictures of {given.network} are normalised. Pass "
            "--mean and --std (and --resize and --crop), as it was trained."
        )
    range = tuple(given.range) if given.range else None
    return FolderData(given.images, given.boxes, named.classes, named.transforms, range)


def _parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Read the command line: which data first, then with the options that these data have."""
    parser = _parser()
    known = parser.parse_known_args(arguments)[0]
    names: list[str] = []
    if known.images is None:
        names = add_options(parser, import_function("--data", known.data))
    else:
        parser.set_defaults(data="--images")
    parser.add_argument("-h", "--help", action="help", help="show this and end")
    given = parser.parse_args(arguments)
    return given, {name: getattr(given, name) for name in names}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m camlib.evaluate",
        add_help=False,  # it is added when the options of the data are known
        description="Measure a network and a map method on scenes of held-out garments, on a folder "
        "of photographs with boxes, or on data of your own.",
        epilog="Data of your own: --data module:function with a function that returns a list, or a "
        "data set of torch.utils.data, of pairs (image, {'boxes': (m, 4), 'labels': (m,)}); "
        "camlib.evaluate.DataSet says more. Each argument of the function is an option here. "
        "Several processes: torchrun "
        "--nproc-per-node 2 -m camlib.evaluate ...",
    )
    add = parser.add_argument
    add_network_options(
        parser,
        "gap",
        "a small network of the package (gap, gap-max, flatten), a checkpoint that camlib.garments "
        "wrote, ",
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
        metavar="MODULE:FUNCTION",
        help="what returns the data (default: %(default)s)",
    )
    add("--images", type=Path, metavar="FOLDER", help="photographs instead of --data")
    add(
        "--boxes",
        type=Path,
        metavar="PATH",
        help="a CSV file with the columns file,class,x0,y0,x1,y1 and a row for each object, a folder "
        "of XML files as ImageNet has them, or the folder of CUB-200-2011",
    )
    add(
        "--batch-size",
        type=int,
        default=BATCH_SIZE,
        help="pictures at a time (default: %(default)s)",
    )
    add("--device", default="auto", help="cpu, cuda, cuda:1 ... (default: a GPU if there is one)")
    add(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="keep what is measured here, and resume from it",
    )
    add("--quiet", action="store_true", help="no progress bar")
    return parser


if __name__ == "__main__":
    sys.exit(main())
