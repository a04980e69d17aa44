"""The randomisation test: a map that explains a network must change when its weights are gone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import rankdata
from torch import Tensor, nn
from torch.jit import ScriptModule

from camlib.errors import check_maps, describe
from camlib.inputs import check_images, check_network
from camlib.running import evaluating, hooking

Replace = Callable[[Tensor, torch.Generator], Tensor]
Explain = Callable[[nn.Module], Float[Tensor, "n h w"]]


@dataclass(frozen=True)
class Randomisation:
    """What became of the maps while the layers lost what they had learnt.

    Attributes
    ----------
    layers
        The layers' names, from the output down: at step i all up to ``layers[i]`` are replaced.
    maps
        The maps at each step, shape (s + 1, n, h, w); first those of the network itself.
    similarity
        The rank correlation of each step's maps with the first, shape (s, n): 1 where the map does
        not notice that the weights are gone.
    """

    layers: tuple[str, ...]
    maps: Float[Tensor, "s1 n h w"]
    similarity: Float[np.ndarray, "s n"]


def randomisation_test(
    network: nn.Module,
    images: Float[Tensor, "n 3 H W"],
    explain: Explain,
    *,
    seed: int = 0,
    replace: Replace | None = None,
    check_values: bool = True,
) -> Randomisation:
    """Replace the weights of layer after layer, from the output down, and see what the maps do.

    All is done to a copy; the network itself is not touched.

    Parameters
    ----------
    network, images
        The network and a batch of shape (n, channels, H, W), normalised as it expects.
    explain
        From a network to one map for each picture, shape (n, h, w): for example
        ``lambda network: camlib.grad_cam(network, images, 3).maps[:, 0]``.
    seed
        Of the new weights.
    replace
        From a parameter and a generator to a parameter of the same shape; by default
        :func:`shuffled`.
    check_values
        Refuse images that look like raw pixels; see :func:`camlib.find_head`.

    Returns
    -------
    Randomisation
        With one step for each layer that has parameters and takes part in the forward pass.

    Raises
    ------
    TypeError, ValueError
        If an argument cannot be used, or ``explain`` does not return maps; the message says
        what to do.

    Notes
    -----
    Adebayo et al. 2018, section 3.1, the cascading randomisation.
    """
    check_network(network)
    check_images(images, network, check_values)
    scripted = [name for name, part in network.named_modules() if isinstance(part, ScriptModule)]
    if scripted:
        raise ValueError(
            f"network: expected layers whose order can be watched, got the scripted {scripted[0]!r}. "
            "Pass the original network."
        )
    randomised, draw = copy.deepcopy(network), torch.Generator().manual_seed(seed)
    layers = _from_the_output_down(randomised, images)
    ran = set(layers.values())
    maps = [_explained(explain, randomised, len(images))]
    for module in layers.values():
        with torch.no_grad():
            for parameter in _own_parameters(module, ran):
                parameter.copy_(_replaced(replace or shuffled, parameter, draw))
        maps.append(_explained(explain, randomised, len(images)))
    similarity = np.array([rank_correlation(maps[0], later) for later in maps[1:]])
    return Randomisation(tuple(layers), torch.stack(maps), similarity)


def _replaced(replace: Replace, parameter: Tensor, draw: torch.Generator) -> Tensor:
    new = replace(parameter.detach().clone(), draw)
    if not isinstance(new, Tensor) or new.shape != parameter.shape:
        raise ValueError(
            f"replace: expected a function that returns a tensor of the parameter's shape "
            f"{tuple(parameter.shape)}, got {describe(new)}. Make it like the one it is given."
        )
    return new


def shuffled(parameter: Tensor, generator: torch.Generator) -> Tensor:
    """Return a parameter's own numbers in random order: the same sizes, and nothing learnt.

    Parameters
    ----------
    parameter
        Any tensor.
    generator
        On the CPU.

    Returns
    -------
    Tensor
        Same shape.
    """
    order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
    return parameter.flatten()[order].view(parameter.shape)


def rank_correlation(
    maps: Float[Tensor, "n h w"], others: Float[Tensor, "n h w"]
) -> Float[np.ndarray, " n"]:
    """Return Spearman's rank correlation of each map with its partner.

    Parameters
    ----------
    maps, others
        Two batches of maps, shape (n, h, w); equal values share their mean rank.

    Returns
    -------
    numpy.ndarray
        From -1 to 1, shape (n,): 1 for the same order of places, whatever the values; 0 where a map
        is the same everywhere, and so has no order.

    Raises
    ------
    TypeError, ValueError
        If the two are not of one shape, or hold NaN or infinity.

    Examples
    --------
    >>> import torch
    >>> rank_correlation(torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[[0.0, 7.0, 9.0]]])).item()
    1.0
    """
    shape, other_shape = (
        tuple(check_maps(name, value).shape) for name, value in (("maps", maps), ("others", others))
    )
    if shape != other_shape:
        raise ValueError(
            f"others: expected the maps' shape {shape}, got {other_shape}. Compare maps of the same "
            "pictures and layer."
        )
    one, other = (
        rankdata(batch.detach().flatten(1).cpu().double().numpy(), axis=1)
        for batch in (maps, others)
    )
    one, other = one - one.mean(1, keepdims=True), other - other.mean(1, keepdims=True)
    size = np.sqrt((one**2).sum(1) * (other**2).sum(1))
    together: np.ndarray = (one * other).sum(1)
    return np.divide(together, size, out=np.zeros_like(size), where=size > 0)


def _explained(explain: Explain, network: nn.Module, n: int) -> Tensor:
    maps = explain(network)
    if not isinstance(maps, Tensor) or maps.ndim != 3 or len(maps) != n:
        raise ValueError(
            f"explain: expected a function that returns one map for each picture, shape ({n}, h, w), "
            f"got {describe(maps)}. For one class of CAM or Grad-CAM: .maps[:, 0]."
        )
    return maps.detach()


def _from_the_output_down(network: nn.Module, images: Tensor) -> dict[str, nn.Module]:
    """Return the modules that have parameters of their own, the one that was called last first."""
    names = {
        module: name or "(the whole network)"
        for name, module in network.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    }
    ran: dict[nn.Module, str] = {}

    def note(module: nn.Module, args: object) -> None:
        ran.pop(module, None)  # its last call counts
        ran[module] = names[module]

    with evaluating(network), hooking(dict.fromkeys(names, lambda *_: None), note):
        network(images[:1])
    return {name: module for module, name in reversed(ran.items())}


def _own_parameters(module: nn.Module, others: set[nn.Module]) -> list[nn.Parameter]:
    """Return a module's parameters, and those of parts that it reads without running them."""
    found = list(module.parameters(recurse=False))
    for child in module.children():
        if child not in others:
            found += _own_parameters(child, others)
    return found
