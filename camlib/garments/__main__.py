"""Train a small network on scenes of garments: ``python -m camlib.garments gap --output gap.safetensors``.

An interrupted training is resumed by the same command.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from camlib.evaluate.options import add_options
from camlib.garments.evaluation import evaluate_scenes
from camlib.garments.fashion_mnist import load_garments
from camlib.garments.scenes import make_scenes
from camlib.garments.training import Recipe, Trained, train
from camlib.networks import GapNet
from camlib.networks.checkpoint import ARCHITECTURES, write_checkpoint
from camlib.networks.small import FINEST

# The held-out scenes that every result is measured on.
TEST_SCENES, TEST_SEED = 2000, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure on held-out garments, write the checkpoint; return the exit status."""
    given = parser().parse_args(arguments)
    output: Path = given.output or Path(f"{given.architecture}.safetensors")
    unfinished = output.with_name(f"{output.name}.unfinished")
    try:
        recipe = recipe_from(given)
        if not output.parent.is_dir():
            raise FileNotFoundError(
                f"--output: expected a file in a folder that exists, got {output}. "
                f"Make it first: mkdir -p {output.parent}."
            )
        garments = load_garments("train", given.garments, per_class=recipe.per_class)
        trained = train(recipe, garments, unfinished=unfinished, progress=not given.quiet)
        about = _about(trained, given.garments is None)
        write_checkpoint(output, recipe.architecture, trained.network.state_dict(), about)
    except KeyboardInterrupt:
        print(f"\nInterrupted. The same command resumes from {unfinished}.", file=sys.stderr)
        return 130
    except (OSError, ValueError, RuntimeError) as error:
        print(f"python -m camlib.garments: {error}", file=sys.stderr)
        return 1
    unfinished.unlink(missing_ok=True)
    print(f"Written: {output}")
    return 0


def _about(trained: Trained, carried: bool) -> dict[str, object]:
    """Measure the network and gather what the checkpoint says of itself.

    Whatever it was trained with, it is measured on the same scenes as all others.
    """
    test = load_garments("test")
    scenes = make_scenes(test, TEST_SCENES, TEST_SEED)
    network = trained.network
    if isinstance(network, GapNet):
        network = network.at_stride(FINEST)
    table = evaluate_scenes(network, scenes)
    minutes = sum(trained.seconds) / 60
    print(f"Trained in {minutes:.1f} minutes; on {len(scenes)} scenes of held-out garments:")
    print(table)
    return {
        "recipe": trained.recipe.as_dict(),
        "garments": {
            "source": "carried by camlib" if carried else "the full data set",
            "train": trained.garments,
            "test": test.digest,
        },
        "losses": trained.losses,
        "seconds": trained.seconds,
        "test_scenes": {"count": TEST_SCENES, "seed": TEST_SEED},
        "stride": getattr(network, "stride", None),
        "results": table.as_dict(),
        "torch": torch.__version__,
    }


def recipe_from(given: argparse.Namespace) -> Recipe:
    """Return the recipe that a command line asks for."""
    return Recipe(
        **{field.name: getattr(given, field.name) for field in dataclasses.fields(Recipe)}
    )


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    reader = argparse.ArgumentParser(
        prog="python -m camlib.garments",
        description="Train a small network on scenes of garments and measure it on held-out ones. "
        "An interrupted training is resumed by the same command.",
    )
    add = reader.add_argument
    add("architecture", nargs="?", choices=ARCHITECTURES, default="gap", help="(default: gap)")
    add(
        "--garments",
        type=Path,
        metavar="FOLDER",
        help="train with the full Fashion-MNIST; without it, with the part that camlib carries",
    )
    add(
        "--output",
        type=Path,
        metavar="FILE",
        help="the checkpoint (default: ARCHITECTURE.safetensors)",
    )
    add("--quiet", action="store_true", help="no progress bar")
    add_options(reader, Recipe, "architecture")
    return reader


if __name__ == "__main__":
    sys.exit(main())
