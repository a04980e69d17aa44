"""The weights of Grad-CAM and Grad-CAM++: by hand, by a slow loop, and by second and third derivatives."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import camlib
from camlib import gradients as formulas


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_grad_cam_weights_by_hand() -> None:
    """(1 + 0 - 2 + 3) / 4 = 1/2."""
    gradients = torch.tensor([[[[1.0, 0.0], [-2.0, 3.0]]]])
    assert formulas.grad_cam_weights(gradients).tolist() == [[0.5]]


def test_plus_plus_by_hand() -> None:
    """The features' sum is 1 + 0 + 1 + 0 = 2.

    Gradient 1: 1/(2 + 1·2) = 1/4. Gradient 0: 0. Gradient -2: 1/(2 - 4) = -1/2. Gradient 3: 1/8.
    The weight takes the positive gradients: 1·1/4 + 3·1/8 = 5/8.
    """
    features = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]])
    gradients = torch.tensor([[[[1.0, 0.0], [-2.0, 3.0]]]])
    alphas = formulas.plus_plus_alphas(gradients, features)
    assert alphas.tolist() == [[[[0.25, 0.0], [-0.5, 0.125]]]]
    assert formulas.grad_cam_plus_plus_weights(gradients, features).tolist() == [[0.625]]


def test_pooled_weights_by_hand() -> None:
    """4/(2 + 4·1/2) = 1; a negative weight gives 0; with nothing pooled 3/(2 + 0) = 3/2."""
    weight, pooled = torch.tensor([[4.0, -1.0, 3.0]]), torch.tensor([[0.5, 2.0, 0.0]])
    assert formulas.pooled_plus_plus_weights(weight, pooled).tolist() == [[1.0, 0.0, 1.5]]


def test_weighted_maps_by_hand() -> None:
    """Picture 1: 3·[1 0] - [2 5] = [1 -5]. Picture 2 has weights of its own: 2·[1 1] + 0 = [2 2]."""
    features = torch.tensor([[[[1.0, 0.0]], [[2.0, 5.0]]], [[[1.0, 1.0]], [[7.0, 9.0]]]])
    weights = torch.tensor([[[3.0, -1.0]], [[2.0, 0.0]]])
    maps = formulas.weighted_maps(features, weights)
    assert maps.tolist() == [[[[1.0, -5.0]]], [[[2.0, 2.0]]]]


def test_a_signal_by_hand() -> None:
    """The numbers of the picture above in a row: the mean is 1/2, the features' sum 2."""
    gradients, features = (
        torch.tensor([[1.0, 0.0, -2.0, 3.0]]),
        torch.tensor([[1.0, 0.0, 1.0, 0.0]]),
    )
    assert formulas.grad_cam_weights(gradients, places=1).tolist() == [0.5]
    alphas = formulas.plus_plus_alphas(gradients, features, places=1)
    assert alphas.tolist() == [[0.25, 0.0, -0.5, 0.125]]
    found = formulas.grad_cam_plus_plus_weights(gradients, features, places=1)
    assert found.tolist() == [0.625]
    maps = formulas.weighted_maps(features[None], torch.tensor([[[2.0]]]))
    assert maps.tolist() == [[[2.0, 0.0, 2.0, 0.0]]]


@pytest.mark.parametrize("sizes", [(12,), (3, 4), (3, 2, 2)])
@pytest.mark.parametrize("leading", [(), (2,), (5, 2)])
def test_places_in_any_number_of_axes_equal_places_in_a_row(
    leading: tuple[int, ...], sizes: tuple[int, ...]
) -> None:
    """A picture with one row and a signal of 12 places, cut into rows and columns by ``view``."""
    gradients, features = random(*leading, 3, 1, 12), random(*leading, 3, 1, 12, seed=1).abs()
    cut = [maps.view(*leading, 3, *sizes) for maps in (gradients, features)]
    for formula, count in (
        (formulas.grad_cam_weights, 1),
        (formulas.plus_plus_alphas, 2),
        (formulas.grad_cam_plus_plus_weights, 2),
    ):
        found = formula(*cut[:count], places=len(sizes))
        expected = formula(*(gradients, features)[:count])
        torch.testing.assert_close(found, expected.view(found.shape), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sizes", [(12,), (3, 4), (3, 2, 2), (2, 2, 3, 1)])
def test_weighted_maps_equal_a_loop_over_pictures_targets_and_channels(
    sizes: tuple[int, ...],
) -> None:
    features, weights = random(2, 3, *sizes), random(2, 4, 3, seed=1)
    maps = formulas.weighted_maps(features, weights)
    for n in range(2):
        for t in range(4):
            expected = sum(weights[n, t, k] * features[n, k] for k in range(3))
            torch.testing.assert_close(maps[n, t], expected)


def equation_19(gradients: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
    """Loop over everything, with squares and cubes as the paper prints them."""
    alphas, weights = torch.zeros_like(gradients), torch.zeros(gradients.shape[0])
    weights = weights.double()
    for k in range(gradients.shape[0]):
        total = sum(float(a) for a in features[k].flatten())
        for y in range(gradients.shape[1]):
            for x in range(gradients.shape[2]):
                g = float(gradients[k, y, x])
                if g != 0:
                    alphas[k, y, x] = g**2 / (2 * g**2 + total * g**3)
                weights[k] += alphas[k, y, x] * max(g, 0.0)
    return alphas, weights


@given(k=st.integers(1, 4), h=st.integers(1, 5), w=st.integers(1, 5), seed=st.integers(0, 1000))
def test_plus_plus_equals_a_slow_loop(k: int, h: int, w: int, seed: int) -> None:
    features, gradients = random(k, h, w, seed=seed).abs(), random(k, h, w, seed=seed + 1)
    gradients[gradients.abs() < 0.1] = 0.0
    alphas, weights = equation_19(gradients, features)
    tight = {"rtol": 1e-9, "atol": 1e-9}
    torch.testing.assert_close(formulas.plus_plus_alphas(gradients, features), alphas, **tight)
    found = formulas.grad_cam_plus_plus_weights(gradients, features)
    torch.testing.assert_close(found, weights, **tight)


def test_plus_plus_equals_true_second_and_third_derivatives_of_an_exponential() -> None:
    """In general alpha = Y'' / (2 Y'' + sum f · Y'''); here Y = exp(S), and S is linear."""
    slopes = random(2, 3, seed=1)
    features = random(2, 3, seed=2).abs().requires_grad_()
    score = (slopes * features).sum().exp()
    (first,) = torch.autograd.grad(score, features, create_graph=True)
    expected = torch.zeros(2, 3, dtype=torch.float64)
    for k in range(2):
        for x in range(3):
            (second,) = torch.autograd.grad(first[k, x], features, create_graph=True)
            (third,) = torch.autograd.grad(second[k, x], features, retain_graph=True)
            twice, thrice = second[k, x].detach(), third[k, x]
            expected[k, x] = twice / (2 * twice + features[k].sum().detach() * thrice)
    alphas = formulas.plus_plus_alphas(slopes[:, None], features.detach()[:, None])
    torch.testing.assert_close(alphas[:, 0], expected, rtol=1e-9, atol=0)


def test_the_closed_form_equals_equation_19() -> None:
    weight, features = random(5, 7), random(7, 3, 4, seed=1).abs()
    everywhere = (weight / 12)[:, :, None, None].expand(5, 7, 3, 4)
    expected = formulas.grad_cam_plus_plus_weights(everywhere, features)
    found = formulas.pooled_plus_plus_weights(weight, features.mean((1, 2))[None])
    assert (found - expected).abs().max() <= 1e-15


def test_weighted_maps_equal_the_weighted_sum_where_weights_are_shared() -> None:
    features, weight = random(3, 4, 2, 5), random(6, 4, seed=1)
    maps = formulas.weighted_maps(features, weight.expand(3, 6, 4))
    torch.testing.assert_close(maps, camlib.weighted_sum(features, weight))


def test_small_gradients_are_neither_shifted_nor_lost() -> None:
    """Their squares would be zero in 32 bits, and an epsilon of 1e-6 would outweigh them."""
    gradients, features = torch.full((1, 1, 1), 1e-30), torch.full((1, 1, 1), 1e30)
    assert formulas.plus_plus_alphas(gradients, features).item() == pytest.approx(1 / 3)


def test_nan_is_not_hidden() -> None:
    gradients, features = torch.tensor([[[float("nan"), 1.0]]]), torch.ones(1, 1, 2)
    assert formulas.grad_cam_weights(gradients).isnan().all()
    assert formulas.plus_plus_alphas(gradients, features)[0, 0, 0].isnan()
    assert formulas.grad_cam_plus_plus_weights(gradients, features).isnan().all()
    assert formulas.pooled_plus_plus_weights(gradients[0], features[0])[0, 0].isnan()


def test_a_gradient_that_is_cut_off_counts_nothing_even_where_its_alpha_is_infinite() -> None:
    """2 + g·S = 2 - 1·2 = 0."""
    gradients, features = torch.tensor([[[-1.0]]]), torch.tensor([[[2.0]]])
    assert formulas.plus_plus_alphas(gradients, features).isinf().all()
    assert formulas.grad_cam_plus_plus_weights(gradients, features).tolist() == [0.0]


def test_arguments_are_left_alone() -> None:
    gradients, features = random(2, 3, 4, 4), random(2, 3, 4, 4, seed=1)
    before = gradients.clone(), features.clone()
    formulas.grad_cam_plus_plus_weights(gradients, features)
    formulas.weighted_maps(features, formulas.grad_cam_weights(gradients)[:, None])
    assert torch.equal(gradients, before[0])
    assert torch.equal(features, before[1])


ONES = torch.ones(1, 2, 3, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: formulas.grad_cam_weights(torch.ones(3, 3)),
            ValueError,
            "gradients: expected shape (..., k, h, w) with at least one cell, got Tensor of shape "
            "(3, 3) and dtype float32. Pass all feature maps of a layer.",
        ),
        (
            lambda: formulas.grad_cam_weights([1.0]),
            TypeError,
            "gradients: expected a torch.Tensor, got list. Convert it first, for example with "
            "torch.as_tensor(gradients).",
        ),
        (
            lambda: formulas.grad_cam_weights(ONES, places=0),
            ValueError,
            "places: expected 1, 2 or 3, got 0. Pass how many axes of places gradients ends in: 1 "
            "for signals and tokens, 2 for pictures, 3 for volumes.",
        ),
        (
            lambda: formulas.plus_plus_alphas(ONES, ONES, places=True),
            TypeError,
            "places: expected 1, 2 or 3, got True. Pass how many axes of places gradients ends in: "
            "1 for signals and tokens, 2 for pictures, 3 for volumes.",
        ),
        (
            lambda: formulas.grad_cam_weights(torch.ones(3), places=1),
            ValueError,
            "gradients: expected shape (..., k, length) with at least one cell, got Tensor of shape "
            "(3,) and dtype float32. Pass all feature maps of a layer.",
        ),
        (
            lambda: formulas.grad_cam_plus_plus_weights(ONES[0], ONES[0], places=3),
            ValueError,
            "gradients: expected shape (..., k, d, h, w) with at least one cell, got Tensor of shape "
            "(2, 3, 3) and dtype float32. Pass all feature maps of a layer.",
        ),
        (
            lambda: formulas.plus_plus_alphas(ONES[0, 0], torch.ones(1, 3), places=1),
            ValueError,
            "features: expected (k, length) = (3, 3) and dtype torch.float32 like gradients, got "
            "Tensor of shape (1, 3) and dtype float32. Pass the features that the gradients, Tensor "
            "of shape (3, 3) and dtype float32, belong to.",
        ),
        (
            lambda: formulas.plus_plus_alphas(ONES, torch.ones(1, 3, 3, 3)),
            ValueError,
            "features: expected (k, h, w) = (2, 3, 3) and dtype torch.float32 like gradients, got "
            "Tensor of shape (1, 3, 3, 3) and dtype float32. Pass the features that the gradients, "
            "Tensor of shape (1, 2, 3, 3) and dtype float32, belong to.",
        ),
        (
            lambda: formulas.grad_cam_plus_plus_weights(ONES, ONES.double()),
            ValueError,
            "features: expected (k, h, w) = (2, 3, 3) and dtype torch.float32 like gradients, got "
            "Tensor of shape (1, 2, 3, 3) and dtype float64. Pass the features that the gradients, "
            "Tensor of shape (1, 2, 3, 3) and dtype float32, belong to.",
        ),
        (
            lambda: formulas.pooled_plus_plus_weights(torch.ones(1, 3), torch.ones(1, 2)),
            ValueError,
            "pooled: expected one number for each of the channels of weight, got Tensor of shape "
            "(1, 2) and dtype float32 for Tensor of shape (1, 3) and dtype float32. Pass "
            "camlib.global_average_pool(features).",
        ),
        (
            lambda: formulas.weighted_maps(ONES, torch.ones(1, 5, 3)),
            ValueError,
            "weights: expected shape (1, t, 2) and dtype torch.float32 on cpu like features, got Tensor "
            "of shape (1, 5, 3) and dtype float32 on cpu. Pass one row of 2 weights for each picture "
            "and target.",
        ),
    ],
)
def test_bad_input_is_named(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_features_of_other_pictures_are_named() -> None:
    """Broadcasting may repeat one picture's features, but not fit two to three."""
    gradients, one, two = (torch.rand(n, 2, 3, 3) for n in (3, 1, 2))
    repeated = formulas.plus_plus_alphas(gradients, one.expand(3, -1, -1, -1))
    assert torch.equal(formulas.plus_plus_alphas(gradients, one), repeated)
    for formula in (formulas.plus_plus_alphas, formulas.grad_cam_plus_plus_weights):
        with pytest.raises(
            ValueError, match=r"^features: expected .* got Tensor of shape \(2, 2, 3, 3\)"
        ):
            formula(gradients, two)


def test_weights_from_another_device_are_named() -> None:
    """Torch alone would return memory that nobody has written to."""
    with pytest.raises(ValueError, match=r"^weights: expected .* on cpu like features, .* on meta"):
        formulas.weighted_maps(ONES, torch.ones(1, 5, 2, device="meta"))
