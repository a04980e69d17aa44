"""Run the unit tests beside the files that have changed since the last commit.

python -m tooling.beside
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePath

if __package__ in (None, ""):  # run as a script: let `tooling` be found
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tooling.repository import ROOT

# Where the tests of a package are; those of tooling are not sorted by module.
MIRRORS = {"camlib": "", "camcourse": "camcourse", "benchmarks": "benchmarks", "tooling": "house"}
# Tests that need the built book, a sandbox or a kernel: other targets of the Makefile run them.
ELSEWHERE = ("tests/site", "tests/lab", "tests/assignments", "tests/camcourse/grading")


def changed(root: Path = ROOT) -> list[str]:
    """Return the files that differ from the last commit, new ones included."""
    command = ["git", "status", "--porcelain", "--untracked-files=all", "--no-renames"]
    lines = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [line[3:] for line in lines.splitlines()]


def beside(name: str, root: Path = ROOT) -> str | None:
    """Return the tests of a file: a module's own, or else those of its folder; a test itself."""
    path = PurePath(name)
    package, *folders = path.parts[:-1] or ("",)
    if path.suffix not in (".py", ".mjs") or package not in (*MIRRORS, "tests"):
        return None
    folder = PurePath("tests", MIRRORS.get(package, ""), *folders)
    while not (root / folder).exists():
        folder = folder.parent
    own = folder / (path.name if package == "tests" else f"test_{path.stem}.py")
    found = own if own.name.startswith("test_") and (root / own).exists() else folder
    there = found != PurePath("tests") and (root / found).exists()
    return str(found) if there and not str(found).startswith(ELSEWHERE) else None


def main() -> int:
    """Run the tests and return pytest's exit status."""
    found = sorted({tests for name in changed() if (tests := beside(name))})
    if not found:
        print("quick: nothing has changed that a unit test stands beside (make unit runs all)")
        return 0
    print(f"quick: {' '.join(found)}", flush=True)
    return subprocess.call([sys.executable, "-m", "pytest", "-q", "-n", "2", *found], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
