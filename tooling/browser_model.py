"""Make what the page "Your photograph" needs: the networks as files that a browser runs.

The book's EfficientNet-Lite0 is exported with one change of order. Its last layer becomes a 1×1
convolution *before* the pool, so the file gives all maps as well as the logits:

    maps = convolution(features)        (1, 1000, 7, 7)
    logits = mean(maps) + bias          (1, 1000)

SqueezeNet's last layer is the maps already (1, 1000, 13, 13); its file gives both as well.

Weights are stored with 16 bits and computed with 32, which halves a file. Whether it still says
what PyTorch says is checked on every photograph of the book; if not, there is no file. Beside them lie
the class names, the offsets, the table of colours, and the book's photographs.

Run it as ``python -m tooling.browser_model``; it does nothing when everything is there already.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from PIL import Image
from torch import Tensor, nn

import camlib
from camlib import networks, photos
from camlib.explorers import dual_output
from camlib.networks import lite0
from camlib.networks.pictures import MEAN, STD
from tooling.repository import ROOT, digest

TARGET = ROOT / "_web" / "static" / "network"
STAMP = ROOT / "_web" / "network-fingerprint"
# Fetched by tooling.web_assets; the page tells how much of it has come.
RUNTIME = ROOT / "_web" / "static" / "ort" / "ort-wasm-simd-threaded.wasm"
PACKAGES = ("torch", "torchvision", "onnx", "onnxscript", "onnxruntime", "pillow")
SOURCES = (
    "tooling/browser_model.py",
    "tooling/web/**/*",
    "camlib/networks/**/*",
    "camlib/photos.py",
    "camlib/assets/photos/*",
    "camlib/assets/networks/squeezenet1_1.safetensors",
)

SIDE = 224
RESIZED = 256
# No eye can tell: evidence on these photographs goes up to about 40.
LARGEST_DIFFERENCE = 0.06
# Smaller tensors keep 32 bits: halved, they would save 2 % of the file and triple the difference.
LEAST_HALVED = 10_000
THUMBNAIL = 192
WORDS = {
    "cat": ("Cat", "The face of a tabby cat"),
    "coffee": ("Coffee", "A red cup of espresso with a spoon"),
    "rocket": ("Rocket", "A rocket lifting off at night"),
    "astronaut": ("Astronaut", "An astronaut in an orange suit"),
    "cat_and_coffee": ("Cat and coffee", "A cat and a cup, side by side"),
}


class MapsThenMean(nn.Module):
    """EfficientNet-Lite0 with its linear layer as a 1×1 convolution before the pool."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        linear: nn.Linear = network.classifier[-1]  # type: ignore[index, assignment]
        self.features: nn.Module = network.features  # type: ignore[assignment]
        self.maps = nn.Conv2d(linear.in_features, linear.out_features, 1, bias=False)
        self.maps.weight = nn.Parameter(linear.weight[:, :, None, None].detach())
        self.bias = linear.bias

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps (n, c, h, w) and logits (n, c)."""
        maps = self.maps(self.features(images))
        return maps, maps.mean((2, 3)) + self.bias


class LastLayerIsMaps(nn.Module):
    """SqueezeNet, which gives its last layer beside its logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        *layers, _ = network.classifier  # type: ignore[misc]
        self.maps = nn.Sequential(network.features, *layers)  # type: ignore[arg-type]
        self.bias = torch.zeros(len(networks.class_names()))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps (n, c, h, w) and logits (n, c)."""
        maps = self.maps(images)
        return maps, maps.mean((2, 3))


class Offered(NamedTuple):
    """A network that the page runs: its name there, and how it is built and exported."""

    title: str
    build: Callable[[], nn.Module]
    with_maps: Callable[[nn.Module], nn.Module]


# By the file's name; the page starts with the first, which is the smallest.
OFFERED = {
    "squeezenet1_1": Offered("SqueezeNet 1.1", networks.squeezenet1_1, LastLayerIsMaps),
    "efficientnet_lite0": Offered("EfficientNet-Lite0", networks.efficientnet_lite0, MapsThenMean),
}


def exported(network: nn.Module) -> onnx.ModelProto:
    """Turn a network into an ONNX model that computes with 32 bits."""
    example = (torch.zeros(1, 3, SIDE, SIDE),)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        # The exporter warns of what its own helpers will rename one day.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            example,
            input_names=["images"],
            output_names=["maps", "logits"],
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store every large tensor of weights with 16 bits; a Cast before its use makes 32 of them."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    casts = []
    for tensor in result.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LEAST_HALVED:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *result.graph.node]
    del result.graph.node[:]
    result.graph.node.extend(nodes)
    # The exporter notes where each node comes from: paths of this machine, of no use to a browser.
    for node in result.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del result.graph.value_info[:]
    del result.metadata_props[:]
    del result.graph.metadata_props[:]
    onnx.checker.check_model(result, full_check=True)
    return result


def check(
    model: onnx.ModelProto, network: nn.Module, names: tuple[str, ...] = photos.names()
) -> float:
    """Return the largest difference from a network's maps in PyTorch on the book's photographs.

    Raises
    ------
    SystemExit
        If the best class of a photograph differs, or a map does by more than 0.06.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    largest = 0.0
    for name in names:
        images = networks.preprocess(photos.load(name))
        cam = camlib.class_activation_maps(network, images)
        maps, logits = session.run(["maps", "logits"], {"images": images.numpy()})
        difference = float(np.abs(maps - cam.maps.numpy()).max())
        same = int(logits.argmax()) == int(cam.logits.argmax())
        if not same or difference > LARGEST_DIFFERENCE:
            raise SystemExit(
                f"browser model: on the photograph {name!r} the exported network's maps differ by "
                f"{difference:.3f} from PyTorch's (at most {LARGEST_DIFFERENCE} is allowed) and its "
                f"best class is {'the same' if same else 'another'}. Look at halved() in "
                "tooling/browser_model.py: which weights do not bear 16 bits?"
            )
        largest = max(largest, difference)
    return largest


def description(models: list[dict[str, object]]) -> dict[str, object]:
    """Return what the page must know beside the models: names, colours, photographs."""
    return {
        "networks": models,
        "runtime": {"bytes": RUNTIME.stat().st_size},
        "resize": RESIZED,
        "crop": SIDE,
        # In units of a pixel's 0 to 255.
        "mean": 255 * MEAN,
        "std": 255 * STD,
        "names": networks.class_names(),
        "colours": dual_output.array_url(dual_output.evidence_table(), "uint8"),
        "photographs": [
            {
                "file": _file(name).name,
                "thumbnail": f"{name}.thumbnail.jpg",
                "title": WORDS[name][0],
                "alt": WORDS[name][1],
                "credit": photos.credit(name),
            }
            for name in photos.names()
        ],
    }


def _file(name: str) -> Path:
    """Return a photograph's file, which is not there where two photographs make one."""
    folder = ROOT / "camlib" / "assets" / "photos"
    return next(folder.glob(f"{name}.*"), folder / f"{name}.png")


def copy_photographs(target: Path) -> None:
    """Copy each photograph as it is, so that both networks read the same, and a small one of it."""
    for name in photos.names():
        picture = photos.load(name)
        if _file(name).is_file():
            shutil.copyfile(_file(name), target / _file(name).name)
        else:
            picture.save(target / _file(name).name)
        picture.thumbnail((2 * THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
        picture.save(target / f"{name}.thumbnail.jpg", quality=85, optimize=True)


def fingerprint() -> str:
    """Return a digest of weights, code, photographs and versions: what the files depend on."""
    versions = (f"{package} {metadata.version(package)}" for package in PACKAGES)
    files = (file for source in SOURCES for file in ROOT.glob(source))
    return digest(files, lite0.WEIGHTS_SHA256, *versions)


def copy_licences(target: Path) -> None:
    """Copy ONNX Runtime's licence, which its npm package lacks, from the Python package."""
    for file in metadata.files("onnxruntime") or []:
        if file.name in ("LICENSE", "ThirdPartyNotices.txt") and len(file.parts) == 2:
            shutil.copyfile(str(file.locate()), target / file.name)


def make() -> str:
    """Bring the files up to date and say what was done."""
    if not RUNTIME.is_file():
        raise SystemExit(
            "browser model: ONNX Runtime is missing. Run `make book`, which fetches it."
        )
    wanted = fingerprint()
    if TARGET.is_dir() and STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted:
        return "browser model: up to date"
    STAMP.unlink(missing_ok=True)
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    models, said = [], []
    for name, offered in OFFERED.items():
        network = offered.build()
        with_maps = offered.with_maps(network).eval()
        model = halved(exported(with_maps))
        difference = check(model, network)
        octets = model.SerializeToString()
        (TARGET / f"{name}.onnx").write_bytes(octets)
        offset = with_maps.bias.detach().numpy()  # type: ignore[operator]
        models.append(
            {
                "name": name,
                "title": offered.title,
                "file": f"{name}.onnx",
                "bytes": len(octets),
                "offset": dual_output.array_url(offset, "float32"),
            }
        )
        said.append(f"{offered.title} {len(octets) / 1e6:.2f} MB, maps within {difference:.0e}")
    text = json.dumps(description(models), ensure_ascii=False)
    (TARGET / "network.json").write_text(text, encoding="utf-8")
    copy_photographs(TARGET)
    copy_licences(RUNTIME.parent)
    # Written last: an interrupted run leaves no stamp and is done again.
    STAMP.write_text(wanted, encoding="utf-8")
    return (
        f"browser models: {'; '.join(said)}; same best class as PyTorch on "
        f"{len(photos.names())} photographs"
    )


if __name__ == "__main__":
    sys.stdout.write(make() + "\n")
