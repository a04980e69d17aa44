"""A folder with boxes: what a row has to say, and boxes that go through resizing and cropping."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from camlib.evaluate.folder import FolderSource
from camlib.networks import to_picture

HEADER = "file,class,x0,y0,x1,y1"


def source(folder: Path, *rows: str, header: str = HEADER) -> FolderSource:
    (folder / "boxes.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return FolderSource(folder, folder / "boxes.csv")


def save(folder: Path, name: str, size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    """Save a black picture with a white box."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    x0, y0, x1, y1 = box
    pixels[y0:y1, x0:x1] = 255
    Image.fromarray(pixels).save(folder / name)


@pytest.mark.parametrize(
    ("size", "box"), [((500, 375), (120, 60, 300, 290)), ((300, 641), (60, 200, 210, 400))]
)
def test_a_box_stays_on_its_object(tmp_path: Path, size, box) -> None:
    save(tmp_path, "a.png", size, box)
    batch = source(tmp_path, f"a.png,281,{','.join(map(str, box))}").batch([0])
    bright = to_picture(batch.images)[0].mean(-1) > 0.5
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    seen = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    np.testing.assert_allclose(batch.boxes[0][281][0], seen, atol=1)


def test_a_photograph_on_its_side_is_turned_before_its_boxes_count(tmp_path: Path) -> None:
    save(tmp_path, "upright.png", (300, 400), (100, 100, 200, 250))
    upright = Image.open(tmp_path / "upright.png")
    exif = upright.getexif()
    exif[0x0112] = 6  # "turn me a quarter to the right"
    upright.rotate(90, expand=True).save(tmp_path / "side.png", exif=exif)
    batch = source(tmp_path, "upright.png,1,100,100,200,250", "side.png,1,100,100,200,250").batch(
        [0, 1]
    )
    np.testing.assert_allclose(batch.images[0], batch.images[1], atol=0.02)
    np.testing.assert_array_equal(batch.boxes[0][1], batch.boxes[1][1])


def test_classes_go_by_name_or_number_and_rows_of_one_file_belong_together(tmp_path: Path) -> None:
    save(tmp_path, "a.png", (256, 256), (0, 0, 9, 9))
    rows = ("a.png,Tiger Cat,50,50,90,90", "a.png,282,100,100,120,120", "a.png,967,60,60,70,70")
    (boxes,) = source(tmp_path, *rows).batch([0]).boxes
    assert {category: len(of_it) for category, of_it in boxes.items()} == {282: 2, 967: 1}
    # 256 pixels stay 256, of which 16 are cut on every side.
    np.testing.assert_array_equal(boxes[282], [[34, 34, 74, 74], [84, 84, 104, 104]])


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    save(tmp_path, "good.png", (256, 256), (0, 0, 9, 9))
    (tmp_path / "short.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    (tmp_path / "text.png").write_text("no picture")
    names = ("short.png", "text.png", "missing.png", "good.png")
    batch = source(tmp_path, *(f"{name},1,30,30,90,90" for name in names)).batch(range(4))
    assert batch.corrupt == ["short.png", "text.png", "missing.png"]
    assert batch.picture == [3]
    assert len(batch.images) == 1


def test_what_the_crop_cuts_away_is_named(tmp_path: Path) -> None:
    save(tmp_path, "wide.png", (600, 256), (0, 0, 9, 9))
    batch = source(tmp_path, "wide.png,0,0,0,9,9", "wide.png,1,300,100,310,110").batch([0])
    assert batch.outside == ["wide.png (tench)"]
    assert batch.boxes[0][0].shape == (0, 4)
    assert batch.boxes[0][1].shape == (1, 4)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "a.png,cow-horse,0,0,1,1",
            r"boxes.csv, line 3: expected a class of ImageNet .*'cow-horse'",
        ),
        ("a.png,1000,0,0,1,1", "number from 0 to 999, got '1000'"),
        ("a.png,1,5,0,5,1", r"line 3: expected a box with 0 <= x0 < x1"),
        ("a.png,1,-1,0,5,1", "expected a box"),
        ("a.png,1,0,0,nan,1", "expected a box"),
        ("a.png,1,0,0,1", "expected a box"),
        ("a.png,1,0,0,1,wide", "expected a box"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        source(tmp_path, "a.png,1,0,0,1,1", row)


def test_wrong_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 1: expected the columns file,class,x0,y0,x1,y1"):
        source(tmp_path, "a.png,1,0,0,1,1", header="name,class,x0,y0,x1,y1")


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected at least one object, got none"):
        source(tmp_path)


def test_missing_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="images: expected a folder"):
        FolderSource(tmp_path / "none", tmp_path / "boxes.csv")
    with pytest.raises(FileNotFoundError, match="boxes: expected a CSV file"):
        FolderSource(tmp_path, tmp_path / "boxes.csv")
