"""Layer 2: a network by its name, with a file of weights, its preprocessing and its classes' names."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from camlib.errors import describe, warn
from camlib.inputs import check_network
from camlib.networks.lite0 import efficientnet_lite0
from camlib.networks.pictures import Transforms, class_names, eval_transforms
from camlib.networks.squeezenet import squeezenet1_1

LITE0 = "efficientnet_lite0"
# Their weights are installed: nothing is downloaded.
_INSTALLED = {LITE0: efficientnet_lite0, "squeezenet1_1": squeezenet1_1}
_IMAGENET = 1000
# Under which training scripts keep the weights in a checkpoint.
_PLACES = ("state_dict", "model_state_dict", "model_ema", "model", "weights", "net")
# Heads that only training runs: files may lack them, or hold those of the 1000 classes.
_AUXILIARY = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}


@dataclass(frozen=True)
class NamedNetwork:
    """A network in evaluation mode, what turns its pictures into images, and its classes' names.

    ``transforms`` is None if nothing says how its pictures were normalised; ``classes`` is empty if
    nothing names them.
    """

    network: nn.Module
    transforms: Transforms | None
    classes: tuple[str, ...]


def named_network(
    name: str = LITE0,
    weights: str | Path | None = None,
    classes: str | Path | Sequence[str] | None = None,
    transforms: Transforms | None = None,
) -> NamedNetwork:
    """Build the network of that name with trained weights.

    Parameters
    ----------
    name
        "efficientnet_lite0" or "squeezenet1_1", whose weights are installed, a classifier of
        torchvision or timm ("timm/resnet18" where both have one), or "module:function" for a
        function of one's own that returns a network, or a network and its transforms.
    weights
        A state dict as safetensors, or as ``torch.save`` wrote it, also inside a training script's
        checkpoint. The number of classes is read from it. None: the published weights, which
        torchvision or timm download.
    classes
        The classes' names in the order of the logits: a sequence, a file (a name per line, or JSON),
        or a folder with a subfolder for each, as ``ImageFolder`` sorts them.
    transforms
        The preprocessing, if not the network's own.

    Returns
    -------
    NamedNetwork
        In evaluation mode, on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the name is not known, there are no weights and none can be downloaded, or the file's do
        not fit.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"network: expected a name, got {describe(name)}. A network that is built already needs "
            "none: set weights, transforms and classes yourself."
        )
    if weights is not None and not isinstance(weights, (str, os.PathLike)):
        raise TypeError(
            f"weights: expected a file, got {describe(weights)}. Save it: torch.save(weights, path)."
        )
    stored = None if weights is None else read_weights(Path(weights))
    own: Transforms | None = None
    known: tuple[str, ...] = ()
    if ":" in name:
        network, own = _by_function(name)
        if stored is not None:
            _load(network, stored, name, str(weights))
    elif name == LITE0 or (name in _INSTALLED and stored is None):
        network, own, known = _INSTALLED[name](), eval_transforms(), class_names()
        if stored is not None:
            _load(network, stored, name, str(weights))
    else:
        network, own, known = _from_a_collection(name, stored, str(weights))
    check_network(network)
    own = transforms or own or getattr(network, "transforms", None)
    return NamedNetwork(
        network.eval(), own, known if classes is None else read_class_names(classes)
    )


def import_function(option: str, name: str) -> Callable[..., Any]:
    """Return the function that ``module:function`` names.

    Raises
    ------
    ValueError
        If it cannot be imported; the message begins with ``option``.
    """
    module, _, function = name.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except Exception as error:  # the module may raise anything
        raise ValueError(
            f"{option}: expected module:function that can be imported, got {name!r} ({error}). "
            "Run the command in the module's folder, or add that to PYTHONPATH."
        ) from error
    return found


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict; nothing but tensors is unpickled.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it holds no state dict.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"weights: expected a file, but there is none at {path}. Check the path."
        )
    with path.open("rb") as file:
        start = file.read(16)
    try:
        if start[8:9] == b"{":  # after the length of its header
            return safetensors.torch.load_file(path)
        if not zipfile.is_zipfile(path) and start[:1] != b"\x80":
            raise ValueError(f"it begins with {start!r}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of TorchScript, which the error below names
            stored = torch.load(path, map_location="cpu", weights_only=True)
    except safetensors.SafetensorError as error:
        raise ValueError(f"weights: {path.name} is damaged ({error}). Copy it again.") from error
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"weights: expected tensors alone in {path.name}, got other objects, which could run any "
            "code. Save the weights: torch.save(network.state_dict(), path)."
        ) from error
    except Exception as error:  # a file of something else makes the unpickler raise anything
        reason = f"{type(error).__name__}: {error}".partition("\n")[0].removeprefix("ValueError: ")
        raise ValueError(
            f"weights: expected a file of torch.save or safetensors, got {path.name} ({reason}). "
            "Copy it again, or save torch.save(network.state_dict(), path)."
        ) from error
    for place in _PLACES:
        if isinstance(stored, Mapping) and isinstance(stored.get(place), Mapping):
            stored = stored[place]
    if not (
        isinstance(stored, Mapping)
        and stored
        and all(isinstance(tensor, Tensor) for tensor in stored.values())
    ):
        got = f"the keys {[*stored][:9]}" if isinstance(stored, Mapping) else describe(stored)
        raise ValueError(
            f"weights: expected a state dict in {path.name}, names with tensors, by itself or under "
            f"one of {', '.join(_PLACES)}, got {got}. Save torch.save(network.state_dict(), path)."
        )
    return dict(stored)


def read_class_names(given: str | Path | Sequence[str]) -> tuple[str, ...]:
    """Return classes' names from a sequence, a file, a folder of folders, or a text with commas.

    Raises
    ------
    ValueError
        If there is none.
    """
    if isinstance(given, (str, Path)):
        path = Path(given)
        where = str(given)
        if os.path.isdir(path):  # pathlib raises for names that are too long for a file
            folders = (entry.name for entry in path.iterdir() if entry.is_dir())
            found = sorted(name for name in folders if not name.startswith("."))
        elif os.path.isfile(path):
            found = _names_in(path)
        elif "," in where:
            found = [name.strip() for name in where.split(",")]
        else:
            raise ValueError(
                f"classes: expected a file with a name per line, a folder with a subfolder for each "
                f"class, or names with commas between them, got {where!r}. Check the path."
            )
    elif isinstance(given, Iterable):
        where, found = "the sequence", _in_order(given, "classes")
    else:
        raise TypeError(
            f"classes: expected names or a path, got {describe(given)}. Pass a list of texts."
        )
    if not found or not all(found):
        what = "an empty one" if found else "none"
        raise ValueError(f"classes: expected names in {where}, got {what}. Name each class.")
    return tuple(found)


def _names_in(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix != ".json":
            return [line.strip() for line in text.splitlines() if line.strip()]
        stored = json.loads(text)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"classes: expected text in UTF-8 in {path.name}, got the byte "
            f"0x{error.object[error.start]:02x}. Save the file as UTF-8."
        ) from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"classes: expected JSON in {path.name}, got an error in line {error.lineno}: "
            f"{error.msg}. Save it again."
        ) from error
    return _in_order(stored, f"classes: {path.name}")


def _in_order(stored: Any, name: str) -> list[str]:
    """Return names from a list, or from a mapping of numbers to names or of names to numbers."""
    try:
        if isinstance(stored, Mapping):
            only = next(iter(stored.values())) if len(stored) == 1 else None
            stored = only if isinstance(only, Mapping) else stored  # {"id2label": {"0": "cat"}}
            # {"cat": 0}; {"0": "cat"}; {"0": ["n02123045", "cat"]}.
            if all(isinstance(number, int) for number in stored.values()):
                places = {int(number): str(key) for key, number in stored.items()}
            else:
                places = {int(key): _one_name(entry) for key, entry in stored.items()}
            if sorted(places) != list(range(len(stored))):
                raise ValueError("numbers that do not count from 0")
            return [places[number] for number in sorted(places)]
        if isinstance(stored, str) or not isinstance(stored, Iterable):
            raise ValueError(describe(stored))
        return [_one_name(entry) for entry in stored]
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{name}: expected a list of names, or numbers from 0 with their names, got {error}. "
            'Write for example ["cat", "dog"].'
        ) from error


def _one_name(entry: Any) -> str:
    """Return a class's name, which may be the last of several."""
    if isinstance(entry, (list, tuple)) and entry:
        entry = entry[-1]
    if not isinstance(entry, (str, int)) or isinstance(entry, bool):
        raise TypeError(f"{describe(entry)} as a name")
    return str(entry).strip()


def _by_function(name: str) -> tuple[nn.Module, Transforms | None]:
    function = import_function("network", name)
    try:
        made = function()
    except Exception as error:  # of the user's own code
        raise ValueError(
            f"network: expected a network from {name}, got {type(error).__name__}: {error}. The "
            "function is called without arguments."
        ) from error
    transforms = None
    if isinstance(made, tuple) and len(made) == 2:
        made, transforms = made
    if not isinstance(made, nn.Module):
        raise ValueError(
            f"network: expected a torch.nn.Module from {name}, or one and its transforms, got "
            f"{describe(made)}. Let the function return the network."
        )
    if transforms is not None and not callable(transforms):
        raise ValueError(
            f"network: expected transforms that can be called beside the network of {name}, got "
            f"{describe(transforms)}. Return network, transforms."
        )
    if transforms is None and getattr(made, "pretrained_cfg", None):
        transforms = _timm_transforms(made)
    return made, transforms


def _from_a_collection(
    name: str, stored: dict[str, Tensor] | None, file: str
) -> tuple[nn.Module, Transforms | None, tuple[str, ...]]:
    """Build a classifier of torchvision, or else of timm."""
    import torchvision  # as long to import as torch

    models = torchvision.models
    transforms: Transforms | None
    if name in models.list_models(models):
        published = models.get_model_weights(name).DEFAULT

        def build(count: int, weights: Any = None) -> nn.Module:
            more: dict[str, Any] = {}
            if weights is None:
                more = {"num_classes": count} if count != _IMAGENET else {}
                more |= {"aux_logits": False, "init_weights": False} if auxiliary else {}
            network: nn.Module = models.get_model(name, weights=weights, **more)
            return network

        auxiliary = _AUXILIARY.get(name)
        if stored is not None and auxiliary:
            stored = {
                key: tensor
                for key, tensor in stored.items()
                if not any(head in key for head in auxiliary)
            }
            warn(
                f"network: {name} is built without transform_input, as for training from the start. "
                "If yours began with the published weights, name module:function that builds it."
            )
        network = _trained(name, stored, file, build, lambda: build(_IMAGENET, published))
        transforms = published.transforms()
    else:
        timm, model = _timm(name)
        network = _trained(
            name, stored, file,
            lambda count: timm.create_model(model, num_classes=count),
            lambda: timm.create_model(model, pretrained=True),
        )  # fmt: skip
        transforms = _timm_transforms(network)
    names = class_names() if stored is None or _rows(network) == _IMAGENET else ()
    return network, transforms, names


def _timm(name: str) -> tuple[Any, str]:
    model = name.removeprefix("timm/")
    try:  # optional: only who asks for one of its networks needs it
        timm: Any = importlib.import_module("timm")
    except ModuleNotFoundError:
        timm = None
    if timm is None or not timm.is_model(model.partition(".")[0]):
        more = "" if timm is not None else " (timm is not installed)"
        raise ValueError(
            f'network: expected "{LITE0}", a classifier of torchvision or timm{more}, or '
            f"module:function, got {name!r}. torchvision.models.list_models() and "
            "timm.list_models() list theirs."
        )
    return timm, model


def _timm_transforms(network: nn.Module) -> Transforms | None:
    try:
        data: Any = importlib.import_module("timm.data")
    except ModuleNotFoundError:
        return None
    made: Transforms = data.create_transform(**data.resolve_model_data_config(network))
    return made


def _trained(
    name: str,
    stored: dict[str, Tensor] | None,
    file: str,
    build: Callable[[int], nn.Module],
    download: Callable[[], nn.Module],
) -> nn.Module:
    """Return the network with the stored weights, or with the published ones."""
    if stored is None:
        try:
            return download()
        except (
            Exception
        ) as error:  # of urllib, of requests, of the hub: whatever says it is not there
            raise ValueError(
                f"weights: {name} has random weights without a file, and the published ones could "
                f"not be downloaded ({type(error).__name__}: {error}). Pass a state dict."
            ) from error
    with torch.device("meta"):  # a skeleton, which takes no time and no memory
        own = build(_IMAGENET).state_dict()
    stored = _without_wrapping(stored, own)
    counts = {
        len(tensor)
        for key, tensor in stored.items()
        if tensor.ndim
        and key in own
        and own[key].shape == (_IMAGENET,)
        and len(tensor) != _IMAGENET
    }
    with torch.random.fork_rng(devices=[]):  # weights drawn for a network are overwritten at once
        network = build(counts.pop() if len(counts) == 1 else _IMAGENET)
    _load(network, stored, name, file)
    return network


def _load(network: nn.Module, stored: dict[str, Tensor], name: str, file: str) -> None:
    own = network.state_dict()
    stored = _without_wrapping(stored, own)
    try:
        network.load_state_dict(stored)
    except RuntimeError as error:
        reasons = " ".join(str(error).split("\n\t")[1:]) or str(error)
        raise ValueError(
            f"weights: expected those of {name} in {Path(file).name}, got others: {reasons[:300]} "
            f"The file's names begin with {', '.join([*stored][:3])}, the network's with "
            f"{', '.join([*own][:3])}. Name the network that was trained."
        ) from error


def _without_wrapping(stored: dict[str, Tensor], own: Mapping[str, Any]) -> dict[str, Tensor]:
    """Take off what DataParallel, torch.compile, Lightning or another module put before all names.

    What does not begin like that is not part of the network, such as the weights of a loss.
    """
    first = next(iter(own), "")
    if first in stored:
        return stored
    prefixes = {key.removesuffix(first) for key in stored if key.endswith(f".{first}")}
    fits = {prefix: sum(f"{prefix}{key}" in stored for key in own) for prefix in prefixes}
    prefix = max(fits, key=fits.__getitem__, default="")
    inside = {key: tensor for key, tensor in stored.items() if key.startswith(prefix)}
    return {key.removeprefix(prefix): tensor for key, tensor in inside.items()}


def _rows(network: nn.Module) -> int:
    """Return how many rows the last weight has."""
    return len(list(network.parameters())[-1])
