"""Preprocessing: numbers worked by hand, the way there and back, and bad input."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from camlib import networks, photos


def test_pixels_by_hand() -> None:
    """(0-127)/128 = -0.9921875, (127-127)/128 = 0, (255-127)/128 = 1."""
    picture = Image.new("RGB", (2, 1), (0, 127, 255))
    images = networks.preprocess(picture, resize=None, crop=None)
    assert images.shape == (1, 3, 1, 2)
    torch.testing.assert_close(images[0, :, 0, 0], torch.tensor([-0.9921875, 0.0, 1.0]))


def test_the_shorter_side_is_resized_before_the_middle_is_cut_out() -> None:
    """A picture of 4x2 pixels with a white middle column pair, cut to 2x2, is white."""
    pixels = np.zeros((2, 4, 3), dtype=np.uint8)
    pixels[:, 1:3] = 255
    images = networks.preprocess(Image.fromarray(pixels), resize=None, crop=2)
    torch.testing.assert_close(images, torch.ones(1, 3, 2, 2))
    assert networks.preprocess(photos.load("cat")).shape == (1, 3, 224, 224)
    assert networks.preprocess(photos.load("cat"), crop=None).shape == (1, 3, 256, 384)


def test_there_and_back_again() -> None:
    picture = photos.load("cat_and_coffee")
    images = networks.preprocess(picture, resize=None, crop=None)
    seen = networks.to_picture(images)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen[0], np.asarray(picture) / 255, atol=1e-6)
    np.testing.assert_array_equal(networks.to_picture(images[0]), seen[0])


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_other_colour_modes_become_rgb(mode: str) -> None:
    assert networks.preprocess(photos.load("cat").convert(mode)).shape == (1, 3, 224, 224)


def stored_on_its_side(upright: Image.Image, orientation: int) -> Image.Image:
    """The file of a camera that was held otherwise, opened: its pixels lie on their side."""
    undo = {
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    upright.transpose(undo[orientation]).save(file, "PNG", exif=exif)
    return Image.open(file)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photograph_on_its_side_is_turned_upright(orientation: int) -> None:
    """Orientation 6 means: turn by 90 degrees clockwise, so it was stored turned the other way."""
    cat = photos.load("cat")
    turned = networks.preprocess(stored_on_its_side(cat, orientation))
    torch.testing.assert_close(turned, networks.preprocess(cat), rtol=0, atol=0)
    assert not torch.equal(turned, networks.preprocess(cat.rotate(180)))


def test_what_is_transparent_lies_on_white() -> None:
    """Black with alpha 0, 51 and 255 on white: 255, 255·(1-51/255) = 204, 0."""
    picture = Image.new("RGBA", (3, 1))
    for column, alpha in enumerate((0, 51, 255)):
        picture.putpixel((column, 0), (0, 0, 0, alpha))
    expected = (torch.tensor([255.0, 204.0, 0.0]) - 127) / 128
    for one in (picture, picture.convert("LA")):
        images = networks.preprocess(one, resize=None, crop=None)
        torch.testing.assert_close(images[0, :, 0], expected.expand(3, 3))


def test_one_transparent_colour_lies_on_white() -> None:
    """As in GIF files: the palette's entry 0, stored as red, is transparent; entry 1 is blue."""
    picture = Image.new("P", (2, 1), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    picture.info["transparency"] = 0
    images = networks.preprocess(picture, resize=None, crop=None)
    expected = (torch.tensor([[255.0, 0], [255.0, 0], [255.0, 255]]) - 127) / 128
    torch.testing.assert_close(images[0, :, 0], expected)


def test_there_are_a_thousand_class_names() -> None:
    names = networks.class_names()
    assert len(names) == 1000
    assert [names[index] for index in (281, 282, 967)] == ["tabby", "tiger cat", "espresso"]


CAT = Image.new("RGB", (20, 10))


@pytest.mark.parametrize(
    ("pictures", "options", "error", "message"),
    [
        ([], {}, ValueError, "pictures: expected at least one picture, got none"),
        ("cat.png", {}, TypeError, "pictures: expected a PIL picture, got str 'cat.png'. Open"),
        (
            [CAT, np.zeros((2, 2, 3))],
            {},
            TypeError,
            r"pictures\[1\]: expected a PIL picture, got ndarray of shape .*fromarray",
        ),
        (CAT, {"crop": 0}, ValueError, "crop: expected a whole number of at least 1, got 0"),
        (CAT, {"resize": 2.5}, ValueError, "resize: expected a whole number"),
        (
            [CAT, Image.new("RGB", (5, 5))],
            {"resize": None, "crop": None},
            ValueError,
            r"pictures: expected equal sizes after cropping, got \[\(5, 5\), \(10, 20\)\]",
        ),
    ],
)
def test_bad_input_is_named(
    pictures: object, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        networks.preprocess(pictures, **options)  # type: ignore[arg-type]


def test_to_picture_needs_channels_in_their_place() -> None:
    for shape in ((4, 4, 3), (3, 4), (1, 1, 3, 4, 4)):
        with pytest.raises(
            ValueError, match=r"^images: expected shape \(channels, H, W\) or \(n, channels, H, W"
        ):
            networks.to_picture(torch.zeros(shape))
    with pytest.raises(TypeError, match="images: expected a floating-point tensor"):
        networks.to_picture(torch.zeros(3, 4, 4, dtype=torch.uint8))


def test_to_picture_undoes_torchvisions_normalisation() -> None:
    from torchvision.models import ResNet18_Weights

    transforms = ResNet18_Weights.DEFAULT.transforms()
    cat = photos.load("cat")
    images = networks.preprocess(cat, transforms=transforms)
    expected = networks.to_picture(networks.preprocess(cat))
    for given in (
        {"transforms": transforms},
        {"mean": transforms.mean, "std": transforms.std},
    ):
        np.testing.assert_allclose(networks.to_picture(images, **given), expected, atol=2e-3)
    with pytest.warns(UserWarning, match="expected pixels from 0 to 1 .* another preprocessing"):
        networks.to_picture(images)


def test_to_picture_of_a_grey_image() -> None:
    image = networks.preprocess(CAT, transforms=networks.eval_transforms(None, None, [0.5], [0.25]))
    assert image.shape == (1, 1, 10, 20)
    seen = networks.to_picture(image, mean=0.5, std=0.25)
    assert seen.shape == (1, 10, 20, 3)
    assert seen.max() == 0


def test_to_picture_refuses_what_it_cannot_know() -> None:
    image = networks.preprocess(CAT, None, None)
    for given, message in (
        (
            {"transforms": lambda picture: picture},
            "transforms: expected a Normalize among its steps",
        ),
        ({"mean": 0.5}, "mean, std: expected both"),
        ({"mean": [0.5] * 4, "std": 0.5}, "one for each of 3 channels"),
    ):
        with pytest.raises(ValueError, match=message):
            networks.to_picture(image, **given)


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ([0.5, 0.5], [0.5, 0.5], "mean, std: expected one number or three each"),
        (0.5, 0.0, "the standard deviation above 0"),
        (0.5, [-1, 1, 1], "the standard deviation above 0"),
    ],
)
def test_a_normalisation_that_is_none(mean, std, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        networks.eval_transforms(mean=mean, std=std)


def test_a_normalisation_of_bytes_is_noticed() -> None:
    with pytest.warns(UserWarning, match="look like those of pixels from 0 to 255. Divide"):
        networks.eval_transforms(mean=[127, 127, 127], std=128)


def test_sizes_may_be_numpys_and_no_texts() -> None:
    assert networks.preprocess(CAT, np.int64(8), np.int64(8)).shape == (1, 3, 8, 8)
    with pytest.raises(ValueError, match="resize: expected a whole number of at least 1, got '8'"):
        networks.preprocess(CAT, resize="8")


def test_weights_are_not_their_transforms() -> None:
    from torchvision.models import ResNet18_Weights

    with pytest.raises(TypeError, match=r"transforms: .* Call it: weights\.transforms\(\)"):
        networks.preprocess(CAT, transforms=ResNet18_Weights.DEFAULT)
    with pytest.raises(
        TypeError, match="transforms: expected a function of a PIL picture, got int"
    ):
        networks.geometry(CAT, transforms=5)


def test_transforms_that_fail_are_named() -> None:
    with pytest.raises(ValueError, match=r"transforms: .* 20×10 pixels in RGB, got KeyError: 'x'"):
        networks.preprocess(CAT, transforms=lambda picture: {}["x"])


def test_transforms_have_to_give_tensors() -> None:
    with pytest.raises(TypeError, match=r"transforms: expected a tensor .* got Image"):
        networks.preprocess(CAT, transforms=lambda picture: picture)
