"""The book's own Sphinx extension: each part on a case small enough to see what it does."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from tooling import repository
from tooling.sphinx_ext import captions, first_party, freshness, launch, roles, signatures

ADDRESS = "https://github.com/someone/maps"


def build_page(folder: Path) -> str:
    """Build a book of one notebook with the book's theme and buttons, and return the page."""
    source = folder / "source"
    source.mkdir()
    cell = {"cell_type": "markdown", "id": "one", "metadata": {}, "source": ["# Maps"]}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "cells": [cell],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (source / "index.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    settings = {
        "extensions": ["myst_nb", "sphinx_book_theme", "tooling.sphinx_ext.launch"],
        "html_theme": "sphinx_book_theme",
        "html_theme_options": {},
        "nb_execution_mode": "off",
    }
    out = folder / "out"
    with docutils_namespace():  # Sphinx registers nodes for the whole process; undone afterwards
        Sphinx(source, None, out, folder / "doctrees", "html", settings, status=None).build()
    return (out / "index.html").read_text(encoding="utf-8")


def test_buttons_appear_with_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repository, issue, Binder and Colab buttons lead to the repository."""
    monkeypatch.setattr(repository, "address", lambda: ADDRESS)
    page = build_page(tmp_path)
    assert f'href="{ADDRESS}"' in page
    assert f'href="{ADDRESS}/issues/new' in page
    assert "https://mybinder.org/v2/gh/someone/maps/main?urlpath=lab/tree/index.ipynb" in page
    colab = "https://colab.research.google.com/github/someone/maps/blob/main/index.ipynb"
    assert colab in page


def test_buttons_are_absent_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No button, and so no broken one."""
    monkeypatch.setattr(repository, "address", lambda: None)
    page = build_page(tmp_path)
    assert "Maps" in page
    for absent in ("mybinder", "colab", "issues/new", "source-repository-button"):
        assert absent not in page


def test_colab_is_offered_for_github_alone() -> None:
    """Colab opens no notebook from elsewhere; Binder does."""
    options = launch.theme_options("https://gitlab.com/someone/maps")
    assert options["launch_buttons"].keys() == {"notebook_interface", "binderhub_url"}


def cell() -> nodes.container:
    """Return what stands for a code cell."""
    return nodes.container(nb_element="cell_code")


def italics(*, more: str = "") -> nodes.paragraph:
    """Return a paragraph in italics, with plain words after it if asked."""
    paragraph = nodes.paragraph("", "", nodes.emphasis(text="The face is orange."))
    if more:
        paragraph += nodes.Text(more)
    return paragraph


@pytest.mark.parametrize(
    ("children", "marked"),
    [
        ([cell(), italics()], True),
        ([italics()], False),
        ([nodes.paragraph(text="text"), italics()], False),
        ([cell(), italics(more=" And more.")], False),
        ([cell(), nodes.paragraph(text="text"), italics()], False),
    ],
)
def test_captions(children: list[nodes.Element], marked: bool) -> None:
    """Only a paragraph wholly in italics, right after a cell, is a caption."""
    document = nodes.document(None, None)
    document += [child.deepcopy() for child in children]
    captions.mark_captions(None, document)  # type: ignore[arg-type]
    assert ("caption-below" in document.pformat()) is marked


def test_digest_follows_the_files(tmp_path: Path) -> None:
    """A changed file, a new one and a renamed one each change the digest; caches do not."""
    package = tmp_path / "camlib"
    (package / "__pycache__").mkdir(parents=True)
    module = package / "pooling.py"
    module.write_text("one", encoding="utf-8")
    patterns = ("camlib/**/*",)
    seen = [freshness.digest(tmp_path, patterns)]
    (package / "__pycache__" / "pooling.pyc").write_text("x", encoding="utf-8")
    assert freshness.digest(tmp_path, patterns) == seen[0]
    module.write_text("two", encoding="utf-8")
    seen.append(freshness.digest(tmp_path, patterns))
    (package / "more.py").write_text("", encoding="utf-8")
    seen.append(freshness.digest(tmp_path, patterns))
    module.rename(package / "other.py")
    seen.append(freshness.digest(tmp_path, patterns))
    assert len(set(seen)) == 4


def asset(filename: str | None = None, **attributes: str) -> SimpleNamespace:
    """Return what Sphinx keeps of a script or style sheet."""
    return SimpleNamespace(filename=filename, attributes=attributes)


@pytest.mark.parametrize(
    ("unwanted", "given"),
    [
        (True, asset("_static/sphinx-thebe.js")),
        (True, asset(None, body='const THEBE_JS_URL = "elsewhere"')),
        (True, asset(None, type=first_party.WIDGET_STATE, body="{}")),
        (False, asset("_static/book.css")),
        (False, asset(None, body="window.MathJax = {}")),
        (False, "_static/doctools.js"),
    ],
)
def test_unwanted_assets(unwanted: bool, given: object) -> None:
    """Live code and widgets go, all else stays."""
    assert first_party.is_unwanted(given) is unwanted


def test_roles_are_corrected() -> None:
    """List items in lists, names that hold what is read, no definition list without terms."""
    body = (
        '<div class="citation" id="id1" role="doc-biblioentry"></div>'
        '<summary aria-label="Toggle hidden content">Show</summary>'
        '<dl>\n<dd><em class="sig-param">a</em>,</dd>\n<dd><em class="sig-param">b</em>,</dd>\n</dl>'
        "<dl><dt>term</dt><dd>text</dd></dl>"
    )
    assert roles.corrected(body) == (
        '<div class="citation" id="id1" role="listitem"></div>'
        "<summary>Show</summary>"
        '<span class="sig-line"><em class="sig-param">a</em>,</span>\n'
        '<span class="sig-line"><em class="sig-param">b</em>,</span>'
        "<dl><dt>term</dt><dd>text</dd></dl>"
    )


class Widget:
    """Takes anything, as widgets seem to, but means two arguments."""

    def __new__(cls, *args: object, **kwargs: object) -> Widget:
        """Take anything."""
        return super().__new__(cls)

    def __init__(self, image: object, *, opacity: float = 0.7) -> None:
        self.image = image


def test_signature_is_that_of_init() -> None:
    """Only a signature that says nothing is replaced."""
    says_nothing = str(inspect.signature(Widget.__new__)).replace("cls, ", "")
    shown = signatures.use_init(None, "class", "Widget", Widget, None, says_nothing, None)  # type: ignore[arg-type]
    assert shown == ("(image, *, opacity=0.7)", None)
    assert signatures.use_init(None, "class", "Widget", Widget, None, "(image)", None) is None  # type: ignore[arg-type]
    assert signatures.use_init(None, "function", "f", len, None, says_nothing, None) is None  # type: ignore[arg-type]
