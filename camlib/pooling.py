"""Layer 1: from feature maps to one number per channel."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from camlib.errors import check_axes


def global_average_pool(features: Float[Tensor, "n k h w"]) -> Float[Tensor, "n k"]:
    r"""Average each feature map over all its places.

    .. math:: F_k = \frac{1}{hw} \sum_{x, y} f_k(x, y)

    Parameters
    ----------
    features
        Feature maps :math:`f_k`, shape (n, k, h, w), any real values.

    Returns
    -------
    Tensor
        The pooled features :math:`F_k`, shape (n, k), within the range of each map.

    Raises
    ------
    TypeError
        If ``features`` is not a floating-point tensor.
    ValueError
        If it does not have four axes, or one of them is empty.

    Notes
    -----
    Zhou et al. 2016 write :math:`F_k` as a sum; the average (Lin et al. 2014, section 3.2) differs
    by the constant factor 1/hw and is what networks compute.

    Examples
    --------
    >>> import torch
    >>> global_average_pool(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]))
    tensor([[3.]])
    """
    return check_axes("features", features, "n k h w").mean(dim=(2, 3))
