"""Where no layer is named: the features that are averaged, or the last activation; remembered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from camlib.errors import NotCAMReadyError
from camlib.explain.activation import last_activation
from camlib.explain.closed import maps_from_head
from camlib.explain.cut import UnusableLayerError
from camlib.explain.layers import Place
from camlib.explain.methods import GradientMaps, Method
from camlib.explain.outputs import Output, Outputs
from camlib.explain.targets import Target
from camlib.explain.weighing import maps_from_gradients
from camlib.head import Head
from camlib.head.doors import NotLogitsError
from camlib.head.find import look_for_head
from camlib.head.modes import modules_of
from camlib.head.runs import on_one_picture
from camlib.head.watch import version_of

_UNNAMED = "(the averaged features)"


@dataclass(frozen=True)
class Choice:
    """What was found the last time: a head with its features' name, or a layer; no module in it.

    ``parts`` are the identities of the network's modules: a new part, and it is looked for anew. So
    is a layer for a target of one's own, which may read another output, and one of several calls
    for pictures of another ``size``, which may need more of them.
    """

    parts: tuple[int, ...]
    size: tuple[int, ...]
    name: str
    call: int | None = None
    has_head: bool = False


_CHOICES: WeakKeyDictionary[nn.Module, Choice] = WeakKeyDictionary()


def default_maps(
    network: nn.Module, images: Tensor, target: Target, method: Method
) -> GradientMaps:
    """Return the maps of a network that is being evaluated, at the layer of its own choice."""
    parts = tuple(map(id, modules_of(network)))
    choice = _CHOICES.get(network)
    size = tuple(images.shape[1:])
    if choice is not None and choice.parts == parts and _holds_for(choice, target, size):
        found = _as_before(network, images, target, method, choice)
        if found is not None:
            return found
    head = _head(network, images, target)
    place = on_one_picture(partial(_place_of, network), images) if head else None
    if head is not None and not head.held:
        choice = Choice(parts, size, place.label if place else _UNNAMED, has_head=True)
        found = _from_head(head, target, method, choice.name)
        if found is not None:
            _CHOICES[network] = choice
            return found
        place = None
    place = place or _last_activation(network, images, target)
    (found,) = maps_from_gradients(network, images, target, [place], method)
    if target.score is None:
        _CHOICES[network] = Choice(parts, size, place.name, place.call)
    return found


def _last_activation(network: nn.Module, images: Tensor, target: Target) -> Place:
    """Look with as few pictures as will do."""
    if target.sample == len(images):
        return last_activation(network, images, target)

    def look(some: Tensor) -> Place:
        own = target if len(some) == len(images) else target.of_sample()
        return last_activation(network, some, own)

    return on_one_picture(look, images)


def _holds_for(choice: Choice, target: Target, size: tuple[int, ...]) -> bool:
    once = choice.call in (None, 1)
    return choice.has_head or (target.score is None and (once or choice.size == size))


def _as_before(
    network: nn.Module, images: Tensor, target: Target, method: Method, choice: Choice
) -> GradientMaps | None:
    """Try what was found the last time; None if it has changed, or does for another target."""
    if choice.has_head:
        head = _head(network, images, target)
        good = head is not None and not head.held
        return _from_head(head, target, method, choice.name) if head and good else None
    place = Place(network.get_submodule(choice.name), choice.name, choice.call)
    try:
        (found,) = maps_from_gradients(network, images, target, [place], method)
    except UnusableLayerError:
        return None
    return found


def _from_head(head: Head, target: Target, method: Method, layer: str) -> GradientMaps | None:
    """Return the maps by the closed form; None if they do not add up, so that it does not hold."""
    try:
        return maps_from_head(head, target, method, layer)
    except NotCAMReadyError:
        return None


def _head(network: nn.Module, images: Tensor, target: Target) -> Head | None:
    try:
        return look_for_head(network, images)
    except NotCAMReadyError:
        return None
    except NotLogitsError:
        if target.score is None:
            raise
        return None


def _place_of(network: nn.Module, image: Tensor) -> Place | None:
    """Find the module that returns the averaged features as they are: the outermost one."""
    outputs = Outputs(network)
    with outputs.noting():
        head = look_for_head(network, image)
    for output in reversed(outputs.seen):
        if head is not None and _is_same(output, head.features):
            return outputs.place(output)
    return None


def _is_same(output: Output, features: Tensor) -> bool:
    """Say whether both are one memory, in one layout, that has not been written to in between."""
    return (
        output.tensor.data_ptr() == features.data_ptr()
        and output.tensor.shape == features.shape
        and output.tensor.stride() == features.stride()
        and output.version == version_of(features)
    )
