"""Open the chapters in JupyterLab: python -m tooling.lab [JupyterLab's options].

JupyterLab asks nobody for anything, its reader included: no news, no look for newer versions.
"""

import os
import sys
from pathlib import Path

from tooling import notebooks

SETTINGS = Path(__file__).with_name("lab_settings")
OPTIONS = (
    f"--LabApp.app_settings_dir={SETTINGS}",  # what is not so by default; the reader's own go before
    "--LabApp.extension_manager=readonly",  # the other kind asks a package index for a list
    "--ServerApp.allow_root=True",  # in a container; it listens on this machine only, with a token
)


def command(notebook: Path, *options: str) -> list[str]:
    """Return the command that opens a notebook in JupyterLab, its folder beside it."""
    return [sys.executable, "-m", "jupyterlab", *OPTIONS, *options, str(notebook)]


def environment() -> dict[str, str]:
    """Return this process's variables, and the one that makes the kernel that of .venv."""
    return {"JUPYTER_PREFER_ENV_PATH": "1", **os.environ}


def main() -> None:
    """Become JupyterLab, with the book's first page open."""
    started = command(notebooks.listed()[0], *sys.argv[1:])
    os.execve(started[0], started, environment())


if __name__ == "__main__":
    main()
