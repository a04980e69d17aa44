"""Which files in a folder are submissions, and whose."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

NOT_MEANT = {".ipynb_checkpoints", "__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Submission:
    """A file that a student has handed in; ``name`` is its path in the folder, as text."""

    path: Path
    name: str
    student: str

    @property
    def key(self) -> str:
        """A name for files that belong to this submission: safe, and another one for each."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:16]

    def digest(self) -> str:
        """Return the SHA-256 of the content, or of nothing where it is no file."""
        found = hashlib.sha256()
        if not self.path.is_symlink() and self.path.is_file():
            with contextlib.suppress(PermissionError), self.path.open("rb") as file:
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
        if len(parts) > 1 and parts[0] in others:
            raise ValueError(
                f"submissions: expected a file or a folder for each student in {folder}, got the "
                f"assignment {parts[0]}. Give the folder in which the students are."
            )
        if others.intersection(parts[:-1]) - {assignment}:
            continue
        name = _readable("/".join(parts))
        student = _readable(parts[0]) if len(parts) > 1 else _readable(path.stem)
        by_student.setdefault(student, []).append(Submission(path, name, student))
    found = [one for files in by_student.values() for one in _notebooks(files)]
    return sorted(found, key=lambda one: one.name)


def _files(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder, onerror=_refuse):  # does not follow links
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = [name for name in folders if _meant(name)]
        found += [Path(parent) / name for name in [*files, *links] if _meant(name)]
    return found


def _meant(name: str) -> bool:
    return name not in NOT_MEANT and not name.startswith(".")


def _refuse(error: OSError) -> None:
    """A folder that cannot be opened may hold a student's work: nobody is left out in silence."""
    raise error


def _notebooks(files: list[Submission]) -> list[Submission]:
    notebooks = [one for one in files if one.path.suffix.lower() == ".ipynb"]
    return notebooks or files


def _readable(name: str) -> str:
    """A file's name need not be text; what is not is written out, and no two names look the same."""
    octets = os.fsencode(name).replace(b"\\x", b"\\x5cx")
    return octets.decode("utf-8", "backslashreplace")
