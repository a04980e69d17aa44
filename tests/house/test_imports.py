"""Imports run downwards, and the tools that prove it would notice if they did not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tooling.repository import ROOT

LINTER = Path(sys.executable).with_name("lint-imports")


def lint_with(folder: Path, module: str, line: str) -> subprocess.CompletedProcess[str]:
    """Copy both packages to `folder`, add `line` to one of its modules, and check the layers."""
    ignore = shutil.ignore_patterns("__pycache__", "assets")
    for package in ("camlib", "camcourse"):
        shutil.copytree(ROOT / package, folder / package, ignore=ignore)
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    with (folder / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    # From inside the copy, `camlib` is the copy: the current folder comes first on the path.
    command = [str(LINTER), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_layers_are_kept(tmp_path: Path) -> None:
    """The copy without a bad import passes."""
    result = lint_with(tmp_path, "camlib/pooling.py", "# nothing")
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("camlib/pooling.py", "import camlib.plotting", "imports point downwards"),
        ("camlib/errors.py", "from camlib import pooling", "imports point downwards"),
        ("camlib/head/__init__.py", "import camlib.explain", "imports point downwards"),
        (
            "camlib/weighting.py",
            "import torchvision",
            "the tensor layer knows no model, file or colour",
        ),
        (
            "camlib/gradients.py",
            "import torchvision",
            "the tensor layer knows no model, file or colour",
        ),
        (
            "camlib/scaling.py",
            "import matplotlib",
            "the tensor layer knows no model, file or colour",
        ),
        (
            "camlib/photos.py",
            "import camcourse",
            "the course stands on the library, never the other way round",
        ),
        ("camcourse/masters.py", "import camcourse.leaks", "the course's imports point downwards"),
        ("camcourse/grading/messages.py", "import camcourse.grading.grade", "no circles"),
    ],
)
def test_a_bad_import_is_noticed(tmp_path: Path, module: str, line: str, contract: str) -> None:
    """One import that points upwards, or out of the tensor layer, breaks its contract."""
    result = lint_with(tmp_path, module, line)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{contract} BROKEN" in result.stdout


@pytest.mark.parametrize(
    "statement",
    [
        "import camlib",
        "import camlib.pooling, camlib.weighting, camlib.gradients, camlib.upsampling, camlib.scaling",
        "import camlib; camlib.global_average_pool; camlib.weighted_sum; camlib.upsample",
    ],
)
def test_the_tensor_functions_load_torch_and_nothing_else(statement: str) -> None:
    """In a fresh interpreter, what was imported holds no model, figure, widget or picture."""
    heavy = {"torchvision", "matplotlib", "ipywidgets", "anywidget", "PIL"}
    code = f"{statement}\nimport sys\nprint(sorted({heavy!r} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_check_above_would_notice() -> None:
    """Plotting does load matplotlib."""
    code = "import camlib.plotting, sys; print('matplotlib' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "True"
