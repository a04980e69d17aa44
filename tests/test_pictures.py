"""Pictures of any mode, and where a network's image lies in its photograph."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from torchvision.transforms import v2

from camlib import networks, photos, plotting, upsample
from camlib.pictures import Geometry, to_rgb

GREY = np.array([[0, 128, 255]], np.uint8)


def stored(picture: Image.Image, kind: str = "PNG", **options: object) -> Image.Image:
    """Write a picture to a file and open it."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return Image.open(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits(kind: str) -> None:
    """65535 = 255 · 257 is white, and 257 · 128 is the grey 128."""
    deep = stored(Image.fromarray(GREY.astype(np.uint16) * 257), kind)
    assert deep.mode.startswith("I;16")
    np.testing.assert_array_equal(np.asarray(to_rgb(deep))[..., 0], GREY)


def test_sixteen_bits_of_the_other_order() -> None:
    big = Image.frombytes("I;16B", (3, 1), (GREY.astype(">u2") * 257).tobytes())
    np.testing.assert_array_equal(np.asarray(to_rgb(big))[..., 1], GREY)


@pytest.mark.parametrize(
    ("values", "range"),
    [
        (GREY / np.float32(255), (0, 1)),
        (GREY.astype(np.float32) - 1000, (-1000, -745)),
        (GREY.astype(np.int32) * 16, (0, 4080)),
        (255 - GREY.astype(np.int32), (255, 0)),  # black where values are high, as in a negative
        (GREY.astype(np.uint16) * 16, (0, 4080)),  # twelve bits in sixteen
        (GREY, (0, 255)),
    ],
)
def test_a_range_says_what_is_black_and_white(
    values: np.ndarray, range: tuple[float, float]
) -> None:
    picture = Image.fromarray(values)
    np.testing.assert_array_equal(np.asarray(to_rgb(picture, range))[..., 2], GREY)


def test_values_beyond_the_range_are_cut() -> None:
    picture = Image.fromarray(np.array([[-5.0, 0.5, 7.0]], np.float32))
    assert np.asarray(to_rgb(picture, (0, 1)))[0, :, 0].tolist() == [0, 128, 255]


MODES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "one bit": lambda cat: cat.convert("1"),
    "palette": lambda cat: cat.quantize(64),
    "CMYK": lambda cat: cat.convert("CMYK"),
    "grey": lambda cat: cat.convert("L"),
    "YCbCr": lambda cat: cat.convert("YCbCr"),
    "premultiplied": lambda cat: cat.convert("RGBA").convert("RGBa"),
    "TIFF": lambda cat: stored(cat, "TIFF", compression="tiff_lzw"),
    "CMYK in a JPEG": lambda cat: stored(cat.convert("CMYK"), "JPEG", quality=95),
}


@pytest.mark.parametrize("mode", MODES)
def test_other_modes_stay_the_same_picture(mode: str) -> None:
    cat = photos.load("cat").resize((112, 75))
    rgb = to_rgb(MODES[mode](cat))
    assert (rgb.mode, rgb.size) == ("RGB", cat.size)
    # Smaller, so that one bit's dots become greys again.
    grey = [np.asarray(one.convert("L").resize((14, 9)), float).ravel() for one in (rgb, cat)]
    assert np.corrcoef(grey)[0, 1] > 0.95


def test_the_network_sees_the_same_in_every_form() -> None:
    """16 bits, floats, TIFF and a turned file: logits within 0.1; CMYK: the same best class."""
    lite0 = networks.efficientnet_lite0()
    grey = photos.load("cat").convert("L")
    deep = np.asarray(grey).astype(np.uint16) * 257
    turned = grey.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    forms = {
        "16 bits": (stored(Image.fromarray(deep)), None),
        "TIFF": (stored(Image.fromarray(deep), "TIFF"), None),
        "floats": (stored(Image.fromarray(deep / np.float32(65535)), "TIFF"), (0, 1)),
        "EXIF": (stored(turned, exif=exif), None),
    }
    with torch.inference_mode():
        expected = lite0(networks.preprocess(grey))
        for form, (picture, range) in forms.items():
            found = lite0(networks.preprocess(picture, range=range))
            assert float((found - expected).abs().max()) < 0.1, form
        colour = photos.load("cat")
        print_ = stored(colour.convert("CMYK"), "JPEG", quality=95)
        best = [lite0(networks.preprocess(one)).argmax() for one in (colour, print_)]
    assert best[0] == best[1]


@pytest.mark.parametrize(
    ("picture", "range", "message"),
    [
        (Image.new("F", (2, 2), 0.25), None, r"range: .*floats \(mode \"F\"\).*from 0.25 to 0.25"),
        (Image.new("I", (2, 2), 70000), None, "range: .*whole numbers of 32 bits"),
        (Image.new("RGB", (2, 2)), (0, 1), 'range: expected None for a picture of mode "RGB"'),
        (Image.new("F", (2, 2)), (1, 1), "range: expected two different finite numbers"),
        (Image.new("F", (2, 2)), 5, "range: expected two different finite numbers"),
        (Image.new("F", (2, 2)), (0, 1, 2), "range: expected two different finite numbers"),
        (Image.new("F", (2, 2), float("nan")), None, "Its values: no finite ones"),
        (Image.new("RGB", (0, 2)), None, "picture: expected pixels, got 0×2"),
        (Image.new("F", (2, 2)), (0, float("nan")), "range: expected two different finite numbers"),
        (Image.new("F", (2, 2), float("nan")), (0, 1), "picture: expected finite numbers, got NaN"),
    ],
)
def test_what_cannot_be_known_is_refused(picture, range, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_rgb(picture, range)
    with pytest.raises(ValueError, match=message):
        networks.preprocess(picture, range=range)


def test_only_pictures_are_converted() -> None:
    with pytest.raises(TypeError, match="picture: expected a PIL picture, got ndarray"):
        to_rgb(np.zeros((2, 2)))  # type: ignore[arg-type]


SIZES = [(500, 375), (300, 641), (256, 256), (224, 1000), (90, 200), (3000, 17)]


# How pictures are resized, and the crop; v2.Resize takes a longest side too.
STEPS = [
    (256, None, 224), (224, None, None), (None, None, 160), (None, None, None), (100, None, 224),
    (256, 300, 224), (64, 65, None), (None, 90, None), (None, 400, 224),
]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("resize", "longest", "crop"), STEPS)
def test_the_geometry_is_where_preprocessing_puts_pixels(size, resize, longest, crop) -> None:
    """Two photographs whose values are their columns and rows tell where each pixel came from."""
    width, height = (300, 17) if longest and size == SIZES[-1] else size  # else less than a pixel
    size = (width, height)
    steps: list[object] = []
    if resize or longest:
        steps.append(v2.Resize(resize, max_size=longest))
    steps += [v2.CenterCrop(crop)] if crop else []
    place = networks.geometry(Image.new("RGB", size), transforms=v2.Compose([*steps, v2.ToImage()]))
    if longest is None:
        assert place == networks.geometry(Image.new("RGB", size), resize, crop)
    assert place.size == (height, width)
    ramps = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    found = []
    for ramp in ramps:  # with floats: the resizing and cropping steps alone
        image = torch.from_numpy(ramp)[None]
        for step in steps:
            image = step(image)
        found.append(image[0])
    x0, y0, x1, y1 = place.box
    h, w = found[0].shape
    columns = x0 + (torch.arange(w) + 0.5) * (x1 - x0) / w
    rows = y0 + (torch.arange(h) + 0.5) * (y1 - y0) / h
    inside = found[0] > 0  # elsewhere it was padded
    for seen, expected in (
        (found[0], columns.expand(h, w)),
        (found[1], rows[:, None].expand(h, w)),
    ):
        # At the edges an antialiased resize has fewer neighbours on one side.
        margin = 1 + 2 * max((x1 - x0) / w, (y1 - y0) / h)
        middle = (
            inside & (expected > margin) & (expected < (width, height)[seen is found[1]] - margin)
        )
        assert middle.any() or min(h, w) < 4 or longest
        torch.testing.assert_close(
            seen[middle], expected.double()[middle], rtol=0, atol=0.04 * margin
        )


def test_torchvisions_presets_are_read() -> None:
    from torchvision.models import ResNet18_Weights, ResNet50_Weights

    for weights in (ResNet18_Weights.IMAGENET1K_V1, ResNet50_Weights.IMAGENET1K_V2):
        transforms = weights.transforms()
        place = networks.geometry(Image.new("RGB", (640, 480)), transforms=transforms)
        (short,) = transforms.resize_size
        side = 224 * 480 / short
        corner = round((short * 640 // 480 - 224) / 2) * 640 / (short * 640 // 480)
        np.testing.assert_allclose(place.box[0], corner)
        np.testing.assert_allclose(place.box[3] - place.box[1], side)


def test_timms_transforms_are_read() -> None:
    timm = pytest.importorskip("timm")
    made = timm.data.create_transform(
        (3, 224, 224), crop_pct=0.875, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.1)
    )
    picture = photos.load("coffee")
    usual = networks.eval_transforms(256, 224, (0.5, 0.4, 0.3), (0.2, 0.2, 0.1))
    assert networks.geometry(picture, transforms=made) == networks.geometry(picture)
    ours, theirs = (networks.preprocess(picture, transforms=one) for one in (usual, made))
    torch.testing.assert_close(ours, theirs, atol=0.05, rtol=0)
    seen = networks.to_picture(theirs, made)
    np.testing.assert_allclose(seen, networks.to_picture(networks.preprocess(picture)), atol=0.02)


@pytest.mark.parametrize(
    "step",
    [
        v2.RandomApply([v2.CenterCrop(100)], p=0.0), v2.RandomOrder([v2.Resize(64), v2.CenterCrop(32)]),
        v2.RandomChoice([v2.CenterCrop(32)]), v2.RandomCrop(32), v2.Pad(3),
    ],
)  # fmt: skip
def test_steps_that_run_now_and_then_are_refused(step) -> None:
    with pytest.raises(ValueError, match=f"transforms: .* got {type(step).__name__}"):
        networks.geometry(photos.load("cat"), transforms=v2.Compose([step, v2.ToImage()]))


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (5, 0, 2, 5), (0, 0, 1, float("nan"))])
def test_a_box_that_encloses_nothing_is_refused(box) -> None:
    with pytest.raises(ValueError, match="box: expected edges"):
        Geometry((10, 10), box)


def test_steps_that_move_pixels_otherwise_are_refused() -> None:
    other = v2.Compose([v2.RandomHorizontalFlip(1.0), *networks.eval_transforms().transforms])
    with pytest.raises(
        ValueError, match=r"transforms: expected one Resize.* got RandomHorizontalFlip"
    ):
        networks.geometry(photos.load("cat"), transforms=other)
    assert (
        networks.to_picture(networks.preprocess(photos.load("cat"), transforms=other), other).max()
        <= 1
    )


def test_maps_of_a_whole_picture_are_upsampled_as_ever() -> None:
    maps = torch.randn(2, 3, 4, 5)
    place = Geometry((24, 35), (0.0, 0.0, 35.0, 24.0))
    torch.testing.assert_close(place.upsample(maps), upsample(maps, (24, 35)), atol=1e-5, rtol=1e-5)
    assert place.seen().all()


def test_a_map_lies_where_its_crop_lies() -> None:
    """Cut from the middle without resizing: there the map upsampled to the crop, nothing around it."""
    maps = torch.rand(1, 1, 7, 7) + 1
    place = networks.geometry(Image.new("RGB", (300, 260)), None, 224)
    assert place.box == (38.0, 18.0, 262.0, 242.0)
    inner = F.interpolate(maps, (224, 224), mode="bilinear", align_corners=False)
    expected = F.pad(inner, (38, 38, 18, 18))
    torch.testing.assert_close(place.upsample(maps), expected, atol=1e-5, rtol=1e-5)
    assert int(place.seen().sum()) == 224 * 224


def test_boxes_go_into_the_image_and_points_come_back() -> None:
    place = networks.geometry(Image.new("RGB", (640, 480)))
    box = place.to_image(np.array([place.box, (320, 240, 321, 241)]), (224, 224))
    np.testing.assert_allclose(box[0], [0, 0, 224, 224], atol=1e-9)
    np.testing.assert_allclose(box[1, :2], [112, 112], atol=0.6)


def test_an_overlay_on_the_original_photograph() -> None:
    """The colour stands on the original's own pixels, upright, and nothing outside the crop."""
    upright = photos.load("cat")
    exif = Image.Exif()
    exif[0x0112] = 8
    picture = stored(upright.transpose(Image.Transpose.ROTATE_270), exif=exif)
    place = networks.geometry(picture)
    assert place == networks.geometry(upright)
    map = torch.zeros(7, 7)
    map[2, 5] = 1.0
    laid = plotting.overlay(picture, map, geometry=place)
    plain = np.asarray(upright) / 255
    changed = np.abs(laid - plain).max(2)
    assert laid.shape == plain.shape
    x0, y0, x1, y1 = place.box
    row, column = np.unravel_index(changed.argmax(), changed.shape)
    cell = ((x1 - x0) / 7, (y1 - y0) / 7)
    assert x0 + 5 * cell[0] < column < x0 + 6 * cell[0]
    assert y0 + 2 * cell[1] < row < y0 + 3 * cell[1]
    assert changed[:, : int(x0)].max() == changed[: int(y0)].max() == 0
    with pytest.raises(
        TypeError, match=r"geometry: expected a camlib\.pictures\.Geometry, got tuple"
    ):
        plotting.overlay(upright, map, geometry=(0, 0, 1, 1))
    with pytest.raises(ValueError, match="geometry: expected that of the picture, whose size is"):
        plotting.overlay(upright.resize((30, 20)), map, geometry=place)


def test_a_grey_picture_lies_under_a_map() -> None:
    grey = np.full((4, 4), 0.5)
    expected = plotting.overlay(np.repeat(grey[..., None], 3, 2), np.eye(4))
    for one in (grey, grey[..., None], torch.from_numpy(grey)):
        np.testing.assert_array_equal(plotting.overlay(one, np.eye(4)), expected)
