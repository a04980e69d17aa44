"""Tensors that no watched call makes may depend on the picture: they are no constants."""

import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

import camlib

K, C = 6, 5


def peak(maps: Tensor) -> Tensor:
    return maps.amax((2, 3))


with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # deprecated, and in use
    scripted_peak = torch.jit.script(peak)


def threaded_peak(maps: Tensor) -> Tensor:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.amax, maps, (2, 3)).result()


class Net(nn.Module):
    """A convolution and a linear layer, and whatever the test puts between and behind them."""

    def __init__(self, head: Callable[["Net", Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.maps, self.fc, self.side = nn.Conv2d(3, K, 3), nn.Linear(K, C), nn.Linear(K, C)
        self.register_buffer("factors", torch.rand(K) + 0.5)
        self.settings = {"factors": torch.rand(K) + 0.5}
        self.head, self.runs = head, 0

    def forward(self, images: Tensor) -> Tensor:
        self.runs += 1
        return self.head(self, self.maps(images), images)


@pytest.fixture
def images() -> Tensor:
    return torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(1))


def mean(maps: Tensor) -> Tensor:
    return maps.mean((2, 3))


def check_grad_cam(network: Net, images: Tensor) -> None:
    """The default is not the closed form, and agrees with gradients at the named layer."""
    default = camlib.grad_cam(network, images, None)
    named = camlib.grad_cam(network, images, None, "maps")
    assert not default.closed_form
    assert default.layer == "maps"
    assert torch.allclose(default.maps, named.maps, atol=1e-7)


@pytest.mark.parametrize("unseen", [scripted_peak, threaded_peak])
@pytest.mark.parametrize("count", [1, 2])
def test_a_gate_that_nobody_saw_is_no_constant(
    images: Tensor, unseen: Callable[[Tensor], Tensor], count: int
) -> None:
    network = Net(lambda n, maps, _: n.fc(mean(maps) * unseen(maps)))
    with pytest.raises(camlib.NotCAMReadyError) as caught:
        camlib.class_activation_maps(network, images[:count])
    assert "the call mul reads a tensor that no call that can be watched" in str(caught.value)
    assert "Leave the script or the thread out that makes it." in str(caught.value)
    check_grad_cam(network, images[:count])


def test_a_branch_that_nobody_saw_is_no_bias(images: Tensor) -> None:
    """With one picture its part of the logits would pass for the offset."""
    network = Net(lambda n, maps, _: n.fc(mean(maps)) + n.side(scripted_peak(maps)))
    with pytest.raises(
        camlib.NotCAMReadyError, match=r"layer 'side' of type Linear .* reads a tensor"
    ):
        camlib.class_activation_maps(network, images[:1])
    check_grad_cam(network, images[:1])


@pytest.mark.parametrize("name", ["a buffer", "an attribute"])
def test_what_the_network_holds_is_a_constant(images: Tensor, name: str) -> None:
    """Exact at the first call, and at the second, which runs the network once."""

    def head(n: Net, maps: Tensor, _: Tensor) -> Tensor:
        factors = n.factors if name == "a buffer" else n.settings["factors"]
        return n.fc(mean(maps) * factors * torch.ones(K))

    network = Net(head)
    for runs in (None, 1):
        network.runs = 0
        cam = camlib.class_activation_maps(network, images)
        assert torch.allclose(cam.maps.mean((2, 3)) + cam.offset, cam.logits, atol=1e-5)
        assert runs is None or network.runs == runs


def test_a_constant_from_elsewhere_is_a_constant(images: Tensor) -> None:
    """It is the same for other pictures: no matter where it comes from."""
    factors = torch.rand(K)
    network = Net(lambda n, maps, _: n.fc(mean(maps) * factors))
    for _ in range(2):
        cam = camlib.class_activation_maps(network, images)
        expected = torch.einsum("nkhw,ck->nchw", network.maps(images), network.fc.weight * factors)
        torch.testing.assert_close(cam.maps, expected.detach())


def gated(n: Net, maps: Tensor, images: Tensor) -> Tensor:
    """A head that is plain for small pictures only."""
    vector = mean(maps)
    return n.fc(vector + 2 * maps.amax((2, 3)) if images.shape[-1] > 10 else vector * n.factors)


def test_what_was_true_of_small_pictures_is_not_taken_for_granted(images: Tensor) -> None:
    network = Net(gated)
    camlib.class_activation_maps(network, images[..., :8, :8])
    with pytest.raises(camlib.NotCAMReadyError, match="the call amax takes the maximum"):
        camlib.class_activation_maps(network, images)
    check_grad_cam(network, images)


@pytest.fixture
def doubled() -> Iterator[None]:
    """A hook on all modules of the process, which doubles what linear layers return."""
    handle = register_module_forward_hook(
        lambda module, _, result: 2 * result if isinstance(module, nn.Linear) else None
    )
    yield
    handle.remove()


@pytest.mark.usefixtures("doubled")
def test_a_hook_on_all_modules_counts_at_every_call(images: Tensor) -> None:
    network = Net(lambda n, maps, _: n.fc(n.pool(maps).flatten(1)))
    network.pool = nn.AdaptiveAvgPool2d(1)
    for _ in range(3):
        head = camlib.find_head(network, images)
        summed = camlib.global_average_pool(head.features) @ head.weight.T
        assert torch.allclose(summed + head.offset, head.logits, atol=1e-5)
        camlib.class_activation_maps(network, images)


class AlwaysTraining(nn.BatchNorm1d):
    """Batch statistics, whatever the mode."""

    def train(self, mode: bool = True) -> "AlwaysTraining":
        super().train(True)
        return self


def test_trying_a_call_out_writes_to_nothing_of_the_networks(images: Tensor) -> None:
    """Refusing a normalisation by the batch feeds it random vectors, but not its running means."""
    network = Net(lambda n, maps, _: n.fc(n.norm(mean(maps))))
    network.norm = AlwaysTraining(K, momentum=None)
    with torch.no_grad():
        network(images)
    before = network.norm.running_mean.clone()
    with pytest.raises(camlib.NotCAMReadyError, match="'norm' of type AlwaysTraining"):
        camlib.class_activation_maps(network, images)
    assert torch.allclose(network.norm.running_mean, before, atol=1e-6)  # of the same pictures


def test_a_network_that_needs_several_pictures_gets_them(images: Tensor) -> None:
    def head(n: Net, maps: Tensor, given: Tensor) -> Tensor:
        if len(given) < 2:
            raise RuntimeError("two pictures at least")
        return n.fc(maps.amax((2, 3)))

    network = Net(head)
    with pytest.raises(camlib.NotCAMReadyError, match="takes the maximum"):
        camlib.class_activation_maps(network, images)
    check_grad_cam(network, images)
    with pytest.raises(RuntimeError, match="two pictures at least"):
        camlib.grad_cam(network, images[:1], 0)


@pytest.mark.parametrize("error", [RuntimeError, AssertionError])
def test_a_network_that_reads_one_layout_gets_it(images: Tensor, error: type[Exception]) -> None:
    """Whatever message its own kernel raises."""

    def head(n: Net, maps: Tensor, given: Tensor) -> Tensor:
        if not given.is_contiguous():
            raise error("my_kernel: rows first")
        return n.fc(mean(maps))

    cam = camlib.class_activation_maps(Net(head), images)
    assert torch.allclose(cam.maps.mean((2, 3)) + cam.offset, cam.logits, atol=1e-5)


def test_numbers_read_out_of_tensors_are_no_constants(images: Tensor) -> None:
    """A gate whose number leaves torch on its way: Grad-CAM reads gradients instead."""
    network = Net(lambda n, maps, _: n.fc(mean(maps) * float(mean(maps).detach().sum())))
    for _ in range(2):
        with pytest.raises(camlib.NotCAMReadyError, match="cannot be made again"):
            camlib.class_activation_maps(network, images)
    check_grad_cam(network, images)
