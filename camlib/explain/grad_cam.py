"""Grad-CAM and Grad-CAM++ for any network, and without a gradient where none is needed."""

from __future__ import annotations

from typing import overload

from jaxtyping import Float
from torch import Tensor, nn

from camlib.errors import NotCAMReadyError, describe
from camlib.explain.default_layer import default_layer
from camlib.explain.gradient_maps import (
    GRAD_CAM,
    GRAD_CAM_PLUS_PLUS,
    GradientMaps,
    Method,
    Reshape,
    maps_from_gradients,
    maps_from_head,
)
from camlib.explain.layers import Layer, as_place
from camlib.explain.targets import Given, Target, as_target
from camlib.head.find import with_head
from camlib.head.head import FoundHead
from camlib.head.location import memory_of
from camlib.inputs import NotLogitsError, check_images, check_network, check_run
from camlib.running import Run, call, evaluating

Layers = list[Layer] | tuple[Layer, ...]


@overload
def grad_cam(
    network: nn.Module,
    images: Float[Tensor, "n channels *places"],
    target: Given,
    layer: Layer | None = None,
    *,
    reshape: Reshape | None = None,
    run: Run | None = None,
    check_values: bool = True,
) -> GradientMaps: ...


@overload
def grad_cam(
    network: nn.Module,
    images: Float[Tensor, "n channels *places"],
    target: Given,
    layer: Layers,
    *,
    reshape: Reshape | None = None,
    run: Run | None = None,
    check_values: bool = True,
) -> tuple[GradientMaps, ...]: ...


def grad_cam(
    network: nn.Module,
    images: Float[Tensor, "n channels *places"],
    target: Given,
    layer: Layer | Layers | None = None,
    *,
    reshape: Reshape | None = None,
    run: Run | None = None,
    check_values: bool = True,
) -> GradientMaps | tuple[GradientMaps, ...]:
    r"""Weigh a layer's feature maps by the gradients of a score, averaged over each map.

    .. math:: M(p) = \sum_k \alpha_k \, f_k(p), \qquad
        \alpha_k = \frac{1}{m} \sum_q \frac{\partial S}{\partial f_k(q)}

    with :math:`m` the number of places. The network runs in evaluation mode; afterwards every module is
    in the mode it was in, no gradient is stored and nothing is left attached. On a network whose logits
    are affine in averaged features, the map is the class activation map divided by :math:`m`: there it
    costs no backward pass, whatever the number of classes. The first time, a network also runs with one
    or two pictures more.

    Parameters
    ----------
    network
        Any network with feature maps; for targets that are classes its output is logits (n, c).
    images
        A batch of shape (n, channels, \*places), normalised as the network expects.
    target
        What is explained. A class index, or a list of t of them, in every picture; a tensor of shape
        (n,) or (n, t) with each picture's own; None for all classes; or a function from the
        network's output to one number for each picture, which does not mix the pictures.
    layer
        The layer whose feature maps are weighed, by name or itself, or ``(name, call)`` for one of
        several calls, counted from 1; several layers in a list, for as many results from one run. By
        default the features that :func:`camlib.class_activation_maps` weighs, or else the last
        activation with places that depends on the images, on which the score depends, and that is
        neither the output nor merely resized into it.
    reshape
        How a layer's output becomes feature maps (n, k, \*places), where it has other axes: a function
        that only rearranges its numbers, or leaves some out.
    run
        How the network is run, where that is not ``network(images)``: a function from network and
        images to the output, such as ``lambda network, images: network(images, table).logits``.
    check_values
        Warn of images that look like raw pixels; see :func:`camlib.find_head`.

    Returns
    -------
    GradientMaps
        In float32, or float64 if the network computes in it; no graph is attached. A tuple of them
        for a list of layers.

    Raises
    ------
    TypeError, ValueError
        If an argument cannot be used, the layer has no places, is not reached or runs several times,
        or the score has no finite gradient there; the message says what to do. If several calls of the
        default layer decide the score side by side.

    Notes
    -----
    Selvaraju et al. 2017, equations 1 and 2, without the ReLU of equation 2: that is a choice of
    display, :func:`camlib.scaling.positive`.
    """
    return _maps(network, images, target, layer, reshape, run, check_values, GRAD_CAM)


@overload
def grad_cam_plus_plus(
    network: nn.Module,
    images: Float[Tensor, "n channels *places"],
    target: Given,
    layer: Layer | None = None,
    *,
    reshape: Reshape | None = None,
    run: Run | None = None,
    check_values: bool = True,
) -> GradientMaps: ...


@overload
def grad_cam_plus_plus(
    network: nn.Module,
    images: Float[Tensor, "n channels *places"],
    target: Given,
    layer: Layers,
    *,
    reshape: Reshape | None = None,
    run: Run | None = None,
    check_values: bool = True,
) -> tuple[GradientMaps, ...]: ...


def grad_cam_plus_plus(
    network: nn.Module,
    images: Float[Tensor, "n channels *places"],
    target: Given,
    layer: Layer | Layers | None = None,
    *,
    reshape: Reshape | None = None,
    run: Run | None = None,
    check_values: bool = True,
) -> GradientMaps | tuple[GradientMaps, ...]:
    r"""Weigh a layer's feature maps by the positive gradients of a score, each with a weight itself.

    .. math:: M(x, y) = \sum_k w_k \, f_k(x, y), \qquad w_k = \sum_{a, b}
        \frac{\mathrm{ReLU}(g_k(a, b))}{2 + g_k(a, b) \sum_{i, j} f_k(i, j)}

    with :math:`g_k` the gradient of the score; :func:`camlib.gradients.plus_plus_alphas` says where
    that comes from. On a network that averages its features and ends in a linear layer the weights
    are :math:`\mathrm{ReLU}(w_k) / (2 + w_k F_k)`, with no gradient to compute.

    Parameters
    ----------
    network, images, target, layer, reshape, run, check_values
        As in :func:`grad_cam`.

    Returns
    -------
    GradientMaps
        As from :func:`grad_cam`. Where the features are not negative, neither are the maps.

    Raises
    ------
    TypeError, ValueError
        As :func:`grad_cam`.

    Notes
    -----
    Chattopadhay et al. 2018, section 3 and equation 19, without the final ReLU. The paper's score
    goes through an exponential, whose value multiplies the whole map; it is left out.
    """
    return _maps(network, images, target, layer, reshape, run, check_values, GRAD_CAM_PLUS_PLUS)


def _maps(
    network: nn.Module,
    images: Tensor,
    target: Given,
    layer: Layer | Layers | None,
    reshape: Reshape | None,
    run: Run | None,
    check_values: bool,
    method: Method,
) -> GradientMaps | tuple[GradientMaps, ...]:
    check_network(network)
    check_images(images, network, check_values)
    check_run(run)
    wanted = as_target(target, len(images))
    if reshape is not None and not callable(reshape):
        raise TypeError(
            f"reshape: expected a function from a layer's output to feature maps, got "
            f"{describe(reshape)}. For tokens behind a class token: lambda tokens: "
            "tokens[:, 1:].transpose(1, 2).unflatten(2, (rows, columns))."
        )
    if layer is None and reshape is not None:
        raise ValueError(
            "layer: expected a layer whose output is reshaped, got None. Name the layer that reshape "
            "was written for."
        )
    single = not isinstance(layer, list) and not (
        isinstance(layer, tuple) and not (len(layer) == 2 and isinstance(layer[1], int))
    )
    layers = [] if layer is None else [layer] if single else list(layer)  # type: ignore[arg-type]
    places = [as_place(network, one) for one in layers]
    if layer is not None and not places:
        raise ValueError(
            "layer: expected at least one layer, got an empty list. Pass None for the default."
        )
    with evaluating(network):
        if layer is None:
            return _default(network, images, wanted, method, run or call)
        found = maps_from_gradients(network, images, wanted, places, method, run or call, reshape)
    return found[0] if single else tuple(found)


def _default(
    network: nn.Module, images: Tensor, target: Target, method: Method, run: Run
) -> GradientMaps:
    """Take the features that CAM weighs, in closed form where that is exact; else an activation."""

    def closed(head: FoundHead) -> GradientMaps:
        if head.held:  # gradients see the spread change
            raise NotCAMReadyError("the head is affine only with a spread held")
        return maps_from_head(head, target, method)

    memory = memory_of(network)
    if memory.layer is None or not memory.layer.holds_for(network):
        memory.layer = None
        try:
            return with_head(network, images, run, closed)
        except NotLogitsError:
            if target.score is None:
                raise
        except NotCAMReadyError:
            pass
    place = default_layer(network, images, target, run)
    (found,) = maps_from_gradients(network, images, target, [place], method, run)
    return found
