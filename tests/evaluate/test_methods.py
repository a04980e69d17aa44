"""The map methods: all classes at once, and measured also where CAM has no map."""

import pytest
import torch

import camlib
from camlib.evaluate import METHODS
from camlib.garments import evaluate_scenes, load_garments, make_scenes
from tests.evaluate.fakes import Mirror
from tests.explain.networks import flatten_net


def test_maps_by_hand() -> None:
    """The picture [1 -2; 3 4] speaks for class 0 and against class 1, a quarter of it at each place.

    Plus-plus: the mean is 3/2, the weights are 1/(2 + 3/2) = 2/7 and, of the negative one, 0.
    """
    picture = torch.tensor([[[[1.0, -2.0], [3.0, 4.0]]]])
    maps, logits = METHODS["grad-cam"](Mirror(), picture)
    assert torch.equal(maps, torch.cat([picture, -picture], 1) / 4)
    assert logits.tolist() == [[1.5, -1.5]]
    maps, logits = METHODS["grad-cam++"](Mirror(), picture)
    torch.testing.assert_close(maps, torch.cat([picture * 2 / 7, picture * 0], 1))
    assert logits.tolist() == [[1.5, -1.5]]


@pytest.mark.parametrize("method", ["grad-cam", "grad-cam++"])
def test_a_network_without_a_pooling_is_measured(method: str) -> None:
    scenes = make_scenes(load_garments("test"), 6, seed=0)
    network = flatten_net()
    assert evaluate_scenes(network, scenes, method="cam").localization is None
    table = evaluate_scenes(network, scenes, method=method)
    assert table.refusal == ""
    assert table.localization is not None


def test_grad_cam_and_cam_are_measured_alike_behind_a_pooling() -> None:
    """A map divided by h·w points to the same place and draws the same boxes."""
    scenes = make_scenes(load_garments("test"), 6, seed=0)
    network = camlib.networks.garment_network("gap")
    one, other = (evaluate_scenes(network, scenes, method=name) for name in ("cam", "grad-cam"))
    assert other.localization is not None
    assert other.as_dict() == one.as_dict()
