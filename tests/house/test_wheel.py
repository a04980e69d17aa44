"""What `pip install` brings is complete: both packages work from a wheel, away from this folder."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tooling.repository import ROOT

PACKAGES = ("camlib", "camcourse")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy: a build leaves folders behind."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignore = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-text"):
        shutil.copyfile(ROOT / name, source / name)
    # setuptools is here already, torch needs it: no second one has to be fetched.
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_both_packages_whole_and_nothing_else(wheel: Path) -> None:
    """Every file of both, and beside them the metadata with the licences."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    source = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if name.startswith(("camlib/", "camcourse/"))} == source
    rest = names - source
    assert all(".dist-info/" in name for name in rest)
    assert any(name.endswith("licenses/LICENSE-text") for name in rest)


def test_camlib_works_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Installed elsewhere, it finds its photographs and modules there."""
    target = tmp_path / "installed"
    options = ["--quiet", "--no-deps", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True)
    code = (
        "import camlib, camlib.explorers\n"
        "print(camlib.__file__)\n"
        "print(*[camlib.photos.load(name).mode for name in camlib.photos.names()])\n"
        "print(type(camlib.explorers.ClassExplorer).__name__)\n"
        "from camcourse import check, quiz\n"
        "quiz('02-global-average-pooling')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    place, modes, _ = result.stdout.splitlines()
    assert Path(place).is_relative_to(target)
    assert set(modes.split()) == {"RGB"}
