"""Layer 1: from gradients to one weight for each feature map, and from there to maps."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.errors import check_axes, check_floating, describe


def grad_cam_weights(gradients: Float[Tensor, "*n k h w"]) -> Float[Tensor, "*n k"]:
    r"""Average a score's gradient over the places of each feature map.

    .. math:: \alpha_k = \frac{1}{hw} \sum_{x, y} g_k(x, y), \qquad
        g_k(x, y) = \frac{\partial S}{\partial f_k(x, y)}

    Parameters
    ----------
    gradients
        The gradients :math:`g_k` of a score :math:`S` with respect to the feature maps, shape
        (..., k, h, w), any real values.

    Returns
    -------
    Tensor
        The weights :math:`\alpha_k`, shape (..., k).

    Raises
    ------
    TypeError
        If ``gradients`` is not a floating-point tensor.
    ValueError
        If it has fewer than three axes, or one of them is empty.

    Notes
    -----
    Selvaraju et al. 2017, equation 1.

    Examples
    --------
    >>> import torch
    >>> grad_cam_weights(torch.tensor([[[[1.0, 3.0]], [[0.0, -2.0]]]]))  # two maps of 1x2 cells
    tensor([[ 2., -1.]])
    """
    return _check_maps("gradients", gradients).mean(dim=(-2, -1))


def plus_plus_alphas(
    gradients: Float[Tensor, "*n k h w"], features: Float[Tensor, "*n k h w"]
) -> Float[Tensor, "*n k h w"]:
    r"""Weigh the places of each gradient as Grad-CAM++ does.

    .. math:: \alpha_k(x, y) = \frac{g^2}{2 g^2 + g^3 \sum_{a, b} f_k(a, b)}
        = \frac{1}{2 + g \sum_{a, b} f_k(a, b)}, \qquad g = g_k(x, y)

    The second form is the first one divided by :math:`g^2`: it needs no small number in the
    denominator, and small gradients do not underflow when they are squared. Where the gradient is
    zero, so is :math:`\alpha`.

    Parameters
    ----------
    gradients
        The gradients :math:`g_k` of a score, shape (..., k, h, w).
    features
        The feature maps :math:`f_k`; their shape broadcasts against that of the gradients.

    Returns
    -------
    Tensor
        The :math:`\alpha_k(x, y)`, in the gradients' shape: from 0 to 1/2 where features and
        gradient are not negative; infinite where the denominator is zero.

    Raises
    ------
    TypeError, ValueError
        If the two are no floating-point tensors of one dtype, or their shapes do not agree.

    Notes
    -----
    Chattopadhay et al. 2018, equation 19. In general second and third derivatives stand there. The
    paper sends the score through an exponential and takes the network below to be piecewise linear:
    then they are the second and third powers of the first derivative, times the exponential, which
    cancels.

    Examples
    --------
    >>> import torch
    >>> plus_plus_alphas(torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[2.0, 0.0]]]))
    tensor([[[0.2500, 0.0000]]])
    """
    _check_maps("gradients", gradients)
    _check_like(features, gradients)
    total = features.sum(dim=(-2, -1), keepdim=True)
    return torch.where(gradients == 0, 0.0, 1 / (2 + gradients * total))


def grad_cam_plus_plus_weights(
    gradients: Float[Tensor, "*n k h w"], features: Float[Tensor, "*n k h w"]
) -> Float[Tensor, "*n k"]:
    r"""Sum the positive part of a score's gradient over the places, each weighed by its alpha.

    .. math:: w_k = \sum_{x, y} \alpha_k(x, y) \, \mathrm{ReLU}(g_k(x, y))

    Parameters
    ----------
    gradients, features
        As in :func:`plus_plus_alphas`, which says what :math:`\alpha_k` is.

    Returns
    -------
    Tensor
        The weights :math:`w_k`, shape (..., k): not negative where the features are not.

    Raises
    ------
    TypeError, ValueError
        As :func:`plus_plus_alphas`.

    Notes
    -----
    Chattopadhay et al. 2018, section 3, without the factor :math:`\exp(S)` that all weights of a
    picture share: it drops out when the map is scaled.

    Examples
    --------
    >>> import torch
    >>> grad_cam_plus_plus_weights(torch.tensor([[[1.0, -1.0]]]), torch.tensor([[[2.0, 0.0]]]))
    tensor([0.2500])
    """
    _check_maps("gradients", gradients)
    _check_like(features, gradients)
    return _damped(gradients, features.sum(dim=(-2, -1), keepdim=True)).sum(dim=(-2, -1))


def pooled_plus_plus_weights(
    weight: Float[Tensor, "*n k"], pooled: Float[Tensor, "*n k"]
) -> Float[Tensor, "*n k"]:
    r"""Return the weights of Grad-CAM++ for a score that is linear in averaged features.

    .. math:: w_k^{++} = \frac{\mathrm{ReLU}(w_k)}{2 + w_k F_k}

    There the gradient is :math:`w_k / hw` at each place, the features' sum is :math:`hw \, F_k`, and
    so :math:`g \sum f = w_k F_k` and :math:`\alpha = 1 / (2 + w_k F_k)` everywhere. No channel with a
    negative weight counts.

    Parameters
    ----------
    weight
        The weights :math:`w_k` of the score, shape (..., k).
    pooled
        The averaged features :math:`F_k`; their shape broadcasts against that of the weights.

    Returns
    -------
    Tensor
        The weights :math:`w_k^{++}`, in the weights' shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a floating-point tensor, or the numbers of channels differ.

    Notes
    -----
    Equation 19 of Chattopadhay et al. 2018, worked out for pool and linear layer.

    Examples
    --------
    >>> import torch
    >>> pooled_plus_plus_weights(torch.tensor([[4.0, -1.0]]), torch.tensor([[0.5, 3.0]]))
    tensor([[1., 0.]])
    """
    check_floating("weight", weight)
    check_floating("pooled", pooled)
    if weight.shape[-1:] != pooled.shape[-1:]:
        raise ValueError(
            f"pooled: expected one number for each of the channels of weight, got {describe(pooled)} "
            f"for {describe(weight)}. Pass camlib.global_average_pool(features)."
        )
    return _damped(weight, pooled)


def weighted_maps(
    features: Float[Tensor, "n k h w"], weights: Float[Tensor, "n t k"]
) -> Float[Tensor, "n t h w"]:
    r"""Add up each picture's feature maps, multiplied by that picture's own weights.

    .. math:: M_t(x, y) = \sum_k w_{tk} \, f_k(x, y)

    As :func:`camlib.weighted_sum`, where all pictures share the weights.

    Parameters
    ----------
    features
        Feature maps :math:`f_k`, shape (n, k, h, w).
    weights
        Weights :math:`w_{tk}` of t targets for each picture, shape (n, t, k).

    Returns
    -------
    Tensor
        The maps :math:`M_t`, shape (n, t, h, w): signed, unscaled.

    Raises
    ------
    TypeError, ValueError
        If the two are no floating-point tensors of one dtype, or their shapes do not agree.

    Notes
    -----
    Selvaraju et al. 2017, equation 2, before the ReLU.

    Examples
    --------
    >>> import torch
    >>> features = torch.tensor([[[[1.0, 0.0]], [[2.0, 5.0]]]])
    >>> weighted_maps(features, torch.tensor([[[3.0, -1.0]]]))
    tensor([[[[ 1., -5.]]]])
    """
    check_axes("features", features, "n k h w")
    check_axes("weights", weights, "n t k")
    n, k = features.shape[:2]
    alike = weights.dtype == features.dtype and weights.device == features.device
    if (weights.shape[0], weights.shape[2]) != (n, k) or not alike:
        raise ValueError(
            f"weights: expected shape ({n}, t, {k}) and dtype {features.dtype} on {features.device} "
            f"like features, got {describe(weights)} on {weights.device}. Pass one row of {k} weights "
            "for each picture and target."
        )
    return (weights @ features.flatten(2)).view(n, -1, *features.shape[2:])


def _damped(slope: Tensor, total: Tensor) -> Tensor:
    """Return ReLU(g)/(2 + g·S): without a case of its own for g < 0, where the numerator is zero."""
    positive = slope.relu()  # NaN stays NaN
    return positive / torch.addcmul(slope.new_tensor(2), positive, total)


def _check_maps(name: str, value: object) -> Tensor:
    tensor = check_floating(name, value)
    if tensor.ndim < 3 or tensor.numel() == 0:
        raise ValueError(
            f"{name}: expected shape (..., k, h, w) with at least one cell, got {describe(tensor)}. "
            "Pass all feature maps of a layer."
        )
    return tensor


def _check_like(features: object, gradients: Tensor) -> None:
    maps = _check_maps("features", features)
    leading = zip(maps.shape[-4::-1], gradients.shape[-4::-1], strict=False)
    broadcasts = maps.ndim <= gradients.ndim and all(mine in (1, other) for mine, other in leading)
    alike = maps.dtype == gradients.dtype and maps.shape[-3:] == gradients.shape[-3:]
    if not (alike and broadcasts):
        raise ValueError(
            f"features: expected (k, h, w) = {tuple(gradients.shape[-3:])} and dtype "
            f"{gradients.dtype} like gradients, got {describe(maps)}. "
            f"Pass the features that the gradients, {describe(gradients)}, belong to."
        )
