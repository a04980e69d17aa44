"""A network's head: the maps that it makes of feature maps, and the proof that they add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from camlib.errors import NotCAMReadyError
from camlib.weighting import weighted_sum


@dataclass(frozen=True)
class Head:
    r"""What a network's head made of one batch: all that a class activation map needs.

    .. math:: \mathrm{logit}_c = \sum_k w_k^c F_k + o_c, \qquad F_k = \mathrm{mean}(f_k)

    Attributes
    ----------
    features
        The feature maps :math:`f_k` that the network averages, shape ``(n, k, *places)``.
    weight
        The weights :math:`w_k^c`, shape (c, k); each picture's own, (n, c, k), if something is held.
    offset
        The part :math:`o_c` of the logit that no place explains, shape (n, c): the head's own value
        at zero. It is never computed from the logits.
    logits
        What the network returned, shape (n, c).
    rounding
        The coarsest relative rounding on the way from the features to the logits.
    held
        The names of the layers that divide by a spread of the vector (a norm or a standard
        deviation), which is held at this batch's value; empty for most networks.
    """

    features: Float[Tensor, "n k *places"]
    weight: Float[Tensor, "c k"] | Float[Tensor, "n c k"]
    offset: Float[Tensor, "n c"]
    logits: Float[Tensor, "n c"]
    rounding: float
    held: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundHead:
    """A head as it was found: a linear layer's ``linear`` weight, or else a function.

    ``slopes`` returns, for vectors (m, n, k), the head's values (m, n, c) less its value at zero;
    ``layer`` is the name of the layer that returns the features, empty if none does.
    """

    features: Float[Tensor, "n k *places"]
    offset: Float[Tensor, "n c"]
    logits: Float[Tensor, "n c"]
    rounding: float
    held: tuple[str, ...]
    layer: str
    linear: Float[Tensor, "c k"] | None
    slopes: Callable[[Float[Tensor, "m n k"]], Float[Tensor, "m n c"]] | None

    @property
    def weight(self) -> Float[Tensor, "c k"] | Float[Tensor, "n c k"]:
        """Return the weights: of a function its values for one channel at a time."""
        if self.slopes is None:
            assert self.linear is not None
            return self.linear
        n, k = self.features.shape[:2]
        basis = torch.eye(k, device=self.features.device)[:, None].expand(k, n, k)
        rows = self.slopes(basis).to(self.exact)  # (k, n, c)
        return rows.permute(1, 2, 0) if self.held else rows[:, 0].T.contiguous()

    @property
    def exact(self) -> torch.dtype:
        """The dtype of the maps: float32 or finer."""
        return torch.promote_types(self.features.dtype, torch.float32)

    def maps(self, classes: Tensor | None = None) -> Float[Tensor, "n c *places"]:
        r"""Return the maps of some classes (c,), or of all, in float32 or finer.

        .. math:: M_c(p) = h_c(f(p)) - h_c(0)

        with :math:`h` the head: a weighted sum of the features where it is a linear layer.
        """
        features = self.features
        if self.slopes is None:
            assert self.linear is not None
            weight = self.linear if classes is None else self.linear.index_select(0, classes)
            return weighted_sum(features.to(self.exact), weight.to(self.exact))
        maps = self.slopes(features.flatten(2).permute(2, 0, 1))  # (places, n, c)
        maps = maps if classes is None else maps.index_select(2, classes)
        return maps.permute(1, 2, 0).reshape(len(features), -1, *features.shape[2:]).to(self.exact)

    def prove(self, maps: Float[Tensor, "n c *places"], offset: Tensor, logits: Tensor) -> None:
        """Raise if maps, or their averages alone, do not give mean(map) + offset = logit."""
        means = maps.flatten(2).mean(2) if maps.ndim > 2 else maps
        gap = _largest(means + (offset - logits))
        # In 32 bits many sums are rounded finely; in 16 only inputs and results are, coarsely.
        sums = 32 + self.features.shape[2:].numel() / 8
        relative = (sums if self.rounding < 1e-4 else 4) * self.rounding
        allowed = relative * _largest(self.logits)
        if not gap <= allowed:
            # Rounding grows with the numbers that were added up, which may be larger than any logit.
            allowed = max(allowed, relative * _largest(maps.movedim(1, -1)))
        if not gap <= allowed:
            raise NotCAMReadyError(
                f"network: expected maps that average to the logits within {allowed:.1g}, got a gap of "
                f"{gap:.3g}. Some layer changes the features after they were pooled, or is not "
                "deterministic; report its structure together with this message."
            )


def _largest(numbers: Tensor) -> float:
    """Return the largest absolute value; NaN, if there is one."""
    return torch.linalg.vector_norm(numbers, torch.inf).item()


def coarsest_rounding(tensors: Iterable[Tensor], convolves: bool = False) -> float:
    """Return the coarsest relative rounding of some tensors, and of what is computed from them."""
    on_gpu, coarsest = False, 0.0
    for tensor in tensors:
        if tensor.is_floating_point():
            coarsest = max(coarsest, torch.finfo(tensor.dtype).eps)
            on_gpu |= tensor.is_cuda
    if on_gpu:  # which may multiply float32 numbers with 10 bits only
        cudnn, cublas = torch.backends.cudnn, torch.backends.cuda.matmul
        if _tf32(cublas) or (convolves and _tf32(getattr(cudnn, "conv", cudnn))):
            return max(coarsest, 2.0**-10)
    return coarsest


def _tf32(backend: Any) -> bool:
    precision = getattr(backend, "fp32_precision", None)  # since PyTorch 2.9
    return bool(backend.allow_tf32 if precision is None else precision == "tf32")
