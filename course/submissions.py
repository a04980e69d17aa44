"""Which files in a folder are submissions, and whose."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

NOT_MEANT = {".ipynb_checkpoints", "__MACOSX", "__pycache__"}


@dataclass(frozen=True)
class Submission:
    """A file that a student has handed in; ``name`` is its path in the folder, as text."""

    path: Path
    name: str
    student: str

    @property
    def key(self) -> str:
        """A name for files that belong to this submission: safe, and another one for each."""
        return hashlib.sha256(os.fsencode(self.name)).hexdigest()[:16]

    def digest(self) -> str:
        """Return the SHA-256 of the content, or of nothing where it is no file."""
        found = hashlib.sha256()
        if not self.path.is_symlink() and self.path.is_file():
            with self.path.open("rb") as file:
                while part := file.read(2**20):
                    found.update(part)
        return found.hexdigest()


def find(folder: Path, assignment: str, others: frozenset[str] = frozenset()) -> list[Submission]:
    """Return the submissions in a folder, sorted by name.

    A student is a file (``ada.ipynb``) or a folder (``ada/whatever.ipynb``, also nbgrader's
    ``ada/cam-from-scratch/cam-from-scratch.ipynb``, where ``others`` are left out). Where a student
    has a notebook, files of other kinds are taken for its data.
    """
    if not folder.is_dir():
        raise ValueError(
            f"submissions: expected a folder with a file or a folder for each student, got {folder}."
        )
    by_student: dict[str, list[Submission]] = {}
    for path in _files(folder):
        parts = path.relative_to(folder).parts
        if others.intersection(parts[:-1]) - {assignment}:
            continue
        name = _readable("/".join(parts))
        student = _readable(parts[0]) if len(parts) > 1 else _readable(path.stem)
        by_student.setdefault(student, []).append(Submission(path, name, student))
    found = [one for files in by_student.values() for one in _notebooks(files)]
    return sorted(found, key=lambda one: one.name)


def _files(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder):  # does not follow links
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = [
            name for name in folders if name not in NOT_MEANT and not name.startswith(".")
        ]
        found += [Path(parent) / name for name in [*files, *links] if not name.startswith(".")]
    return found


def _notebooks(files: list[Submission]) -> list[Submission]:
    notebooks = [one for one in files if one.path.suffix == ".ipynb"]
    return notebooks or files


def _readable(name: str) -> str:
    """A file's name need not be text; what is not is written out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
