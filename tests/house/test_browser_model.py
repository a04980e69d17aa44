"""The network as a file for browsers: what it holds, and that a wrong one does not pass."""

import copy
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from camlib import photos
from camlib.networks.pictures import MEAN, STD
from tooling import browser_model


class Small(nn.Module):
    """Ends as EfficientNet does: features, then dropout and one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 200, 1, stride=8), nn.ReLU())
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(200, 100))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Pool, then the linear layer: the usual order."""
        return self.classifier(self.features(images).mean((2, 3)))


@pytest.fixture(scope="module")
def small() -> Small:
    """A small network with weights that are always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Small().eval()


@pytest.fixture(scope="module")
def model(small: Small) -> onnx.ModelProto:
    """It, exported."""
    return browser_model.exported(browser_model.MapsThenMean(small).eval())


def run(model: onnx.ModelProto, images: torch.Tensor) -> list[np.ndarray]:
    """Run a model on the processor."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return list(session.run(["maps", "logits"], {"images": images.numpy()}))


IMAGES = torch.linspace(-1, 1, 3 * 224 * 224).reshape(1, 3, 224, 224)


def test_the_file_says_what_the_network_says(small: Small, model: onnx.ModelProto) -> None:
    """Each map's value is the linear layer of one cell; their mean + bias is that of the mean."""
    maps, logits = run(model, IMAGES)
    np.testing.assert_allclose(logits, small(IMAGES).detach(), atol=1e-5)
    cells = small.features(IMAGES).movedim(1, -1) @ small.classifier[1].weight.T
    np.testing.assert_allclose(maps, cells.movedim(-1, 1).detach(), atol=1e-5)


def test_halved(model: onnx.ModelProto) -> None:
    """Only large tensors are stored with 16 bits; each value moves by 2⁻¹¹ of itself at most, tiny ones by 2⁻²⁵."""
    before = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    half = browser_model.halved(model)
    stored = {one.name: numpy_helper.to_array(one) for one in half.graph.initializer}
    assert stored["maps.weight.half"].dtype == np.float16
    assert stored["bias"].dtype == np.float32
    np.testing.assert_allclose(
        stored["maps.weight.half"], before["maps.weight"], rtol=2**-11, atol=2**-25
    )
    assert before["maps.weight"].dtype == np.float32
    for old, new in zip(run(model, IMAGES), run(half, IMAGES), strict=True):
        np.testing.assert_allclose(new, old, atol=2e-3)
        assert not np.array_equal(new, old)


def test_a_last_layer_that_is_the_maps() -> None:
    """As it is in PyTorch, with the logits beside it: SqueezeNet's own, from random weights."""
    from torchvision.models import squeezenet1_1

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = squeezenet1_1().eval()
    maps, logits = run(
        browser_model.exported(browser_model.LastLayerIsMaps(network).eval()), IMAGES
    )
    with torch.no_grad():
        expected = network.classifier[:3](network.features(IMAGES))
        np.testing.assert_allclose(logits, network(IMAGES), atol=1e-5)
    assert maps.shape == (1, 1000, 13, 13)
    np.testing.assert_allclose(maps, expected, atol=1e-5)


def test_a_network_that_says_something_else_stops_the_build(
    small: Small, model: onnx.ModelProto
) -> None:
    """One row of the last layer's weights is changed after the export."""
    changed = copy.deepcopy(small)
    assert browser_model.check(model, changed, ("cat", "rocket")) < 1e-4
    with torch.no_grad():
        changed.classifier[1].weight[50] += 1
    with pytest.raises(SystemExit, match=r"'cat'.*differ by .*0\.06 is allowed.*halved\(\)"):
        browser_model.check(model, changed, ("cat",))


def test_description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON with everything that the page asks for, numbers as Python has them."""
    (tmp_path / "ort.wasm").write_bytes(bytes(77))
    monkeypatch.setattr(browser_model, "RUNTIME", tmp_path / "ort.wasm")
    given = json.loads(json.dumps(browser_model.description([{"file": "a.onnx", "bytes": 123}])))
    assert given["networks"] == [{"file": "a.onnx", "bytes": 123}]
    assert given["runtime"] == {"bytes": 77}
    assert (given["names"][282], len(given["names"])) == ("tiger cat", 1000)
    assert given["mean"] == pytest.approx(255 * MEAN)
    assert given["std"] == pytest.approx(255 * STD)
    assert [one["credit"] for one in given["photographs"]] == [
        photos.credit(name) for name in photos.names()
    ]


def test_photographs_are_copied_as_they_are(tmp_path: Path) -> None:
    """Both networks must read the same pixels; the small ones are only to look at."""
    from PIL import Image

    browser_model.copy_photographs(tmp_path)
    for name in photos.names():
        (large,) = [file for file in tmp_path.glob(f"{name}.*") if "thumb" not in file.name]
        assert Image.open(large).convert("RGB").tobytes() == photos.load(name).tobytes()
        assert (tmp_path / f"{name}.thumbnail.jpg").stat().st_size < 25_000


def test_fingerprint_follows_what_it_depends_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another source, another version or other weights: another fingerprint."""
    monkeypatch.setattr(browser_model, "ROOT", tmp_path)
    source = tmp_path / "tooling" / "browser_model.py"
    source.parent.mkdir()
    source.write_text("one", encoding="utf-8")
    seen = [browser_model.fingerprint()]
    assert browser_model.fingerprint() == seen[0]
    source.write_text("two", encoding="utf-8")
    seen.append(browser_model.fingerprint())
    monkeypatch.setattr(browser_model.lite0, "WEIGHTS_SHA256", "0")
    seen.append(browser_model.fingerprint())
    monkeypatch.setattr(browser_model.metadata, "version", lambda package: "0.0")
    seen.append(browser_model.fingerprint())
    assert len(set(seen)) == 4


def test_nothing_is_made_twice_and_nothing_without_the_runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_model, "RUNTIME", tmp_path / "ort.wasm")
    with pytest.raises(SystemExit, match=r"ONNX Runtime is missing\. Run `make book`"):
        browser_model.make()
    (tmp_path / "ort.wasm").write_bytes(b"x")
    monkeypatch.setattr(browser_model, "TARGET", tmp_path)
    monkeypatch.setattr(browser_model, "STAMP", tmp_path / "stamp")
    (tmp_path / "stamp").write_text(browser_model.fingerprint(), encoding="utf-8")
    assert browser_model.make() == "browser model: up to date"
