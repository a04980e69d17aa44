"""Layer 2: a trained small network as one safetensors file that says how it was made."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast, overload

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor, nn

from camlib.errors import check_choice
from camlib.networks.small import STRIDE, FlattenNet, GapNet


def scene_resnet50() -> nn.Module:
    """Build torchvision's ResNet-50 for scenes: one grey channel, ten classes, stride 16.

    Its last stage reaches further instead of skipping places (dilation): 64 pixels become 4 cells, not 2.
    """
    from torchvision.models import resnet50  # takes seconds, and few need it

    network = resnet50(num_classes=10, replace_stride_with_dilation=[False, False, True])
    network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    return network


# Each architecture by the name that a checkpoint and the command line give it.
ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "gap": lambda: GapNet("average"),
    "gap-max": lambda: GapNet("maximum"),
    "flatten": FlattenNet,
    "resnet50": scene_resnet50,
}
CARRIED = ("gap", "gap-max", "flatten")  # by the package: small, and quicker loaded than trained
_KEY = "camlib"  # safetensors' metadata are texts: one of them, in JSON, holds all of ours


def build(architecture: str) -> nn.Module:
    """Build a network with random weights: "gap", "gap-max", "flatten" or "resnet50".

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    check_choice("architecture", architecture, ARCHITECTURES)
    return ARCHITECTURES[architecture]()


@overload
def garment_network(architecture: Literal["gap", "gap-max"] = "gap", stride: int = 4) -> GapNet: ...


@overload
def garment_network(architecture: Literal["flatten"]) -> FlattenNet: ...


@overload
def garment_network(architecture: str, stride: int = 4) -> GapNet | FlattenNet: ...


def garment_network(architecture: str = "gap", stride: int = STRIDE) -> GapNet | FlattenNet:
    """Load one of the small networks that the package carries, trained on scenes of garments.

    Parameters
    ----------
    architecture
        "gap" (:class:`GapNet`), "gap-max" (the same with maximum pooling) or "flatten"
        (:class:`FlattenNet`).
    stride
        Pixels from cell to cell: 4, as trained, or 2 or 1 for finer maps of the same weights, see
        :meth:`GapNet.at_stride`.

    Returns
    -------
    GapNet or FlattenNet
        In evaluation mode; maps :meth:`camlib.garments.Scenes.images` (n, 1, 64, 64) to logits
        (n, 10) in the order of :data:`camlib.garments.CLASS_NAMES`.

    Raises
    ------
    ValueError
        If the name is unknown, the stride is none of these, or the file is damaged.

    Notes
    -----
    ``camlib/assets/README.md`` has the commands that made them; :func:`read_checkpoint` returns what
    their files say of recipe and results.
    """
    check_choice("architecture", architecture, CARRIED)
    asset = resources.files("camlib").joinpath("assets", "networks", f"{architecture}.safetensors")
    with resources.as_file(asset) as path:
        network, _ = read_checkpoint(path)
    if stride != STRIDE:
        return at_stride(network, stride)
    return cast("GapNet | FlattenNet", network)


def at_stride(network: nn.Module, stride: int) -> GapNet:
    """Return :meth:`GapNet.at_stride`, or say why a network has none."""
    if not isinstance(network, GapNet):
        raise ValueError(
            f"stride: expected a GapNet for another stride than it has, got {type(network).__name__}. "
            "Leave the stride out."
        )
    return network.at_stride(stride)


def read_checkpoint(
    path: str | Path, architecture: str | None = None
) -> tuple[nn.Module, dict[str, Any]]:
    """Read a network and how it was made.

    Parameters
    ----------
    path
        A file that :func:`write_checkpoint` wrote.
    architecture
        The one that it has to hold; None: whichever it says.

    Returns
    -------
    network, about
        The network in evaluation mode, and what was written about it: "architecture" and the rest.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, was written by something else, or holds another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"path: expected a checkpoint, but there is no file {path}. "
            "Train one: python -m camlib.garments."
        )
    tensors, about = _contents(path)
    written = about["architecture"]
    if architecture is not None and written != architecture:
        raise ValueError(
            f'{path.name}: expected a network of architecture "{architecture}", got "{written}". '
            "Name another file, or ask for that architecture."
        )
    network = build(written)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(
            f'{path.name}: expected the weights of "{written}", got others: {error}. '
            "Train the network again."
        ) from error
    return network.eval(), about


def write_checkpoint(
    path: str | Path, architecture: str, tensors: Mapping[str, Tensor], about: Mapping[str, Any]
) -> None:
    """Write a network's weights and what is to be known about them; all of the file or nothing.

    Parameters
    ----------
    path
        Where to; what was there is replaced only once the new file is whole and on the disk.
    architecture
        "gap", "gap-max", "flatten" or "resnet50".
    tensors
        The network's ``state_dict()``.
    about
        All that JSON can hold.

    Raises
    ------
    OSError
        If the file cannot be written, for example because the disk is full; the old one stays.
    """
    contents = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    about = {**about, "architecture": architecture, "sha256": digest(contents)}
    text = json.dumps(about, sort_keys=True, allow_nan=False)
    replace_file(Path(path), save(contents, metadata={_KEY: text}))


def replace_file(path: Path, contents: bytes) -> None:
    """Put a file in the place of another in one step, so that no reader ever sees half of it."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _contents(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{path.name}: expected a safetensors file, got a damaged one ({error}). "
            "Copy or train it again."
        ) from error
    if _KEY not in metadata:
        raise ValueError(
            f"{path.name}: expected a checkpoint of camlib, got safetensors of something else. "
            "Name a file that python -m camlib.garments wrote."
        )
    about = json.loads(metadata[_KEY])
    if about["sha256"] != digest(tensors):
        raise ValueError(
            f"{path.name}: expected weights with the SHA-256 {about['sha256']}, got "
            f"{digest(tensors)}. The file is damaged: copy or train it again."
        )
    return tensors, about


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names and numbers, whatever order the file keeps them in."""
    summary = hashlib.sha256()
    for name in sorted(tensors):
        summary.update(name.encode())
        flat = tensors[name].detach().cpu().contiguous().reshape(-1)
        summary.update(flat.view(torch.uint8).numpy().tobytes())  # numpy has no bfloat16
    return summary.hexdigest()
