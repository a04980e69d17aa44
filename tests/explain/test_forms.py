"""Signals, volumes, frames and tokens; networks with other inputs and outputs; bad forms of either."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import camlib
from tests.explain.networks import With

K, C = 6, 3
Forward = Callable[[With, Tensor], object]
BOTH = pytest.mark.parametrize("method", [camlib.grad_cam, camlib.grad_cam_plus_plus])


def made(forward: Forward, convolution: nn.Module, inputs: int = K) -> With:
    """A convolution ``f``, a linear layer ``fc``, and a forward pass of them, with seeded weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        convolution.reset_parameters()
        network = With(forward, f=nn.Sequential(convolution, nn.ReLU()), fc=nn.Linear(inputs, C))
    return network.double().eval()


def noise(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


PLACES = {
    "signals": (nn.Conv1d(2, K, 3), (2, 2, 20)),
    "pictures": (nn.Conv2d(2, K, 3), (2, 2, 7, 9)),
    "volumes": (nn.Conv3d(2, K, 3), (2, 2, 5, 6, 7)),
}


@pytest.mark.parametrize("kind", PLACES)
def test_maps_have_the_axes_of_the_places(kind: str) -> None:
    """Against the weighted sum written out, for one, two and three axes; Grad-CAM is that by m."""
    convolution, shape = PLACES[kind]
    network = made(lambda n, x: n.fc(n.f(x).flatten(2).mean(2)), convolution)
    images = noise(*shape)
    features = network.f(images).detach()
    expected = torch.einsum("nk...,ck->nc...", features, network.fc.weight.detach())
    for _ in range(2):
        cam = camlib.class_activation_maps(network, images)
        torch.testing.assert_close(cam.maps, expected)
        torch.testing.assert_close(cam.offset, network.fc.bias.detach().expand(2, C))
        torch.testing.assert_close(
            cam.maps.flatten(2).mean(2) + cam.offset, network(images).detach()
        )
        found = camlib.grad_cam(network, images, None)
        torch.testing.assert_close(found.maps * features[0, 0].numel(), expected)


@BOTH
@pytest.mark.parametrize("kind", PLACES)
def test_gradients_reach_any_number_of_axes(
    method: Callable[..., camlib.GradientMaps], kind: str
) -> None:
    """A volume or a signal, its places laid out in one row of a picture, has the same map."""
    convolution, shape = PLACES[kind]
    network = made(lambda n, x: n.fc(n.f(x).flatten(2).amax(2)), convolution)
    as_picture = made(lambda n, x: n.fc(x.flatten(2).amax(2)), nn.Conv2d(2, K, 3))
    as_picture.fc = network.fc
    images = noise(*shape)
    features = network.f(images).detach()
    found = method(network, images, [0, 2])
    assert (found.layer, found.closed_form) == ("f", False)
    as_picture.add_module("pass_on", nn.Identity())
    as_picture.call = lambda n, x: n.fc(n.pass_on(x).flatten(2).amax(2))
    row = method(as_picture, features.flatten(2)[:, :, None], [0, 2], "pass_on", check_values=False)
    torch.testing.assert_close(found.maps.flatten(2), row.maps.flatten(2))


def test_averaged_tokens_have_the_rows_and_columns_of_their_patches() -> None:
    """One cell a token: the same maps as of the picture that the tokens were made of."""

    def tokens(network: With, images: Tensor) -> Tensor:
        return network.fc(network.f(images).flatten(2).transpose(1, 2).mean(1))

    def mixed(network: With, images: Tensor) -> Tensor:
        sequence = network.f(images).flatten(2).transpose(1, 2)
        return network.fc((sequence @ sequence.mT).softmax(2).matmul(sequence).mean(1))

    images = noise(2, 2, 7, 9)
    plain = made(lambda n, x: n.fc(n.f(x).mean((2, 3))), nn.Conv2d(2, K, 3))
    expected = camlib.class_activation_maps(plain, images).maps
    torch.testing.assert_close(
        camlib.class_activation_maps(made(tokens, nn.Conv2d(2, K, 3)), images).maps, expected
    )
    network = made(mixed, nn.Conv2d(2, K, 3))
    for _ in range(2):
        cam = camlib.class_activation_maps(network, images)
        assert cam.maps.shape == (2, C, 5, 7)
        torch.testing.assert_close(cam.maps.mean((2, 3)) + cam.offset, network(images).detach())


def test_tokens_without_a_grid_keep_one_axis() -> None:
    """Every second token is left out: 17 of 35 lie on no grid; upsampling says what is missing."""

    def some(network: With, images: Tensor) -> Tensor:
        return network.fc(network.f(images).flatten(2)[:, :, 1::2].mean(2))

    cam = camlib.class_activation_maps(made(some, nn.Conv2d(2, K, 3)), noise(2, 2, 7, 9))
    assert cam.maps.shape == (2, C, 17)
    with pytest.raises(ValueError, match=r"one size per axis of places \(1\), got 2.*unflatten"):
        camlib.upsample(cam.maps, (7, 9))


def frames(pool: Callable[[Tensor], Tensor]) -> With:
    def forward(network: With, clips: Tensor) -> Tensor:
        pooled = pool(network.f(clips.flatten(0, 1)).flatten(2))
        return network.fc(pooled.reshape(len(clips), -1, K).mean(1))

    return made(forward, nn.Conv2d(2, K, 3))


def test_frames_that_are_averaged_are_an_axis_of_places() -> None:
    """Each frame's map is that of the frame alone."""
    network, clips = frames(lambda maps: maps.mean(2)), noise(2, 4, 2, 7, 9)
    cam = camlib.class_activation_maps(network, clips)
    assert cam.maps.shape == (2, C, 4, 5, 7)
    for number in range(4):
        alone = camlib.class_activation_maps(network, clips[:, number : number + 1])
        torch.testing.assert_close(cam.maps[:, :, number], alone.maps)


def test_frames_are_refused_with_a_reshape_that_works() -> None:
    network, clips = frames(lambda maps: maps.amax(2)), noise(2, 4, 2, 7, 9)
    advice = r"pass reshape=lambda maps: maps\.unflatten\(0, \(2, -1\)\)\.movedim\(1, 2\)\."
    for layer in (None, "f"):
        with pytest.raises(ValueError, match=f"4 frames of each example.*{advice}"):
            camlib.grad_cam(network, clips, 1, layer)
    found = camlib.grad_cam(
        network, clips, 1, "f", reshape=lambda maps: maps.unflatten(0, (2, -1)).movedim(1, 2)
    )
    assert found.maps.shape == (2, 1, 4, 5, 7)
    with pytest.raises(ValueError, match=r"expected 4 axes.*one by one, images\.flatten\(0, 1\)"):
        camlib.grad_cam(made(lambda n, x: n.f(x), nn.Conv2d(2, K, 3)), clips, 1)


# ------------------------------------------------------------------ inputs and outputs


class Answer:
    """What some libraries return: an object with logits."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits


def averaged(network: With, images: Tensor) -> Tensor:
    logits: Tensor = network.fc(network.f(images).mean((2, 3)))
    return logits


def highest(network: With, images: Tensor) -> Tensor:
    logits: Tensor = network.fc(network.f(images).amax((2, 3)))
    return logits


FORMS: dict[str, tuple[Callable[[Tensor], object], Callable[..., object], str]] = {
    "an object": (Answer, lambda n, x: n(x).logits, "network(images).logits"),
    "a dict": (
        lambda logits: {"out": logits, "aside": None},
        lambda n, x: n(x)["out"],
        "network(images)['out']",
    ),
    "a tuple": (lambda logits: (logits, 0), lambda n, x: n(x)[0], "network(images)[0]"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("forward", [averaged, highest])
def test_other_outputs_are_named_and_run_takes_them(forward: Forward, form: str) -> None:
    wrap, run, words = FORMS[form]
    images = noise(2, 2, 7, 9)
    plain = made(forward, nn.Conv2d(2, K, 3))
    network = made(lambda n, x: wrap(forward(n, x)), nn.Conv2d(2, K, 3))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="network: expected an output of shape") as caught:
        camlib.grad_cam(network, images, 1)
    assert str(caught.value).endswith(f"Pass run=lambda network, images: {words}.")
    for _ in range(2):
        torch.testing.assert_close(
            camlib.grad_cam(network, images, [0, 1], run=run).maps,
            camlib.grad_cam(plain, images, [0, 1]).maps,
        )
        if forward is averaged:
            cam = camlib.class_activation_maps(network, images, run=run)
            torch.testing.assert_close(cam.maps, camlib.class_activation_maps(plain, images).maps)
            head = camlib.find_head(network, images, run=run)
            torch.testing.assert_close(head.weight, plain.fc.weight.detach())
    maps = torch.linspace(0, 1, 126, dtype=torch.float64).view(2, 7, 9)
    torch.testing.assert_close(
        camlib.faithfulness.deletion(network, images, maps, 1, run=run).probabilities,
        camlib.faithfulness.deletion(plain, images, maps, 1).probabilities,
    )


def test_a_table_beside_the_pictures_belongs_to_the_offset() -> None:
    """Logits from averages and two numbers a picture: offset = bias + table part, worked out here."""

    def forward(network: With, images: Tensor, table: Tensor) -> Tensor:
        return network.fc(torch.cat([network.f(images).mean((2, 3)), table], 1))

    network = made(lambda n, x: None, nn.Conv2d(2, K, 3), inputs=K + 2)
    images, table = noise(3, 2, 7, 9), noise(3, 2)
    weight, bias = network.fc.weight.detach(), network.fc.bias.detach()
    for part in (table, 2 * table):
        cam = camlib.class_activation_maps(
            network, images, run=lambda n, x, part=part: forward(n, x, part)
        )
        torch.testing.assert_close(cam.offset, bias + part @ weight[:, K:].T)
        features = network.f(images).detach()
        expected = torch.einsum("nkhw,ck->nchw", features, weight[:, :K])
        torch.testing.assert_close(cam.maps, expected)


def test_a_single_logit_needs_no_axis() -> None:
    images = noise(2, 2, 7, 9)
    for forward in (averaged, highest):
        network = made(lambda n, x, forward=forward: forward(n, x)[:, 1], nn.Conv2d(2, K, 3))
        plain = made(forward, nn.Conv2d(2, K, 3))
        found = camlib.grad_cam(network, images, 0)
        assert found.scores.shape == (2, 1)
        torch.testing.assert_close(found.maps, camlib.grad_cam(plain, images, 1).maps)
        expected = camlib.grad_cam(plain, images, lambda logits: logits[:, 1].square()).maps
        squared = camlib.grad_cam(network, images, lambda logits: logits.flatten().square()).maps
        torch.testing.assert_close(squared, expected)
    network = made(lambda n, x: averaged(n, x)[:, 1], nn.Conv2d(2, K, 3))
    assert camlib.class_activation_maps(network, images).maps.shape == (2, 1, 5, 7)
    one = made(lambda n, x: highest(n, x)[:, 1], nn.Conv2d(2, K, 3))
    maps = torch.linspace(0, 1, 126, dtype=torch.float64).view(2, 7, 9)
    with pytest.raises(ValueError, match=r"softmax is always 1.*probability=torch\.sigmoid"):
        camlib.faithfulness.deletion(one, images, maps, 0)
    curve = camlib.faithfulness.deletion(one, images, maps, 0, probability=torch.sigmoid)
    torch.testing.assert_close(curve.probabilities[:, 0], one(images).sigmoid().detach())


@pytest.mark.parametrize("forward", [averaged, highest])
@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda n, x: (n(x), None)[1], "got NoneType"),
        (lambda n, x: n(x)[:1], "expected one row of logits for each of the 3 pictures"),
        (lambda n, x: n(x).argmax(1), "expected logits that are floating-point numbers"),
        (lambda n, x: n(x).flip(0), "mixes the pictures of a batch|in the pictures' order"),
        (lambda n, x: n(x).roll(1, 0), "mixes the pictures of a batch|in the pictures' order"),
    ],
)
def test_a_run_that_returns_something_else_is_refused(
    forward: Forward, run: Callable[..., object], words: str
) -> None:
    network, images = made(forward, nn.Conv2d(2, K, 3)), noise(3, 2, 7, 9)
    for target in (1, torch.tensor([1, 1, 1])):
        with pytest.raises(ValueError, match=words):
            camlib.grad_cam(network, images, target, "f", run=run)
    with pytest.raises(ValueError, match=words if forward is averaged else f"{words}|maximum"):
        camlib.class_activation_maps(network, images, run=run)
    with pytest.raises(TypeError, match=r"run: expected a function .* got int 3"):
        camlib.class_activation_maps(network, images, run=3)  # type: ignore[arg-type]


def test_a_network_that_does_not_read_the_pictures_is_refused() -> None:
    network = made(lambda n, x: n.fc(torch.ones(len(x), K).double()), nn.Conv2d(2, K, 3))
    with pytest.raises(camlib.NotCAMReadyError, match="returns the same for others"):
        camlib.class_activation_maps(network, noise(2, 2, 7, 9))


@pytest.mark.filterwarnings("ignore")  # of torch.ao's move to another package
def test_exported_and_quantized_networks_are_refused() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    images = torch.randn(2, 3, 8, 8)
    exported = torch.export.export(network.eval(), (images,)).module()
    with pytest.raises(ValueError, match=r"exported program\. Pass the original network"):
        camlib.class_activation_maps(exported, images)
    quantized = torch.ao.quantization.quantize_dynamic(network, {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(camlib.NotCAMReadyError, match=r"quantized layers.*as it was before"):
        camlib.class_activation_maps(quantized, images)
