"""Layer 1: from feature maps to one number per channel."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from camlib.errors import check_axes


def global_average_pool(features: Float[Tensor, "n k *places"]) -> Float[Tensor, "n k"]:
    r"""Average each feature map over all its places.

    .. math:: F_k = \frac{1}{m} \sum_{\mathbf{x}} f_k(\mathbf{x})

    :math:`\mathbf{x}` runs over all m places: in pictures :math:`\mathbf{x} = (x, y)` and m = hw.

    Parameters
    ----------
    features
        Feature maps :math:`f_k`, shape ``(n, k, *places)``, any real values. Places have one axis
        in signals and sequences of tokens, two in pictures (h, w), three in volumes (d, h, w).

    Returns
    -------
    Tensor
        The pooled features :math:`F_k`, shape (n, k), within the range of each map.

    Raises
    ------
    TypeError
        If ``features`` is not a floating-point tensor.
    ValueError
        If it has fewer than three axes, or one of them is empty.

    Notes
    -----
    Zhou et al. 2016 write :math:`F_k` as a sum; the average (Lin et al. 2014, section 3.2) differs
    by the constant factor 1/m and is what networks compute.

    Examples
    --------
    >>> import torch
    >>> global_average_pool(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]))
    tensor([[3.]])
    >>> global_average_pool(torch.tensor([[[1.0, 2.0, 6.0]]]))  # a signal of three places
    tensor([[3.]])
    """
    check_axes("features", features, "n k *places")
    return features.mean(dim=tuple(range(2, features.ndim)))
