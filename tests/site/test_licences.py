"""The page of licences: all that the site serves of others, each with the licence's text."""

from __future__ import annotations

import fnmatch
import html
import json
import re
from pathlib import Path

import pytest

from tooling import web_assets
from tooling.repository import ROOT
from tooling.sphinx_ext import licences

# This book's own, or made by its build.
OWN = (
    "explorers/*",
    "licences/*",
    "network/*.jpg",  # photographs, which the page lists in a table of their own
    "network/*.png",
    "network/network.json",
    "class-activation-maps.pdf",
    "favicon.svg",
    "logo.svg",
    "*.mjs",
    "book.css",
    "fonts.css",
    "noscript.css",
)


@pytest.fixture(scope="module")
def listing(built: Path) -> str:
    """The page."""
    return html.unescape((built / "book" / "licences.html").read_text(encoding="utf-8"))


def is_covered(name: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a pattern fits; a star fits slashes too."""
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def test_every_file_has_an_author(built: Path) -> None:
    """Each static file is this book's or belongs to a work that the page lists."""
    static = built / "_static"
    known = OWN + tuple(pattern for work in licences.works(ROOT) for pattern in work.files)
    names = [path.relative_to(static).as_posix() for path in static.rglob("*") if path.is_file()]
    assert [name for name in names if not is_covered(name, known)] == []
    assert not is_covered("vendor/unknown.js", known)


def test_every_work_has_its_licence(listing: str, built: Path) -> None:
    """A row on the page whose licence leads to a text that is the licence; each npm package that is no tool."""
    lock = json.loads((web_assets.MANIFEST / "package-lock.json").read_text(encoding="utf-8"))
    works = licences.works(ROOT)
    assert web_assets.served_packages(lock).items() <= {(work.name, work.version) for work in works}
    assert "axe-core" not in listing
    for work in works:
        assert f">{work.name} {work.version}<" in listing
        assert f'href="../{licences.TEXTS}/{work.text}">{work.licence}<' in listing
        text = (built / licences.TEXTS / work.text).read_text(encoding="utf-8")
        assert re.search("licen[cs]e|Redistribution|Permission|Copyright", text, re.IGNORECASE)
        assert len(text) > 500, work.name


def test_every_photograph_is_listed(listing: str) -> None:
    """As many as the package carries, each with its licence."""
    rows = licences.photographs(ROOT)
    assert len(rows) == len(list((ROOT / "camlib" / "assets" / "photos").glob("*.*")))
    for what, author, licence, _ in rows:
        assert f">{what}<" in listing
        assert f">{author}<" in listing
        assert licence.startswith(("CC0", "public domain", "CC BY"))


def test_bundled_versions_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a package carries within it says its version itself; if it stops to, the build does."""
    name, package, source, _, *rest = licences.BUNDLED[0]
    monkeypatch.setattr(licences, "BUNDLED", ((name, package, source, "absent (.*)", *rest),))
    with pytest.raises(ValueError, match=r"says no version of Bootstrap, expected absent"):
        licences.bundled("Copyright (c) us")
