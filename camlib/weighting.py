"""Layer 1: from feature maps and weights to one map per class."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from camlib.errors import check_axes, describe

# For so many classes a processor convolves in half the time that the product of matrices takes; for
# fewer it only costs more. Graphics cards may round a convolution's factors to 10 bits (TF32).
_MANY = 200
# oneDNN computes so many kernels at once, and is slow where the last of them are missing.
_KERNELS = 16


def weighted_sum(
    features: Float[Tensor, "n k *places"], weight: Float[Tensor, "c k"]
) -> Float[Tensor, "n c *places"]:
    r"""Add up the feature maps, each multiplied by the class's weight for its channel.

    .. math:: M_c(\mathbf{x}) = \sum_k w_k^c \, f_k(\mathbf{x})

    Parameters
    ----------
    features
        Feature maps :math:`f_k`, shape ``(n, k, *places)``, any real values. Places have one axis
        in signals and sequences of tokens, two in pictures (h, w), three in volumes (d, h, w).
    weight
        Weights :math:`w_k^c`, shape (c, k): one row per class, one column per channel.

    Returns
    -------
    Tensor
        The maps :math:`M_c`, shape ``(n, c, *places)``: signed, unscaled, without the bias.

    Raises
    ------
    TypeError
        If an argument is not a floating-point tensor, or the dtypes or devices differ.
    ValueError
        If the axes are wrong or empty, or the numbers of channels differ.

    Notes
    -----
    Zhou et al. 2016, equation 2.

    Examples
    --------
    >>> import torch
    >>> features = torch.tensor([[[[1.0, 0.0]], [[2.0, 5.0]]]])  # two channels of 1x2 cells
    >>> weighted_sum(features, torch.tensor([[3.0, -1.0]]))
    tensor([[[[ 1., -5.]]]])
    >>> weighted_sum(features[:, :, 0], torch.tensor([[3.0, -1.0]]))  # signals of two places
    tensor([[[ 1., -5.]]])
    """
    check_axes("features", features, "n k *places")
    check_axes("weight", weight, "c k")
    if features.shape[1] != weight.shape[1]:
        raise ValueError(
            f"weight: expected one column for each of the {features.shape[1]} channels of features, "
            f"got {describe(weight)}. Pass the weight of the linear layer that reads these channels."
        )
    if features.dtype != weight.dtype or features.device != weight.device:
        raise TypeError(
            f"weight: expected dtype {features.dtype} on {features.device} like features, got "
            f"{weight.dtype} on {weight.device}. Convert it: weight.to(features)."
        )
    if len(weight) >= _MANY and features.device.type == "cpu" and features.dtype == torch.float32:
        return _by_convolution(features, weight)
    return (weight @ features.flatten(2)).view(len(features), -1, *features.shape[2:])


def _by_convolution(
    features: Float[Tensor, "n k *places"], weight: Float[Tensor, "c k"]
) -> Float[Tensor, "n c *places"]:
    """Convolve with kernels of 1x1: each class is a pixel, and each place of the features a kernel.

    The other way round the many weights would be the kernels, which oneDNN reorders on every call.
    """
    (n, k, *sizes), c = features.shape, len(weight)
    places = features.movedim(1, -1).reshape(-1, k)
    kernels = F.pad(places, (0, 0, 0, -len(places) % _KERNELS))
    image = weight.contiguous().view(1, c, 1, k).permute(0, 3, 1, 2)  # channels last in memory
    maps = F.conv2d(image, kernels[:, :, None, None])[0, : len(places), :, 0]
    return maps.T.reshape(c, n, -1).transpose(0, 1).contiguous().view(n, c, *sizes)
