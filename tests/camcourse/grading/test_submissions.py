"""Which files are submissions, and whose, whatever their names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from camcourse.grading.submissions import Submission, find

OTHERS = frozenset({"first", "second"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def hand_in(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")


def found(folder: Path) -> list[tuple[str, str]]:
    return [(one.student, one.name) for one in find(folder, "first", OTHERS)]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            ["bob.v2.ipynb", "ada/any name (2).ipynb", "карл/deep/er/試験.ipynb"],
            {"ada": ["ada/any name (2).ipynb"], "bob.v2": ["bob.v2.ipynb"], "карл": ["карл/deep/er/試験.ipynb"]},
        ),
        (  # as nbgrader collects: other assignments are left out
            ["ada/first/first.ipynb", "ada/first/time.txt", "ada/second/second.ipynb", "bob/second/second.ipynb"],
            {"ada": ["ada/first/first.ipynb"]},
        ),
        (["ada/hw.ipynb", "ada/cat.jpg", "ada/helper.py", "ada.zip"], {"ada": ["ada/hw.ipynb"]}),
        (["ada.pdf", "bob/1.py", "bob/2.py"], {"ada": ["ada.pdf"], "bob": ["bob/1.py", "bob/2.py"]}),
        (["ada.ipynb", "ada/a.ipynb", "ada/B.IPYNB"], {"ada": ["ada.ipynb", "ada/B.IPYNB", "ada/a.ipynb"]}),
        (  # files of operating systems and editors
            [".DS_Store", "Thumbs.db", "ada/desktop.ini", "__MACOSX/ada/._hw.ipynb", ".git/x.ipynb",
             "ada/.ipynb_checkpoints/hw-checkpoint.ipynb", "ada/hw.ipynb"],
            {"ada": ["ada/hw.ipynb"]},
        ),
        (["first.ipynb"], {"first": ["first.ipynb"]}),
        ([], {}),
    ],
)  # fmt: skip
def test_students_and_their_files(
    folder: Path, files: list[str], expected: dict[str, list[str]]
) -> None:
    hand_in(folder, *files)
    assert found(folder) == [(who, file) for who, of in expected.items() for file in of]


def test_wrong_folders(folder: Path) -> None:
    """In a folder of assignments, a whole class would be one student."""
    hand_in(folder, "first/ada.ipynb", "first/bob.ipynb")
    with pytest.raises(ValueError, match=r"got the assignment first\. Give the folder"):
        found(folder)
    assert [student for student, _ in found(folder / "first")] == ["ada", "bob"]
    for path in (folder / "first" / "ada.ipynb", folder / "nowhere"):
        with pytest.raises(ValueError, match="expected a folder with a file or a folder for each"):
            found(path)


def test_links_are_listed_and_not_followed(folder: Path) -> None:
    hand_in(folder.parent, "secret/hw.ipynb")
    (folder / "ada").mkdir()
    (folder / "ada" / "folder").symlink_to(folder.parent / "secret")
    (folder / "bob.ipynb").symlink_to(folder.parent / "secret" / "hw.ipynb")
    (folder / "eve.ipynb").symlink_to("nowhere")
    (folder / "loop").symlink_to(".")
    links = find(folder, "first")
    assert [one.name for one in links] == ["ada/folder", "bob.ipynb", "eve.ipynb", "loop"]
    assert len({one.digest() for one in links}) == 1, "nothing of them has been read"


def test_a_folder_that_cannot_be_opened_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scan(path: str, original=os.scandir) -> object:  # type: ignore[no-untyped-def]
        if str(path).endswith("bob"):
            raise PermissionError(13, "Permission denied", path)
        return original(path)

    hand_in(folder, "ada/hw.ipynb", "bob/hw.ipynb")
    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(PermissionError, match="bob"):
        found(folder)


def test_digests(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They change with the content; a file that cannot be opened has that of nothing."""

    def refuse(*given: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    hand_in(folder, "ada.ipynb", "bob.ipynb")
    os.mkfifo(folder / "pipe.ipynb")
    ada, bob, pipe = find(folder, "first")
    before = [one.digest() for one in (ada, bob, pipe)]
    assert len(set(before)) == 3
    (folder / "ada.ipynb").write_text("something else", encoding="utf-8")
    after = [one.digest() for one in (ada, bob, pipe)]
    assert [one != other for one, other in zip(before, after, strict=True)] == [True, False, False]
    monkeypatch.setattr(Path, "open", refuse)
    assert ada.digest() == Submission(folder / "nowhere", "", "").digest()


def test_names_that_are_not_text(folder: Path) -> None:
    """They are escaped, and no two names become equal."""
    names = [b"\xff.ipynb", rb"\xff.ipynb", rb"\x5cxff.ipynb", b"\xe9.ipynb", b"\n.ipynb"]
    for name in names:
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_bytes(b"{}")
    found = find(folder, "first")
    for values in (
        {one.name for one in found},
        {one.key for one in found},
        {one.student for one in found},
    ):
        assert len(values) == len(names)
    for one in found:
        assert one.name.encode().decode() == one.name
        assert one.path.read_bytes() == b"{}"
        assert one.key.isalnum()
    assert {r"\xff.ipynb", r"\xe9.ipynb"} <= {one.name for one in found}


def test_keys_are_the_same_on_every_machine() -> None:
    """By hand: the SHA-256 of the name in UTF-8 begins like this."""
    assert Submission(Path("x"), "ada.ipynb", "ada").key == "e3a41a0bc59071b1"
