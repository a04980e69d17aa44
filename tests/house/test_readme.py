"""What the README promises a newcomer works as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

from PIL import Image

from tooling.repository import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_map(tmp_path: Path) -> None:
    """Both blocks of Python, one after the other, name a cat and leave a picture."""
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 2
    assert len([line for line in blocks[0].splitlines() if line]) == 5
    command = [sys.executable, "-W", "error", "-c", "".join(blocks)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert re.search(r"cat|tabby", result.stdout)
    assert "torch.Size([1, 1000, 7, 7])" in result.stdout
    with Image.open(tmp_path / "first-map.png") as picture:
        assert min(picture.size) > 200


def test_every_path_in_the_map_of_folders_exists() -> None:
    """The table's first column, and the links."""
    table = re.findall(r"^\| (`.*?) \|", README, flags=re.MULTILINE)
    named = [name for row in table for name in re.findall(r"`([^`]+)`", row)]
    named += re.findall(r"\]\(([^)#]+)\)", README)
    assert len(named) > 12
    missing = [name for name in named if "://" not in name and not (ROOT / name).exists()]
    assert not missing


def test_every_make_target_exists() -> None:
    """`make help`, which is what `make` alone does, lists each one that the README names."""
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    named = re.findall(r"(?:^ {4}|`)make ([a-z]+)", README, re.MULTILINE)
    assert {"book", "serve", "lab"} < set(named) <= listed.keys()
