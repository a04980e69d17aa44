"""The public address of this repository, which stands in pyproject.toml and nowhere else."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def address(pyproject: Path = ROOT / "pyproject.toml") -> str | None:
    """Return the repository's address without a closing slash or ``.git``, or None while unknown.

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
