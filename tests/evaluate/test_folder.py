"""A folder with boxes: what a row has to say, and boxes that go through resizing and cropping."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from camlib.evaluate import FolderData
from camlib.networks import class_names, eval_transforms, to_picture

HEADER = "file,class,x0,y0,x1,y1"


def data(folder: Path, *rows: str, header: str = HEADER) -> FolderData:
    (folder / "boxes.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return FolderData(folder, folder / "boxes.csv")


def save(folder: Path, name: str, size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    """Save a black picture with a white box."""
    picture = Image.new("RGB", size)
    picture.paste("white", box)
    picture.save(folder / name)


@pytest.mark.parametrize(
    ("size", "box"), [((500, 375), (120, 60, 300, 290)), ((300, 641), (60, 200, 210, 400))]
)
def test_a_box_stays_on_its_object(tmp_path: Path, size, box) -> None:
    save(tmp_path, "a.png", size, box)
    image, target = data(tmp_path, f"a.png,281,{','.join(map(str, box))}")[0]
    bright = to_picture(image).mean(-1) > 0.5
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    seen = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    np.testing.assert_allclose(target["boxes"], [seen], atol=1)


def test_a_photograph_on_its_side_is_turned_before_its_boxes_count(tmp_path: Path) -> None:
    save(tmp_path, "upright.png", (300, 400), (100, 100, 200, 250))
    upright = Image.open(tmp_path / "upright.png")
    exif = upright.getexif()
    exif[0x0112] = 6  # "turn me a quarter to the right"
    upright.rotate(90, expand=True).save(tmp_path / "side.png", exif=exif)
    both = data(tmp_path, "upright.png,1,100,100,200,250", "side.png,1,100,100,200,250")
    np.testing.assert_allclose(both[0][0], both[1][0], atol=0.02)
    np.testing.assert_array_equal(both[0][1]["boxes"], both[1][1]["boxes"])


def test_classes_go_by_name_or_number_and_rows_of_one_file_belong_together(tmp_path: Path) -> None:
    """256 pixels stay 256, of which 16 are cut on every side; 12.4 and 13.6 are rounded."""
    save(tmp_path, "a.png", (256, 256), (0, 0, 9, 9))
    rows = ("a.png,Tiger Cat,50,50,90,90", "a.png,967,60,60,70,70", "a.png,282,28.4,29.6,120,999")
    found = data(tmp_path, *rows)
    assert len(found) == 1
    with pytest.warns(UserWarning, match="a.png: expected boxes inside the photograph of 256×256"):
        target = found[0][1]
    assert target["labels"] == (282, 967, 282)
    expected = [[34, 34, 74, 74], [44, 44, 54, 54], [12, 14, 104, 224]]
    assert target["boxes"].tolist() == expected
    assert target["image_id"] == "a.png"
    assert found.classes[967] == "espresso"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    save(tmp_path, "good.png", (256, 256), (0, 0, 9, 9))
    (tmp_path / "short.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    (tmp_path / "text.png").write_text("no picture")
    names = ("short.png", "text.png", "missing.png")
    found = data(tmp_path, *(f"{name},1,30,30,90,90" for name in names))
    for number, name in enumerate(names):
        with pytest.raises(OSError, match=f"^{name}$"):
            found[number]


def test_what_the_crop_cuts_away_ends_up_empty(tmp_path: Path) -> None:
    save(tmp_path, "wide.png", (600, 256), (0, 0, 9, 9))
    boxes = data(tmp_path, "wide.png,0,0,0,9,99", "wide.png,1,300,100,310,110")[0][1]["boxes"]
    assert boxes.tolist() == [[0, 0, 0, 83], [112, 84, 122, 94]]


def test_names_that_differ_in_case_or_are_numbers_or_come_twice(tmp_path: Path) -> None:
    """A name as it is written first, then whatever its case, then a number."""
    boxes = tmp_path / "boxes.csv"

    def labels(*given: str, classes: tuple[str, ...]) -> list[int]:
        rows = [f"{number}.png,{one},0,0,1,1" for number, one in enumerate(given)]
        boxes.write_text("\n".join(["file,class,x0,y0,x1,y1", *rows]))
        read = FolderData(tmp_path, boxes, classes)
        return [label for objects in read.objects.values() for label, _ in objects]

    assert labels("cat", "Cat", "DOG", "1", classes=("dog", "cat", "Cat")) == [1, 2, 0, 1]
    assert labels("2", "1", "0", classes=("2", "1", "0")) == [0, 1, 2]
    assert labels("7", classes=()) == [7]
    with pytest.raises(ValueError, match=r"line 2: .*'cat', which classes \[0, 1\] have"):
        labels("cat", classes=("cat", "cat", "bird"))


def test_a_picture_that_was_missing_makes_other_data(tmp_path: Path) -> None:
    before = data(tmp_path, "late.png,1,0,0,1,1").digest
    Image.new("RGB", (8, 8)).save(tmp_path / "late.png")
    assert data(tmp_path, "late.png,1,0,0,1,1").digest != before


def test_floats_without_a_range_are_named(tmp_path: Path) -> None:
    Image.new("F", (300, 300), 0.5).save(tmp_path / "a.tif")
    with pytest.raises(OSError, match=r"a\.tif \(range: expected"):
        data(tmp_path, "a.tif,1,0,0,1,1")[0]


def test_other_boxes_have_another_digest(tmp_path: Path) -> None:
    one, other = (data(tmp_path, f"a.png,1,0,0,1,{end}").digest for end in (1, 2))
    assert one != other


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.png,cow-horse,0,0,1,1", r"boxes.csv, line 3: expected a class .*'cow-horse'"),
        ("a.png,1000,0,0,1,1", "number from 0 to 999, got '1000'"),
        ("a.png,1,5,0,5,1", r"line 3: expected a box with 0 <= x0 < x1"),
        ("a.png,1,0,5,1,5", "expected a box"),
        ("a.png,1,-1,0,5,1", "expected a box"),
        ("a.png,1,0,0,nan,1", "expected a box"),
        ("a.png,1,0,0,1,inf", "expected a box"),
        ("a.png,1,0,0,1", "line 3: expected 6 values"),
        ("a.png,1,0,0,1,1,9", "line 3: expected 6 values"),
        ("a.png,1,0,0,1,wide", "expected a box"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        data(tmp_path, "a.png,1,0,0,1,1", row)


def test_wrong_or_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="images: expected a folder"):
        FolderData(tmp_path / "none", tmp_path / "boxes.csv")
    with pytest.raises(FileNotFoundError, match="boxes: expected a CSV file"):
        FolderData(tmp_path, tmp_path / "boxes.csv")
    with pytest.raises(ValueError, match=f"line 1: expected the columns {HEADER}"):
        data(tmp_path, "a.png,1,0,0,1,1", header="name,class,x0,y0,x1,y1")
    with pytest.raises(ValueError, match="expected at least one object, got none"):
        data(tmp_path)


ROW = "a.png;tabby;1,5;2;9;10"


def test_semicolons_tabs_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    save(tmp_path, "a.png", (256, 256), (0, 0, 9, 9))
    path = tmp_path / "boxes.csv"
    semicolons = f"{HEADER.replace(',', ';')}\r\n{ROW}\r\n"
    tabs = semicolons.replace(",", ".").replace(";", "\t")
    for text in (semicolons, tabs, "\ufeff" + semicolons):
        path.write_text(text, encoding="utf-8", newline="")
        assert FolderData(tmp_path, path).objects == {"a.png": [(281, (1.5, 2, 9, 10))]}


def test_another_encoding_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_bytes(f"{HEADER}\na.png,1,0,0,1,1\ncaf\u00e9.png,1,0,0,1,1\n".encode("cp1252"))
    with pytest.raises(
        ValueError, match=r"boxes.csv, line 3: expected text in UTF-8, got the byte 0xe9"
    ):
        FolderData(tmp_path, path)


def test_a_missing_file_is_not_called_corrupt(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^none\.png$"):
        data(tmp_path, "none.png,1,0,0,1,1")[0]


def test_classes_and_preprocessing_of_ones_own(tmp_path: Path) -> None:
    """A box of half the picture covers half of the 64 pixels that the network reads."""
    save(tmp_path, "a.png", (200, 200), (0, 0, 100, 200))
    path = tmp_path / "boxes.csv"
    path.write_text(f"{HEADER}\na.png,cup,0,0,100,200\n", encoding="utf-8")
    transforms = eval_transforms(64, 64, [0.5], [0.25])
    found = FolderData(tmp_path, path, ["cat", "cup"], transforms)
    image, target = found[0]
    assert image.shape == (1, 64, 64)
    assert image[0, 0, 0] == 2
    assert target["boxes"].tolist() == [[0, 0, 32, 64]]
    assert target["labels"] == (1,)


XML = """<annotation><filename>{file}</filename>
<object><name>{name}</name><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>{x}</xmax><ymax>39</ymax></bndbox></object>
</annotation>"""


def test_boxes_as_imagenet_ships_them(tmp_path: Path) -> None:
    """Its files leave the ending out; xmax and ymax belong to the box; synsets count in their order."""
    annotations = tmp_path / "xml"
    annotations.mkdir()
    for number, (synset, x) in enumerate((("n02123045", 29), ("n01440764", 49)), 1):
        name = f"ILSVRC2012_val_{number:08}"
        (annotations / f"{name}.xml").write_text(XML.format(file=name, name=synset, x=x))
        save(tmp_path, f"{name}.JPEG", (256, 256), (10, 20, 30, 40))
    steps = eval_transforms(None, None)
    for classes in (("tench", "tabby"), ("n01440764 tench", "n02123045 tabby"), None):
        found = FolderData(tmp_path, annotations, classes, steps)
        image, target = found[0]
        assert (target["labels"], target["boxes"].tolist()) == ((1,), [[10, 20, 30, 40]])
        bright = to_picture(image).mean(-1) > 0.5
        assert bright[22:38, 12:28].all()
        assert found[1][1]["labels"] == (0,)
    with pytest.raises(ValueError, match=r"00000001\.xml, object 1: expected a class by its name"):
        FolderData(tmp_path, annotations, class_names())
    (annotations / "broken.xml").write_text("<annotation>\n<object>")
    with pytest.raises(ValueError, match=r"broken\.xml, line 2: expected XML"):
        FolderData(tmp_path, annotations)


def test_boxes_as_cub_ships_them(tmp_path: Path) -> None:
    """x, y, width, height; classes from 1; the pictures of the training set are left out."""
    files = {
        "images": "1 001.Albatross/a.jpg\n2 002.Finch/b.jpg\n3 002.Finch/c.jpg\n",
        "bounding_boxes": "1 1.0 1.0 9.0 9.0\n2 60.0 27.0 32.0 40.0\n3 0.0 0.0 8.0 8.0\n",
        "image_class_labels": "1 1\n2 2\n3 2\n",
        "classes": "1 001.Albatross\n2 002.Finch\n",
        "train_test_split": "1 1\n2 0\n3 0\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.txt").write_text(text)
    (tmp_path / "images" / "002.Finch").mkdir(parents=True)
    save(tmp_path / "images", "002.Finch/b.jpg", (256, 256), (60, 27, 92, 67))
    found = FolderData(tmp_path / "images", tmp_path)
    assert found.names == ["002.Finch/b.jpg", "002.Finch/c.jpg"]
    assert found.classes == ("001.Albatross", "002.Finch")
    image, target = found[0]
    assert (target["labels"], target["boxes"].tolist()) == ((1,), [[44, 11, 76, 51]])
    bright = to_picture(image).mean(-1) > 0.5
    assert bright[13:49, 46:74].all()
    assert bright.sum() < 1.1 * 32 * 40
    (tmp_path / "bounding_boxes.txt").write_text("1 1.0 1.0 9.0 9.0\n2 sixty 27.0 32.0 40.0\n")
    with pytest.raises(ValueError, match=r"bounding_boxes.txt, picture 2: expected x, y, width"):
        FolderData(tmp_path / "images", tmp_path)
    (tmp_path / "classes.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"boxes: expected classes\.txt of CUB"):
        FolderData(tmp_path / "images", tmp_path)
