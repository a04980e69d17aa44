"""Launch: repository, issue and launch buttons, once the repository's address is known.

The address stands in one place, pyproject.toml. Until it is there, pages carry no such button, so
none of them is broken.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from tooling import repository

BUTTONS = ("use_repository_button", "use_issues_button")


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


def add_buttons(app: Sphinx, config: Config) -> None:
    """Set the theme's options by the repository's address."""
    config.html_theme_options.update(theme_options(repository.address()))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event."""
    app.connect("config-inited", add_buttons)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
