"""MethodComparer in Python: its attributes, what it refuses, and what it shows where."""

import base64
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import camlib
from camlib import networks, photos, plotting
from camlib.explorers import MethodComparer

from .conftest import make_picture
from .figures import data_of, html_of, poster
from .methods import CLASSES, make, make_maps


@pytest.fixture
def explorer() -> MethodComparer:
    return make()


# ------------------------------------------------------------------ attributes


def test_attributes_are_set_and_observed(explorer: MethodComparer) -> None:
    seen = []
    explorer.observe(
        lambda change: seen.append((change["name"], change["new"])), list(explorer.state)
    )
    explorer.class_index = np.int64(3)
    explorer.layer = "early"
    explorer.point = [223, np.int64(0)]
    explorer.scale = "own"
    explorer.set_state({"class_index": 9, "layer": "last", "point": [1, 2], "scale": "one"})
    assert seen == [
        ("class_index", 3),
        ("layer", "early"),
        ("point", (223, 0)),
        ("scale", "own"),
        ("class_index", 9),
        ("layer", "last"),
        ("point", (1, 2)),
        ("scale", "one"),
    ]
    assert type(explorer.class_index) is int


def test_the_last_layer_and_the_highest_logit_come_first() -> None:
    assert (make().layer, make().class_index) == ("last", CLASSES[0])
    assert make(logits=[1.0, 5.0, 2.0]).class_index == CLASSES[1]
    assert make(logits=torch.tensor([1.0, 2.0, 5.0])).class_index == CLASSES[2]
    assert make(classes=None).class_index == 0


def test_what_is_shown_by_hand() -> None:
    """Two cells: 6 and -2 average to 2, which is what 3 and -1, the sum's shares, add up to."""
    maps = {
        "CAM": {"last": torch.tensor([[[6.0, -2.0]]])},
        "Grad-CAM": {"last": torch.tensor([[[3.0, -1.0]]])},
        "Grad-CAM++": {"last": torch.tensor([[[1.0, 0.5]]])},
    }
    explorer = MethodComparer(make_picture(224, 448), maps, ["cat"])
    assert {name: map.tolist() for name, map in explorer.shown.items()} == {
        "CAM": [[6.0, -2.0]],
        "Grad-CAM": [[6.0, -2.0]],
        "Grad-CAM++": [[1.0, 0.5]],
    }
    assert explorer.peaks == {"CAM": 6.0, "Grad-CAM": 6.0, "Grad-CAM++": 6.0}
    explorer.scale = "own"
    assert explorer.peaks == {"CAM": 6.0, "Grad-CAM": 6.0, "Grad-CAM++": 1.0}
    raw = MethodComparer(make_picture(224, 448), maps, ["cat"], times_cells=[])
    assert raw.shown["Grad-CAM"].tolist() == [[3.0, -1.0]]
    assert raw.peaks["Grad-CAM"] == 6.0


def test_maps_are_kept_to_half_a_step() -> None:
    """A step is at most a sixteen-thousandth of a map's own peak, however small the map."""
    maps = make_maps()
    maps["Grad-CAM"]["early"][1] *= 1e-6
    explorer = make(maps, layer="early")
    for place, explorer.class_index in enumerate(CLASSES):
        for name, times in (("Grad-CAM", 14 * 14), ("Grad-CAM++", 1)):
            expected = times * maps[name]["early"][place].numpy()
            gap = np.abs(explorer.shown[name] - expected).max()
            assert gap <= np.abs(expected).max() / 32766


def test_a_method_without_the_layer_is_not_shown(explorer: MethodComparer) -> None:
    explorer.layer = "early"
    assert list(explorer.shown) == list(explorer.peaks) == ["Grad-CAM", "Grad-CAM++"]
    assert "From the left: CAM exists for the last layer alone; Grad-CAM × 196: highest" in html_of(
        explorer
    )


def test_a_hole_elsewhere_is_said_too() -> None:
    maps = make_maps()
    del maps["Grad-CAM++"]["last"]
    assert "; no map of Grad-CAM++ for this layer. Full" in html_of(make(maps))


def test_layers_stand_in_the_order_of_the_longest_list() -> None:
    maps = make_maps()
    maps["CAM"]["later"] = maps["CAM"]["last"]
    maps["Grad-CAM"]["middle"] = maps["Grad-CAM"]["last"]
    layers = [layer for layer, *_ in data_of(make(maps))["layers"]]
    assert layers == ["early", "last", "middle", "later"]


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("class_index", 5, ValueError, "class_index: expected one of 7, 3, 9, got 5. Find a class"),
        ("class_index", 7.0, TypeError, "class_index: expected whole numbers, got float 7.0"),
        ("layer", "first", ValueError, 'layer: expected "early" or "last", got \'first\'. Start'),
        ("point", (224, 0), ValueError, "point: expected a row from 0 to 223 and a column from 0"),
        ("point", 5, TypeError, "point: expected a pair (row, column) or None, got int 5."),
        ("scale", "both", ValueError, 'scale: expected "one" or "own", got \'both\'. Start with'),
    ],
)
def test_a_wrong_value_is_refused_and_the_old_one_stays(
    explorer: MethodComparer, name: str, value: Any, error: type[Exception], message: str
) -> None:
    before = getattr(explorer, name)
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        make(**{name: value})


def changed(method: str, layer: str, values: Any) -> dict[str, Any]:
    """The maps with those of one method and layer replaced."""
    maps = make_maps()
    maps[method][layer] = values
    return maps


LAST = make_maps()["CAM"]["last"]


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("maps", LAST, TypeError, "maps: expected a dict with names as keys, got Tensor of shape"),
        ("maps", {}, ValueError, "maps: expected at least one entry, got none. Pass {"),
        ("maps", {"CAM": LAST}, TypeError, "maps['CAM']: expected a dict with names as keys, got"),
        ("maps", {"CAM": {}}, ValueError, "maps['CAM']: expected at least one entry, got none."),
        ("maps", {"CAM": {8: LAST}}, TypeError, "maps['CAM']: expected a dict with names as keys"),
        ("maps", {"CAM": {"last": LAST}}, ValueError, "maps: expected 2 to 4 methods, got 1. Pa"),
        (
            "maps",
            {key: {"last": LAST} for key in "abcde"},
            ValueError,
            "maps: expected 2 to 4 meth",
        ),
        (
            "maps",
            changed("CAM", "last", LAST[None]),
            ValueError,
            "maps['CAM']['last']: expected shape (c, h, w), rows of cells and columns, got Tensor "
            "of shape (1, 3, 7, 7) and dtype float32. Pass the raw maps of one picture: cam.maps[0].",
        ),
        (
            "maps",
            changed("CAM", "last", LAST.tolist()),
            TypeError,
            "maps['CAM']['last']: expected a tensor or array of shape (c, h, w), got list. Pass",
        ),
        (
            "maps",
            changed("Grad-CAM", "early", LAST * torch.nan),
            ValueError,
            "maps['Grad-CAM']['early']: expected finite numbers, got NaN or infinity. Look for it",
        ),
        (
            "maps",
            changed("CAM", "last", LAST[:2]),
            ValueError,
            "maps['CAM']['last']: expected 3 maps of 7×7 cells as elsewhere, got shape (2, 7, 7). "
            "Pass the same classes for every method and layer, and maps as large as the layer's.",
        ),
        (
            "maps",
            changed("Grad-CAM++", "last", torch.ones(3, 14, 14)),
            ValueError,
            "maps['Grad-CAM++']['last']: expected 3 maps of 7×7 cells as elsewhere, got shape (3, 1",
        ),
        ("image", np.ones((224, 448, 3)), ValueError, "image: expected the picture that 14×14 ce"),
        ("image", LAST, TypeError, "image: expected a numpy array of shape (H, W, 3), got Tensor"),
        ("class_names", "abc", TypeError, "class_names: expected a sequence of strings, got str"),
        ("class_names", ["a", "b"], ValueError, "class_names: expected a name for each of 3 maps"),
        ("classes", 7, TypeError, "classes: expected a sequence of class indices, got int 7. Pas"),
        ("classes", [7, 3], ValueError, "classes: expected an index for each of 3 maps, each once"),
        ("classes", [7, 3, 3], ValueError, "classes: expected an index for each of 3 maps, each"),
        ("classes", [7, 3, -1], ValueError, "classes: expected an index for each of 3 maps, each"),
        ("classes", [7, 3, 1.5], TypeError, "classes: expected whole numbers, got float 1.5."),
        ("logits", [1.0, 2.0], ValueError, "logits: expected a finite number for each of 3 class"),
        ("logits", [1.0, 2.0, np.nan], ValueError, "logits: expected a finite number for each of"),
        ("logits", ["a", "b", "c"], TypeError, "logits: expected numbers, got list. Pass those of"),
        ("times_cells", "Grad-CAM", TypeError, "times_cells: expected a list of methods' names, g"),
        ("times_cells", ["LIME"], ValueError, "times_cells: expected some of CAM, Grad-CAM, Grad"),
    ],
)
def test_wrong_arguments_are_refused(
    argument: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        make(**{argument: value})


# ------------------------------------------------------------------ what is shown


def test_jupyter_takes_the_widget_the_page_the_html(explorer: MethodComparer) -> None:
    data, _ = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert data["text/plain"] == (
        "MethodComparer of CAM, Grad-CAM, Grad-CAM++: 3 classes, 2 layers"
    )
    assert 'data-camlib-explorer="method_comparer"' in data["text/html"]


def test_output_is_the_same_from_run_to_run() -> None:
    first, second = (html_of(make(point=(3, 4))) for _ in range(2))
    assert first == second


def test_the_page_gets_one_table_of_maps_and_the_state() -> None:
    data = data_of(make(logits=[9.271, 1.0, -2.5], layer="early", point=(3, 4), scale="own"))
    assert data["state"] == {
        "class_index": 7,
        "layer": "early",
        "point": [3, 4],
        "scale": "own",
    }
    assert (data["layers"], data["size"]) == ([["early", 14, 14], ["last", 7, 7]], [224, 224])
    assert (data["classes"], data["logits"]) == ([7, 3, 9], [9.27, 1.0, -2.5])
    octets = base64.b64decode(data["values"].removeprefix("data:application/x-int16;base64,"))
    values = np.frombuffer(octets, "<i2")
    maps, start = make_maps(), 0
    for method in data["methods"]:
        for (layer, rows, columns), steps in zip(data["layers"], method["steps"], strict=True):
            assert (steps is None) == (layer not in maps[method["name"]])
            for place, step in enumerate(steps or []):
                part = values[start : start + rows * columns].reshape(rows, columns)
                times = rows * columns if method["times"] else 1
                expected = times * maps[method["name"]][layer][place].numpy()
                np.testing.assert_allclose(part * step, expected, atol=0.5001 * step)
                start += part.size
    assert start == len(values)


def test_five_classes_stay_small() -> None:
    maps = {
        name: {layer: values[[0, 1, 2, 0, 1]] for layer, values in layers.items()}
        for name, layers in make_maps().items()
    }
    assert len(html_of(make(maps, class_names=list("abcde"), classes=None))) < 100_000


def test_without_scripts_each_panel_is_camlibs_overlay() -> None:
    image = make_picture()
    explorer = make(image=image, class_index=3)
    shown = poster(explorer)
    assert shown.shape == (224, 3 * 224 + 2 * 6, 3)
    background = 0.4 + 0.5 * plotting.greyscale(image)
    maps = make_maps()
    peak = max(float(values.abs().max()) for values in explorer_maps(maps, place=1))
    for panel, values in enumerate(explorer_maps(maps, place=1)):
        large = camlib.upsample(values[None, None], 224)[0, 0]
        expected = plotting.overlay(background, camlib.scaling.signed(large, peak), opacity=0.85)
        part = shown[:, 230 * panel : 230 * panel + 224]
        assert np.median(np.abs(part - expected)) < 0.01  # JPEG rounds


def explorer_maps(maps: dict[str, dict[str, Tensor]], place: int) -> list[Tensor]:
    """The three maps of one class in the last layer, in like units."""
    times = {"Grad-CAM": 49}
    return [times.get(name, 1) * layers["last"][place] for name, layers in maps.items()]


def test_without_scripts_the_words_tell_the_outcome(explorer: MethodComparer) -> None:
    high = plotting.written(float(LAST[0].max()), 2)
    listed = f"CAM: highest {high}; Grad-CAM × 49: highest {high}; Grad-CAM++: highest "
    assert (
        f"Maps of “thing 7” in layer last over the photograph, side by side. {listed}"
        in html_of(explorer)
    )
    assert f"<strong>thing 7</strong> in layer last. From the left: {listed}" in html_of(explorer)
    assert re.search(r"Full colour is ±\d\.\d\d in every panel\.", html_of(explorer))
    explorer.scale = "own"
    assert "Full colour is each map’s own peak." in html_of(explorer)


def test_a_map_without_a_positive_value_is_said_so(explorer: MethodComparer) -> None:
    """Of the last class CAM's map is negative everywhere, Grad-CAM++'s is not."""
    explorer.class_index = CLASSES[2]
    assert re.search(
        r"CAM: nothing speaks for it: highest −0\.\d+; Grad-CAM × 49: nothing speaks for it: "
        r"highest −0\.\d+; Grad-CAM\+\+: highest \d",
        html_of(explorer),
    )
    red, _, blue = poster(explorer)[:, :224].reshape(-1, 3).mean(axis=0)
    assert blue > red + 0.05


def test_maps_of_zeros_leave_the_paled_photograph() -> None:
    zeros = {name: {"last": torch.zeros(3, 7, 7)} for name in ("one", "two")}
    explorer = make(zeros)
    assert explorer.peaks == {"one": 0.0, "two": 0.0}
    paled = 0.4 + 0.5 * plotting.greyscale(make_picture())
    assert np.median(np.abs(poster(explorer)[:, :224] - paled)) < 0.01
    assert "one: nothing speaks for it: highest 0.00" in html_of(explorer)


def test_names_cannot_break_out_of_the_page() -> None:
    bad = '</script><b>"x"'
    maps = {bad: {bad: LAST}, "other": {bad: LAST}}
    html = html_of(make(maps, class_names=[bad] * 3))
    assert html.count("<script") == html.count("</script") == 1
    assert "<b>" not in html


def test_a_large_picture_is_scaled_down_and_its_pixels_counted() -> None:
    explorer = make(image=make_picture(896, 896))
    assert data_of(explorer)["size"] == [448, 448]
    explorer.point = (447, 447)
    with pytest.raises(ValueError, match=r"^point: expected a row from 0 to 447 and a column from"):
        explorer.point = (448, 0)


def test_arguments_are_left_as_they_were() -> None:
    image, maps = (255 * make_picture()).astype(np.uint8), make_maps()
    explorer = make(maps, image=image)
    before = html_of(explorer)
    image[:] = 0
    for layers in maps.values():
        for values in layers.values():
            values[:] = 0
    assert html_of(explorer) == before


# ------------------------------------------------------------------ a real network


def weighed(network: nn.Module, name: str, images: Tensor, classes: list[int]) -> Tensor:
    """Grad-CAM of one layer by hand: feature maps weighed by their averaged gradients."""
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        kept.append(output.detach().clone().requires_grad_())
        return kept[0]

    hook = network.get_submodule(name).register_forward_hook(keep)
    logits = network(images)[0]
    hook.remove()
    gradients = torch.stack(
        [torch.autograd.grad(logits[k], kept[0], retain_graph=True)[0][0] for k in classes]
    )
    return torch.einsum("ck,khw->chw", gradients.mean((2, 3)), kept[0].detach()[0])


@pytest.fixture(scope="module")
def real() -> Callable[..., MethodComparer]:
    """CAM and Grad-CAM of the cat, the latter in an earlier layer too."""
    network = networks.efficientnet_lite0()
    images = networks.preprocess(photos.load("cat"))
    cam = camlib.class_activation_maps(network, images)
    classes = cam.logits[0].topk(3).indices.tolist()
    layers = ("features.5", "features.8")
    maps = {
        "CAM": {"features.8": cam.maps[0, classes]},
        "Grad-CAM": {name: weighed(network, name, images, classes) for name in layers},
    }
    picture, names = networks.to_picture(images[0]), networks.class_names()

    def start(**options: Any) -> MethodComparer:
        logits = cam.logits[0, classes]
        return MethodComparer(picture, maps, names, classes, logits=logits, **options)

    return start


def test_on_a_network_that_averages_both_are_the_same(real: Callable[..., MethodComparer]) -> None:
    explorer = real()
    assert "<strong>tiger cat</strong> in layer features.8." in html_of(explorer)
    both = explorer.shown
    np.testing.assert_allclose(both["Grad-CAM"], both["CAM"], atol=1e-3 * both["CAM"].max())
    explorer.layer = "features.5"
    assert {name: map.shape for name, map in explorer.shown.items()} == {"Grad-CAM": (14, 14)}
