"""The weights of Grad-CAM and Grad-CAM++: by hand, by a slow loop, and by second and third derivatives."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import camlib
from camlib import gradients as formulas


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("sizes", [(4,), (2, 2), (2, 1, 2)])
def test_by_hand(sizes: tuple[int, ...]) -> None:
    """As a signal, a picture and a volume. Grad-CAM: (1 + 0 - 2 + 3) / 4 = 1/2.

    Grad-CAM++: the features' sum is 1 + 0 + 1 + 0 = 2.
    Gradient 1: 1/(2 + 1·2) = 1/4. Gradient 0: 0. Gradient -2: 1/(2 - 4) = -1/2. Gradient 3: 1/8.
    The weight takes the positive gradients: 1·1/4 + 3·1/8 = 5/8.
    """
    gradients = torch.tensor([1.0, 0.0, -2.0, 3.0]).view(1, *sizes)
    features = torch.tensor([1.0, 0.0, 1.0, 0.0]).view(1, *sizes)
    places = len(sizes)
    assert formulas.grad_cam_weights(gradients, places=places).tolist() == [0.5]
    alphas = formulas.plus_plus_alphas(gradients, features, places=places)
    assert torch.equal(alphas, torch.tensor([0.25, 0.0, -0.5, 0.125]).view(1, *sizes))
    weights = formulas.grad_cam_plus_plus_weights(gradients, features, places=places)
    assert weights.tolist() == [0.625]
    maps = formulas.weighted_maps(features[None], torch.tensor([[[2.0]]]))
    assert torch.equal(maps, 2 * features[None])
    assert gradients.flatten().tolist() == [1.0, 0.0, -2.0, 3.0]  # the arguments stay as they were
    assert features.flatten().tolist() == [1.0, 0.0, 1.0, 0.0]


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
    shared = formulas.weighted_maps(features, weights[:1].expand(2, 4, 3))
    torch.testing.assert_close(shared, camlib.weighted_sum(features, weights[0]))


def equation_19(gradients: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
    """Loop over everything, with squares and cubes as the paper prints them; shapes (k, places)."""
    alphas, weights = torch.zeros_like(gradients), torch.zeros(len(gradients)).double()
    for k, (slopes, feature) in enumerate(zip(gradients.tolist(), features.tolist(), strict=True)):
        for x, g in enumerate(slopes):
            if g != 0:
                alphas[k, x] = g**2 / (2 * g**2 + sum(feature) * g**3)
            weights[k] += alphas[k, x] * max(g, 0.0)
    return alphas, weights


@given(
    k=st.integers(1, 4),
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    leading=st.lists(st.integers(1, 3), max_size=2),
    seed=st.integers(0, 1000),
)
def test_weights_equal_slow_loops(k: int, sizes: list[int], leading: list[int], seed: int) -> None:
    """For any number of axes of places, and any number before the channels."""
    shape, count = (*leading, k, *sizes), len(sizes)
    features, gradients = random(*shape, seed=seed).abs(), random(*shape, seed=seed + 1)
    gradients[gradients.abs() < 0.1] = 0.0
    alphas = formulas.plus_plus_alphas(gradients, features, places=count).reshape(-1, k, *sizes)
    weights = formulas.grad_cam_plus_plus_weights(gradients, features, places=count).view(-1, k)
    means = formulas.grad_cam_weights(gradients, places=count).view(-1, k)
    rows = [maps.reshape(-1, k, *sizes).flatten(2) for maps in (gradients, features)]
    for one, (slopes, feature) in enumerate(zip(*rows, strict=True)):
        expected = equation_19(slopes, feature)
        tight = {"rtol": 1e-9, "atol": 1e-9}
        torch.testing.assert_close(alphas[one].flatten(1), expected[0], **tight)
        torch.testing.assert_close(weights[one], expected[1], **tight)
        torch.testing.assert_close(means[one], sum(slopes.T) / slopes.shape[1])


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


def test_features_may_be_shared_by_several_gradients() -> None:
    gradients, one = torch.rand(3, 2, 3, 3), torch.rand(1, 2, 3, 3)
    for formula in (formulas.plus_plus_alphas, formulas.grad_cam_plus_plus_weights):
        assert torch.equal(formula(gradients, one), formula(gradients, one.expand(3, -1, -1, -1)))
        assert torch.equal(formula(gradients, one[0]), formula(gradients, one))


GRAD_CAM, ALPHAS = formulas.grad_cam_weights, formulas.plus_plus_alphas
PLUS_PLUS = formulas.grad_cam_plus_plus_weights
CELLS = r"gradients: expected shape \(..., k, {}\) with at least one cell, .* Pass all feature maps"
PAIR = (
    r"features: expected \(k, {}\) .* like gradients, got .* Pass the features that the gradients"
)
PLACES = "places: expected 1, 2 or 3, got {}. Pass how many axes of places gradients ends in: 1 for"


@pytest.mark.parametrize(
    ("formula", "shapes", "places", "error", "message"),
    [
        (GRAD_CAM, [(3, 3)], 2, ValueError, CELLS.format("h, w")),
        (GRAD_CAM, [(3,)], 1, ValueError, CELLS.format("length")),
        (GRAD_CAM, [(2, 3, 3)], 3, ValueError, CELLS.format("d, h, w")),
        (GRAD_CAM, [(2, 0, 3)], 2, ValueError, CELLS.format("h, w")),
        (GRAD_CAM, [(2, 3, 3)], 0, ValueError, PLACES.format(0)),
        (ALPHAS, [(2, 3, 3)] * 2, True, TypeError, PLACES.format(True)),
        (ALPHAS, [(3, 3), (1, 3)], 1, ValueError, PAIR.format("length")),
        (ALPHAS, [(1, 2, 3, 3), (1, 3, 3, 3)], 2, ValueError, PAIR.format("h, w")),
        (PLUS_PLUS, [(3, 2, 3, 3), (2, 2, 3, 3)], 2, ValueError, PAIR.format("h, w")),
        (PLUS_PLUS, [(2, 3, 3), (1, 2, 3, 3)], 2, ValueError, PAIR.format("h, w")),
    ],
)
def test_bad_shapes_are_named(
    formula: Callable[..., Tensor],
    shapes: list[tuple[int, ...]],
    places: int,
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        formula(*map(torch.ones, shapes), places=places)


def test_other_types_are_named() -> None:
    with pytest.raises(TypeError, match="gradients: expected a torch"):
        GRAD_CAM([1.0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=PAIR.format("h, w")):
        PLUS_PLUS(torch.ones(2, 3, 3), torch.ones(2, 3, 3).double())


@pytest.mark.parametrize(
    ("shape", "dtype", "device"),
    [
        ((1, 5, 3), torch.float32, "cpu"),
        ((2, 5, 2), torch.float32, "cpu"),
        ((1, 5, 2), torch.float64, "cpu"),
        ((1, 5, 2), torch.float32, "meta"),  # torch alone would return memory of no meaning
    ],
)
def test_weights_that_do_not_fit_are_named(
    shape: tuple[int, ...], dtype: torch.dtype, device: str
) -> None:
    message = (
        rf"weights: expected shape \(1, t, 2\) .* on cpu like features, got .* on {device}. Pass"
    )
    with pytest.raises(ValueError, match=f"^{message}"):
        formulas.weighted_maps(
            torch.ones(1, 2, 3, 3), torch.ones(shape, dtype=dtype, device=device)
        )


def test_pooled_features_that_do_not_fit_are_named() -> None:
    message = r"^pooled: .* for each of the channels of weight, .*global_average_pool"
    with pytest.raises(ValueError, match=message):
        formulas.pooled_plus_plus_weights(torch.ones(1, 3), torch.ones(1, 2))
