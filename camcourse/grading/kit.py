"""What of both packages a submission finds in the sandbox: parts that explain nothing by themselves."""

from __future__ import annotations

import shutil
import site
import sys
from importlib import resources
from pathlib import Path

# Networks, pictures and scenes are what assignments work on. All else of camlib is an answer, and so
# are the modules of these parts that train and measure a network.
KEPT = ("errors.py", "photos.py", "networks", "garments", "assets")
LEFT_OUT = ("__main__.py", "evaluation.py", "training.py")
# Packages that compute the maps which a student is to compute.
RIVALS = ("torchcam", "pytorch_grad_cam", "captum", "camlib", "camcourse")

PACKAGE = '''"""camlib, as far as graded work may use it."""

import importlib

from camlib import stubs

_PARTS = {"photos", "networks", "garments", "errors"}


def __getattr__(name):
    if name in _PARTS:
        return importlib.import_module(f"camlib.{name}")
    if name in ("plotting", "explorers"):
        return stubs.Nothing()
    raise AttributeError(f"camlib.{name} is not available in graded work: write it yourself")
'''
COURSE = '''"""Checks and quizzes are for the reader; here they do nothing."""

from camlib import stubs

check = quiz = stubs.Nothing()
'''
STUBS = '''"""Pictures and instant checks are for the reader; here they do nothing."""


class Nothing:
    """Takes every call and every name."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def __call__(self, *values, **options):
        return Nothing()

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        return False

    def __iter__(self):
        return iter(())

    def _itself(self, *values):
        return Nothing()

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __neg__ = _itself
    __getitem__ = _itself
'''
MODULE = '''"""Does nothing in graded work."""

from camlib import stubs


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return stubs.Nothing()
'''


def make_kit(folder: Path) -> Path:
    """Fill an empty folder with what the sandbox shows as /kit, and return it."""
    here = Path(__file__).parent
    grading = folder / "camcourse" / "grading"
    grading.mkdir(parents=True)
    for name in ("__init__.py", "child.py", "wire.py"):
        shutil.copy(here / name, grading / name)
    (grading.parent / "__init__.py").write_text(COURSE, encoding="utf-8")
    whole = Path(str(resources.files("camlib")))
    package = folder / "camlib"
    package.mkdir()
    for name in KEPT:
        if (whole / name).is_dir():
            ignore = shutil.ignore_patterns(*LEFT_OUT, "__pycache__")
            shutil.copytree(whole / name, package / name, ignore=ignore)
        else:
            shutil.copy(whole / name, package / name)
    (package / "__init__.py").write_text(PACKAGE, encoding="utf-8")
    (package / "stubs.py").write_text(STUBS, encoding="utf-8")
    for name in ("plotting", "explorers"):
        (package / f"{name}.py").write_text(MODULE, encoding="utf-8")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)  # the sandbox' user is another one
    return folder


def hidden_packages() -> list[Path]:
    """Return the installed packages that would answer for the student."""
    return [
        folder
        for parent in {*site.getsitepackages(), sys.prefix + "/lib"}
        for name in RIVALS
        if (folder := Path(parent) / name).is_dir()
    ]
