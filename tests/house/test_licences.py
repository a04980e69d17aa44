"""Code, text and photographs: each with its licence, named alike wherever it is named."""

import tomllib

import pytest
import yaml

from tooling.repository import ROOT, address

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize(
    ("name", "words", "readme"),
    [
        ("LICENSE", "Permission is hereby granted, free of charge", "[MIT](LICENSE)"),
        (
            "LICENSE-text",
            "https://creativecommons.org/licenses/by/4.0/",
            "[CC BY 4.0](LICENSE-text)",
        ),
    ],
)
def test_code_is_mit_and_text_is_cc_by(name: str, words: str, readme: str) -> None:
    """In the file, in the package's metadata, and behind a link of the README."""
    assert words in (ROOT / name).read_text(encoding="utf-8")
    assert readme in (ROOT / "README.md").read_text(encoding="utf-8")
    assert name in PROJECT["license-files"]
    assert PROJECT["license"] == "MIT"


def test_what_the_package_carries_is_accounted_for() -> None:
    """assets/README.md has one row for each file but texts of licences, with its licence."""
    folder = ROOT / "camlib" / "assets"
    rows = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    carried = [path for path in folder.rglob("*") if path.is_file()]
    carried = [path for path in carried if not path.name.endswith((".py", ".licence.txt"))]
    carried = [path for path in carried if path.name != "README.md" and "__" not in str(path)]
    assert carried
    for path in carried:
        name = path.relative_to(folder).as_posix()
        (row,) = [line for line in rows if line.startswith(f"| `{name}` |")]
        assert any(licence in row for licence in ("CC0", "CC BY", "public domain", "MIT"))


def test_citation_and_changelog_know_this_version() -> None:
    """CITATION.cff says what pyproject.toml says."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["authors"] == PROJECT["authors"]
    assert citation["license"] == ["MIT", "CC-BY-4.0"]
    assert citation.get("repository-code") == address()
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
