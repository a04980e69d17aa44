"""MethodComparer in Python: what it shows, what the page gets, and what is seen without scripts."""

import re

import numpy as np
import pytest
import torch
from torch import Tensor

import camlib
from camlib import networks, photos, plotting
from camlib.explorers import MethodComparer

from .conftest import array, data_of, html_of, poster, words_of
from .makers import COMPARED, make_cam, make_maps, make_methods, make_networks, make_picture

LAST = make_maps()["CAM"]["last"]


def test_the_last_layer_and_the_highest_logit_come_first() -> None:
    assert (make_methods().layer, make_methods().class_index) == ("last", COMPARED[0])
    assert make_methods(logits=[1.0, 5.0, 2.0]).class_index == COMPARED[1]
    assert make_methods(logits=torch.tensor([1.0, 2.0, 5.0])).class_index == COMPARED[2]
    assert make_methods(logits=[0.001, 0.004, 0.002]).class_index == COMPARED[1]
    assert make_methods(classes=None).class_index == 0


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
    explorer = make_methods(maps=maps, layer="early")
    for place, explorer.class_index in enumerate(COMPARED):
        for name, times in (("Grad-CAM", 14 * 14), ("Grad-CAM++", 1)):
            expected = times * maps[name]["early"][place].numpy()
            gap = np.abs(explorer.shown[name] - expected).max()
            assert gap <= np.abs(expected).max() / 32766


def test_a_method_without_the_layer_is_not_shown() -> None:
    explorer = make_methods()
    explorer.layer = "early"
    assert list(explorer.shown) == list(explorer.peaks) == ["Grad-CAM", "Grad-CAM++"]
    assert "From the left: CAM exists for the last layer alone; Grad-CAM × 196: highest" in html_of(
        explorer
    )


def test_a_hole_elsewhere_is_said_too() -> None:
    maps = make_maps()
    del maps["Grad-CAM++"]["last"]
    assert "; no map of Grad-CAM++ for this layer. Full" in html_of(make_methods(maps=maps))


def test_layers_stand_in_the_order_of_the_longest_list() -> None:
    maps = make_maps()
    maps["CAM"]["later"] = maps["CAM"]["last"]
    maps["Grad-CAM"]["middle"] = maps["Grad-CAM"]["last"]
    assert data_of(make_methods(maps=maps))["layers"] == ["early", "last", "middle", "later"]


def test_the_page_gets_one_table_of_maps_and_the_state() -> None:
    data = data_of(
        make_methods(logits=[9.271, 1.0, -2.5], layer="early", point=(3, 4), scale="own")
    )
    assert data["state"] == {
        "class_index": 7,
        "layer": "early",
        "point": [3, 4],
        "scale": "own",
    }
    assert (data["layers"], data["size"]) == (["early", "last"], [224, 224])
    assert (data["classes"], data["logits"]) == ([7, 3, 9], [9.27, 1.0, -2.5])
    values = array(data["values"], "int16")
    maps, start = make_maps(), 0
    for method in data["methods"]:
        assert method["logits"] is None
        for layer, cells, steps in zip(
            data["layers"], method["cells"], method["steps"], strict=True
        ):
            assert (steps is None) == (cells is None) == (layer not in maps[method["name"]])
            for place, step in enumerate(steps or []):
                rows, columns = cells
                part = values[start : start + rows * columns].reshape(rows, columns)
                times = rows * columns if method["times"] else 1
                expected = times * maps[method["name"]][layer][place].numpy()
                np.testing.assert_allclose(part * step, expected, atol=0.5001 * step)
                start += part.size
    assert start == len(values)


def test_without_scripts_each_panel_is_camlibs_overlay() -> None:
    image = make_picture()
    explorer = make_methods(image=image, class_index=3)
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


def test_without_scripts_the_words_tell_the_outcome() -> None:
    explorer = make_methods()
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


def test_a_map_without_a_positive_value_is_said_so() -> None:
    """Of the last class CAM's map is negative everywhere, Grad-CAM++'s is not."""
    explorer = make_methods()
    explorer.class_index = COMPARED[2]
    assert re.search(
        r"CAM: nothing speaks for it: highest −0\.\d+; Grad-CAM × 49: nothing speaks for it: "
        r"highest −0\.\d+; Grad-CAM\+\+: highest \d",
        html_of(explorer),
    )
    red, _, blue = poster(explorer)[:, :224].reshape(-1, 3).mean(axis=0)
    assert blue > red + 0.05


def test_maps_of_zeros_leave_the_paled_photograph() -> None:
    zeros = {name: {"last": torch.zeros(3, 7, 7)} for name in ("one", "two")}
    explorer = make_methods(maps=zeros)
    assert explorer.peaks == {"one": 0.0, "two": 0.0}
    paled = 0.4 + 0.5 * plotting.greyscale(make_picture())
    assert np.median(np.abs(poster(explorer)[:, :224] - paled)) < 0.01
    assert "one: nothing speaks for it: highest 0.00" in html_of(explorer)


def test_networks_compare_on_grids_of_their_own() -> None:
    """And with their own logits; the first network's decide which class comes first."""
    explorer = make_networks()
    assert {name: map.shape for name, map in explorer.shown.items()} == {
        "coarse": (7, 7),
        "fine": (13, 13),
    }
    assert explorer.class_index == COMPARED[0]
    data = data_of(explorer)
    assert data["logits"] is None
    assert [method["logits"] for method in data["methods"]] == [[5, -3, 2], [1, 4.12, 2]]
    assert [method["cells"] for method in data["methods"]] == [[[7, 7]], [[13, 13]]]
    explorer.class_index = COMPARED[1]
    assert re.search(
        r"coarse, logit −3\.00: highest \d.*; fine, logit 4\.12: highest", html_of(explorer)
    )
    expected = plotting.overlay(
        0.4 + 0.5 * plotting.greyscale(make_picture()),
        camlib.scaling.signed(
            camlib.upsample(make_cam(3, 13, 13).maps[:, [1]], 224)[0, 0], explorer.peaks["fine"]
        ),
        opacity=0.85,
    )
    assert np.median(np.abs(poster(explorer)[:, 230:] - expected)) < 0.01


def test_logits_of_another_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r'logits: expected "coarse" or "fine", got \'third\''):
        make_networks(logits={"third": [1.0, 2.0, 3.0]})
    with pytest.raises(
        ValueError, match=r"logits\['fine'\]: expected a finite number for each of 3"
    ):
        make_networks(logits={"fine": [1.0, 2.0]})


def test_on_a_network_that_averages_both_are_the_same() -> None:
    """CAM and Grad-CAM of the cat, the latter in an earlier layer too."""
    network = networks.efficientnet_lite0()
    images = networks.preprocess(photos.load("cat"))
    cam = camlib.class_activation_maps(network, images)
    classes = cam.logits[0].topk(2).indices.tolist()
    found = camlib.grad_cam(network, images, classes, ["features.5", "features.8"])
    explorer = MethodComparer(
        networks.to_picture(images[0]),
        {
            "CAM": {"features.8": cam.maps[0, classes]},
            "Grad-CAM": {one.layer: one.maps[0] for one in found},
        },
        networks.class_names(),
        classes,
        logits=cam.logits[0, classes],
    )
    assert words_of(explorer)[1].startswith("tiger cat in layer features.8.")
    both = explorer.shown
    np.testing.assert_allclose(both["Grad-CAM"], both["CAM"], atol=1e-3 * both["CAM"].max())
    explorer.layer = "features.5"
    assert {name: map.shape for name, map in explorer.shown.items()} == {"Grad-CAM": (14, 14)}
