"""Is a call affine? Tried on random vectors, for calls whose answer is known."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from camlib.head.calls import Call
from camlib.head.trial import is_affine_by_trial

VECTOR = torch.randn(1, 3, generator=torch.Generator().manual_seed(0))


def set_to_zero(vector: Tensor) -> None:
    vector[:, 0] = 0


@pytest.mark.parametrize(
    ("function", "affine"),
    [
        (lambda v: 2 * v + 1, True),
        (lambda v: v.cumsum(1), True),
        (set_to_zero, True),
        (lambda v: v.clamp(-50, 50), False),
        (lambda v: v.relu(), False),
        (lambda v: v * v, False),
        (lambda v: v.softmax(1), False),
        (lambda v: v.shape, False),  # no tensor
        (lambda v: v @ v, False),  # no such product
    ],
)
def test_what_is_affine(function: Callable[[Tensor], object], affine: bool) -> None:
    before = VECTOR.clone()
    assert is_affine_by_trial(Call(function, (VECTOR,), {}, VECTOR, False)) == affine
    assert torch.equal(VECTOR, before)


def test_the_vector_may_stand_in_a_list_or_have_a_name() -> None:
    call = Call(torch.einsum, ("nk->n", [VECTOR]), {}, VECTOR, False)
    assert is_affine_by_trial(call)
    by_name = Call(torch.square, (), {"input": VECTOR}, VECTOR, False)
    assert not is_affine_by_trial(by_name)
