"""The parts of camlib and camcourse that a submission can import in the sandbox."""

from __future__ import annotations

import shutil
import site
import sys
from importlib import resources
from pathlib import Path

# What assignments work on; the rest of camlib would answer their questions, as would the modules of
# these parts that train and measure a network.
KEPT = ("errors.py", "inputs.py", "photos.py", "pictures.py", "networks", "garments", "assets")
LEFT_OUT = ("__main__.py", "evaluation.py", "training.py")
# Packages with the functions that students are to write.
HIDDEN = ("torchcam", "pytorch_grad_cam", "captum", "camlib", "camcourse")

PACKAGE = '''"""The parts of camlib that graded work may use."""

import importlib

from camlib import stubs

_AVAILABLE = {"photos", "networks", "garments", "errors"}


def __getattr__(name):
    if name in _AVAILABLE:
        return importlib.import_module(f"camlib.{name}")
    if name in ("plotting", "explorers"):
        return stubs.NoOp()
    raise AttributeError(f"camlib.{name} is not available in graded work: write it yourself")
'''
COURSE = '''"""Checks and quizzes do nothing in graded work."""

from camlib import stubs

check = quiz = stubs.NoOp()
'''
STUBS = '''"""Replaces plotting, explorers, checks and quizzes in graded work."""


class NoOp:
    """Accepts every call, attribute and operator, and does nothing."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return NoOp()

    def __call__(self, *values, **options):
        return NoOp()

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        return False

    def __iter__(self):
        return iter(())

    def _itself(self, *values):
        return NoOp()

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __neg__ = _itself
    __getitem__ = _itself
'''
MODULE = '''"""Does nothing in graded work."""

from camlib import stubs


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return stubs.NoOp()
'''


def copy_library(folder: Path) -> Path:
    """Fill an empty folder with the packages that the sandbox has in /library, and return it."""
    here = Path(__file__).parent
    grading = folder / "camcourse" / "grading"
    grading.mkdir(parents=True)
    for name in ("__init__.py", "child.py", "messages.py"):
        shutil.copy(here / name, grading / name)
    (grading.parent / "__init__.py").write_text(COURSE, encoding="utf-8")
    source = Path(str(resources.files("camlib")))
    package = folder / "camlib"
    package.mkdir()
    for name in KEPT:
        if (source / name).is_dir():
            ignore = shutil.ignore_patterns(*LEFT_OUT, "__pycache__")
            shutil.copytree(source / name, package / name, ignore=ignore)
        else:
            shutil.copy(source / name, package / name)
    (package / "__init__.py").write_text(PACKAGE, encoding="utf-8")
    (package / "stubs.py").write_text(STUBS, encoding="utf-8")
    for name in ("plotting", "explorers"):
        (package / f"{name}.py").write_text(MODULE, encoding="utf-8")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)  # the sandbox runs as another user
    return folder


def packages_to_hide() -> list[Path]:
    """Return the folders of installed packages that have the functions students are to write."""
    return [
        folder
        for parent in {*site.getsitepackages(), sys.prefix + "/lib"}
        for name in HIDDEN
        if (folder := Path(parent) / name).is_dir()
    ]
