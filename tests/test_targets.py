"""Ready-made targets for segmentation and detection."""

import pytest
import torch
import torchvision
from torch import nn

import camlib
from camlib import targets


def segmenter() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 2, 1))


IMAGES = torch.randn(2, 3, 6, 8, generator=torch.Generator().manual_seed(0))


def test_a_region_of_a_segmentation() -> None:
    """The mean logit over the region, and Grad-CAM's weights by hand: only the region's cells count."""
    network, mask = segmenter(), torch.zeros(6, 8, dtype=torch.bool)
    mask[1:3, 2:6] = True
    found = camlib.grad_cam(network, IMAGES, targets.segmentation(1, mask), layer="1")
    features = network[1](network[0](IMAGES))
    logits = network(IMAGES)
    torch.testing.assert_close(found.scores[:, 0], logits[:, 1, 1:3, 2:6].mean((1, 2)))
    active = (features > 0).float()  # of the ReLU, whose output is the layer: gradients pass it by
    weights = network[2].weight[1].flatten() / (6 * 8)  # 8 cells of 1/8 each, averaged over 48
    expected = (weights[:, None, None] * features).sum(1)
    torch.testing.assert_close(found.maps[:, 0], expected)
    assert active.any()


def test_the_region_that_the_network_finds() -> None:
    logits = segmenter()(IMAGES)
    region = logits.argmax(1) == 0
    expected = [one[0][where].mean() for one, where in zip(logits, region, strict=True)]
    torch.testing.assert_close(targets.segmentation(0)(logits), torch.stack(expected))
    torch.testing.assert_close(targets.segmentation(0)({"out": logits}), torch.stack(expected))


def test_what_a_segmentation_cannot_use() -> None:
    logits = torch.zeros(1, 2, 3, 3)
    for target, output, message in (
        (targets.segmentation(2), logits, "expected logits of shape"),
        (targets.segmentation(0), logits[0], "expected logits of shape"),
        (targets.segmentation(1), logits, "mask: expected at least one pixel"),
        (
            targets.segmentation(1, torch.ones(2, 2, dtype=torch.bool)),
            logits,
            "mask: expected the size",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            target(output)


DETECTIONS = [
    {
        "boxes": torch.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10], [50, 50, 60, 70]]),
        "labels": torch.tensor([7, 8, 7]),
        "scores": torch.tensor([0.9, 0.8, 0.7]),
    }
]


def test_the_detection_that_meets_a_box() -> None:
    both = targets.detection(torch.tensor([[0.0, 0, 9, 10], [50, 50, 60, 69]]), [7, 7])
    torch.testing.assert_close(both(DETECTIONS), torch.tensor([1.6]))
    torch.testing.assert_close(
        targets.detection([[0, 0, 10, 10]], [8])(DETECTIONS), torch.tensor([0.8])
    )


def test_what_a_detection_cannot_use() -> None:
    for boxes, labels, output, message in (
        ([[0, 0, 10, 10]], [9], DETECTIONS, "expected a detection of class 9"),
        ([[30, 30, 40, 40]], [7], DETECTIONS, "expected a detection of class 7"),
        ([[0, 0, 10, 10]], [7], DETECTIONS * 2, "expected a list of one dictionary"),
    ):
        with pytest.raises(ValueError, match=message):
            targets.detection(boxes, labels)(output)
    for boxes, labels in (
        ([[0, 0, 1]], [1]), ([[0, 0, 1, float("nan")]], [1]), ([[1, 0, 0, 1]], [1]), ([], []),
        ([[0, 0, 1, 1]], [1.9]), ([[0, 0, 1, 1]], 1), ([[0, 0, 1, 1]], ["cat"]), (None, [1]),
        ([[0, 0, 1, 1], [0, 0, 1]], [1, 1]),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="boxes, labels: expected m boxes"):
            targets.detection(boxes, labels)
    with pytest.raises(ValueError, match="dictionary with boxes, labels and scores"):
        targets.detection([[0, 0, 1, 1]], [1])([{"boxes": torch.zeros(0, 4)}])


def test_a_detector_of_torchvision() -> None:
    """Any detection of a network with random weights can be explained by its backbone's last block."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torchvision.models.detection.fasterrcnn_mobilenet_v3_large_320_fpn(
            weights=None, weights_backbone=None, num_classes=3, box_score_thresh=0.0, min_size=64, max_size=64
        ).eval()  # fmt: skip
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first = network(list(image))[0]
    target = targets.detection(first["boxes"][:1], first["labels"][:1].tolist())
    found = camlib.grad_cam(
        network, image, target, "backbone.body.16",
        run=lambda network, images: network(list(images)), check_values=False,
    )  # fmt: skip
    torch.testing.assert_close(found.scores[0, 0], first["scores"][0], atol=1e-5, rtol=1e-4)
    assert found.maps.abs().max() > 0
