"""Write constraints.txt: the exact version of everything that the book's environment holds.

python -m tooling.constraints keeps the present pins and adds or drops what changed in
pyproject.toml; with --upgrade it takes the newest versions that fit together.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tooling.repository import ROOT

HEADER = (
    "# The exact versions that `make test` has proven together.\n"
    "# Made by `make constraints`; `make constraints UPGRADE=--upgrade` takes the newest.\n"
)


def canonical(name: str) -> str:
    """Return a package's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def resolved(upgrade: bool) -> dict[str, str]:
    """Ask pip which version of each package it would install for camlib with all its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for requirements in project["optional-dependencies"].values():
        wanted += requirements
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--report", str(report)]
        if not upgrade:
            command += ["--constraint", str(ROOT / "constraints.txt")]
        subprocess.run([*command, *wanted], check=True)
        packages = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    return {canonical(package["name"]): package["version"] for package in packages}


def main() -> int:
    """Write the file and say how many packages it pins."""
    pins = resolved(upgrade="--upgrade" in sys.argv[1:])
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items())]
    (ROOT / "constraints.txt").write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"constraints.txt pins {len(pins)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
