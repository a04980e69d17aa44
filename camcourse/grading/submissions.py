"""Find the submissions in a folder, and their students."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

IGNORED = {".ipynb_checkpoints", "__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Submission:
    """A submitted file; ``name`` is its path in the folder, as text."""

    path: Path
    name: str
    student: str

    @property
    def key(self) -> str:
        """A unique name for files about this submission, of letters and digits."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:16]

    def digest(self) -> str:
        """Return the SHA-256 of the content; that of nothing for links, folders and unreadable files."""
        digest = hashlib.sha256()
        if not self.path.is_symlink() and self.path.is_file():
            with contextlib.suppress(PermissionError), self.path.open("rb") as file:
                while part := file.read(2**20):
                    digest.update(part)
        return digest.hexdigest()


def find(folder: Path, assignment: str, others: frozenset[str] = frozenset()) -> list[Submission]:
    """Return the submissions in a folder, sorted by name.

    A student is a file (``ada.ipynb``) or a folder (``ada/any-name.ipynb``). In nbgrader's
    ``ada/cam-from-scratch/cam-from-scratch.ipynb`` the folders of ``others``, the other assignments,
    are left out. If a student has a notebook, other files are not submissions but its data.

    Raises
    ------
    ValueError
        If there is no such folder, or its subfolders are assignments, not students.
    OSError
        If a subfolder cannot be opened.
    """
    if not folder.is_dir():
        raise ValueError(
            f"submissions: expected a folder with a file or a folder for each student, got {folder}."
        )
    by_student: dict[str, list[Submission]] = {}
    for path in _files(folder):
        parts = path.relative_to(folder).parts
        if len(parts) > 1 and parts[0] in others:
            raise ValueError(
                f"submissions: expected a file or a folder for each student in {folder}, got the "
                f"assignment {parts[0]}. Give the folder that has the students in it."
            )
        if others.intersection(parts[:-1]) - {assignment}:
            continue
        student = _as_text(parts[0] if len(parts) > 1 else path.stem)
        submission = Submission(path, _as_text("/".join(parts)), student)
        by_student.setdefault(student, []).append(submission)
    found = []
    for files in by_student.values():
        notebooks = [one for one in files if one.path.suffix.lower() == ".ipynb"]
        found += notebooks or files
    return sorted(found, key=lambda one: one.name)


def _files(folder: Path) -> list[Path]:
    def is_relevant(name: str) -> bool:
        return name not in IGNORED and not name.startswith(".")

    def fail(error: OSError) -> None:  # a folder that os.walk would skip may hold a submission
        raise error

    found = []
    for parent, folders, files in os.walk(folder, onerror=fail):  # does not follow links
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = filter(is_relevant, folders)
        found += [Path(parent) / name for name in filter(is_relevant, [*files, *links])]
    return found


def _as_text(name: str) -> str:
    """Return a file name as text: other bytes are escaped, and different names stay different."""
    octets = os.fsencode(name).replace(b"\\x", b"\\x5cx")
    return octets.decode("utf-8", "backslashreplace")
