"""Imports run downwards, and the tools that prove it would notice if they did not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tooling.repository import ROOT

LINTER = Path(sys.executable).with_name("lint-imports")
DOWNWARDS = "imports point downwards"
TENSORS = "the tensor layer knows no model, file or colour"


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("camlib/pooling.py", "# nothing", None),
        ("camlib/pooling.py", "import camlib.plotting", DOWNWARDS),
        ("camlib/errors.py", "from camlib import pooling", DOWNWARDS),
        ("camlib/head/__init__.py", "import camlib.explain", DOWNWARDS),
        ("camlib/gradients.py", "import torchvision", TENSORS),
        ("camlib/scaling.py", "import matplotlib", TENSORS),
        (
            "camlib/photos.py",
            "import camcourse",
            "the course stands on the library, never the other way round",
        ),
        ("camcourse/masters.py", "import camcourse.leaks", "the course's imports point downwards"),
        ("camcourse/grading/messages.py", "import camcourse.grading.grade", "no circles"),
    ],
)
def test_layers_are_kept_and_a_bad_import_is_noticed(
    tmp_path: Path, module: str, line: str, contract: str | None
) -> None:
    """In a copy of both packages: one import upwards, or out of the tensor layer, breaks its contract."""
    ignore = shutil.ignore_patterns("__pycache__", "assets")
    for package in ("camlib", "camcourse"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignore)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    # From inside the copy, `camlib` is the copy: the current folder comes first on the path.
    command = [str(LINTER), "--no-cache"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == (contract is not None), result.stdout + result.stderr
    assert (f"{contract} BROKEN" if contract else "0 broken") in result.stdout


def test_the_tensor_functions_load_torch_and_nothing_else() -> None:
    """In a fresh interpreter, what was imported holds no model, figure, widget or picture."""
    code = """if True:
        import sys
        def heavy():
            found = {"torchvision", "matplotlib", "ipywidgets", "anywidget", "PIL"} & {*sys.modules}
            return sorted(found)
        import camlib
        camlib.global_average_pool, camlib.weighted_sum, camlib.upsample
        import camlib.pooling, camlib.weighting, camlib.gradients, camlib.upsampling, camlib.scaling
        print(heavy())
        import camlib.plotting
        print(heavy())
    """
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == ["[]", "['PIL', 'matplotlib']"]
