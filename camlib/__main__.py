"""Explain photographs with a network: ``python -m camlib photo.jpg``.

For each photograph the best classes are printed, and two files written: the map laid over the
photograph at its full size, and the map itself with its numbers.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import io
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from camlib.command import (
    add_network_options,
    batches,
    device,
    failures_named,
    in_words,
    network_from,
    processes,
    said,
)
from camlib.errors import check_whole
from camlib.explain import class_activation_maps, grad_cam, grad_cam_plus_plus
from camlib.inputs import as_logits
from camlib.networks import geometry, preprocess
from camlib.networks.checkpoint import digest, replace_file
from camlib.networks.named import NamedNetwork
from camlib.pictures import Geometry, to_rgb
from camlib.plotting import colorbar, greyscale, overlay
from camlib.running import evaluating

METHODS = {"cam": None, "grad-cam": grad_cam, "grad-cam++": grad_cam_plus_plus}
BEST = 5  # classes printed for a photograph
UNREADABLE = (OSError, SyntaxError, ValueError, MemoryError, Image.DecompressionBombError)
ROWS = 512  # of a photograph that are laid over at a time: it may have many


def main(arguments: Sequence[str] | None = None) -> int:
    """Explain all photographs; return 0, 1 if some could not be read, or 2 for bad input."""
    try:
        given = _parser().parse_args(arguments)
        with processes() as (rank, count):
            return _run(given, rank, count)
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on where it stopped.", file=sys.stderr)
        return 130
    except (ImportError, OSError, TypeError, ValueError) as error:
        print(f"python -m camlib: {said(error)}", file=sys.stderr)
        return 2


@dataclass(frozen=True)
class Photo:
    """A photograph, and the files that are written for it: ``.png`` and ``.npz`` are added."""

    path: Path
    target: Path


@dataclass(frozen=True)
class Work:
    """What is done with every photograph; ``record`` is written into each file of numbers."""

    named: NamedNetwork
    given: argparse.Namespace
    wanted: int | None
    minus: int | None
    record: str

    def name(self, index: int) -> str:
        """Return a class's name, or its number where it has none."""
        names = self.named.classes
        return names[index] if names else f"class {index}"


def _run(given: argparse.Namespace, rank: int, count: int) -> int:
    check_whole("--batch-size", given.batch_size, 1)
    if given.minus is not None and given.class_ is None:
        raise ValueError("--minus: expected a --class to subtract from, got none. Name it too.")
    named = network_from(given)
    if named.transforms is None:
        raise ValueError(
            f"--network: nothing says how the pictures of {given.network} are normalised. Pass "
            "--mean and --std (and --resize and --crop), as it was trained."
        )
    named.network.to(device(given.device, rank))
    if given.layer is not None and METHODS[given.method] is None:
        raise ValueError(
            "--layer: expected none with --method cam, which finds its layer and proves it, got "
            f"{given.layer!r}. Add --method grad-cam."
        )
    work = _work(named, given)
    if work.minus is not None and work.minus == work.wanted:
        raise ValueError(f"--minus: expected another class than --class, got {work.minus} twice.")
    photos = _photos(given)[rank::count]
    missing = [photo for photo in photos if not _is_done(photo, work)]
    failed = 0
    with tqdm(total=len(photos), initial=len(photos) - len(missing), unit="photo",
              disable=given.quiet or len(photos) < 2) as bar:  # fmt: skip
        for some in batches(range(len(missing)), given.batch_size):
            failed += _explain([missing[number] for number in some], work)
            bar.update(len(some))
    if len(photos) > len(missing):
        print(f"explained before: {len(photos) - len(missing)} of {len(photos)}")
    if failed:
        print(f"could not be read: {failed} of {len(photos)}", file=sys.stderr)
    return 0 if not failed else 2 if failed == len(photos) else 1


def _work(named: NamedNetwork, given: argparse.Namespace) -> Work:
    wanted, minus = (
        None if text is None else _class(option, text, named.classes)
        for option, text in (("--class", given.class_), ("--minus", given.minus))
    )
    record = {
        "network": given.network,
        "weights": digest(named.network.state_dict()),
        "method": given.method,
        "layer": given.layer,
        "class": wanted,
        "minus": minus,
        "transforms": in_words(named.transforms),
        "range": given.range,
        "look": [given.grey, given.colour_bar],
        "versions": {name: metadata.version(name) for name in ("camlib", "torch", "torchvision")},
    }
    return Work(named, given, wanted, minus, json.dumps(record, sort_keys=True))


def _class(option: str, text: str, names: Sequence[str]) -> int:
    """Return a class's number by its name, or else by its number."""
    lower = [name.lower() for name in names]
    exact = [number for number, name in enumerate(names) if name == text]
    found = exact or [number for number, name in enumerate(lower) if name == text.lower()]
    if not found and text.isdecimal():
        return int(text)
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(
            f"{option}: expected the name of one class, got {text!r}, which classes {found} have. "
            "Pass a number."
        )
    near = difflib.get_close_matches(text.lower(), lower, cutoff=0.4)
    advice = f"Near it: {', '.join(near)}." if near else "Name the classes with --classes."
    raise ValueError(f"{option}: expected a class's name or number, got {text!r}. {advice}")


def _photos(given: argparse.Namespace) -> list[Photo]:
    """Find the photographs, also in folders, and give each one files of its own."""
    suffixes = {
        suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN
    }
    found: list[tuple[Path, Path]] = []  # and the path below the folder that was named
    for path in given.photos:
        if path.is_dir():
            inside = sorted(
                one
                for one in path.rglob("*")
                if one.suffix.lower() in suffixes and not _is_an_overlay(one)
            )
            if not inside:
                raise ValueError(f"PHOTO: expected pictures in {path}, got none. Check the path.")
            found += [(one, one.relative_to(path)) for one in inside]
        else:
            found.append((path, Path(path.name)))
    ending = given.method
    if given.class_ is not None:
        ending = f"{_plain(given.class_)}.{ending}"
    if given.minus is not None:
        ending = ending.replace(".", f"-minus-{_plain(given.minus)}.", 1)
    stems = [below.with_suffix("") for _, below in found]
    twice = _repeated(stems)
    photos = []
    for (path, below), stem in zip(found, stems, strict=True):
        stem = below if stem in twice else stem  # with its suffix
        folder = given.output if given.output is not None else Path()
        photos.append(Photo(path, folder / stem.parent / f"{stem.name}.{ending}"))
    again = _repeated([photo.target for photo in photos])
    if again:
        raise ValueError(
            f"PHOTO: expected pictures of different names, got several for {min(again)}.png. "
            "Explain them in several runs, with another --output each."
        )
    return photos


def _is_an_overlay(path: Path) -> bool:
    """Say whether this command has written a picture: its numbers lie beside it."""
    return Path(path.stem).suffix[1:] in METHODS and path.with_suffix(".npz").is_file()


def _repeated(paths: Sequence[Path]) -> set[Path]:
    return {path for path, times in Counter(paths).items() if times > 1}


def _plain(name: str) -> str:
    """Return a class's name as part of a file's name."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def _is_done(photo: Photo, work: Work) -> bool:
    """Say whether the same command has written this photograph's files before."""
    numbers = photo.target.with_name(f"{photo.target.name}.npz")
    if not numbers.is_file() or not numbers.with_suffix(".png").is_file():
        return False
    try:
        with np.load(numbers) as stored:
            record, contents = str(stored["record"]), str(stored["sha256"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return False  # written by something else, or damaged
    return record == work.record and contents == _sha256(photo.path)


def _sha256(path: Path) -> str:
    """Return the digest of a file, or nothing if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _explain(photos: Sequence[Photo], work: Work) -> int:
    """Explain photographs in one batch and return how many could not be read."""
    whole, images, places = [], [], []
    for photo in photos:
        try:
            with Image.open(photo.path) as opened:
                rgb = to_rgb(opened, work.given.range)
            image = preprocess(rgb, transforms=work.named.transforms)[0]
            place = geometry(rgb, transforms=work.named.transforms)
        except UNREADABLE as error:
            reason = f"{error}" or type(error).__name__
            print(f"cannot read {photo.path}: {reason}", file=sys.stderr)
            continue
        images.append(image)
        places.append(place)
        whole.append(photo)
    if not whole:
        return len(photos)
    sizes = {tuple(image.shape) for image in images}
    if len(sizes) > 1:
        raise ValueError(
            f"PHOTO: expected images of one size in a batch, got {sorted(sizes)} (channels, height, "
            "width). Pass --batch-size 1, or --mean, --std, --resize and --crop."
        )
    stacked = torch.stack(images)
    with failures_named(work.given.network, stacked):
        found = _maps(stacked, work)
    for photo, place, row in zip(whole, places, range(len(whole)), strict=True):
        _write(photo, place, found, row, work)
    return len(photos) - len(whole)


@dataclass(frozen=True)
class Found:
    """What was found for a batch: maps (n, h, w), and for each picture class, score and offset."""

    logits: Tensor
    classes: Tensor
    maps: Tensor
    scores: Tensor
    offset: Tensor | None
    layer: str


def _maps(images: Tensor, work: Work) -> Found:
    network, given = work.named.network, work.given
    images = images.to(next(network.parameters()).device)
    method = METHODS[given.method]
    if method is None:
        cam = class_activation_maps(network, images)
        logits, everything = cam.logits, (cam.maps, cam.logits, cam.offset)
    else:
        with evaluating(network):
            logits = as_logits(network(images), len(images))
    names = work.named.classes
    if names and len(names) != logits.shape[1]:
        raise ValueError(
            f"--classes: expected a name for each of the network's {logits.shape[1]} logits, got "
            f"{len(names)} names, {names[0]!r} to {names[-1]!r}. Name all, in the order of training."
        )
    for option, index in (("--class", work.wanted), ("--minus", work.minus)):
        if index is not None and index >= logits.shape[1]:
            raise ValueError(
                f"{option}: expected a class below {logits.shape[1]}, the network's logits, got "
                f"{index}. Count from 0."
            )
    classes = logits.argmax(1) if work.wanted is None else torch.full((len(images),), work.wanted)
    rows = torch.arange(len(images), device=logits.device)
    classes = classes.to(logits.device)
    if method is None:
        maps, scores, offset = (
            part[rows, classes] - (0 if work.minus is None else part[:, work.minus])
            for part in everything
        )
        return Found(logits.cpu(), classes.cpu(), maps.cpu(), scores.cpu(), offset.cpu(), "")

    def lead(output: Tensor) -> Tensor:
        answers = as_logits(output, len(output))
        return answers[:, work.wanted] - answers[:, work.minus]

    found = method(network, images, classes if work.minus is None else lead, given.layer)
    return Found(
        logits.cpu(),
        classes.cpu(),
        found.maps[:, 0].cpu(),
        found.scores[:, 0].cpu(),
        None,
        found.layer,
    )


def _write(photo: Photo, place: Geometry, found: Found, row: int, work: Work) -> None:
    """Print the best classes, and write the overlay and the numbers, the numbers last."""
    logits, index, map = found.logits[row], int(found.classes[row]), found.maps[row].float()
    photo.target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(photo.path) as opened:
        picture = np.asarray(to_rgb(opened, work.given.range))
    peak = float(map.abs().max()) or 1.0
    laid = Image.fromarray(_laid_over(picture, map / peak, place, work.given.grey))
    if work.given.colour_bar:
        laid = _with_bar(laid, peak)
    image = io.BytesIO()
    laid.save(image, "PNG")
    numbers = io.BytesIO()
    offset = float("nan") if found.offset is None else float(found.offset[row])
    np.savez_compressed(
        numbers, map=map.numpy(), score=float(found.scores[row]), offset=offset,
        logits=logits.float().numpy(), classes=[index, *([] if work.minus is None else [work.minus])],
        size=place.size, box=place.box, layer=found.layer, photo=str(photo.path),
        sha256=_sha256(photo.path),
        record=work.record,
    )  # fmt: skip
    for ending, contents in (("png", image), ("npz", numbers)):
        replace_file(photo.target.with_name(f"{photo.target.name}.{ending}"), contents.getvalue())
    lines = [
        f"  {int(best):5}  {work.name(int(best)):30} {float(logits[best]):8.3f}"
        for best in logits.argsort(descending=True)[:BEST]
    ]
    explained = work.name(index) + ("" if work.minus is None else f" minus {work.name(work.minus)}")
    tqdm.write("\n".join([
        f"{photo.path}", *lines, f"  {explained}: {photo.target}.png and .npz",
    ]))  # fmt: skip


def _laid_over(picture: np.ndarray, map: Tensor, place: Geometry, grey: bool) -> np.ndarray:
    """Lay a map from -1 to 1 over a photograph, some rows at a time."""
    x0, y0, x1, y1 = place.box
    parts = []
    for top in range(0, len(picture), ROWS):
        rows = picture[top : top + ROWS]
        part = Geometry(rows.shape[:2], (x0, y0 - top, x1, y1 - top))
        laid = overlay(greyscale(rows) if grey else rows, map, geometry=part)
        parts.append((255 * laid).round().astype(np.uint8))
    return np.concatenate(parts)


def _with_bar(laid: Image.Image, peak: float) -> Image.Image:
    """Put a colour bar below a picture, which keeps its size."""
    dpi = max(100.0, laid.width / 7)
    figure = colorbar(
        Figure(figsize=(laid.width / dpi, 0.01)), vmax=peak, label="part of the logit"
    )
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=dpi, format="png")
    with Image.open(drawn) as bar:
        whole = Image.new("RGB", (laid.width, laid.height + bar.height), "white")
        whole.paste(laid)
        whole.paste(bar.convert("RGB"), (0, laid.height))
    return whole


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m camlib",
        description="Explain photographs: print the best classes, and write for each photograph the "
        "map laid over it as .png, and the map with its numbers as .npz. What the same command has "
        "written before is not made again.",
        epilog="Several processes: torchrun --nproc-per-node 2 -m camlib FOLDER --output MAPS",
    )
    add = parser.add_argument
    add("photos", nargs="+", type=Path, metavar="PHOTO", help="photographs, or folders of them")
    add_network_options(parser)
    add("--class", dest="class_", metavar="NAME|INDEX", help="(default: each photograph's best)")
    add("--minus", metavar="NAME|INDEX", help="explain the class's lead over this one")
    add("--method", choices=METHODS, default="cam", help="how maps are made (default: %(default)s)")
    add("--layer", help="the layer that is weighed by grad-cam and grad-cam++, by its name")
    add("--output", type=Path, metavar="FOLDER", help="(default: the folder you are in)")
    add("--grey", action="store_true", help="take the photographs' own colours out")
    add("--colour-bar", action="store_true", help="add a bar of colours below each overlay")
    add("--batch-size", type=int, default=16, help="pictures at a time (default: %(default)s)")
    add("--device", default="auto", help="cpu, cuda, cuda:1 ... (default: a GPU if there is one)")
    add("--quiet", action="store_true", help="no progress bar")
    return parser


if __name__ == "__main__":
    sys.exit(main())
