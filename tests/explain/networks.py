"""Networks small enough to work by hand, and a check that nothing of a network has changed."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
import torchvision.models as zoo
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from camlib.networks import FlattenNet

# How many numbers the classifiers read that most parameters of these networks are in.
FLATTENED = {"alexnet": 256 * 6 * 6, "vgg11": 512 * 7 * 7}


def build(name: str) -> nn.Module:
    """Build one of torchvision's classifiers with seeded random weights, or a ResNet of ten layers."""
    return copy.deepcopy(_built(name))


@lru_cache(6)
def _built(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if name == "resnet10":
            return zoo.ResNet(BasicBlock, [1, 1, 1, 1]).eval()
        if name in FLATTENED:
            return _with_narrow_classifier(name).eval()
        options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
        network: nn.Module = zoo.get_model(name, weights=None, **options)
    return network.eval()


def _with_narrow_classifier(name: str) -> nn.Module:
    """Build a network with 32 hidden numbers instead of 4096, which would cost most of the time."""
    with torch.device("meta"):
        network: nn.Module = zoo.get_model(name, weights=None)
    hidden, last = nn.Linear(FLATTENED[name], 32), nn.Linear(32, 1000)
    network.classifier = nn.Sequential(hidden, nn.ReLU(inplace=True), nn.Dropout(), last)
    for module in network.to_empty(device="cpu").modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.reset_parameters()
    return network


def random_pictures(n: int, channels: int = 3, side: int = 64) -> Tensor:
    return torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(0))


def state_of(network: nn.Module) -> object:
    """All of a network that a call has to leave as it was, in a form that can be compared."""
    modules = [
        (
            name,
            module.training,
            len(module._forward_hooks),
            len(module._forward_pre_hooks),
            len(module._backward_hooks),
            sorted(module.__dict__),
        )
        for name, module in network.named_modules()
    ]
    parameters = [
        (one.requires_grad, None if one.grad is None else one.grad.tolist())
        for one in network.parameters()
    ]
    return modules, parameters, [tensor.sum().item() for tensor in network.state_dict().values()]


@contextmanager
def unchanged(network: nn.Module, *tensors: Tensor) -> Iterator[None]:
    """Assert that network, tensors, random numbers and torch's own state stay as they were."""

    def state() -> object:
        stack = torch.overrides._get_current_function_mode_stack()
        return torch.is_grad_enabled(), torch.get_num_threads(), len(stack), state_of(network)

    before, random = state(), torch.get_rng_state()
    kept = [tensor.detach().clone() for tensor in tensors]
    yield
    assert state() == before
    assert torch.equal(torch.get_rng_state(), random)
    for tensor, values in zip(tensors, kept, strict=True):
        assert torch.equal(tensor, values)
        assert tensor.grad is None


def flatten_net() -> FlattenNet:
    """Make the book's network without a pooling, with random weights that let every class vary."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FlattenNet().eval()


class TwoByTwo(nn.Module):
    """Two feature maps, the picture and its double; a ReLU in place; all four cells weighed.

    The score of class 0 is sum of u·relu(x) + v·relu(2x), u = [1 2; 0 1], v = [0 1; -1 0]; class 1
    is the negative of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 2, 1, bias=False)
        self.features.weight.data = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)
        self.act = nn.ReLU(inplace=True)
        self.fc = nn.Linear(8, 2, bias=False)
        row = torch.tensor([1.0, 2.0, 0.0, 1.0, 0.0, 1.0, -1.0, 0.0])
        self.fc.weight.data = torch.stack([row, -row])

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.act(self.features(images)).flatten(1))


class With(nn.Module):
    """A network whose forward is a function of it: ``With(forward, conv=..., fc=...)``."""

    def __init__(self, call: Callable[["With", Tensor], object], **parts: nn.Module) -> None:
        super().__init__()
        self.call = call
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, images: Tensor) -> object:
        return self.call(self, images)


def small(call: Callable[[With, Tensor], object]) -> With:
    """Make a network with ``conv`` (1 to 4 channels), ``act`` and ``fc`` (4x4 cells to 3 classes)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return With(
            call, conv=nn.Conv2d(1, 4, 3, padding=1), act=nn.ReLU(), fc=nn.Linear(4 * 16, 3)
        )


def tiny_transformer() -> nn.Module:
    """Make a vision transformer of 4x4 patches, a class token and two layers."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = zoo.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5)
        nn.init.normal_(network.heads.head.weight)  # torchvision starts with zeros
    return network.eval()
