"""Layer 1: from gradients to one weight for each feature map, and from there to maps."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.errors import PLACES, check_axes, check_floating, check_places, describe


def grad_cam_weights(
    gradients: Float[Tensor, "*shape"], *, places: int = 2
) -> Float[Tensor, "*n k"]:
    r"""Average a score's gradient over the places of each feature map.

    .. math:: \alpha_k = \frac{1}{m} \sum_{\mathbf{x}} g_k(\mathbf{x}), \qquad
        g_k(\mathbf{x}) = \frac{\partial S}{\partial f_k(\mathbf{x})}

    :math:`\mathbf{x}` runs over all m places: in pictures :math:`\mathbf{x} = (x, y)` and m = hw.

    Parameters
    ----------
    gradients
        The gradients :math:`g_k` of a score :math:`S` with respect to the feature maps, shape
        ``(..., k, *places)``, any real values.
    places
        How many axes of places stand at the end: 1 for signals and tokens, 2 for pictures (h, w),
        3 for volumes (d, h, w).

    Returns
    -------
    Tensor
        The weights :math:`\alpha_k`, shape (..., k).

    Raises
    ------
    TypeError
        If ``gradients`` is not a floating-point tensor, or ``places`` is not a whole number.
    ValueError
        If ``gradients`` has fewer axes than k and the places, or one of them is empty, or
        ``places`` is not 1, 2 or 3.

    Notes
    -----
    Selvaraju et al. 2017, equation 1.

    Examples
    --------
    >>> import torch
    >>> grad_cam_weights(torch.tensor([[[[1.0, 3.0]], [[0.0, -2.0]]]]))  # two maps of 1x2 cells
    tensor([[ 2., -1.]])
    >>> grad_cam_weights(torch.tensor([[[1.0, 3.0], [0.0, -2.0]]]), places=1)  # of two tokens
    tensor([[ 2., -1.]])
    """
    _, at = _check_maps("gradients", gradients, places)
    return gradients.mean(dim=at)


def plus_plus_alphas(
    gradients: Float[Tensor, "*shape"], features: Float[Tensor, "..."], *, places: int = 2
) -> Float[Tensor, "*shape"]:
    r"""Weigh the places of each gradient as Grad-CAM++ does.

    .. math:: \alpha_k(\mathbf{x}) = \frac{g^2}{2 g^2 + g^3 \sum_{\mathbf{a}} f_k(\mathbf{a})}
        = \frac{1}{2 + g \sum_{\mathbf{a}} f_k(\mathbf{a})}, \qquad g = g_k(\mathbf{x})

    The second form is the first one divided by :math:`g^2`: it needs no small number in the
    denominator, and small gradients do not underflow when they are squared. Where the gradient is
    zero, so is :math:`\alpha`.

    Parameters
    ----------
    gradients
        The gradients :math:`g_k` of a score, shape ``(..., k, *places)``.
    features
        The feature maps :math:`f_k`; their shape broadcasts against that of the gradients.
    places
        As in :func:`grad_cam_weights`.

    Returns
    -------
    Tensor
        The :math:`\alpha_k(\mathbf{x})`, in the gradients' shape: from 0 to 1/2 where features and
        gradient are not negative; infinite where the denominator is zero.

    Raises
    ------
    TypeError, ValueError
        If the two are no floating-point tensors of one dtype, their shapes do not agree, or
        ``places`` is not 1, 2 or 3.

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
    at = _check_pair(gradients, features, places)
    total = features.sum(dim=at, keepdim=True)
    return torch.where(gradients == 0, 0.0, 1 / (2 + gradients * total))


def grad_cam_plus_plus_weights(
    gradients: Float[Tensor, "*shape"], features: Float[Tensor, "..."], *, places: int = 2
) -> Float[Tensor, "*n k"]:
    r"""Sum the positive part of a score's gradient over the places, each weighed by its alpha.

    .. math:: w_k = \sum_{\mathbf{x}} \alpha_k(\mathbf{x}) \, \mathrm{ReLU}(g_k(\mathbf{x}))

    Parameters
    ----------
    gradients, features, places
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
    at = _check_pair(gradients, features, places)
    return _damped(gradients, features.sum(dim=at, keepdim=True)).sum(dim=at)


def pooled_plus_plus_weights(
    weight: Float[Tensor, "*n k"], pooled: Float[Tensor, "*n k"]
) -> Float[Tensor, "*n k"]:
    r"""Return the weights of Grad-CAM++ for a score that is linear in averaged features.

    .. math:: w_k^{++} = \frac{\mathrm{ReLU}(w_k)}{2 + w_k F_k}

    There the gradient is :math:`w_k / m` at each of m places, the features' sum is :math:`m F_k`,
    and so :math:`g \sum f = w_k F_k` and :math:`\alpha = 1 / (2 + w_k F_k)` everywhere. No channel
    with a negative weight counts.

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
    features: Float[Tensor, "n k *places"], weights: Float[Tensor, "n t k"]
) -> Float[Tensor, "n t *places"]:
    r"""Add up each picture's feature maps, multiplied by that picture's own weights.

    .. math:: M_t(\mathbf{x}) = \sum_k w_{tk} \, f_k(\mathbf{x})

    As :func:`camlib.weighted_sum`, where all pictures share the weights.

    Parameters
    ----------
    features
        Feature maps :math:`f_k`, shape ``(n, k, *places)``, with any number of axes of places.
    weights
        Weights :math:`w_{tk}` of t targets for each picture, shape (n, t, k).

    Returns
    -------
    Tensor
        The maps :math:`M_t`, shape ``(n, t, *places)``: signed, unscaled.

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
    check_axes("features", features, "n k *places")
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


def _check_maps(name: str, value: object, places: int) -> tuple[Tensor, tuple[int, ...]]:
    return check_places(name, value, places, "Pass all feature maps of a layer.", before="k, ")


def _check_pair(gradients: object, features: object, places: int) -> tuple[int, ...]:
    """Return the axes of places, if the features are those that the gradients may belong to."""
    slopes, at = _check_maps("gradients", gradients, places)
    maps, _ = _check_maps("features", features, places)
    own = -places - 1  # the last axes, from k on, have to agree; those before may broadcast
    leading = zip(maps.shape[own - 1 :: -1], slopes.shape[own - 1 :: -1], strict=False)
    broadcasts = maps.ndim <= slopes.ndim and all(mine in (1, other) for mine, other in leading)
    if maps.dtype != slopes.dtype or maps.shape[own:] != slopes.shape[own:] or not broadcasts:
        raise ValueError(
            f"features: expected (k, {PLACES[places - 1]}) = {tuple(slopes.shape[own:])} and dtype "
            f"{slopes.dtype} like gradients, got {describe(maps)}. "
            f"Pass the features that the gradients, {describe(slopes)}, belong to."
        )
    return at
