"""What a map keeps of a picture, and what that costs: by hand."""

import pytest
import torch

from camlib.faithfulness import average_drop, increase_in_confidence, masked

PICTURE = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
MAP = torch.tensor([[[0.0, 0.5], [1.0, 0.25]]])


def test_a_mask_by_hand() -> None:
    """Picture times map: 0, 2·1/2, 3, 4·1/4. With a baseline of 2: 2, 2, 3, 2 + 2/4."""
    assert masked(PICTURE, MAP).tolist() == [[[[0.0, 1.0], [3.0, 1.0]]]]
    assert masked(PICTURE, MAP, 2.0).tolist() == [[[[2.0, 2.0], [3.0, 2.5]]]]


def test_every_channel_is_masked_alike() -> None:
    colour = PICTURE.repeat(1, 3, 1, 1)
    assert torch.equal(masked(colour, MAP), masked(PICTURE, MAP).repeat(1, 3, 1, 1))


def test_drop_and_increase_by_hand() -> None:
    """Half of 0.5 is lost, none of 0.25 (it rises), a quarter of 1, none of 0.75: 0.75/4 = 0.1875.

    One picture of four rises; equal is no increase.
    """
    before = torch.tensor([0.5, 0.25, 1.0, 0.75])
    after = torch.tensor([0.25, 0.5, 0.75, 0.75])
    assert average_drop(before, after) == 0.1875
    assert increase_in_confidence(before, after) == 0.25


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: masked(PICTURE, MAP * 2),
            ValueError,
            "maps: expected values from 0 to 1, got 0 to 2. Scale them first: "
            "camlib.scaling.positive(maps).",
        ),
        (
            lambda: average_drop(torch.tensor([0.0]), torch.tensor([0.5])),
            ValueError,
            "before: expected probabilities above 0 to 1, got 0 to 0. Pass what "
            "camlib.faithfulness.probabilities returns.",
        ),
        (
            lambda: increase_in_confidence(torch.tensor([0.5]), torch.tensor([-3.0])),
            ValueError,
            "after: expected probabilities from 0 to 1, got -3 to -3. Pass what "
            "camlib.faithfulness.probabilities returns.",
        ),
        (
            lambda: average_drop(torch.tensor([0.5]), torch.tensor([0.5, 0.5])),
            ValueError,
            "after: expected the probabilities of the same pictures as before, Tensor of shape (1,) "
            "and dtype float32, got Tensor of shape (2,) and dtype float32. Pass one number for each "
            "picture in both.",
        ),
        (
            lambda: average_drop([0.5], torch.tensor([0.5])),
            TypeError,
            "before: expected a torch.Tensor, got list. Convert it first, for example with "
            "torch.as_tensor(before).",
        ),
    ],
)
def test_bad_input_is_named(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
