"""What the site serves itself: pinned exactly, from no address of one day, with its licences."""

from __future__ import annotations

import json
import re
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
    assert {name: locked[name]["version"] for name in wanted} == wanted
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert all(entry["integrity"].startswith("sha512-") for entry in locked.values())
    assert [name for name, entry in locked.items() if "resolved" in entry] == []


def test_each_package_is_used() -> None:
    """No package is fetched for nothing, none is missing."""
    manifest = json.loads((web_assets.MANIFEST / "package.json").read_text(encoding="utf-8"))
    named = {package for package, *_ in web_assets.FILES}
    assert named == (manifest["dependencies"] | manifest["devDependencies"]).keys()


def test_licences_are_published(built: Path) -> None:
    """What is published of others comes with its licence."""
    static = built / "_static"
    for name in (
        "mathjax/LICENSE",
        "fonts/source-serif-4/LICENSE",
        "fonts/source-sans-3/LICENSE",
        "ort/LICENSE",
    ):
        assert (static / name).stat().st_size > 1000


def test_changed_layout_is_reported(tmp_path: Path) -> None:
    """A package without a wanted file stops the build and names package, file and cure."""
    with pytest.raises(SystemExit, match=r"mathjax has no file es5/tex-chtml\.js.*correct FILES"):
        web_assets.copy(tmp_path, tmp_path / "target")


def test_fingerprint_follows_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another lock file means another fingerprint, so that its packages are fetched."""
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_bytes((web_assets.MANIFEST / name).read_bytes())
    before = web_assets.fingerprint()
    monkeypatch.setattr(web_assets, "MANIFEST", tmp_path)
    assert web_assets.fingerprint() == before
    (tmp_path / "package-lock.json").write_text("{}", encoding="utf-8")
    assert web_assets.fingerprint() != before
