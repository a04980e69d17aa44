"""Find a Chromium for the tests of the built pages, or install one.

Looked for in this order: the variable CAMLIB_BROWSER, a Chromium or Chrome on the PATH, the one
that Playwright has installed; then Playwright is asked to install one, then, as root, apt-get.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: let `tooling` be found
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tooling import debian

# For a machine of one's own or a container, where Chromium's sandbox asks for more than is allowed.
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find() -> str:
    """Return the path of a Chromium or Chrome that runs, installing one if need be.

    Raises
    ------
    RuntimeError
        If CAMLIB_BROWSER names no program, or none is found and none can be installed.
    """
    named = os.environ.get("CAMLIB_BROWSER")
    if named:
        path = shutil.which(named)
        if path is None:
            raise RuntimeError(f"CAMLIB_BROWSER names no program: {named}")
        return path
    path = _installed()
    for install in (_by_playwright, _by_apt):
        if path is None and install():
            path = _installed()
    if path is None:
        raise RuntimeError(
            "No Chromium was found and none could be installed. Install Chromium or Chrome, "
            "or set CAMLIB_BROWSER to the program's path."
        )
    return path


def _installed() -> str | None:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or _of_playwright()


def _of_playwright() -> str | None:
    # In a process of its own: where a test already runs Playwright, a second one is refused.
    code = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return output if Path(output).exists() else None


def _by_playwright() -> bool:
    return debian.run([sys.executable, "-m", "playwright", "install", "chromium"])


def _by_apt() -> bool:
    return debian.install("chromium")


def main() -> int:
    """Print the path, or say on stderr why there is none."""
    try:
        print(find())
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
