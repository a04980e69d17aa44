"""Code, text and photographs: each with its licence, named alike wherever it is named."""

import tomllib

import yaml

from tooling.repository import ROOT, address

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def text(name: str) -> str:
    """Read a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_code_is_mit() -> None:
    """The licence's own words, and the same in the package's metadata."""
    assert text("LICENSE").startswith("MIT License\n")
    assert "Permission is hereby granted, free of charge" in text("LICENSE")
    assert PROJECT["license"] == "MIT"
    assert {"LICENSE", "LICENSE-text"} <= set(PROJECT["license-files"])


def test_text_is_cc_by() -> None:
    """Name and address of the licence."""
    assert "Creative Commons Attribution 4.0 International" in text("LICENSE-text")
    assert "https://creativecommons.org/licenses/by/4.0/" in text("LICENSE-text")


def test_the_readme_names_both() -> None:
    """With links to the files."""
    assert "[MIT](LICENSE)" in text("README.md")
    assert "[CC BY 4.0](LICENSE-text)" in text("README.md")


def test_what_the_package_carries_is_accounted_for() -> None:
    """assets/README.md has one row for each file, with its licence."""
    folder = ROOT / "camlib" / "assets"
    rows = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    carried = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".py"]
    carried = [path for path in carried if path.name != "README.md" and "__" not in str(path)]
    assert carried
    for path in carried:
        name = path.relative_to(folder).as_posix()
        (row,) = [line for line in rows if line.startswith(f"| `{name}` |")]
        assert any(licence in row for licence in ("CC0", "public domain", "MIT"))


def test_citation() -> None:
    """CITATION.cff says what pyproject.toml says."""
    citation = yaml.safe_load(text("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"]
    assert citation["authors"] == PROJECT["authors"]
    assert citation["license"] == ["MIT", "CC-BY-4.0"]
    assert citation.get("repository-code") == address()


def test_changelog_knows_this_version() -> None:
    """The version that pyproject.toml names has an entry."""
    assert f"## {PROJECT['version']}" in text("CHANGELOG.md")
