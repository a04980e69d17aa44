"""Who has handed in what, whatever the files are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from camcourse.grading.submissions import Submission, find

OTHERS = frozenset({"first", "second"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Another folder than the test's own, where files may be put beside it."""
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def hand_in(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")


def found(folder: Path) -> list[tuple[str, str]]:
    return [(one.student, one.name) for one in find(folder, "first", OTHERS)]


def test_files_and_folders(folder: Path) -> None:
    hand_in(folder, "bob.v2.ipynb", "ada/any name (2).ipynb", "карл/deep/er/試験.ipynb")
    assert found(folder) == [
        ("ada", "ada/any name (2).ipynb"),
        ("bob.v2", "bob.v2.ipynb"),
        ("карл", "карл/deep/er/試験.ipynb"),
    ]


def test_as_nbgrader_collects(folder: Path) -> None:
    """Other assignments of a student are left out, also where only those are there."""
    hand_in(folder, *(f"ada/{one}/{one}.ipynb" for one in OTHERS), "ada/first/timestamp.txt")
    hand_in(folder, "bob/second/second.ipynb")
    assert found(folder) == [("ada", "ada/first/first.ipynb")]


def test_data_beside_a_notebook_is_no_submission(folder: Path) -> None:
    hand_in(folder, "ada/hw.ipynb", "ada/cat.jpg", "ada/helper.py", "ada.zip")
    assert found(folder) == [("ada", "ada/hw.ipynb")]


def test_without_a_notebook_every_file_is_told(folder: Path) -> None:
    """A student who hands in something else is not left out in silence."""
    hand_in(folder, "ada.pdf", "bob/1.py", "bob/2.py")
    assert found(folder) == [("ada", "ada.pdf"), ("bob", "bob/1.py"), ("bob", "bob/2.py")]


def test_several_notebooks_of_one_student(folder: Path) -> None:
    hand_in(folder, "ada.ipynb", "ada/a.ipynb", "ada/B.IPYNB")
    assert found(folder) == [("ada", name) for name in ("ada.ipynb", "ada/B.IPYNB", "ada/a.ipynb")]


def test_what_programs_leave_behind(folder: Path) -> None:
    hand_in(folder, ".DS_Store", "Thumbs.db", "ada/desktop.ini", "__MACOSX/ada/._hw.ipynb")
    hand_in(folder, "ada/.ipynb_checkpoints/hw-checkpoint.ipynb", "ada/hw.ipynb", ".git/x.ipynb")
    assert found(folder) == [("ada", "ada/hw.ipynb")]


def test_a_folder_of_assignments_is_not_one_of_students(folder: Path) -> None:
    """It would make one student of a whole class, whose best notebook counts."""
    hand_in(folder, "first/ada.ipynb", "first/bob.ipynb")
    with pytest.raises(ValueError, match=r"got the assignment first\. Give the folder in which"):
        found(folder)
    assert [one.student for one in find(folder / "first", "first", OTHERS)] == ["ada", "bob"]


def test_a_notebook_may_be_called_like_an_assignment(folder: Path) -> None:
    hand_in(folder, "first.ipynb")
    assert found(folder) == [("first", "first.ipynb")]


def test_no_folder(folder: Path) -> None:
    hand_in(folder, "ada.ipynb")
    for path in (folder / "ada.ipynb", folder / "nowhere"):
        with pytest.raises(ValueError, match="expected a folder with a file or a folder for each"):
            found(path)
    (folder / "ada.ipynb").unlink()
    assert found(folder) == []


def test_links_are_told_and_not_followed(folder: Path) -> None:
    """To a file, a folder and nowhere: whoever reads them would read what is not the student's."""
    hand_in(folder.parent, "secret/hw.ipynb")
    (folder / "ada").mkdir()
    (folder / "ada" / "folder").symlink_to(folder.parent / "secret")
    (folder / "bob.ipynb").symlink_to(folder.parent / "secret" / "hw.ipynb")
    (folder / "eve.ipynb").symlink_to("nowhere")
    (folder / "loop").symlink_to(".")
    one = find(folder, "first")
    assert [each.name for each in one] == ["ada/folder", "bob.ipynb", "eve.ipynb", "loop"]
    assert len({each.digest() for each in one}) == 1, "nothing of them has been read"


def test_a_folder_that_cannot_be_opened_stops_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(folder, "ada/hw.ipynb", "bob/hw.ipynb")
    scan = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("bob"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(PermissionError, match="bob"):
        found(folder)


def test_a_file_that_cannot_be_opened_stops_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox cannot open it either, and says so of this submission."""

    def refuse(*given: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    hand_in(folder, "ada.ipynb")
    (one,) = find(folder, "first")
    monkeypatch.setattr(Path, "open", refuse)
    assert one.digest() == Submission(folder / "nowhere", "", "").digest()


def test_digests_follow_the_content(folder: Path) -> None:
    hand_in(folder, "ada.ipynb", "bob.ipynb")
    os.mkfifo(folder / "pipe.ipynb")
    before = [one.digest() for one in find(folder, "first")]
    assert len(set(before)) == 3
    (folder / "ada.ipynb").write_text("something else", encoding="utf-8")
    after = [one.digest() for one in find(folder, "first")]
    assert [one != other for one, other in zip(before, after, strict=True)] == [True, False, False]


def test_names_that_are_no_text(folder: Path) -> None:
    """Not even a name that looks like what is written for another one takes its place."""
    names = [
        b"\xff.ipynb",
        rb"\xff.ipynb",
        rb"\x5cxff.ipynb",
        "é.ipynb".encode("latin-1"),
        b"\n.ipynb",
    ]
    for name in names:
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_bytes(b"{}")
    found = find(folder, "first")
    assert len(found) == len({one.name for one in found}) == len(names)
    assert len({one.key for one in found}) == len(names)
    assert len({one.student for one in found}) == len(names)
    for one in found:
        assert one.name.encode().decode() == one.name
        assert one.path.read_bytes() == b"{}"
        assert one.key.isalnum()
    assert {rb"\xff.ipynb".decode(), r"\xe9.ipynb"} <= {one.name for one in found}


def test_keys_are_the_same_on_every_machine() -> None:
    """Worked by hand: the SHA-256 of the name in UTF-8 begins so."""
    assert Submission(Path("x"), "ada.ipynb", "ada").key == "e3a41a0bc59071b1"
