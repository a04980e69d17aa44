"""What the site serves itself: pinned exactly, from no address of one day, with its licences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tooling import web_assets


def test_versions_are_exact_and_locked() -> None:
    """package.json names one version of each package, and the lock file the same.

    The lock file also holds what those packages would need under Node; of that nothing is copied.
    """
    manifest = json.loads((web_assets.MANIFEST / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((web_assets.MANIFEST / "package-lock.json").read_text(encoding="utf-8"))
    wanted = manifest["dependencies"] | manifest["devDependencies"]
    locked = {
        name.removeprefix("node_modules/"): entry
        for name, entry in lock["packages"].items()
        if name
    }
    versions = {name: entry["version"] for name, entry in locked.items()}
    assert {name: versions[name] for name in wanted} == wanted
    # What the packages need in turn is served with them, or is nothing that is served.
    assert web_assets.served_packages(lock).keys() >= manifest["dependencies"].keys()
    assert all(entry["integrity"].startswith("sha512-") for entry in locked.values())
    assert [name for name, entry in locked.items() if "resolved" in entry] == []


def test_each_package_is_used() -> None:
    """No package is fetched for nothing, none is missing."""
    manifest = json.loads((web_assets.MANIFEST / "package.json").read_text(encoding="utf-8"))
    named = {package for package, *_ in web_assets.FILES} | {web_assets.ICON_PACKAGE}
    assert named == (manifest["dependencies"] | manifest["devDependencies"]).keys()


def package(folder: Path, licence: str, **files: str) -> Path:
    """Write an npm package."""
    (folder / "dist").mkdir(parents=True)
    entry = {"name": folder.name, "license": licence, "author": {"name": "its authors"}}
    (folder / "package.json").write_text(json.dumps(entry), encoding="utf-8")
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_text_of_a_licence(tmp_path: Path) -> None:
    """The package's own; or MIT's words with the copyright line of its code, or of its author."""
    own = package(tmp_path / "own", "BSD", LICENSE="do as you like")
    assert web_assets.licence_text(own, "BSD") == "do as you like"
    bare = package(tmp_path / "bare", "MIT")
    text = web_assets.licence_text(bare, "MIT")
    assert "Copyright (c) its authors\n" in text
    assert "Permission is hereby granted, free of charge" in text
    assert "camlib" not in text
    (bare / "dist" / "x.min.mjs").write_text("/*!\n * Copyright (c) Someone. All rights.\n */")
    assert "Copyright (c) Someone. All rights.\n" in web_assets.licence_text(bare, "MIT")
    assert "and/or distribute this software" in web_assets.licence_text(bare, "ISC")
    with pytest.raises(SystemExit, match=r"bare .GPL. ships no text of its licence"):
        web_assets.licence_text(bare, "GPL")


def test_a_missing_icon_is_reported(tmp_path: Path) -> None:
    """With the way out."""
    with pytest.raises(SystemExit, match=r"has no icon angle-left.*correct ICONS"):
        web_assets.icon_style(tmp_path)


def test_changed_layout_is_reported(tmp_path: Path) -> None:
    """A package without a wanted file stops the build and names package, file and remedy."""
    with pytest.raises(SystemExit, match=r"katex has no file dist/katex\.min\.css.*correct FILES"):
        web_assets.copy(tmp_path, tmp_path / "target")


def test_fingerprint_follows_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another lock file means another fingerprint, so that its packages are fetched."""
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_bytes((web_assets.MANIFEST / name).read_bytes())
    monkeypatch.setattr(web_assets, "MANIFEST", tmp_path)
    before = web_assets.fingerprint()
    assert web_assets.fingerprint() == before
    (tmp_path / "package-lock.json").write_text("{}", encoding="utf-8")
    assert web_assets.fingerprint() != before
