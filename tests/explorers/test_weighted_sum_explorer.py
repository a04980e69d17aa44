"""WeightedSumExplorer in Python: its terms add up, its attributes refuse nonsense, its picture."""

import dataclasses
import json
import re
from typing import Any

import numpy as np
import pytest
import torch

import camlib
from camlib import plotting
from camlib.explorers import WeightedSumExplorer
from camlib.explorers.terms import REST, checked_terms

from .conftest import make_names, make_picture
from .heads import contributions, logits_with, make_head, maps_with, shown
from .test_class_explorer import figure_of, numbers, picture

CLASSES = [3, 17, 8]
NAMES = make_names(20)


def make(**changes: Any) -> WeightedSumExplorer:
    arguments = {"image": make_picture(), "head": make_head(), "class_names": NAMES}
    return WeightedSumExplorer(**arguments | {"classes": CLASSES, "channels": 5} | changes)


@pytest.fixture
def explorer() -> WeightedSumExplorer:
    return make()


# ------------------------------------------------------------------ terms


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_all_terms_and_the_offset_are_the_logit(scale: float) -> None:
    """The channels shown, all the others as one term and the offset: nothing is missing."""
    head = make_head(scale=scale)
    terms = checked_terms(head, NAMES, CLASSES, 5)
    np.testing.assert_allclose(
        terms.maps.sum(1), maps_with(head, {})[CLASSES].numpy(), atol=2e-6 * 10
    )
    np.testing.assert_allclose(
        terms.maps.mean((2, 3)).sum(1) + terms.offset, head.logits[0, CLASSES].numpy(), atol=1e-5
    )


def test_the_strongest_channels_of_each_class_are_shown() -> None:
    head = make_head()
    terms = checked_terms(head, NAMES, CLASSES, 5)
    assert terms.channels.tolist() == shown(head, CLASSES, 5)
    assert terms.others == 60 - len(terms.channels)
    np.testing.assert_allclose(
        terms.maps[:, :-1].mean((2, 3)),
        contributions(head)[CLASSES][:, terms.channels.tolist()].numpy(),
        atol=1e-4,
    )


def test_two_channels_by_hand() -> None:
    """3·[4 2; 0 2] - [0 1; 8 3], bias 0.5: the map is [12 5; -8 3], the logit 3 + 0.5."""
    head = camlib.Head(
        features=torch.tensor([[[[4.0, 2.0], [0.0, 2.0]], [[0.0, 1.0], [8.0, 3.0]]]]),
        weight=torch.tensor([[3.0, -1.0]]),
        offset=torch.tensor([[0.5]]),
        logits=torch.tensor([[3.5]]),
        rounding=1e-7,
    )
    terms = checked_terms(head, ["by hand"], [0], 24)
    assert terms.numbers == (0, 1)
    assert terms.others == 0
    assert terms.maps.sum(1).tolist() == [[[12.0, 5.0], [-8.0, 3.0]]]
    assert terms.maps.mean((2, 3)).tolist() == [[6.0, -3.0]]
    one = checked_terms(head, ["by hand"], [0], 1)
    assert one.numbers == (0, REST)
    assert one.maps[0, 1].tolist() == [[0.0, -1.0], [-8.0, -3.0]]


def test_the_page_gets_these_terms(explorer: WeightedSumExplorer) -> None:
    data, head = figure_of(explorer).data, make_head()
    channels = numbers(data["channels"], "int32").tolist()
    features = numbers(data["features"], "int16").reshape(data["shape"]) * data["step"]
    values = numbers(data["values"], "float32")
    logits, offset, weight, rest = np.split(values, np.cumsum([3, 3, 3 * len(channels)]))
    assert np.abs(features - head.features[0, channels].numpy()).max() <= data["step"] / 2
    np.testing.assert_array_equal(logits, head.logits[0, CLASSES].numpy())
    np.testing.assert_array_equal(offset, head.offset[0, CLASSES].numpy())
    np.testing.assert_array_equal(weight, head.weight[CLASSES][:, channels].numpy().ravel())
    without = maps_with(head, dict.fromkeys(channels, 0.0))[CLASSES].numpy()
    np.testing.assert_allclose(rest, without.ravel(), atol=1e-3)
    assert data["classes"] == CLASSES
    assert data["names"] == ["thing 003", "thing 017", "thing 008"]


# ------------------------------------------------------------------ attributes


def test_it_starts_with_the_highest_logit_and_its_strongest_channel(
    explorer: WeightedSumExplorer,
) -> None:
    head = make_head()
    best = max(CLASSES, key=lambda index: float(head.logits[0, index]))
    assert explorer.class_index == best
    assert explorer.channel == int(contributions(head)[best].argmax())
    assert (explorer.off, explorer.factors) == ((), {})


def test_attributes_are_set_and_observed(explorer: WeightedSumExplorer) -> None:
    a, b = explorer._terms.channels[:2]
    seen = []
    explorer.observe(lambda change: seen.append((change["name"], change["new"])))
    explorer.class_index = np.int64(8)
    explorer.off = [b, a, b, -1]
    explorer.factors = {a: np.float32(0.5)}
    explorer.channel = -1
    assert seen == [
        ("class_index", 8),
        ("off", (-1, int(a), int(b))),
        ("factors", {int(a): 0.5}),
        ("channel", -1),
    ]


def test_what_the_browser_sends_is_taken(explorer: WeightedSumExplorer) -> None:
    """JSON knows no tuples, and only text as a name."""
    a = int(explorer._terms.channels[0])
    explorer.set_state({"off": [a, -1], "factors": {str(a): 1.5, "-1": 0}})
    assert explorer.off == (-1, a)
    assert explorer.factors == {a: 1.5, -1: 0.0}


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        (
            "class_index",
            4,
            ValueError,
            "class_index: expected one of 3, 17, 8, got 4. Name it among the classes: "
            "classes=[..., 4].",
        ),
        (
            "class_index",
            3.0,
            TypeError,
            "class_index: expected whole numbers, got float 3.0. Convert with int(...).",
        ),
        (
            "off",
            5,
            TypeError,
            "off: expected a sequence of channel numbers, got int 5. Pass (112,) for one channel, "
            "() for none.",
        ),
        (
            "off",
            [0],
            ValueError,
            "off: expected one of the 13 channels shown (from FIRST to LAST), or -1 for all the "
            "others together, got 0. More are shown with a larger channels=.",
        ),
        (
            "off",
            [True],
            TypeError,
            "off: expected whole numbers, got bool True. Convert with int(...).",
        ),
        (
            "factors",
            [1],
            TypeError,
            "factors: expected a dict from channel number to factor, got list. "
            "Pass for example {112: 0.5}.",
        ),
        (
            "factors",
            {-1: 2.5},
            ValueError,
            "factors: expected numbers from 0 to 2, got 2.5. 1 leaves a channel as it is, "
            "0 silences it.",
        ),
        (
            "factors",
            {-1: "loud"},
            TypeError,
            "factors: expected numbers from 0 to 2, got str 'loud'. 1 leaves a channel as it is.",
        ),
        (
            "factors",
            {"a": 1},
            TypeError,
            "factors: expected whole numbers, got str 'a'. Convert with int(...).",
        ),
        (
            "channel",
            60,
            ValueError,
            "channel: expected one of the 13 channels shown (from FIRST to LAST), or -1 for all "
            "the others together, got 60. More are shown with a larger channels=.",
        ),
    ],
)
def test_a_wrong_value_is_refused_and_the_old_one_stays(
    explorer: WeightedSumExplorer, name: str, value: Any, error: type[Exception], message: str
) -> None:
    channels = explorer._terms.channels
    assert len(channels) == 13
    message = message.replace("FIRST", str(channels[0])).replace("LAST", str(channels[-1]))
    before = getattr(explorer, name)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make(**{name: value})


def changed(**parts: Any) -> camlib.Head:
    return dataclasses.replace(make_head(), **parts)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"head": make_head().features},
            TypeError,
            "head: expected the result of camlib.find_head, got Tensor of shape (1, 60, 7, 7) and "
            "dtype float32 without features, weight, offset, logits. Pass the result of "
            "camlib.find_head as it is.",
        ),
        (
            {"head": changed(features=make_head().features.repeat(2, 1, 1, 1))},
            ValueError,
            "head: expected the features of one picture, shape (1, k, h, w), got Tensor of shape "
            "(2, 60, 7, 7) and dtype float32. Pass one of them: "
            "camlib.find_head(network, images[:1]).",
        ),
        (
            {"head": changed(weight=make_head().weight[:, :9])},
            ValueError,
            "head: expected a logit for each class and a weight for each of 60 channels, got "
            "logits Tensor of shape (1, 20) and dtype float32 and weight Tensor of shape (20, 9) "
            "and dtype float32. Pass the result of camlib.find_head as it is.",
        ),
        (
            {"head": changed(offset=torch.full((1, 20), torch.nan))},
            ValueError,
            "head: expected finite features, weights, offset and logits, got NaN or infinity. "
            "Look for it in the images first: images.isfinite().all().",
        ),
        (
            {"head": changed(logits=make_head().logits + 0.5)},
            ValueError,
            "head: expected the weighted sum of the pooled features plus the offset to be the "
            "logit, got a difference of 0.5. Pass the result of camlib.find_head as it is.",
        ),
        (
            {"classes": 3},
            TypeError,
            "classes: expected a sequence of class indices, got int 3. "
            "Pass for example classes=[281, 287].",
        ),
        (
            {"classes": [3, 3]},
            ValueError,
            "classes: expected one or more indices from 0 to 19, each once, got [3, 3]. "
            "Find a class by its name with class_names.index(name).",
        ),
        (
            {"classes": [20]},
            ValueError,
            "classes: expected one or more indices from 0 to 19, each once, got [20]. "
            "Find a class by its name with class_names.index(name).",
        ),
        (
            {"channels": 0},
            ValueError,
            "channels: expected 1 or more for each class, got 0. Start with channels=24.",
        ),
        (
            {"class_names": ["a", "b"]},
            ValueError,
            "class_names: expected a name for each of 3 maps, or all of the network's 18 or more, "
            "got 2. Pass camlib.networks.class_names().",
        ),
    ],
)
def test_wrong_arguments_are_refused(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make(**changes)


def test_a_picture_of_other_proportions_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^image: expected the picture that 7×7 cells belong to"):
        make(image=make_picture(100, 300))


# ------------------------------------------------------------------ what is shown


def test_its_text_is_fixed_and_its_output_the_same_from_run_to_run() -> None:
    first, second = (make()._repr_mimebundle_()[0] for _ in range(2))
    assert first["text/plain"] == "WeightedSumExplorer of 3 classes, 13 of 60 channels"
    assert first["text/html"] == second["text/html"]


def test_the_state_travels_as_json(explorer: WeightedSumExplorer) -> None:
    a = int(explorer._terms.channels[0])
    explorer.off, explorer.factors = (a,), {a: 0.5}
    state = json.loads(json.dumps(figure_of(explorer).data["state"]))
    assert state["off"] == [a]
    assert state["factors"] == {str(a): 0.5}


@pytest.mark.parametrize("some", [False, True])
def test_without_scripts_the_picture_is_camlibs_overlay(some: bool) -> None:
    head = make_head()
    first, second = shown(head, CLASSES, 5)[:2]
    chosen = {"off": (first,), "factors": {second: 2.0}} if some else {}
    loads = {first: 0.0, second: 2.0} if some else {}
    figure = figure_of(make(class_index=8, **chosen))
    came = picture(figure.attributes["img"]["src"] or "")
    values = maps_with(head, loads)[None, [8]]
    scaled = camlib.scaling.signed(values, maps_with(head, {})[CLASSES].abs().max())
    large = camlib.upsample(scaled, came.shape[:2], "nearest")[0, 0]
    grey = plotting.greyscale(make_picture(*came.shape[:2]))
    expected = plotting.overlay(grey, large.clip(-1, 1), opacity=0.85)
    assert np.abs(came / 255 - expected).mean() < 0.015  # JPEG rounds
    caption = figure.text["strong"]
    sum_now, logit = logits_with(head, loads)[8], head.logits[0, 8]
    what = "with the channels that are switched on" if some else "of all 60 channels"
    assert caption.startswith(
        f"thing 008: the sum {what} and the offset is {sum_now:.2f}; the network’s logit is "
        f"{logit:.2f}. Its strongest channels: "
    )
    best = contributions(head)[8].argsort(descending=True)[:3].tolist()
    assert ", ".join(f"{k} ({contributions(head)[8, k]:+.2f})" for k in best) in caption


def test_a_silent_picture_is_the_bare_photograph() -> None:
    head = camlib.Head(
        torch.zeros(1, 4, 7, 7),
        torch.ones(2, 4),
        torch.ones(1, 2),
        torch.ones(1, 2),
        1e-7,
    )
    made = WeightedSumExplorer(make_picture(224, 224), head, ["a", "b"], [0, 1])
    came = picture(figure_of(made).attributes["img"]["src"] or "")
    assert np.abs(came / 255 - plotting.greyscale(make_picture(224, 224))).mean() < 0.01


def test_arguments_are_left_as_they_were() -> None:
    head = make_head()
    copies = {field.name: getattr(head, field.name) for field in dataclasses.fields(head)}
    copies = {name: value.clone() for name, value in copies.items() if torch.is_tensor(value)}
    make(head=head)
    assert all(torch.equal(getattr(head, name), value) for name, value in copies.items())


def test_what_is_held_is_said(explorer: WeightedSumExplorer) -> None:
    held = make(head=make_head(scale=0.25))
    assert figure_of(held).data["held"] == "The spread of norm is held."
    assert " see who wins. The spread of norm is held.</figcaption>" in held._static_html()
    assert "held" not in figure_of(explorer).data
    assert " see who wins.</figcaption>" in explorer._static_html()
