"""WeightedSumExplorer in Python: its terms add up, and what is shown without scripts."""

import numpy as np
import pytest
import torch

import camlib
from camlib import plotting

from .conftest import array, data_of, poster, words_of
from .makers import (
    SUMMED,
    contributions,
    logits_with,
    make_head,
    make_picture,
    make_sum,
    make_sum_by_hand,
    maps_with,
    shown,
)


def test_it_starts_with_the_highest_logit_and_its_strongest_channel() -> None:
    explorer, head = make_sum(), make_head()
    best = max(SUMMED, key=lambda index: float(head.logits[0, index]))
    assert explorer.class_index == best
    assert explorer.channel == int(contributions(head)[best].argmax())
    assert explorer.channel in shown(head, SUMMED, 5)
    assert (explorer.off, explorer.factors) == ((), {})
    assert make_sum(class_index=8).channel == int(contributions(head)[8].argmax())


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_the_page_gets_terms_that_add_up(scale: float) -> None:
    """The channels shown, all the others as one term and the offset: nothing is missing."""
    head = make_head(scale=scale)
    data = data_of(make_sum(head=head))
    channels = array(data["channels"], "int32").tolist()
    assert channels == shown(head, SUMMED, 5)
    assert data["others"] == 60 - len(channels)
    features = array(data["features"], "int16").reshape(data["shape"]) * data["step"]
    assert np.abs(features - head.features[0, channels].numpy()).max() <= data["step"] / 2
    values = array(data["values"], "float32")
    logits, offset, weight, rest = np.split(values, np.cumsum([3, 3, 3 * len(channels)]))
    np.testing.assert_array_equal(logits, head.logits[0, SUMMED].numpy())
    np.testing.assert_array_equal(offset, head.offset[0, SUMMED].numpy())
    whole = head.weight[0] if head.weight.ndim == 3 else head.weight
    np.testing.assert_array_equal(weight, whole[SUMMED][:, channels].numpy().ravel())
    without = maps_with(head, dict.fromkeys(channels, 0.0))[SUMMED].numpy()
    np.testing.assert_allclose(rest, without.ravel(), atol=1e-3)
    maps = np.tensordot(weight.reshape(3, -1), features, 1) + rest.reshape(3, 7, 7)
    np.testing.assert_allclose(maps, maps_with(head, {})[SUMMED].numpy(), atol=2e-5)
    np.testing.assert_allclose(maps.mean((1, 2)) + offset, logits, atol=1e-5)
    assert data["classes"] == SUMMED
    assert data["names"] == ["thing 003", "thing 017", "thing 008"]


def test_two_channels_by_hand() -> None:
    """3·[4 2; 0 2] - [0 1; 8 3], bias 0.5: the means are 6 and -3, the logit 3.5; see make_sum_by_hand."""
    explorer = make_sum_by_hand()
    assert explorer.channel == 0
    assert str(explorer) == "WeightedSumExplorer of 1 classes, 2 of 2 channels"
    caption = words_of(explorer)[1]
    assert (
        "the sum of all 2 channels and the offset is 3.50; the network’s logit is 3.50." in caption
    )
    assert "Its strongest channels: 0 (+6.00), 1 (-3.00)." in caption
    with pytest.raises(ValueError, match=r"^channel: expected .* \(from 0 to 1\), got -1\."):
        explorer.channel = -1
    one = make_sum_by_hand(channels=1)
    assert str(one) == "WeightedSumExplorer of 1 classes, 1 of 2 channels"
    one.off = [-1]
    assert "with the channels that are switched on and the offset is 6.50;" in words_of(one)[1]


@pytest.mark.parametrize("some", [False, True])
def test_without_scripts_the_picture_is_camlibs_overlay(some: bool) -> None:
    head = make_head()
    first, second = shown(head, SUMMED, 5)[:2]
    chosen = {"off": (first,), "factors": {second: 2.0}} if some else {}
    loads = {first: 0.0, second: 2.0} if some else {}
    explorer = make_sum(class_index=8, **chosen)
    drawn = poster(explorer)
    assert drawn.shape == (224, 224, 3)
    scaled = camlib.scaling.signed(
        maps_with(head, loads)[None, [8]], maps_with(head, {})[SUMMED].abs().max()
    )
    large = camlib.upsample(scaled, 224, "nearest")[0, 0]
    grey = plotting.greyscale(make_picture(224, 224))
    expected = plotting.overlay(grey, large.clip(-1, 1), opacity=0.85)
    assert np.abs(drawn - expected).mean() < 0.015  # JPEG rounds
    caption = words_of(explorer)[1]
    now, logit = logits_with(head, loads)[8], head.logits[0, 8]
    what = "with the channels that are switched on" if some else "of all 60 channels"
    assert caption.startswith(
        f"thing 008: the sum {what} and the offset is {now:.2f}; the network’s logit is "
        f"{logit:.2f}. Its strongest channels: "
    )
    best = contributions(head)[8].argsort(descending=True)[:3].tolist()
    assert ", ".join(f"{k} ({contributions(head)[8, k]:+.2f})" for k in best) in caption


def test_a_silent_picture_is_the_bare_photograph() -> None:
    ones = torch.ones(1, 2)
    head = camlib.Head(torch.zeros(1, 4, 7, 7), torch.ones(2, 4), ones, ones, 1e-7)
    drawn = poster(make_sum(head=head, class_names=["a", "b"], classes=[0, 1]))
    assert np.abs(drawn - plotting.greyscale(make_picture(224, 224))).mean() < 0.01
