"""Run camlib on every classifier of torchvision, and write the results into the book.

Weights are random, because the structure alone decides whether a network has an exact map. Nothing is
downloaded. ``python -m tooling.zoo`` writes the tables of ``book/zoo.md``, unless a network crashes or
gets a wrong map.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import torchvision
from torch import Tensor, nn
from tqdm import tqdm

import camlib
from tooling.repository import ROOT

PAGE = ROOT / "book" / "zoo.md"
BEGIN, END = "% make zoo writes from here", "% to here"
SIDE = 224
# Bounds of the error, relative to the largest logit: the page shows the smallest one that holds.
ERRORS = (1e-5, 1e-4)
# So many random numbers are drawn and repeated: a prime, so that the rows of a weight differ.
_DRAWN = 1_000_003
_NOT_RANDOM = ("zeros_", "ones_", "constant_", "eye_", "dirac_")


@dataclass(frozen=True)
class Exact:
    """A network whose maps average to its logits.

    ``features`` is (k, h, w); ``error`` the largest gap between mean(map) + offset and a logit,
    relative to the largest logit; ``rules`` are those of RULES that find the maps as well.
    """

    name: str
    parameters: int
    features: tuple[int, int, int]
    error: float
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """A network that camlib refuses, the layer in the way, and why."""

    name: str
    parameters: int
    layer: str
    reason: str


def names() -> list[str]:
    """Return the names of torchvision's classifiers."""
    found: list[str] = torchvision.models.list_models(torchvision.models)
    return found


def parameters_of(name: str) -> int:
    """Count a network's parameters, which take up no memory as long as nothing is written to them."""
    return _count(_built(name, lambda weight: weight))


def build(name: str) -> nn.Module:
    """Build a network with random weights, always the same, in a fraction of the usual time."""
    drawn = torch.randn(_DRAWN, generator=torch.Generator().manual_seed(0))

    def fill(weight: Tensor) -> Tensor:
        spread = (2 / weight[0].numel()) ** 0.5 if weight.ndim > 1 else 0.1
        with torch.no_grad():
            for start in range(0, weight.numel(), _DRAWN):
                part = weight.view(-1)[start : start + _DRAWN]
                torch.mul(drawn[: len(part)], spread, out=part)
        return weight

    return _built(name, fill).eval()


def _built(name: str, fill: Callable[[Tensor], Tensor]) -> nn.Module:
    """Build a network whose random weights are made by ``fill``."""
    with _random_weights_by(fill):
        options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
        network: nn.Module = torchvision.models.get_model(name, weights=None, **options)
    return network


@contextmanager
def _random_weights_by(fill: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Replace the functions of ``torch.nn.init`` that draw random numbers."""

    def replacement(tensor: Tensor, *_: Any, **__: Any) -> Tensor:
        return fill(tensor)

    with ExitStack() as stack:
        for name in dir(nn.init):
            if name.endswith("_") and name[0] != "_" and name not in _NOT_RANDOM:
                stack.enter_context(mock.patch.object(nn.init, name, replacement))
        yield


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def explain(name: str) -> Exact | Refused:
    """Explain a picture of noise by one of torchvision's networks.

    Raises
    ------
    ValueError
        If a map is wrong, or if all places or all classes are the same, which proves nothing.
    """
    network = build(name)
    # The output of the run that is explained: in another run the images may have another layout in
    # memory, and deep networks with random weights amplify the difference in rounding.
    outputs: list[Tensor] = []
    network.register_forward_hook(lambda *call: outputs.append(call[-1]))
    image = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    try:
        head = camlib.find_head(network, image)
        cam = camlib.class_activation_maps(network, image)  # reads the head where it was found
    except camlib.NotCAMReadyError as refusal:
        return Refused(name, _count(network), *_layer_and_reason(str(refusal)))
    logits = outputs[-1].double()
    scale = logits.abs().max()
    places = cam.maps.flatten(2).std(2).max()
    if min(logits.std(), places) < 0.01 * scale:
        raise ValueError(f"{name}: expected classes and places that differ, got none.")
    error = float((cam.maps.double().mean((2, 3)) + cam.offset - logits).abs().max() / scale)
    if not error <= ERRORS[-1]:
        raise ValueError(f"{name}: expected maps that average to the logits, got a gap of {error}.")
    k, (h, w) = head.features.shape[1], cam.maps.shape[2:]
    rules = tuple(rule for rule, find in RULES.items() if finds_the_maps(network, image, find))
    return Exact(name, _count(network), (k, h, w), error, rules)


def last_convolution(network: nn.Module) -> nn.Module:
    """Return the last convolution."""
    return [one for one in network.modules() if isinstance(one, nn.Conv2d)][-1]


def last_block(network: nn.Module) -> nn.Module:
    """Return the last part with a convolution in it."""
    return [
        part
        for part in network.children()
        if any(isinstance(one, nn.Conv2d) for one in part.modules())
    ][-1]


# What people take for the last feature maps, to be weighed with the last linear layer.
RULES = {"last convolution": last_convolution, "last block": last_block}


def finds_the_maps(
    network: nn.Module, image: Tensor, find: Callable[[nn.Module], nn.Module]
) -> bool:
    """Return whether the last linear layer's weights and a layer's output add up to the logits."""
    linear = [one for one in network.modules() if isinstance(one, nn.Linear)]
    if not linear:
        return False
    kept: list[Tensor] = []
    with (
        find(network).register_forward_hook(lambda *call: kept.append(call[2].clone())),
        torch.no_grad(),
    ):
        logits = network(image)
        weight, bias = linear[-1].weight, linear[-1].bias
        if not kept or kept[-1].ndim != 4 or kept[-1].shape[1] != weight.shape[1]:
            return False
        gap = kept[-1].mean((2, 3)) @ weight.T + bias - logits
        return float(gap.norm() / (logits - bias).norm()) < 1e-3


def _layer_and_reason(message: str) -> tuple[str, str]:
    found = re.search(r"where layer '(.+?)' of type (\w+) \(\w+\) (.+?)\. ", message)
    if not found:
        raise ValueError(f"expected a refusal that names a layer, got: {message}")
    layer, kind, reason = found.groups()
    return f"`{layer}` ({kind})", reason


def row(result: Exact | Refused) -> str:
    """Write a result as a row of its table."""
    start = f"| `{result.name}` | {result.parameters / 1e6:.1f} |"
    if isinstance(result, Refused):
        return f"{start} {result.layer} {result.reason} |"
    bound = next(bound for bound in ERRORS if result.error < bound)
    features = "\u00a0×\u00a0".join(map(str, result.features))  # never broken into lines
    found = "yes" if "last block" in result.rules else "no"
    return f"{start} {features} | <\u00a0{bound:.0e} | {found} |".replace("e-0", "e-")


def rows(page: str) -> dict[str, str]:
    """Return the rows of a page's tables, by the names of the networks."""
    return {found.group(1): found.group() for found in re.finditer(r"^\| `(\w+)` .*$", page, re.M)}


def versions() -> str:
    """Return the names and versions of the packages that the tables depend on."""
    installed = (
        f"{name} {metadata.version(name).split('+')[0]}" for name in ("torch", "torchvision")
    )
    return " and ".join(installed)


def tables(results: Sequence[Exact | Refused]) -> str:
    """Write all results: first how many of each kind, then a table of each."""
    exact = [result for result in results if isinstance(result, Exact)]
    refused = [result for result in results if isinstance(result, Refused)]
    by_rule = {rule: sum(rule in result.rules for result in exact) for rule in RULES}
    return "\n".join(
        [
            f"Of {len(results)} networks **{len(exact)} have exact maps** and **{len(refused)} are "
            f"refused**, with {versions()} and a picture of {SIDE} × {SIDE} pixels.",
            "",
            "The popular rules, tried on those with exact maps: the output of the last convolution, "
            f"weighed with the last linear layer, gives the maps of **{by_rule['last convolution']}**, "
            "the output of the last block, the last part of the network with a convolution in it, "
            f"those of **{by_rule['last block']}** of {len(exact)}. The last column of the first table "
            "says of which.",
            "",
            "## Exact",
            "",
            "| Network | Parameters, millions | Features $k × h × w$ | Error | By the last block |",
            "|---|--:|--:|--:|---|",
            *map(row, exact),
            "",
            "## Refused",
            "",
            "| Network | Parameters, millions | What is in the way |",
            "|---|--:|---|",
            *map(row, refused),
        ]
    )


def with_tables(page: str, text: str) -> str:
    """Replace the text between the two marks of a page.

    Raises
    ------
    ValueError
        If a mark is missing.
    """
    if page.count(f"\n{BEGIN}\n") != 1 or page.count(f"\n{END}\n") != 1:
        raise ValueError(f"page: expected the lines {BEGIN!r} and {END!r} once. Put them back.")
    before, rest = page.split(f"{BEGIN}\n")
    after = rest.split(f"{END}\n")[1]
    return f"{before}{BEGIN}\n\n{text}\n\n{END}\n{after}"


def visit(wanted: Sequence[str]) -> tuple[list[Exact | Refused], dict[str, Exception]]:
    """Explain one network after the other; return the results, and the errors by name."""
    results: list[Exact | Refused] = []
    failures: dict[str, Exception] = {}
    for name in (progress := tqdm(wanted, unit="network", leave=False)):
        progress.set_postfix_str(name)
        try:
            results.append(explain(name))
        except Exception as error:
            failures[name] = error
    return results, failures


def main(page: Path = PAGE, wanted: Sequence[str] | None = None) -> int:
    """Explain all networks; write the page and return 0 only if each has a result."""
    with redirect_stdout(sys.stderr):
        results, failures = visit(wanted or names())
    for name, error in failures.items():
        print(f"zoo: {name}: {type(error).__name__}: {error}", file=sys.stderr)
    if failures:
        print(f"zoo: {len(failures)} networks without a result, {page.name} is unchanged")
        return 1
    page.write_text(with_tables(page.read_text("utf-8"), tables(results)), encoding="utf-8")
    exact = sum(isinstance(result, Exact) for result in results)
    print(f"zoo: {exact} exact, {len(results) - exact} refused, none wrong: {page.name} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
