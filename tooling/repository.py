"""The folder of this repository, a digest of its files, and its public address."""

import hashlib
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def address(pyproject: Path = ROOT / "pyproject.toml") -> str | None:
    """Return the repository's address without a closing slash or ``.git``, or None while unknown.

    It stands in pyproject.toml and nowhere else.

    Raises
    ------
    ValueError
        If ``[project.urls] Repository`` is no https address.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    url = project.get("urls", {}).get("Repository")
    if url is None:
        return None
    if not isinstance(url, str) or not url.startswith("https://"):
        raise ValueError(
            f"{pyproject.name}: [project.urls] Repository must be an https address, got {url!r}"
        )
    return url.rstrip("/").removesuffix(".git")


def digest(paths: Iterable[Path], *words: str, root: Path = ROOT) -> str:
    """Return a digest of the names and contents of files, and of the words beside them."""
    total = hashlib.sha256("\n".join(words).encode())
    for path in sorted(set(paths)):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(os.path.relpath(path, root).encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
