"""What a map keeps of a picture, and what that costs: by hand."""

import pytest
import torch

from camlib.faithfulness import average_drop, increase_in_confidence, masked

PICTURE = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
MAP = torch.tensor([[[0.0, 0.5], [1.0, 0.25]]])


def test_a_mask_by_hand() -> None:
    """Picture times map: 0, 2·1/2, 3, 4·1/4. With a baseline of 2: 2, 2, 3, 2 + 2/4; all channels."""
    assert masked(PICTURE, MAP).tolist() == [[[[0.0, 1.0], [3.0, 1.0]]]]
    found = masked(PICTURE.repeat(1, 3, 1, 1), MAP, 2.0)
    assert found.tolist() == [[[[2.0, 2.0], [3.0, 2.5]]] * 3]


def test_drop_and_increase_by_hand() -> None:
    """Half of 0.5 is lost, none of 0.25 (it rises), a quarter of 1, none of 0.75: 0.75/4 = 0.1875.

    One picture of four rises; equal is no increase.
    """
    before = torch.tensor([0.5, 0.25, 1.0, 0.75])
    after = torch.tensor([0.25, 0.5, 0.75, 0.75])
    assert average_drop(before, after) == 0.1875
    assert increase_in_confidence(before, after) == 0.25


HALF = torch.tensor([0.5])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: masked(PICTURE, MAP * 2), ValueError, r"maps: .* 0 to 1, got 0 to 2\. .*positive"),
        (lambda: masked(PICTURE, MAP - 1), ValueError, "maps: expected values from 0 to 1"),
        (lambda: average_drop(HALF * 0, HALF), ValueError, "before: .*above 0 to 1, got 0 to 0"),
        (lambda: average_drop(HALF, HALF * 3), ValueError, "after: .* from 0 to 1, got 1.5 to 1.5"),
        (
            lambda: increase_in_confidence(HALF, -HALF),
            ValueError,
            "after: .*from 0 to 1, got -0.5 to -0.5. Pass what .*probabilities returns",
        ),
        (
            lambda: average_drop(HALF, HALF.repeat(2)),
            ValueError,
            r"after: expected the probabilities of the same pictures as before, .* \(1,\)",
        ),
        (lambda: average_drop([0.5], HALF), TypeError, "before: expected a torch.Tensor, got list"),
    ],
)
def test_bad_input_is_named(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        call()
